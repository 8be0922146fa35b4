//! Requests as people write them (`--requests`). A blank line, or the next request, ends a request:
//!
//! ```text
//! # a comment
//! GET http://localhost:8080/items?page=2
//! Accept: text/html
//!
//! POST /items
//! Content-Type: application/json
//! = {"name": "x"}
//!
//! PUT /items/1
//! @item.json
//! ```
//!
//! `GET` may be left out. A path goes to the server of the command line, or else to that of the
//! first URL above it. `@` names the file with the body, relative to this file; each line with `=` is
//! a line of the body as it stands.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{OtherServer, check_server};
use crate::load::request::{RequestError, parse_field, parse_method};
use crate::load::target::UrlError;
use crate::load::{Request, Target};

/// Reads `file`, whose paths go to `server` if it is given.
///
/// # Errors
/// One line that names the file, the line in it, and the remedy.
pub(super) fn read(file: &Path, server: Option<&Target>) -> Result<Vec<(Target, Request)>, String> {
    let bytes = super::read_file("--requests", file)?;
    let shown = format!("--requests {}", file.display());
    let requests = RequestFile::parse(&bytes, file.parent(), server)
        .map_err(|(line, fault)| format!("{shown}, line {line}: {fault}"))?;
    match requests.is_empty() {
        true => Err(format!(
            "{shown}: it holds no request; write one such as 'GET /path'"
        )),
        false => Ok(requests),
    }
}

/// Reasons for not taking a line.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("it is not UTF-8; put such a body into a file of its own: @FILE")]
    NotUtf8,
    #[error("'{0}' is neither a request such as 'GET /path' nor a field such as 'Name: value'")]
    Unknown(String),
    #[error("'{0}' belongs to no request; write it right below a line such as 'GET /path'")]
    NoRequest(String),
    #[error("'{0}' names no server; write the whole URL, or give that of the server to load")]
    NoServer(String),
    #[error(transparent)]
    OtherServer(#[from] OtherServer),
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("the request has a body already; give one @FILE, or lines that begin with '='")]
    SecondBody,
    #[error("cannot read the body {}: {error}", path.display())]
    BodyFile { path: PathBuf, error: io::Error },
}

/// The origin of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    None,
    File,
    Lines,
}

/// The requests that were read so far.
struct RequestFile<'a> {
    /// Where files with bodies are.
    folder: Option<&'a Path>,
    server: Option<Target>,
    requests: Vec<(Target, Request)>,
    /// The body of the last request so far; `None` if a blank line has ended it.
    last: Option<Body>,
}

impl RequestFile<'_> {
    /// The requests in `bytes`; the error has the number of its line.
    fn parse(
        bytes: &[u8],
        folder: Option<&Path>,
        server: Option<&Target>,
    ) -> Result<Vec<(Target, Request)>, (usize, Fault)> {
        let mut file = RequestFile {
            folder,
            server: server.cloned(),
            requests: Vec::new(),
            last: None,
        };
        for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let text = std::str::from_utf8(line).map_err(|_| Fault::NotUtf8);
            let taken = text.and_then(|text| file.take(text));
            taken.map_err(|fault| (index + 1, fault))?;
        }
        Ok(file.requests)
    }

    fn take(&mut self, line: &str) -> Result<(), Fault> {
        match Line::of(line) {
            Line::Blank => self.last = None,
            Line::Comment => {}
            Line::Request { method, url } => self.begin(method, url)?,
            Line::Field(text) => {
                let field = parse_field(text).map_err(|error| Fault::of_field(error, text))?;
                let (request, _) = self.last(line)?;
                request.fields.push(field);
            }
            Line::BodyFile(path) => {
                let path = self.folder.unwrap_or(Path::new("")).join(path);
                let (request, body) = self.last(line)?;
                if std::mem::replace(body, Body::File) != Body::None {
                    return Err(Fault::SecondBody);
                }
                let read = fs::read(&path);
                request.body = read.map_err(|error| Fault::BodyFile { path, error })?;
            }
            Line::BodyText(text) => {
                let (request, body) = self.last(line)?;
                match std::mem::replace(body, Body::Lines) {
                    Body::None => {}
                    Body::Lines => request.body.push(b'\n'),
                    Body::File => return Err(Fault::SecondBody),
                }
                request.body.extend_from_slice(text.as_bytes());
            }
        }
        Ok(())
    }

    /// The request that `line` is a part of.
    fn last(&mut self, line: &str) -> Result<(&mut Request, &mut Body), Fault> {
        match (self.requests.last_mut(), &mut self.last) {
            (Some((_, request)), Some(body)) => Ok((request, body)),
            _ => Err(Fault::NoRequest(line.trim().to_owned())),
        }
    }

    fn begin(&mut self, method: &str, url: &str) -> Result<(), Fault> {
        let target = match (url.starts_with('/'), &self.server) {
            (false, _) => Target::parse(url)?,
            (true, Some(server)) => Target::parse(&format!("{}{url}", server.origin()))?,
            (true, None) => return Err(Fault::NoServer(url.to_owned())),
        };
        check_server(&target, self.server.as_ref())?;
        let request = Request {
            method: parse_method(method)?,
            ..Request::get(&target)
        };
        self.server.get_or_insert_with(|| target.clone());
        self.requests.push((target, request));
        self.last = Some(Body::None);
        Ok(())
    }
}

impl Fault {
    /// A line that is no field may have been meant as something else.
    fn of_field(error: RequestError, text: &str) -> Fault {
        match error {
            RequestError::NotAField(_) | RequestError::Name(_) => Fault::Unknown(text.to_owned()),
            error => error.into(),
        }
    }
}

/// A line, by its form.
enum Line<'a> {
    Blank,
    Comment,
    Request { method: &'a str, url: &'a str },
    Field(&'a str),
    BodyFile(&'a str),
    BodyText(&'a str),
}

impl Line<'_> {
    fn of(line: &str) -> Line<'_> {
        let text = line.trim();
        if let Some(path) = text.strip_prefix('@') {
            return Line::BodyFile(path.trim_start());
        }
        if let Some(text) = line.trim_start().strip_prefix('=') {
            return Line::BodyText(text.strip_prefix(' ').unwrap_or(text));
        }
        match text.split_once([' ', '\t']) {
            _ if text.is_empty() => Line::Blank,
            _ if text.starts_with('#') => Line::Comment,
            _ if is_url(text) => Line::Request {
                method: "GET",
                url: text,
            },
            Some((method, url)) if is_method(method) && is_url(url.trim_start()) => Line::Request {
                method,
                url: url.trim_start(),
            },
            _ => Line::Field(text),
        }
    }
}

/// True for a word in upper case: a field whose colon was forgotten begins no request.
fn is_method(word: &str) -> bool {
    !word.contains(|c: char| c == ':' || c.is_ascii_lowercase())
}

/// True for a path, and for a URL of any scheme.
fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &str| scheme.bytes().all(|byte| byte.is_ascii_alphabetic());
    text.starts_with('/') || scheme.is_some_and(is_scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, server: Option<&str>) -> Result<Vec<(Target, Request)>, String> {
        let server = server.map(|url| Target::parse(url).expect("a URL"));
        let parsed = RequestFile::parse(text.as_bytes(), None, server.as_ref());
        parsed.map_err(|(line, fault)| format!("{line}: {fault}"))
    }

    /// Method, URL, fields and body of each request.
    fn summary(text: &str, server: Option<&str>) -> Vec<String> {
        let requests = parse(text, server).expect("valid");
        let summary = requests.into_iter().map(|(url, request)| {
            let fields = request.fields.iter();
            let fields = fields.map(|(name, value)| format!("|{name}: {value}"));
            let fields: String = fields.collect();
            let body = String::from_utf8(request.body).expect("text");
            assert_eq!(url.request_target(), request.request_target);
            format!("{} {url}{fields}|{body:?}", request.method)
        });
        summary.collect()
    }

    #[test]
    fn requests_have_methods_urls_fields_and_bodies() {
        let text = "\n# comment\nGET http://a:81/x?y#z\nAccept: text/html\n  # not a field\nB:c\n\n\
            PURGE   /x\r\n\r\n \nPOST /y\nContent-Type: application/json\n= {\n=  \"b\": 1 \n=}\n";
        assert_eq!(
            summary(text, None),
            [
                "GET http://a:81/x?y|Accept: text/html|B: c|\"\"",
                "PURGE http://a:81/x|\"\"",
                "POST http://a:81/y|Content-Type: application/json|\"{\\n \\\"b\\\": 1 \\n}\"",
            ]
        );
    }

    #[test]
    fn lines_of_urls_and_of_requests_need_nothing_between_them() {
        let text = "/a\nhttp://h/b\nHEAD /c\nReferer: http://x/y\nOrigin:http://x\n/d";
        assert_eq!(
            summary(text, Some("http://h")),
            [
                "GET http://h/a|\"\"",
                "GET http://h/b|\"\"",
                "HEAD http://h/c|Referer: http://x/y|Origin: http://x|\"\"",
                "GET http://h/d|\"\"",
            ]
        );
    }

    #[test]
    fn a_body_file_is_relative_to_the_file_of_requests() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("body"), b"\xff\n").expect("room");
        let text = "POST http://a\n@body\nX: after it";
        let requests = RequestFile::parse(text.as_bytes(), Some(folder.path()), None);
        let requests = requests.expect("valid");
        assert_eq!(requests[0].1.body, b"\xff\n");
        assert_eq!(requests[0].1.fields.len(), 1);
        for second in ["= text", "@body"] {
            let text = format!("http://a\n@body\n{second}");
            let parsed = RequestFile::parse(text.as_bytes(), Some(folder.path()), None);
            assert!(matches!(parsed, Err((3, Fault::SecondBody))), "{second}");
        }
    }

    #[test]
    fn a_fault_names_its_line_and_the_remedy() {
        for (text, said) in [
            ("\nGET", "2: 'GET' is neither a request such as 'GET /path'"),
            ("get /x", "1: 'get /x' is neither a request"),
            ("/x\nX-Path /y", "2: 'X-Path /y' is neither a request"),
            ("/x\nGET a.b/c", "2: 'GET a.b/c' is neither a request"),
            (
                "/x\n\nA: b",
                "3: 'A: b' belongs to no request; write it right below",
            ),
            ("= body", "1: '= body' belongs to no request"),
            ("@body", "1: '@body' belongs to no request"),
            ("/x y", "1: the URL holds ' ', which must be"),
            ("/x\nGET /x HTTP/1.1", "2: the URL holds ' '"),
            ("/x\nftp://a/b", "2: the scheme 'ftp' is not supported"),
            (
                "/x\n/y\nhttp://b/z",
                "3: http://b/z is for another server than http://a; load",
            ),
            ("CONNECT /x", "1: CONNECT opens a tunnel"),
            ("G,T /x", "1: 'G,T' is not a method"),
            ("/x\nContent-Length: 3", "2: 'Content-Length' is set from"),
            ("/x\nA: \u{1}", "2: the value of 'A' holds a control"),
            ("/x\n= a\n@b", "3: the request has a body already"),
            ("/x\n@no/where", "2: cannot read the body no/where: "),
        ] {
            let message = parse(text, Some("http://a")).expect_err("a fault");
            assert!(message.starts_with(said), "{text:?}: {message}");
        }
        let message = parse("/x", None).expect_err("no server");
        assert!(message.starts_with("1: '/x' names no server"), "{message}");
        let (line, fault) = RequestFile::parse(b"http://a\n= \xff", None, None).expect_err("bytes");
        assert_eq!((line, fault.to_string().contains("@FILE")), (2, true));
    }
}
