//! `bareloop load`: its flags, its exit codes, and what goes to which stream.
//!
//! The report goes to stdout, progress and warnings to stderr. Its heading is printed before the
//! run, which also shows at the start that stdout can be written.

mod calibration;
mod counts;
mod exports;
mod find_rate;
mod limits;
mod merge;
mod page;
mod printing;
mod progress;
mod ready;
mod requests;
mod schedule;
mod stamps;
mod together;
mod warm_up;

use std::io::{self, IsTerminal};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};

use super::tls::TlsArgs;
use super::{Exit, output, values};
use crate::event_loop::{StopSignal, raise_descriptor_limit};
use crate::load::table;
use crate::load::{
    self, ConnectError, ExpectedStatuses, LoadPlan, LoadReport, Refill, Until, Warning,
};
use progress::ProgressLine;
use ready::Ready;
use requests::Requested;

const EXAMPLES: &str = "\
Examples:
  bareloop load http://localhost:8080
      10 connections, one request at a time on each, for 10 seconds
  bareloop load -c 100 -p 10 -d 5 http://localhost:8080
      100 connections with 10 requests in flight on each, for 5 seconds
  bareloop load -a 10000 -m POST -H 'Content-Type: application/json' -b '{}' http://[::1]:3000/items
      10,000 requests with a header field and a body, over IPv6
  bareloop load -R 2000 --arrivals poisson http://localhost:8080
      2,000 requests per second, as from many independent users
  bareloop load --find-rate 'p99<5ms' -c 100 http://localhost:8080
      the highest rate at which 99 % of requests are answered within 5 ms
  bareloop load -S /run/app.sock --json http://localhost/health
      a server on a unix domain socket, with the report as one line of JSON
  bareloop load http://localhost:8080/a http://localhost:8080/b
      two requests in turn
  bareloop load --requests requests.txt http://localhost:8080
      the requests of a file in turn
  bareloop load --merge 0.hlog 1.hlog 2.hlog 3.hlog
      one report of four processes, from their logs (--export-hlog)

A file for --requests holds one or more requests:
  # a comment
  GET /items?page=2
  Accept: text/html

  POST http://localhost:8080/items
  Content-Type: application/json
  = {\"name\": \"x\"}

  PUT /items/1
  @item.json
The method may be left out if it is GET. A path goes to the server of the command line, or else to
that of the first URL in the file. Each line of a body begins with '='; '@FILE' takes the whole body
from a file, whose name is relative to this one. Each connection sends the requests in this order
and then starts again from the first. The second connection that is opened begins with the second
request, and so on.

Without -R the loop is closed: a connection sends its next request when a reply arrives. Latency is
the time from just before a request is handed to the kernel until its complete reply is read. With
-R the loop is open: each request has a time at which it is due, whatever the server does, and the
first free connection sends it. Latency then counts from the due time, even if the request was sent
late. To keep these times to microseconds, the client uses a whole core above about 200 requests/s.

Flags that autocannon also has mean the same, except -W, which takes a time.

Several processes, on as many machines, can share one run with --share and --start-at; --merge makes
one report of their logs.

Exit codes: 0 success; 1 the run failed (no server listens, or no reply was completed); 2 bad usage;
3 a gate tripped (--fail-if); 130 interrupted, with a report of what was measured so far.";

/// Load a server, measure it, and judge how far the figures can be trusted
#[derive(Args, Clone, Debug)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("open_loop").args(["rate", "find_rate"]).multiple(true)
)]
pub struct LoadArgs {
    /// Connections kept open at once
    #[arg(short, long, value_name = "N", default_value = "10", value_parser = values::count)]
    connections: usize,

    /// Requests in flight on each connection
    #[arg(short, long, value_name = "N", default_value = "1", value_parser = counts::pipelining)]
    pipelining: usize,

    /// Length of the run: seconds, or with a unit (500ms, 1m)
    #[arg(short, long, value_name = "TIME", default_value = "10", value_parser = values::duration)]
    duration: Duration,

    /// Stop after this number of replies, not after a time
    #[arg(short, long, value_name = "N", value_parser = counts::amount, conflicts_with = "duration")]
    amount: Option<u64>,

    /// Time limit for a reply: seconds, or with a unit
    #[arg(short, long, value_name = "TIME", default_value = "10", value_parser = values::duration)]
    timeout: Duration,

    /// Client threads, which divide the connections and the rate among them; auto: one per core
    #[arg(short, long, value_name = "N", default_value = "1", value_parser = counts::workers)]
    workers: counts::Workers,

    /// Sending of further requests on a connection: one for each reply (rolling), or all together
    /// after the last reply (batch)
    #[arg(long, value_name = "MODE", default_value = "rolling", value_parser = counts::refill)]
    refill: Refill,

    #[command(flatten)]
    warm_up: warm_up::WarmUpArgs,

    #[command(flatten)]
    limits: limits::LimitArgs,

    #[command(flatten)]
    requests: requests::RequestArgs,

    /// The body that every reply should have; replies with another body are counted
    #[arg(short = 'E', long, value_name = "TEXT", help_heading = "Requests")]
    expect_body: Option<String>,

    /// Status codes that replies should have (200, 4xx, 500-503; several with commas); any other
    /// makes the run SUSPECT [default: any below 400]
    #[arg(long, value_name = "CODES", help_heading = "Requests")]
    expect_status: Option<ExpectedStatuses>,

    #[command(flatten)]
    schedule: schedule::ScheduleArgs,

    #[command(flatten)]
    find_rate: find_rate::FindRateArgs,

    /// Unix domain socket to connect to in place of the URL's host
    #[arg(
        short = 'S',
        long = "socket-path",
        alias = "socketPath",
        value_name = "PATH",
        help_heading = "Requests"
    )]
    socket_path: Option<PathBuf>,

    /// Name of the run in its reports
    #[arg(short = 'T', long, value_name = "TEXT", help_heading = "Report")]
    title: Option<String>,

    #[command(flatten)]
    tls: TlsArgs,

    #[command(flatten)]
    stamps: stamps::StampArgs,

    #[command(flatten)]
    calibration: calibration::CalibrationArgs,

    /// Show fifteen latency percentiles
    #[arg(short, long, conflicts_with = "find_rate", help_heading = "Report")]
    latency: bool,

    /// Show no progress on the terminal
    #[arg(short, long, help_heading = "Report")]
    no_progress: bool,

    /// Print the report as one line of JSON
    #[arg(short, long, help_heading = "Report")]
    json: bool,

    #[command(flatten)]
    exports: exports::ExportArgs,

    #[command(flatten)]
    together: together::TogetherArgs,

    /// Make one report of the runs of several processes, from their --export-hlog files. The
    /// latencies are those of all requests; the rate is that of the time in which all processes ran
    #[arg(
        long,
        value_name = "FILE",
        num_args = 1..,
        conflicts_with_all = merge::REFUSED,
        help_heading = "Several processes"
    )]
    merge: Vec<PathBuf>,
}

impl LoadArgs {
    /// The run that the flags describe, with these requests.
    ///
    /// # Errors
    /// One line that names the flag and the remedy.
    fn plan(&self, requested: Requested) -> Result<LoadPlan, String> {
        let descriptors = raise_descriptor_limit();
        if self.connections > descriptors {
            return Err(format!(
                "--connections {}: this process may open at most {descriptors} connections; raise \
                 the limit with ulimit -n",
                self.connections
            ));
        }
        self.check_workers()?;
        self.together.check(load::time_until)?;
        let target = match &self.socket_path {
            Some(path) => requested.target.through_socket(path.clone()),
            None => requested.target,
        };
        Ok(LoadPlan {
            tls: self.tls.client(&target)?,
            kernel_timestamps: self.stamps.wanted(&target)?,
            target,
            requests: requested.requests,
            connections: self.connections,
            pipelining: self.pipelining,
            warm_up: self.warm_up.plan(&self.schedule)?,
            until: match self.amount {
                Some(amount) => Until::Amount(amount),
                None => Until::Duration(self.duration),
            },
            timeout: self.timeout,
            refill: self.refill,
            open_loop: self.schedule.plan(self.duration),
            expected_body: self.expect_body.clone().map(String::into_bytes),
            expected_statuses: self.expect_status.clone(),
            bailout: self.limits.bailout,
            requests_per_connection: self.limits.requests_per_connection,
            workers: self.workers(),
            share: self.together.share,
            start_at: self.together.start_at,
            title: self.title.clone(),
        })
    }

    /// True if stdout is for one report that a program reads.
    fn owns_stdout(&self) -> bool {
        !self.exports.printed(self.prints_json()).is_empty()
    }

    /// Refuses flags that need knowledge of all workers, and amounts too small to share.
    fn check_workers(&self) -> Result<(), String> {
        let (workers, shared) = (self.workers().get(), self.shared());
        self.together.check_share(shared, workers)?;
        if shared < u64::from(workers) {
            return Err(format!(
                "--workers {workers}: each needs a connection, and a request of --amount; lower it"
            ));
        }
        if workers > 1 && self.limits.bailout.is_some() {
            return Err(format!(
                "--workers {workers}: --bailout counts the errors of one worker; use -w 1"
            ));
        }
        Ok(())
    }

    fn workers(&self) -> NonZeroU32 {
        self.workers.number(self.together.own_part(self.shared()))
    }

    /// Connections or requests, of which each worker needs one.
    fn shared(&self) -> u64 {
        (self.connections as u64).min(self.amount.unwrap_or(u64::MAX))
    }

    fn prints_json(&self) -> bool {
        self.json || self.exports.prints_json()
    }

    fn shows_progress(&self) -> bool {
        !self.no_progress && !self.owns_stdout() && io::stderr().is_terminal()
    }
}

/// Runs the load that `args` describe, until its end or `signal`; or joins the runs that they name.
pub fn run(args: LoadArgs, signal: &StopSignal) -> Exit {
    if !args.merge.is_empty() {
        return merge::run(&args.merge, &args);
    }
    let Ready {
        plan,
        search,
        files,
    } = match Ready::of(&args) {
        Ok(ready) => ready,
        Err(message) => {
            output::fail(&message);
            return Exit::Usage;
        }
    };
    let measured = match &search {
        Some(search) => find_rate::search(search, &args, signal),
        None => measure(&plan, &args, signal),
    };
    match measured {
        Ok(mut report) => {
            args.calibration.complete(&mut report, &plan, signal);
            conclude(&report, &args, files, signal)
        }
        Err(
            error @ (Unmeasured::Connect(ConnectError::Interrupted { .. })
            | Unmeasured::Run(load::Error::InterruptedBeforeStart)),
        ) => {
            output::fail(&error.to_string());
            Exit::Interrupted
        }
        Err(error) => {
            output::fail(&error.to_string());
            Exit::Failed
        }
    }
}

/// Reasons for no report.
#[derive(Debug, thiserror::Error)]
enum Unmeasured {
    #[error(transparent)]
    Connect(ConnectError),
    #[error(transparent)]
    Run(load::Error),
    #[error("{0}")]
    Stdout(String),
}

impl From<load::Error> for Unmeasured {
    fn from(error: load::Error) -> Unmeasured {
        match error {
            load::Error::Connect(error) => Unmeasured::Connect(error),
            error => Unmeasured::Run(error),
        }
    }
}

/// Prints the heading and runs.
fn measure(
    plan: &LoadPlan,
    args: &LoadArgs,
    signal: &StopSignal,
) -> Result<LoadReport, Unmeasured> {
    let ready = load::prepare(plan, signal)?;
    if !args.owns_stdout() {
        let printed = output::print(&table::heading(&plan.own_part(), &ready.address()));
        if let Some(message) = output::refusal(printed) {
            return Err(Unmeasured::Stdout(message));
        }
    }
    let mut line = ProgressLine::new(plan.own_part().until, args.shows_progress());
    let result = ready.run(signal, &mut |progress| line.show(progress));
    line.clear();
    Ok(result?)
}

/// Prints and exports the report, and returns how the run ended.
fn conclude(
    report: &LoadReport,
    args: &LoadArgs,
    files: Vec<exports::Writing>,
    signal: &StopSignal,
) -> Exit {
    let written = printing::print(report, args);
    let exported = exports::write(files, report);
    if let Err(message) = written.and(exported) {
        output::fail(&message);
        return Exit::Failed;
    }
    if signal.times_raised() > 0 {
        return Exit::Interrupted;
    }
    if let Some(reason) = report.find_rate.as_ref().and_then(|found| found.failure()) {
        output::fail(&reason);
        return Exit::Failed;
    }
    if report.is_failure() {
        let reason = report.verdict.reasons.first();
        output::fail(&reason.map_or_else(|| "the run failed".to_owned(), Warning::to_string));
        return Exit::Failed;
    }
    args.exports.judge(report)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::load::Request;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        load: LoadArgs,
    }

    fn plan(flags: &[&str]) -> Result<LoadPlan, String> {
        let cli = Cli::try_parse_from([&["load"], flags].concat());
        let load = cli.map_err(|error| error.to_string())?.load;
        load.plan(load.requests.read()?)
    }

    #[test]
    fn defaults_are_those_of_autocannon() {
        let plan = plan(&["http://localhost"]).expect("valid");
        assert_eq!((plan.connections, plan.pipelining), (10, 1));
        assert_eq!(plan.until, Until::Duration(Duration::from_secs(10)));
        assert_eq!(plan.timeout, Duration::from_secs(10));
        assert_eq!(plan.refill, Refill::Rolling);
        assert_eq!(plan.requests[..], [Request::get(&plan.target)]);
    }

    #[test]
    fn only_the_look_of_its_report_can_be_chosen_for_a_merge() {
        let allowed = ["merge", "json", "latency", "no_progress"];
        let command = <Cli as clap::CommandFactory>::command();
        let merge = command.get_arguments().find(|arg| arg.get_id() == "merge");
        let merge = merge.expect("the flag");
        let refused = command.get_arg_conflicts_with(merge);
        let taken = command
            .get_arguments()
            .filter(|arg| !allowed.contains(&arg.get_id().as_str()))
            .filter(|arg| !refused.iter().any(|other| other.get_id() == arg.get_id()));
        let taken: Vec<&str> = taken.map(|arg| arg.get_id().as_str()).collect();
        assert_eq!(taken, [""; 0], "add them to merge::REFUSED");
    }

    #[test]
    fn a_flag_without_effect_is_warned_of() {
        let warnings = |flags: &[&str]| {
            let cli = Cli::try_parse_from([&["load"], flags].concat()).expect("flags");
            let requested = cli.load.requests.read().expect("a URL");
            let plan = cli.load.plan(requested).expect("a plan");
            let idle = [
                cli.load.schedule.idle_seed(),
                cli.load.tls.idle_authorities(plan.tls.is_some()),
                cli.load.tls.idle_insecure(plan.tls.is_some()),
            ];
            idle.map(Option::unwrap_or_default).concat()
        };
        let seeded = ["-R", "9", "--seed", "7", "http://localhost"];
        assert!(warnings(&seeded).contains("--arrivals poisson"));
        let drawn = [&["--arrivals", "poisson"], &seeded[..]].concat();
        assert_eq!(warnings(&drawn), "");
        let file = ["--cacert", "Cargo.toml", "http://localhost"];
        assert!(warnings(&file).contains("--cacert"));
        for flags in ["-k", "-nk", "--insecure"] {
            assert!(warnings(&[flags, "http://localhost"]).contains("-k: "));
            assert_eq!(warnings(&[flags, "HTTPS://localhost"]), "");
        }
    }

    #[test]
    fn flags_become_a_plan() {
        let plan = plan(&[
            "-c",
            "100",
            "-p",
            "10",
            "-a",
            "5",
            "-t",
            "500ms",
            "-m",
            "PUT",
            "-H",
            "A: b",
            "-H",
            "C=d",
            "-b",
            "text",
            "-E",
            "ok",
            "--refill",
            "batch",
            "-S",
            "/s",
            "localhost:8080/x",
        ])
        .expect("valid");
        assert_eq!((plan.connections, plan.pipelining), (100, 10));
        assert_eq!(plan.until, Until::Amount(5));
        assert_eq!(plan.timeout, Duration::from_millis(500));
        assert_eq!(plan.refill, Refill::Batch);
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = Request {
            method: "PUT".to_owned(),
            request_target: "/x".to_owned(),
            fields: vec![field("A", "b"), field("C", "d")],
            body: b"text".to_vec(),
        };
        assert_eq!(plan.requests[..], [request]);
        assert_eq!(plan.expected_body.as_deref(), Some(b"ok".as_slice()));
        assert_eq!(plan.target.socket_path(), Some("/s".as_ref()));
        assert!(plan.target.assumed_http());
    }

    #[test]
    fn bad_usage_names_the_flag_and_the_remedy() {
        let url = "http://localhost";
        for (flags, flag, remedy) in [
            (&["-c", "0", url][..], "--connections", "at least 1"),
            (&["-p", "0", url], "--pipelining", "at least 1"),
            (&["-d", "abc", url], "--duration", "seconds"),
            (&["-t", "0", url], "--timeout", "more than 0"),
            (&["-a", "0", url], "--amount", "at least 1"),
            (
                &["-a", "1", "-d", "1", url],
                "--duration",
                "cannot be used with",
            ),
            (
                &["-b", "x", "-i", "y", url],
                "--input",
                "cannot be used with",
            ),
            (&["-m", "G T", url], "--method", "GET"),
            (&["-H", "x", url], "--header", "Name: value"),
            (&["--refill", "both", url], "--refill", "rolling or batch"),
            (
                &["-i", "/nowhere/at.all", url],
                "--input",
                "/nowhere/at.all",
            ),
            (&["--wat", url], "--wat", "unexpected argument"),
            (
                &["-W", "auto", "-R", "1:9", url],
                "--warm-up auto",
                "such as -W 3",
            ),
            (
                &["--cacert", "/nowhere/at.all", "https://a"],
                "--cacert",
                "/nowhere/at.all",
            ),
            (&[], "URL", "required"),
        ] {
            let message = plan(flags).expect_err("bad usage");
            assert!(message.contains(flag), "{flags:?}: {message}");
            assert!(message.contains(remedy), "{flags:?}: {message}");
        }
    }
}
