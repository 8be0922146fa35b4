//! Renders whole replies as bytes.
//!
//! The status line says HTTP/1.1 to HTTP/1.0 clients too (RFC 9110 2.5: it is our version, not
//! theirs). There is no chunked reply: every body here is known before it is sent.

use std::time::{Duration, SystemTime};

use httpdate::HttpDate;

use super::request::Persistence;

/// The interim reply to `Expect: 100-continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Value of the Server field.
pub const SERVER: &str = "bareloop";

/// The last second that an IMF-fixdate can name, in seconds since 1970.
const LAST_SECOND: u64 = 253_402_300_799;

/// A point in time as an IMF-fixdate (RFC 9110 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImfDate([u8; ImfDate::BYTES]);

impl ImfDate {
    /// Every IMF-fixdate is as long as this.
    pub const BYTES: usize = 29;

    /// The second in which `time` lies. A clock outside the years 1970 to 9999 is shown as the
    /// nearest of them: a wrong clock is no reason not to answer.
    pub fn new(time: SystemTime) -> ImfDate {
        let since_1970 = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let shown = Duration::from_secs(since_1970.as_secs().min(LAST_SECOND));
        let text = HttpDate::from(SystemTime::UNIX_EPOCH + shown).to_string();
        let mut bytes = [b' '; ImfDate::BYTES];
        bytes.copy_from_slice(text.as_bytes());
        ImfDate(bytes)
    }

    /// Its characters.
    pub fn as_bytes(&self) -> &[u8; ImfDate::BYTES] {
        &self.0
    }
}

/// The body of a reply: sent, or only described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithBody {
    /// The body is sent.
    Yes,
    /// The body is described and not sent, as HEAD asks.
    HeadOnly,
}

/// A reply before it is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerReply<'a> {
    /// Three digits.
    pub status: u16,
    /// Fields beside Server, Date, Content-Length and Connection; valid names and values.
    pub fields: &'a [(&'a str, &'a str)],
    /// The body, described by Content-Length in any case.
    pub body: &'a [u8],
    /// Value of the Connection field, if there is one.
    pub persistence: Persistence,
    /// The body is sent or only described.
    pub with_body: WithBody,
}

impl ServerReply<'static> {
    /// An error reply. Its body names the reason in one line.
    ///
    /// 405 lists the methods that there are (RFC 9110 15.5.6).
    pub fn error(
        status: u16,
        persistence: Persistence,
        with_body: WithBody,
    ) -> ServerReply<'static> {
        const TEXT: (&str, &str) = ("Content-Type", "text/plain");
        let fields: &[_] = match status {
            405 => &[("Allow", "GET, HEAD"), TEXT],
            _ => &[TEXT],
        };
        let body = status_line_end(status).as_bytes();
        ServerReply {
            status,
            fields,
            body,
            persistence,
            with_body,
        }
    }
}

impl ServerReply<'_> {
    /// The bytes to send.
    pub fn render(&self, date: &ImfDate) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256 + self.body.len());
        let mut put = |text: &str| bytes.extend_from_slice(text.as_bytes());
        put("HTTP/1.1 ");
        match status_line_end(self.status).trim_end() {
            "" => put(&format!("{} ", self.status)),
            known => put(known),
        }
        put("\r\nServer: ");
        put(SERVER);
        put("\r\nDate: ");
        bytes.extend_from_slice(date.as_bytes());
        let mut field = |name: &str, value: &str| {
            for part in ["\r\n", name, ": ", value] {
                bytes.extend_from_slice(part.as_bytes());
            }
        };
        match self.persistence {
            Persistence::Keep => {}
            Persistence::KeepEchoed => field("Connection", "keep-alive"),
            Persistence::Close => field("Connection", "close"),
        }
        for (name, value) in self.fields {
            field(name, value);
        }
        field("Content-Length", &self.body.len().to_string());
        bytes.extend_from_slice(b"\r\n\r\n");
        if self.with_body == WithBody::Yes {
            bytes.extend_from_slice(self.body);
        }
        bytes
    }
}

/// Code, reason phrase (RFC 9110 15) and a line feed; empty for a code that we never send.
fn status_line_end(status: u16) -> &'static str {
    match status {
        200 => "200 OK\n",
        400 => "400 Bad Request\n",
        405 => "405 Method Not Allowed\n",
        408 => "408 Request Timeout\n",
        413 => "413 Content Too Large\n",
        414 => "414 URI Too Long\n",
        431 => "431 Request Header Fields Too Large\n",
        501 => "501 Not Implemented\n",
        503 => "503 Service Unavailable\n",
        505 => "505 HTTP Version Not Supported\n",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date() -> ImfDate {
        ImfDate::new(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777))
    }

    fn rendered(reply: ServerReply<'_>) -> String {
        String::from_utf8(reply.render(&date())).unwrap()
    }

    const HELLO: ServerReply<'static> = ServerReply {
        status: 200,
        fields: &[],
        body: b"Hello World!",
        persistence: Persistence::Keep,
        with_body: WithBody::Yes,
    };

    #[test]
    fn a_reply_is_exactly_these_bytes() {
        assert_eq!(
            rendered(HELLO),
            "HTTP/1.1 200 OK\r\nServer: bareloop\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             Content-Length: 12\r\n\r\nHello World!"
        );
    }

    #[test]
    fn a_reply_to_head_differs_in_its_body_only() {
        let head = rendered(ServerReply {
            with_body: WithBody::HeadOnly,
            ..HELLO
        });
        assert_eq!(format!("{head}Hello World!"), rendered(HELLO));
    }

    #[test]
    fn the_connection_field_follows_the_persistence() {
        for (persistence, field) in [
            (Persistence::KeepEchoed, "\r\nConnection: keep-alive\r\n"),
            (Persistence::Close, "\r\nConnection: close\r\n"),
        ] {
            let text = rendered(ServerReply {
                persistence,
                ..HELLO
            });
            assert!(text.contains(field), "{text}");
        }
        assert!(!rendered(HELLO).contains("Connection"));
    }

    #[test]
    fn extra_fields_stand_in_the_head() {
        let text = rendered(ServerReply {
            fields: &[("X-One", "1"), ("X-Two", "b c")],
            ..HELLO
        });
        assert!(text.contains("\r\nX-One: 1\r\nX-Two: b c\r\n"), "{text}");
    }

    #[test]
    fn every_error_names_its_reason_and_its_length() {
        for status in [400, 405, 408, 413, 414, 431, 501, 503, 505] {
            let text = rendered(ServerReply::error(
                status,
                Persistence::Close,
                WithBody::Yes,
            ));
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let line = head.lines().next().unwrap();
            assert_eq!(line.strip_prefix("HTTP/1.1 ").unwrap(), body.trim_end());
            assert!(
                body.starts_with(&format!("{status} ")) && body.ends_with('\n'),
                "{text}"
            );
            assert!(
                head.contains(&format!("\r\nContent-Length: {}", body.len())),
                "{text}"
            );
            assert_eq!(
                head.contains("\r\nAllow: GET, HEAD\r\n"),
                status == 405,
                "{text}"
            );
        }
    }

    #[test]
    fn a_status_without_a_phrase_keeps_the_space_before_it() {
        assert!(
            rendered(ServerReply {
                status: 299,
                ..HELLO
            })
            .starts_with("HTTP/1.1 299 \r\n")
        );
    }

    #[test]
    fn replies_are_read_by_httparse() {
        for reply in [
            HELLO,
            ServerReply::error(405, Persistence::KeepEchoed, WithBody::Yes),
        ] {
            let bytes = reply.render(&date());
            let mut fields = [httparse::EMPTY_HEADER; 16];
            let mut response = httparse::Response::new(&mut fields);
            let head_bytes = response.parse(&bytes).unwrap().unwrap();
            assert_eq!(response.code, Some(reply.status));
            assert_eq!(&bytes[head_bytes..], reply.body);
        }
    }

    #[test]
    fn a_clock_outside_the_range_of_dates_shows_the_nearest_one() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(
            ImfDate::new(before).as_bytes(),
            b"Thu, 01 Jan 1970 00:00:00 GMT"
        );
        let after = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_SECOND + 1);
        assert_eq!(
            ImfDate::new(after).as_bytes(),
            b"Fri, 31 Dec 9999 23:59:59 GMT"
        );
    }
}
