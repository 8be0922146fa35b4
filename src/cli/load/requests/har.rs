//! The requests of a HAR file (`--har`): an HTTP Archive 1.2, as browsers and proxies save it.
//!
//! Fields that belong to the connection or to HTTP/2 are not sent: this client has a connection and
//! a version of its own. Cookies and Accept-Encoding are.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::format::count;
use crate::load::request::{RequestError, field, parse_method};
use crate::load::target::UrlError;
use crate::load::{Request, Target};

/// Fields of a connection, of a message's framing, or set from the URL (RFC 9110 7.6.1, RFC 9113
/// 8.2.2); besides these, all that begin with `:` or `proxy-`.
const NOT_SENT: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The requests of a HAR file to one server.
pub(super) struct HarRequests {
    pub(super) requests: Vec<(Target, Request)>,
    pub(super) left_out: Option<LeftOut>,
}

/// Entries of a HAR file that are for other servers than the one that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::load) struct LeftOut {
    file: PathBuf,
    entries: usize,
    of: usize,
    server: Target,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, server) = (self.file.display(), &self.server);
        let (entries, of) = (count(self.entries as u64), count(self.of as u64));
        write!(
            f,
            "--har {file}: left out {entries} of {of} requests: not for {server}"
        )
    }
}

/// Reads the requests of `file` to `server`, or else to that of the first request.
///
/// # Errors
/// One line that names the file, the entry in it, and the remedy.
pub(super) fn read(file: &Path, server: Option<&Target>) -> Result<HarRequests, String> {
    let shown = format!("--har {}", file.display());
    let bytes = super::read_file("--har", file)?;
    let har: Har = serde_json::from_slice(&bytes).map_err(|error| {
        format!(
            "{shown}: it is not a HAR file: {error}; save one with the network tools of a browser"
        )
    })?;
    let entries = har.log.entries;
    let of = entries.len();
    let mut server = server.map(Target::origin);
    let mut other = None;
    let mut requests = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let at_entry = |fault: Fault| format!("{shown}, entry {}: {fault}", index + 1);
        let url = entry.request.target().map_err(|e| at_entry(e.into()))?;
        match url {
            Some(url)
                if server
                    .as_ref()
                    .is_none_or(|server| url.has_origin_of(server)) =>
            {
                server.get_or_insert_with(|| url.origin());
                let request = entry.request.into_request(&url).map_err(at_entry)?;
                requests.push((url, request));
            }
            url => other = other.or(url),
        }
    }
    let left_out = of - requests.len();
    match (server, other) {
        (Some(server), Some(other)) if requests.is_empty() => Err(format!(
            "{shown}: no request is for {server}; give the URL of another server, such as {}",
            other.origin()
        )),
        (Some(server), _) if !requests.is_empty() => Ok(HarRequests {
            requests,
            left_out: (left_out > 0).then(|| LeftOut {
                file: file.to_owned(),
                entries: left_out,
                of,
                server,
            }),
        }),
        _ => Err(format!(
            "{shown}: it holds no http:// or https:// request; load the page with the network tools \
             open, then save it"
        )),
    }
}

/// Reasons for not taking an entry.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("its body of type '{0}' was saved in parts, without its text; remove the entry")]
    Parts(String),
}

#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: HarRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarRequest {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
    post_data: Option<PostData>,
}

/// A header field, or a value of a form.
#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct PostData {
    mime_type: String,
    text: Option<String>,
    params: Vec<Pair>,
}

impl HarRequest {
    /// Its URL; `None` if it is for no server of HTTP: `data:`, `wss:`.
    fn target(&self) -> Result<Option<Target>, UrlError> {
        let scheme = self.url.split(':').next().unwrap_or_default();
        let is_http = ["http", "https"].map(|http| scheme.eq_ignore_ascii_case(http));
        match is_http.contains(&true) {
            true => Target::parse(&self.url).map(Some),
            false => Ok(None),
        }
    }

    fn into_request(self, url: &Target) -> Result<Request, Fault> {
        let post_data = self.post_data.unwrap_or_default();
        let sent = self.headers.iter().filter(|header| is_sent(&header.name));
        let fields = sent.map(|header| field(&header.name, &header.value));
        let mut request = Request {
            method: parse_method(&self.method)?,
            fields: fields.collect::<Result<_, _>>()?,
            body: post_data.body()?,
            ..Request::get(url)
        };
        if !post_data.mime_type.is_empty()
            && !request.body.is_empty()
            && !request.has_field("content-type")
        {
            let content_type = field("Content-Type", &post_data.mime_type)?;
            request.fields.push(content_type);
        }
        Ok(request)
    }
}

fn is_sent(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !name.starts_with(':') && !name.starts_with("proxy-") && !NOT_SENT.contains(&&*name)
}

impl PostData {
    /// The text, or the form that the values make.
    fn body(&self) -> Result<Vec<u8>, Fault> {
        match (&self.text, &self.params[..]) {
            (Some(text), []) => Ok(text.clone().into_bytes()),
            (Some(text), _) if !text.is_empty() => Ok(text.clone().into_bytes()),
            (_, []) => Ok(Vec::new()),
            (_, params) if is_form(&self.mime_type) => {
                let pairs = params.iter().map(|param| {
                    let (name, value) = (form_encoded(&param.name), form_encoded(&param.value));
                    format!("{name}={value}")
                });
                Ok(pairs.collect::<Vec<_>>().join("&").into_bytes())
            }
            (_, _) => Err(Fault::Parts(self.mime_type.clone())),
        }
    }
}

fn is_form(mime_type: &str) -> bool {
    let form = "application/x-www-form-urlencoded";
    let kind = mime_type.get(..form.len());
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(form))
}

/// Text as a form writes it: a space is a plus, and other bytes are percent-encoded.
fn form_encoded(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b' ' => "+".to_owned(),
        b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Reads a log of these entries' requests.
    fn read_log(requests: &[Value], server: Option<&str>) -> Result<HarRequests, String> {
        let entries = requests
            .iter()
            .map(|one| json!({"time": 1, "request": one}));
        let entries: Vec<Value> = entries.collect();
        let har = json!({"log": {"version": "1.2", "creator": {}, "entries": entries}});
        read_text(&har.to_string(), server)
    }

    fn read_text(text: &str, server: Option<&str>) -> Result<HarRequests, String> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("room");
        let server = server.map(|url| Target::parse(url).expect("a URL"));
        let path = file.path().to_str().expect("UTF-8");
        let read = read(file.path(), server.as_ref());
        read.map_err(|message| message.replace(path, "FILE"))
    }

    fn get(url: &str) -> Value {
        json!({"method": "GET", "url": url, "httpVersion": "h2", "headers": []})
    }

    #[test]
    fn requests_are_sent_without_the_fields_of_their_connection() {
        let request = json!({
            "method": "get", "url": "https://a/x?y=%20#z",
            "headers": [
                {"name": ":authority", "value": "a"}, {"name": ":method", "value": "GET"},
                {"name": "Host", "value": "a"}, {"name": "Connection", "value": "close"},
                {"name": "Keep-Alive", "value": "9"}, {"name": "TE", "value": "trailers"},
                {"name": "Upgrade", "value": "h2c"}, {"name": "HTTP2-Settings", "value": "x"},
                {"name": "Proxy-Authorization", "value": "x"}, {"name": "Trailer", "value": "x"},
                {"name": "content-length", "value": "9"},
                {"name": "Transfer-Encoding", "value": "chunked"},
                {"name": "accept-encoding", "value": "gzip, br"}, {"name": "Cookie", "value": "a=b"},
                {"name": "upgrade-insecure-requests", "value": "1"}
            ]
        });
        let read = read_log(&[request], None).expect("valid");
        let (url, request) = &read.requests[0];
        assert_eq!(url.to_string(), "https://a/x?y=%20");
        assert_eq!(
            (&*request.method, &*request.request_target),
            ("GET", "/x?y=%20")
        );
        let names = request.fields.iter().map(|(name, _)| &**name);
        assert!(names.eq(["accept-encoding", "Cookie", "upgrade-insecure-requests"]));
        assert_eq!(read.left_out, None);
    }

    #[test]
    fn a_body_is_its_text_or_the_form_of_its_values() {
        let form = "application/x-www-form-urlencoded; charset=UTF-8";
        let params = json!([{"name": "a b", "value": "ä&"}, {"name": "c"}]);
        for (post_data, body) in [
            (json!(null), ""),
            (json!({}), ""),
            (json!({"mimeType": "text/plain", "text": "a\nb"}), "a\nb"),
            (
                json!({"mimeType": form, "text": "a=1", "params": params}),
                "a=1",
            ),
            (
                json!({"mimeType": form, "text": "", "params": params}),
                "a+b=%C3%A4%26&c=",
            ),
            (
                json!({"mimeType": form, "params": params}),
                "a+b=%C3%A4%26&c=",
            ),
        ] {
            let request = json!({"method": "POST", "url": "http://a", "postData": post_data});
            let read = read_log(&[request], None).expect("valid");
            let request = &read.requests[0].1;
            assert_eq!(request.body, body.as_bytes(), "{post_data}");
            // The type is that of the body, where no field says otherwise.
            let typed = request.has_field("content-type");
            assert_eq!(typed, !body.is_empty(), "{post_data}");
        }
        let request = json!({
            "method": "POST", "url": "http://a", "headers": [{"name": "content-type", "value": "x"}],
            "postData": {"mimeType": "y", "text": "z"}
        });
        let read = read_log(&[request], None).expect("valid");
        let fields = &read.requests[0].1.fields;
        assert_eq!(*fields, [("content-type".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn requests_to_other_servers_are_left_out_and_counted() {
        let log = [
            "data:text/plain,x",
            "http://a/1",
            "https://a/2",
            "wss://a/3",
            "http://A:80/4",
        ];
        let log = log.map(get);
        for (server, targets) in [
            (None, &["/1", "/4"][..]),
            (Some("http://a"), &["/1", "/4"]),
            (Some("https://a"), &["/2"]),
        ] {
            let read = read_log(&log, server).expect("valid");
            let sent = read.requests.iter().map(|(_, one)| &*one.request_target);
            assert!(sent.eq(targets.iter().copied()), "{server:?}");
            let said = read.left_out.expect("some").to_string();
            let left_out = format!("left out {} of 5 requests: not for ", 5 - targets.len());
            assert!(said.contains(&left_out), "{said}");
            assert!(said.contains(server.unwrap_or("http://a")), "{said}");
        }
    }

    #[test]
    fn a_fault_names_its_entry_and_the_remedy() {
        let with = |key: &str, value: Value| {
            let mut request = get("http://a");
            request[key] = value;
            request
        };
        let bad_name = json!([{"name": "a b", "value": "c"}]);
        let parts = json!({"mimeType": "multipart/form-data", "params": [{"name": "a"}]});
        for (request, said) in [
            (get("http://a/b c"), "entry 2: the URL holds ' '"),
            (get("http://me@a"), "entry 2: a user name"),
            (
                with("method", json!("G T")),
                "entry 2: 'G T' is not a method",
            ),
            (with("method", json!("CONNECT")), "entry 2: CONNECT opens"),
            (
                with("headers", bad_name),
                "entry 2: 'a b' is not a field name",
            ),
            (
                with("postData", parts),
                "entry 2: its body of type 'multipart/form-data'",
            ),
        ] {
            let message = read_log(&[get("http://a"), request], None).err();
            let message = message.expect("a fault");
            assert!(message.starts_with("--har FILE, "), "{message}");
            assert!(message.contains(said), "{said}: {message}");
        }
    }

    #[test]
    fn a_file_without_requests_is_refused() {
        let other = read_log(&[get("http://b:81/x")], Some("http://a"));
        assert_eq!(
            other.err().expect("none is left"),
            "--har FILE: no request is for http://a; give the URL of another server, such as \
             http://b:81"
        );
        for (log, server) in [
            (&[][..], None),
            (&[get("data:,x")], None),
            (&[get("data:,x")], Some("http://a")),
        ] {
            let message = read_log(log, server).err().expect("nothing to send");
            assert!(
                message.contains("it holds no http:// or https://"),
                "{message}"
            );
        }
        for text in [
            "",
            "{}",
            "[1]",
            "{\"log\": {\"entries\": [{\"request\": {}}]}}",
        ] {
            let message = read_text(text, None).err().expect("no HAR");
            assert!(message.contains("it is not a HAR file: "), "{message}");
            assert!(message.ends_with("network tools of a browser"), "{message}");
        }
        assert!(
            read_text("\u{feff}{\"log\": {\"entries\": []}}", None)
                .err()
                .is_some_and(|message| message.contains("no http://"))
        );
    }
}
