//! The requests of a run: rendered once, sent over and over.

use std::ops::Deref;
use std::sync::Arc;

use super::Target;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method, as [`parse_method`] gives it.
    pub method: String,
    /// Path and query, as [`Target::request_target`] gives them.
    pub request_target: String,
    /// Fields beyond Host and Connection, or in their place.
    pub fields: Vec<(String, String)>,
    /// Body; Content-Length is added for it.
    pub body: Vec<u8>,
}

/// The requests of a run, which take turns; at least one.
#[derive(Clone, Debug)]
pub struct RequestList(Arc<[Request]>);

/// Reasons for which a field or a method cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Neither `Name: value` nor `Name=value`.
    #[error("'{0}' is not a field; write it like 'Name: value' or Name=value")]
    NotAField(String),
    /// The name is no token (RFC 9110 5.6.2).
    #[error("'{0}' is not a field name; use letters, digits and hyphens")]
    Name(String),
    /// A line break or another control character.
    #[error("the value of '{0}' holds a control character")]
    Value(String),
    /// It would contradict the body that is sent.
    #[error("'{0}' is set from the body; leave it out")]
    Framing(String),
    /// The method is no token.
    #[error("'{0}' is not a method; write it like GET")]
    Method(String),
    /// Its replies are framed by no rule that a repeated request could use.
    #[error("CONNECT opens a tunnel and cannot be repeated; use another method")]
    Connect,
}

/// RFC 9110 9.3 and RFC 5789, without CONNECT.
const USUAL_METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH",
];

/// A method as it is sent. Methods are case-sensitive (RFC 9110 9.1); the usual ones are meant in
/// upper case however they are written.
///
/// # Errors
/// Not a token, or CONNECT.
pub fn parse_method(text: &str) -> Result<String, RequestError> {
    let upper = text.to_ascii_uppercase();
    match text {
        _ if USUAL_METHODS.contains(&&*upper) => Ok(upper),
        _ if upper == "CONNECT" => Err(RequestError::Connect),
        _ if is_token(text) => Ok(text.to_owned()),
        _ => Err(RequestError::Method(text.to_owned())),
    }
}

/// A field given as `Name: value` or `Name=value`, split at whichever sign comes first.
///
/// # Errors
/// A name that is no token, a value with control characters, a field that frames the body.
pub fn parse_field(text: &str) -> Result<(String, String), RequestError> {
    let (name, value) = text
        .split_once([':', '='])
        .ok_or_else(|| RequestError::NotAField(text.to_owned()))?;
    field(name, value)
}

/// A field of this name and value.
///
/// # Errors
/// As [`parse_field`].
pub fn field(name: &str, value: &str) -> Result<(String, String), RequestError> {
    if !is_token(name) {
        return Err(RequestError::Name(name.to_owned()));
    }
    if value.bytes().any(|b| (b < b' ' && b != b'\t') || b == 0x7f) {
        return Err(RequestError::Value(name.to_owned()));
    }
    if is(name, "content-length") || is(name, "transfer-encoding") {
        return Err(RequestError::Framing(name.to_owned()));
    }
    Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

impl Request {
    /// A GET of this target.
    pub fn get(target: &Target) -> Request {
        Request {
            method: "GET".to_owned(),
            request_target: target.request_target().to_owned(),
            fields: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds fields, in the place of those of the same names.
    pub fn replace_fields(&mut self, fields: &[(String, String)]) {
        let is_replaced = |name: &str| fields.iter().any(|(new, _)| is(new, name));
        self.fields.retain(|(name, _)| !is_replaced(name));
        self.fields.extend_from_slice(fields);
    }

    /// Returns true if it has a field of this name, given in lower case.
    pub fn has_field(&self, lower: &str) -> bool {
        self.fields.iter().any(|(name, _)| is(name, lower))
    }

    /// Its bytes for the server of `target`: Host and `Connection: keep-alive` unless its fields say
    /// otherwise, then those fields, then the body with its length.
    pub(super) fn render(&self, target: &Target) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.request_target);
        let mut add = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
        if !self.has_field("host") {
            add("Host", &target.authority());
        }
        if !self.has_field("connection") {
            add("Connection", "keep-alive");
        }
        for (name, value) in &self.fields {
            add(name, value);
        }
        // RFC 9110 8.6: a method that means something by its content says when there is none.
        let expects_content = matches!(self.method.as_str(), "POST" | "PUT" | "PATCH");
        if expects_content || !self.body.is_empty() {
            add("Content-Length", &self.body.len().to_string());
        }
        head.push_str("\r\n");
        let mut request = head.into_bytes();
        request.extend_from_slice(&self.body);
        request
    }
}

impl RequestList {
    /// These requests in their order; `None` if there is none.
    pub fn new(requests: Vec<Request>) -> Option<RequestList> {
        (!requests.is_empty()).then(|| RequestList(requests.into()))
    }
}

impl From<Request> for RequestList {
    fn from(request: Request) -> RequestList {
        RequestList([request].into())
    }
}

impl Deref for RequestList {
    type Target = [Request];

    fn deref(&self) -> &[Request] {
        &self.0
    }
}

fn is(name: &str, lower: &str) -> bool {
    name.eq_ignore_ascii_case(lower)
}

/// RFC 9110 5.6.2.
fn is_token(text: &str) -> bool {
    let is_tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url).expect("a URL")
    }

    #[test]
    fn a_plain_get_holds_host_and_connection_only() {
        let target = target("http://localhost:8080/x?y");
        assert_eq!(
            Request::get(&target).render(&target),
            b"GET /x?y HTTP/1.1\r\nHost: localhost:8080\r\nConnection: keep-alive\r\n\r\n"
        );
    }

    #[test]
    fn given_fields_replace_ours_and_a_body_gets_its_length() {
        let target = target("http://localhost");
        let fields = ["host=example", "connection: close", "X-A:b=c:d"];
        let request = Request {
            method: "POST".into(),
            fields: fields
                .map(|text| parse_field(text).expect("a field"))
                .into(),
            body: b"abc".to_vec(),
            ..Request::get(&target)
        };
        assert_eq!(
            request.render(&target),
            b"POST / HTTP/1.1\r\nhost: example\r\nconnection: close\r\nX-A: b=c:d\r\n\
              Content-Length: 3\r\n\r\nabc"
        );
    }

    #[test]
    fn a_post_without_body_says_so() {
        let target = target("http://localhost");
        let request = Request {
            method: "POST".into(),
            ..Request::get(&target)
        };
        let request = String::from_utf8(request.render(&target)).expect("text");
        assert!(request.ends_with("Content-Length: 0\r\n\r\n"), "{request}");
    }

    #[test]
    fn a_field_replaces_all_of_its_name() {
        let field = |text| parse_field(text).expect("a field");
        let mut request = Request::get(&target("http://localhost"));
        request.fields = ["A: 1", "b: 2", "a: 3", "C: 4"].map(field).into();
        request.replace_fields(&["a: 5", "D: 6", "A: 7"].map(field));
        let left = ["b: 2", "C: 4", "a: 5", "D: 6", "A: 7"].map(field);
        assert_eq!(request.fields, left);
    }

    #[test]
    fn what_would_break_the_request_is_refused() {
        for text in [
            "none",
            ": v",
            "a b: v",
            "a: b\r\nc: d",
            "a: \0",
            "content-length: 3",
            "Transfer-Encoding=chunked",
        ] {
            assert!(parse_field(text).is_err(), "{text:?}");
        }
        for text in ["", "GE T", "CONNECT", "connect", "G\r\n"] {
            assert!(parse_method(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn usual_methods_are_upper_cased_and_others_kept() {
        for (text, sent) in [
            ("post", "POST"),
            ("Patch", "PATCH"),
            ("PURGE", "PURGE"),
            ("purge", "purge"),
        ] {
            assert_eq!(parse_method(text).as_deref(), Ok(sent));
        }
    }
}
