//! The request of a run: rendered once, sent over and over.

use super::LoadPlan;

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
    if !is_token(name) {
        return Err(RequestError::Name(name.to_owned()));
    }
    if value.bytes().any(|b| (b < b' ' && b != b'\t') || b == 0x7f) {
        return Err(RequestError::Value(name.to_owned()));
    }
    if is(name, "content-length") || is(name, "transfer-encoding") {
        return Err(RequestError::Framing(name.to_owned()));
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}

/// The bytes of one request: Host and `Connection: keep-alive` unless the plan's fields say
/// otherwise, then those fields, then the body with its length.
pub(super) fn render(plan: &LoadPlan) -> Vec<u8> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\n",
        plan.method,
        plan.target.request_target()
    );
    let given = |wanted: &str| plan.fields.iter().any(|(name, _)| is(name, wanted));
    let mut add = |name: &str, value: &str| {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    };
    if !given("host") {
        add("Host", &plan.target.authority());
    }
    if !given("connection") {
        add("Connection", "keep-alive");
    }
    for (name, value) in &plan.fields {
        add(name, value);
    }
    // RFC 9110 8.6: a method that means something by its content says when there is none.
    let expects_content = matches!(plan.method.as_str(), "POST" | "PUT" | "PATCH");
    if expects_content || !plan.body.is_empty() {
        add("Content-Length", &plan.body.len().to_string());
    }
    head.push_str("\r\n");
    let mut request = head.into_bytes();
    request.extend_from_slice(&plan.body);
    request
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
    use super::super::tests::plan;
    use super::*;

    #[test]
    fn a_plain_get_holds_host_and_connection_only() {
        assert_eq!(
            render(&plan("http://localhost:8080/x?y")),
            b"GET /x?y HTTP/1.1\r\nHost: localhost:8080\r\nConnection: keep-alive\r\n\r\n"
        );
    }

    #[test]
    fn given_fields_replace_ours_and_a_body_gets_its_length() {
        let mut plan = plan("http://localhost");
        plan.method = "POST".into();
        plan.fields = vec![
            parse_field("host=example").expect("a field"),
            parse_field("connection: close").expect("a field"),
            parse_field("X-A:b=c:d").expect("a field"),
        ];
        plan.body = b"abc".to_vec();
        assert_eq!(
            render(&plan),
            b"POST / HTTP/1.1\r\nhost: example\r\nconnection: close\r\nX-A: b=c:d\r\n\
              Content-Length: 3\r\n\r\nabc"
        );
    }

    #[test]
    fn a_post_without_body_says_so() {
        let mut plan = plan("http://localhost");
        plan.method = "POST".into();
        let request = String::from_utf8(render(&plan)).expect("text");
        assert!(request.ends_with("Content-Length: 0\r\n\r\n"), "{request}");
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
