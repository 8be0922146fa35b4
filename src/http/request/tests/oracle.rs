//! httparse as the oracle for heads.
//!
//! A head that our parser accepts is the same head to httparse, and what httparse refuses, our
//! parser refuses.
//! The other way round we are stricter: about bare LF, request-targets, versions other than 1.0
//! and 1.1, limits, and all that fields mean.

use proptest::prelude::*;

use super::*;

/// Result of reading the start of a stream.
#[derive(Debug, PartialEq)]
enum Verdict {
    Head {
        head_bytes: usize,
        method: String,
        minor: u8,
    },
    Partial,
    Refused,
}

fn oracle(stream: &[u8]) -> Verdict {
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(stream) {
        Ok(httparse::Status::Complete(head_bytes)) => Verdict::Head {
            head_bytes,
            method: request.method.unwrap_or_default().to_string(),
            minor: request.version.unwrap_or_default(),
        },
        Ok(httparse::Status::Partial) => Verdict::Partial,
        Err(_) => Verdict::Refused,
    }
}

/// Reads a stream up to its first step or the end of its first head, whichever is first.
///
/// A method is told as far as we tell methods apart.
fn ours(stream: &[u8]) -> (Verdict, Option<Method>) {
    let mut parser = RequestParser::new();
    for (index, byte) in stream.iter().enumerate() {
        let (_, step) = parser.step(&[*byte], &Limits::default());
        let method = parser.method();
        let (method, version) = match (step, parser.position()) {
            (Some(Step::Refused(_)), _) => return (Verdict::Refused, None),
            (Some(Step::Complete(request)), _) => (Some(request.method), request.version),
            (_, Position::Body) => (method, parser.head.version),
            _ => continue,
        };
        let minor = u8::from(version == Version::Http11);
        return (
            Verdict::Head {
                head_bytes: index + 1,
                method: String::new(),
                minor,
            },
            method,
        );
    }
    (Verdict::Partial, None)
}

fn is_the_method(name: &str, method: Option<Method>) -> bool {
    let expected = match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "POST" | "PUT" | "DELETE" | "PATCH" | "TRACE" => Method::Known,
        _ => Method::Unknown,
    };
    method == Some(expected)
}

/// Describes a disagreement that must not be.
fn disagreement(stream: &[u8]) -> Option<String> {
    let theirs = oracle(stream);
    let (ours, method) = ours(stream);
    let agree = match (&ours, &theirs) {
        (Verdict::Refused, _) => true,
        (Verdict::Partial, _) => theirs != Verdict::Refused,
        (
            Verdict::Head {
                head_bytes, minor, ..
            },
            Verdict::Head {
                head_bytes: their_bytes,
                method: name,
                minor: their_minor,
            },
        ) => head_bytes == their_bytes && minor == their_minor && is_the_method(name, method),
        (Verdict::Head { .. }, _) => false,
    };
    (!agree).then(|| {
        format!(
            "{}: we {ours:?} {method:?}, httparse {theirs:?}",
            stream.escape_ascii()
        )
    })
}

/// Versions from 1.2 on are read as 1.1 (RFC 9110 2.5); httparse refuses them.
fn names_a_later_minor(stream: &[u8]) -> bool {
    stream
        .windows(8)
        .any(|window| window.starts_with(b"HTTP/1.") && window[7] > b'1')
}

#[test]
fn on_no_case_do_we_take_what_httparse_does_not() {
    for case in cases() {
        // An empty line is passed over by both, but only we refuse the fifth.
        if !names_a_later_minor(&case.sent) {
            assert_eq!(disagreement(&case.sent), None, "{}", case.name);
        }
    }
}

#[test]
fn the_same_bytes_may_stand_in_methods_names_and_values() {
    for byte in 0..=u8::MAX {
        let parts: [(&[u8], &[u8]); 3] = [
            (b"G", b"T / HTTP/1.1\r\nHost: a\r\n\r\n"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX", b"Y: z\r\n\r\n"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: y", b"z\r\n\r\n"),
        ];
        for (before, after) in parts {
            // These end a part, and what follows is then another one.
            if matches!(byte, b' ' | b':' | b'\n') {
                continue;
            }
            let stream = [before, &[byte], after].concat();
            let (ours, _) = ours(&stream);
            let is_refused = oracle(&stream) == Verdict::Refused;
            assert_eq!(
                ours == Verdict::Refused,
                is_refused,
                "{}",
                stream.escape_ascii()
            );
        }
    }
}

/// Pieces of heads, good and bad, in an order that often makes sense.
fn head() -> impl Strategy<Value = Vec<u8>> {
    let line = "(\r\n){0,2}(GET|HEAD|POST|OPTIONS|CONNECT|G@T|get|)( |  |\t)(/|/a\\?b|\\*|http://a/|a:80|/\u{e4}|)( |  )HTTP/(1\\.1|1\\.0|1\\.|2\\.0|11)";
    let field = "(Host|Host|X-Y|Content-Length|Connection|Expect|Transfer-Encoding|X Y|X |)(:|: |:\t| :)(a|a:80|5|close|chunked|\u{e4}|\0|a\rb|)[ \t]{0,2}";
    let end = prop::sample::select(vec![
        "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\n ", "\r\r\n",
    ]);
    (
        line,
        end.clone(),
        prop::collection::vec((field, end.clone()), 0..4),
        end,
    )
        .prop_map(|(line, line_end, fields, last)| {
            let mut head = format!("{line}{line_end}");
            fields
                .iter()
                .for_each(|(field, end)| head += &format!("{field}{end}"));
            (head + last).into_bytes()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn no_head_is_taken_that_httparse_does_not_take(stream in head()) {
        prop_assert_eq!(disagreement(&stream), None);
    }

    #[test]
    fn no_valid_stream_with_a_byte_changed_is_taken_that_httparse_does_not_take(
        (stream, _) in request(),
        index in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut stream = stream;
        let at = index.index(stream.len());
        stream[at] = byte;
        prop_assume!(!names_a_later_minor(&stream));
        prop_assert_eq!(disagreement(&stream), None);
    }
}
