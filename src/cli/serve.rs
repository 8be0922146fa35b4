//! `bareloop serve http|tcp`.

use std::net::ToSocketAddrs;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Exit, output, values};
use crate::event_loop::{
    Address, ConnectionLimits, DIVIDES_CONNECTIONS, StopSignal, raise_descriptor_limit,
};
use crate::format::{count, plural, rate};
use crate::http::request;
use crate::load::request::parse_field;
use crate::serve::http::{HttpSettings, Timeouts};
use crate::serve::{self, Counters, Place, ServeCallbacks, ServePlan, Served};

const BIND_REMEDY: &str = "write --bind ADDR:PORT, such as 127.0.0.1:8080, [::1]:8080 or \
                           localhost:0, or --bind unix:PATH";
/// Prefix of a `--bind` that names a unix domain socket.
const UNIX_PREFIX: &str = "unix:";

/// Connections accepted unless the system allows fewer.
const CONNECTIONS_MAX: usize = 10_000;
/// Descriptors for the poll, its wakers and the listeners of one more copy.
const DESCRIPTORS_PER_COPY: usize = 16;

/// Run a minimal server, as fast as one core allows
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bareloop serve http
      Answer every GET on http://localhost:8080
  bareloop serve tcp --bind 127.0.0.1:9000
      Answer every CR LF CR LF on port 9000
  bareloop serve http --help
      Show limits and timeouts")]
pub struct ServeArgs {
    #[command(subcommand)]
    protocol: Which,
}

#[derive(Debug, Subcommand)]
enum Which {
    Http(HttpArgs),
    Tcp(TcpArgs),
}

/// Serve HTTP/1.1: every GET is answered with the same body
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bareloop serve http
  bareloop serve http --bind 127.0.0.1:0 --body 'Hello!' --header 'X-Powered-By: nothing'
  bareloop serve http --bind unix:/tmp/hello.sock
  bareloop serve http -w 4

SIGTERM or Ctrl-C sends the outstanding replies, prints one line about the work done, and exits with
0; a second one stops at once.")]
struct HttpArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Body of the reply to GET
    #[arg(long, value_name = "TEXT", default_value = "Hello World!")]
    body: String,
    /// Field to add to every reply to GET and HEAD; may be given several times
    #[arg(long = "header", value_name = "K: V", value_parser = reply_field)]
    headers: Vec<(String, String)>,
    /// Time limit for receiving a complete request head (408)
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = values::duration)]
    header_timeout: Duration,
    /// Time limit for each pause within a request body (408)
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = values::duration)]
    body_timeout: Duration,
    /// Time limit for receiving a complete request body (408)
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = values::duration)]
    body_total_timeout: Duration,
    /// Time limit between two requests on a connection
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = values::duration)]
    idle_timeout: Duration,
    /// Longest request-target accepted (414)
    #[arg(long, value_name = "BYTES", default_value = "8192", value_parser = values::count)]
    target_max: usize,
    /// Longest request head accepted (431)
    #[arg(long, value_name = "BYTES", default_value = "16384", value_parser = values::count)]
    head_max: usize,
    /// Most fields in a request head accepted (431)
    #[arg(long, value_name = "N", default_value = "100", value_parser = values::count)]
    fields_max: usize,
    /// Longest request body accepted (413)
    #[arg(long, value_name = "BYTES", default_value = "1048576", value_parser = values::count)]
    body_max: usize,
}

/// Send the same 48 bytes for every CR LF CR LF received, without parsing requests
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bareloop serve tcp
  bareloop serve tcp --bind [::1]:9000

SIGTERM or Ctrl-C sends the outstanding replies, prints one line about the work done, and exits with
0; a second one stops at once.")]
struct TcpArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Time limit for a silent connection [default: none]
    #[arg(long, value_name = "SECONDS", value_parser = values::duration)]
    idle_timeout: Option<Duration>,
}

#[derive(Debug, Args)]
struct CommonArgs {
    /// Copies of the server, each with a thread and a listener of its own; the kernel divides the
    /// connections among them (Linux, FreeBSD)
    #[arg(short = 'w', long, value_name = "COPIES", default_value = "1", value_parser = copies)]
    workers: NonZeroUsize,
    /// Address to listen on, or unix:PATH; a host name means all its addresses, and port 0 a free
    /// port; may be repeated
    #[arg(long, value_name = "ADDR:PORT", default_value = "localhost:8080", value_parser = bindable)]
    bind: Vec<String>,
    /// Time limit for sending without progress
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = values::duration)]
    send_timeout: Duration,
    /// Time to wait for the client to close after the last reply
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = values::duration)]
    linger: Duration,
    /// Time limit for sending the outstanding replies at a stop
    #[arg(long, value_name = "SECONDS", default_value = "4", value_parser = values::duration)]
    shutdown_timeout: Duration,
    /// Connections served at once, by all copies together; others wait in the kernel [default:
    /// 10000, or what ulimit -n allows]
    #[arg(long, value_name = "N", value_parser = values::count)]
    connections_max: Option<usize>,
}

/// Runs a server until it is stopped.
pub fn run(args: ServeArgs, signal: &StopSignal) -> Exit {
    let result = match args.protocol {
        Which::Http(args) => plan(&args.common).and_then(|plan| {
            let callbacks = callbacks("http");
            serve::http(&plan, &http_settings(args), signal, callbacks).map_err(|e| e.to_string())
        }),
        Which::Tcp(args) => plan(&args.common).and_then(|plan| {
            let callbacks = callbacks("tcp");
            serve::tcp(&plan, args.idle_timeout, signal, callbacks).map_err(|e| e.to_string())
        }),
    };
    match result {
        Ok(served) => {
            // As for the addresses: a closed stdout is no reason to fail.
            let _ = output::print(&summary(&served));
            Exit::Fine
        }
        Err(message) => {
            output::fail(&message);
            Exit::Failed
        }
    }
}

fn callbacks(protocol: &'static str) -> ServeCallbacks {
    ServeCallbacks {
        listening: Box::new(move |addresses| announce(protocol, addresses)),
        warn: output::warn,
    }
}

/// One line about the work done.
fn summary(served: &Served) -> String {
    let total = served.total();
    let line = format!(
        "served {} on {} in {} s, {} refused",
        plural(total.requests, "request"),
        plural(total.connections, "connection"),
        rate(served.elapsed.as_secs_f64()),
        count(total.refused)
    );
    match shares(&served.copies, total.requests) {
        Some(shares) => format!("{line}; {shares}\n"),
        None => format!("{line}\n"),
    }
}

/// The smallest and the largest share that a copy answered; `None` for one copy, or without
/// requests.
fn shares(copies: &[Counters], requests: u64) -> Option<String> {
    let each = copies.iter().map(|copy| copy.requests);
    let (least, most) = (each.clone().min()?, each.max()?);
    if copies.len() < 2 || requests == 0 {
        return None;
    }
    let percent = |part: u64| 100.0 * part as f64 / requests as f64;
    Some(format!(
        "each of {} copies answered {:.0} to {:.0} %",
        copies.len(),
        percent(least),
        percent(most)
    ))
}

fn announce(scheme: &str, addresses: &[Address]) {
    let lines: String = addresses
        .iter()
        .map(|address| match address {
            Address::Tcp(address) => format!("listening on {scheme}://{address}\n"),
            #[cfg(unix)]
            Address::Unix(path) => format!("listening on {UNIX_PREFIX}{}\n", path.display()),
        })
        .collect();
    // A server whose stdout is closed serves all the same.
    let _ = output::print(&lines);
}

fn plan(args: &CommonArgs) -> Result<ServePlan, String> {
    let copies = args.workers;
    let fitting = raise_descriptor_limit();
    let fitting = fitting.saturating_sub((copies.get() - 1).saturating_mul(DESCRIPTORS_PER_COPY));
    let connections_max = args.connections_max.unwrap_or(CONNECTIONS_MAX).min(fitting);
    if let Some(asked) = args.connections_max.filter(|&asked| asked > fitting) {
        output::warn(&format!(
            "--connections-max {asked}: this process may open at most {fitting} connections; raise \
             the limit with ulimit -n"
        ));
    }
    if connections_max < copies.get() {
        return Err(format!(
            "{copies} copies cannot share {}; lower -w, or raise --connections-max and ulimit -n",
            plural(connections_max as u64, "connection")
        ));
    }
    let places = args.bind.iter().map(|name| place(name, copies));
    Ok(ServePlan {
        places: places.collect::<Result<_, _>>()?,
        limits: ConnectionLimits {
            connections_max,
            send_timeout: args.send_timeout,
            linger: args.linger,
            grace: args.shutdown_timeout,
        },
        copies,
    })
}

fn place(name: &str, copies: NonZeroUsize) -> Result<Place, String> {
    if let Some(path) = name.strip_prefix(UNIX_PREFIX) {
        if copies > NonZeroUsize::MIN {
            return Err(format!(
                "--bind {name}: a unix domain socket has one listener; use -w 1, or a TCP address"
            ));
        }
        return unix_place(path);
    }
    let resolved = name
        .to_socket_addrs()
        .map_err(|e| format!("cannot resolve --bind {name}: {e}; {BIND_REMEDY}"))?;
    let mut addresses = Vec::new();
    for address in resolved {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(format!("--bind {name} has no address; {BIND_REMEDY}"));
    }
    Ok(Place::Tcp(addresses))
}

#[cfg(unix)]
fn unix_place(path: &str) -> Result<Place, String> {
    Ok(Place::Unix(path.into()))
}

#[cfg(not(unix))]
fn unix_place(_path: &str) -> Result<Place, String> {
    Err("unix domain sockets are not supported on this system".to_owned())
}

/// A number of copies that this system can divide connections among.
fn copies(text: &str) -> Result<NonZeroUsize, String> {
    let copies = values::count(text)?;
    if copies > 1 && !DIVIDES_CONNECTIONS {
        return Err(
            "this system does not divide the connections of a port among listeners; use -w 1"
                .to_owned(),
        );
    }
    NonZeroUsize::new(copies).ok_or_else(|| "must be at least 1".to_owned())
}

/// A host and a port, or `unix:` and a path, by their form; names are resolved later.
fn bindable(text: &str) -> Result<String, String> {
    if text
        .strip_prefix(UNIX_PREFIX)
        .is_some_and(|path| !path.is_empty())
    {
        return Ok(text.to_owned());
    }
    let looks_right = text.rsplit_once(':').is_some_and(|(host, port)| {
        let is_bare_ipv6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        !host.is_empty() && !is_bare_ipv6 && port.parse::<u16>().is_ok()
    });
    match looks_right {
        true => Ok(text.to_owned()),
        false => Err(BIND_REMEDY.to_owned()),
    }
}

fn http_settings(args: HttpArgs) -> HttpSettings {
    HttpSettings {
        body: args.body.into_bytes(),
        fields: args.headers,
        limits: request::Limits {
            target_bytes_max: args.target_max,
            head_bytes_max: args.head_max,
            fields_max: args.fields_max,
            body_bytes_max: args.body_max as u64,
        },
        timeouts: Timeouts {
            header: args.header_timeout,
            body_gap: args.body_timeout,
            body_total: args.body_total_timeout,
            idle: args.idle_timeout,
        },
    }
}

/// A field for replies; those that frame a reply are the server's own.
fn reply_field(text: &str) -> Result<(String, String), String> {
    let (name, value) = parse_field(text).map_err(|error| error.to_string())?;
    let own = ["connection", "date", "server"];
    if own.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!(
            "'{name}' is set by the server itself; leave it out"
        ));
    }
    Ok((name, value))
}
