//! The four forms of a request-target (RFC 9112 3.2).

use crate::http::message::class::{SCHEME, TARGET, is, span};
use crate::http::message::host::{Host, InvalidHost};
use crate::http::request::Refusal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http::request) enum TargetReader {
    Start,
    /// `*`, and nothing after it.
    Asterisk,
    /// Origin-form, or what follows the host of an absolute-form: path and query.
    Path,
    /// Absolute-form.
    Scheme,
    /// After this many slashes behind the scheme's colon.
    Slashes(u8),
    Host(Host),
    /// Authority-form, of CONNECT only.
    Tunnel(Host),
}

impl TargetReader {
    pub(in crate::http::request) const fn new() -> TargetReader {
        TargetReader::Start
    }

    /// Returns true once the target and the space after it were read. All of the input is taken if
    /// they were not.
    #[inline]
    pub(in crate::http::request) fn advance(
        &mut self,
        input: &mut &[u8],
        is_connect: bool,
    ) -> Result<bool, Refusal> {
        while let Some(&byte) = input.first() {
            match self {
                TargetReader::Start if is_connect => {
                    *self = TargetReader::Tunnel(Host::new());
                    continue;
                }
                TargetReader::Path => {
                    *input = &input[span(input, TARGET)..];
                    let Some(&end) = input.first() else {
                        return Ok(false);
                    };
                    *input = &input[1..];
                    return if end == b' ' {
                        Ok(true)
                    } else {
                        Err(Refusal::BadRequest)
                    };
                }
                TargetReader::Host(host) | TargetReader::Tunnel(host) => {
                    if !host
                        .advance(input)
                        .map_err(|InvalidHost| Refusal::BadRequest)?
                    {
                        return Ok(false);
                    }
                    return self.leave_host(input);
                }
                _ => {}
            }
            *input = &input[1..];
            *self = match (&*self, byte) {
                (TargetReader::Start, b'/') => TargetReader::Path,
                (TargetReader::Start, b'*') => TargetReader::Asterisk,
                (TargetReader::Start, b'A'..=b'Z' | b'a'..=b'z') => TargetReader::Scheme,
                (TargetReader::Asterisk, b' ') => return Ok(true),
                (TargetReader::Scheme, b':') => TargetReader::Slashes(0),
                (TargetReader::Scheme, _) if is(byte, SCHEME) => TargetReader::Scheme,
                (TargetReader::Slashes(0), b'/') => TargetReader::Slashes(1),
                (TargetReader::Slashes(_), b'/') => TargetReader::Host(Host::new()),
                _ => return Err(Refusal::BadRequest),
            };
        }
        Ok(false)
    }

    /// A host has ended before the next byte.
    fn leave_host(&mut self, input: &mut &[u8]) -> Result<bool, Refusal> {
        let end = input[0];
        let is_path = match self {
            TargetReader::Host(host) if host.has_host() => {
                matches!(end, b'/' | b'?')
            }
            TargetReader::Tunnel(host) if host.has_host_and_port() => false,
            _ => return Err(Refusal::BadRequest),
        };
        if is_path {
            *self = TargetReader::Path;
            return self.advance(input, false);
        }
        *input = &input[1..];
        if end == b' ' {
            Ok(true)
        } else {
            Err(Refusal::BadRequest)
        }
    }
}
