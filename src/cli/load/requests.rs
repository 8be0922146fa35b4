//! The requests of a run: URLs with one method, fields and body, or the requests of a file.

mod har;
mod input;
mod request_file;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::load::request::{parse_field, parse_method};
use crate::load::{Request, RequestList, Target};
pub(super) use har::LeftOut;

/// The flags of the requests.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Requests")]
pub(super) struct RequestArgs {
    /// URL to send requests to: http[s]://HOST[:PORT][/PATH]; several URLs of one server take turns
    #[arg(
        value_name = "URL",
        value_parser = Target::parse,
        help_heading = None::<&str>,
        required_unless_present_any = ["merge", "requests", "har"]
    )]
    urls: Vec<Target>,

    /// Request method
    #[arg(short, long, default_value = "GET", value_parser = parse_method)]
    method: String,

    /// Header field 'Name: value' or Name=value; replaces the default one of that name; may be
    /// repeated
    #[arg(short = 'H', long = "header", value_name = "FIELD", value_parser = parse_field)]
    fields: Vec<(String, String)>,

    /// Request body; Content-Length is set from it
    #[arg(short, long, value_name = "TEXT", conflicts_with = "input")]
    body: Option<String>,

    /// File with the request body; '-' reads standard input
    #[arg(short, long, value_name = "FILE")]
    input: Option<PathBuf>,

    /// File with requests that take turns, in the format below; '-' reads standard input
    #[arg(
        long,
        value_name = "FILE",
        value_parser = request_file,
        conflicts_with_all = ["har", "method", "body", "input"]
    )]
    requests: Option<PathBuf>,

    /// HAR file (HTTP Archive 1.2) whose requests take turns. Only those to the server of URL are
    /// sent, or without URL those to the server of the first request
    #[arg(long, value_name = "FILE", conflicts_with_all = ["method", "body", "input"])]
    har: Option<PathBuf>,
}

/// The requests of a run, and their server.
#[derive(Debug)]
pub(super) struct Requested {
    /// The URL of the only request, or that of the server of all.
    pub(super) target: Target,
    pub(super) requests: RequestList,
    /// The part of a HAR file that is not requested.
    pub(super) left_out: Option<LeftOut>,
}

/// A URL of a server that the run does not load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url} is for another server than {server}; load one after the other")]
struct OtherServer {
    url: String,
    server: String,
}

impl RequestArgs {
    /// Reads what is requested.
    ///
    /// # Errors
    /// One line that names the flag, the place in its file, and the remedy.
    pub(super) fn read(&self) -> Result<Requested, String> {
        let mut left_out = None;
        let mut requests = match (&self.requests, &self.har) {
            (Some(file), _) => {
                let server = self.server("--requests")?;
                request_file::read(file, server)?
            }
            (None, Some(file)) => {
                let log = har::read(file, self.server("--har")?)?;
                left_out = log.left_out;
                log.requests
            }
            (None, None) => self.of_urls()?,
        };
        for (_, request) in &mut requests {
            request.replace_fields(&self.fields);
        }
        let target = match &requests[..] {
            [(url, _)] => Some(url.clone()),
            all => all.first().map(|(url, _)| url.origin()),
        };
        let requests = requests.into_iter().map(|(_, request)| request);
        let requests = RequestList::new(requests.collect());
        let (target, requests) = target.zip(requests).ok_or("a URL is missing")?;
        Ok(Requested {
            target,
            requests,
            left_out,
        })
    }

    /// The same request for each URL.
    fn of_urls(&self) -> Result<Vec<(Target, Request)>, String> {
        let body = match (&self.body, &self.input) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(path)) => {
                input::read(path).map_err(|error| format!("--input {}: {error}", path.display()))?
            }
            (None, None) => Vec::new(),
        };
        let request = |url: &Target| {
            let request = Request {
                method: self.method.clone(),
                body: body.clone(),
                ..Request::get(url)
            };
            check_server(url, self.urls.first())?;
            Ok((url.clone(), request))
        };
        let requests: Result<_, OtherServer> = self.urls.iter().map(request).collect();
        requests.map_err(|error| error.to_string())
    }

    /// The server that the command line names beside the file of `flag`.
    fn server(&self, flag: &str) -> Result<Option<&Target>, String> {
        match &self.urls[..] {
            [] => Ok(None),
            [url] if url.request_target() == "/" => Ok(Some(url)),
            [url] => Err(format!(
                "{flag}: the paths are in the file; write {} for the server alone",
                url.origin()
            )),
            [_, ..] => Err(format!(
                "{flag}: the requests are in the file; give one URL, that of the server, or none"
            )),
        }
    }
}

/// Refuses a URL of another server than that of `server`.
fn check_server(url: &Target, server: Option<&Target>) -> Result<(), OtherServer> {
    match server {
        Some(server) if !url.has_origin_of(server) => Err(OtherServer {
            url: url.to_string(),
            server: server.origin().to_string(),
        }),
        _ => Ok(()),
    }
}

/// The bytes of the file of `flag`, without a byte order mark.
fn read_file(flag: &str, file: &Path) -> Result<Vec<u8>, String> {
    let bytes = input::read(file).map_err(|e| format!("{flag} {}: {e}", file.display()))?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec);
    Ok(text.unwrap_or(bytes))
}

/// The path of a file of requests. A number is what it is in h2load.
fn request_file(text: &str) -> Result<PathBuf, String> {
    match text.parse::<u64>() {
        Ok(number) => Err(format!(
            "the number of requests is -a {number}; a file of this name is ./{text}"
        )),
        Err(_) => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        load: crate::cli::load::LoadArgs,
    }

    fn requested(flags: &[&str]) -> Result<Requested, String> {
        let cli = Cli::try_parse_from([&["load"], flags].concat());
        cli.map_err(|error| error.to_string())?.load.requests.read()
    }

    /// A file with this text.
    fn file_of(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("room");
        file
    }

    #[test]
    fn urls_of_one_server_share_method_fields_and_body() {
        let urls = ["http://a:81/x?1", "http://A:81", "a:81/x?1"];
        let flags = [&["-m", "put", "-H", "B: c", "-b", "body"], &urls[..]].concat();
        let requested = requested(&flags).expect("valid");
        assert_eq!(requested.target.to_string(), "http://a:81");
        let targets = requested.requests.iter().map(|one| &*one.request_target);
        assert!(targets.eq(["/x?1", "/", "/x?1"]));
        for request in requested.requests.iter() {
            assert_eq!((&*request.method, &request.body[..]), ("PUT", &b"body"[..]));
            assert_eq!(request.fields, [("B".to_owned(), "c".to_owned())]);
        }
        assert_eq!(requested.left_out, None);
    }

    #[test]
    fn the_url_of_the_only_request_is_kept_whole() {
        let one = requested(&["http://a/x"]).expect("valid");
        assert_eq!(one.target.to_string(), "http://a/x");
        let file = file_of("/y");
        let path = file.path().to_str().expect("UTF-8");
        let one = requested(&["--requests", path, "http://a"]).expect("valid");
        assert_eq!(one.target.to_string(), "http://a/y");
    }

    #[test]
    fn fields_of_the_command_line_replace_those_of_a_file() {
        let file = file_of("/a\nX: 1\nY: 2\n\n/b\nx: 3");
        let path = file.path().to_str().expect("UTF-8");
        let flags = ["--requests", path, "http://a", "-H", "X: 4", "-H", "Z: 5"];
        let requested = requested(&flags).expect("valid");
        let fields = |place: usize| {
            let fields = requested.requests[place].fields.iter();
            let fields = fields.map(|(name, value)| format!("{name}: {value}"));
            fields.collect::<Vec<_>>()
        };
        assert_eq!(fields(0), ["Y: 2", "X: 4", "Z: 5"]);
        assert_eq!(fields(1), ["X: 4", "Z: 5"]);
    }

    #[test]
    fn what_cannot_take_turns_is_refused_with_the_remedy() {
        let file = file_of("/a");
        let path = file.path().to_str().expect("UTF-8");
        for (flags, said) in [
            (
                &["http://a/x", "http://b/y"][..],
                "http://b/y is for another server than http://a; load one after the other",
            ),
            (&["http://a", "https://a"], "https://a is for another"),
            (&["http://a", "http://a:81"], "http://a:81 is for another"),
            (
                &["--requests", path, "http://a/x"],
                "--requests: the paths are in the file; write http://a for the server alone",
            ),
            (
                &["--har", path, "http://a", "http://a/x"],
                "--har: the requests are in the file; give one URL",
            ),
            (&["--requests", path, "--har", path], "cannot be used with"),
            (&["--requests", path, "-m", "PUT"], "cannot be used with"),
            (&["--har", path, "-b", "x"], "cannot be used with"),
            (&["--har", path, "-i", "x"], "cannot be used with"),
            (
                &["--requests", "1000", "http://a"],
                "the number of requests is -a 1000; a file of this name is ./1000",
            ),
            (
                &["--requests", "/nowhere/at.all"],
                "--requests /nowhere/at.all: ",
            ),
            (&["--har", "/nowhere/at.all"], "--har /nowhere/at.all: "),
        ] {
            let message = requested(flags).expect_err("bad usage");
            assert!(message.contains(said), "{flags:?}: {message}");
        }
    }
}
