//! `uri-host [ ":" port ]`: the value of Host and a part of two forms of request-target
//! (RFC 9110 7.2, RFC 3986 3.2).

use std::net::Ipv6Addr;

use super::class::{REG_NAME, span};

/// The longest IPv6 address as text, with an IPv4 address as its end.
const ADDRESS_BYTES_MAX: usize = 45;

/// The bytes are no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidHost;

/// A host as far as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    Empty,
    /// A registered name or an IPv4 address.
    Name,
    /// After `%`, with this many digits to come.
    Percent {
        digits_missing: u8,
    },
    /// Within brackets. The text is judged at the closing one.
    Address(AddressText),
    AfterAddress,
    /// The port so far; `None` while it has no digit.
    Port(Option<u32>),
}

impl Host {
    pub const fn new() -> Host {
        Host::Empty
    }

    /// Takes the input up to the first byte that belongs to no host, and returns true there. Takes
    /// all of the input otherwise.
    #[inline]
    pub fn advance(&mut self, input: &mut &[u8]) -> Result<bool, InvalidHost> {
        loop {
            if let Host::Empty | Host::Name = self {
                let run = span(input, REG_NAME);
                if run > 0 {
                    *self = Host::Name;
                    *input = &input[run..];
                }
            }
            let Some(&byte) = input.first() else {
                return Ok(false);
            };
            if !self.push(byte)? {
                return Ok(true);
            }
            *input = &input[1..];
        }
    }

    /// Takes a byte if it is a part of the host.
    fn push(&mut self, byte: u8) -> Result<bool, InvalidHost> {
        if let Host::Address(text) = self
            && byte != b']'
        {
            return text.push(byte).map(|()| true);
        }
        *self = match (&*self, byte) {
            (Host::Empty, b'[') => Host::Address(AddressText::new()),
            (Host::Empty | Host::Name, b'%') => Host::Percent { digits_missing: 2 },
            (Host::Percent { digits_missing }, _) if byte.is_ascii_hexdigit() => {
                match digits_missing {
                    2 => Host::Percent { digits_missing: 1 },
                    _ => Host::Name,
                }
            }
            (Host::Name | Host::AfterAddress, b':') => Host::Port(None),
            (Host::Port(port), b'0'..=b'9') => {
                let port = port.unwrap_or(0).saturating_mul(10);
                Host::Port(Some(port.saturating_add(u32::from(byte - b'0'))))
            }
            (Host::Address(text), _) if text.is_ipv6() => Host::AfterAddress,
            _ => return Ok(false),
        };
        Ok(true)
    }

    /// The host is not empty and may end here.
    pub fn has_host(&self) -> bool {
        matches!(self, Host::Name | Host::AfterAddress | Host::Port(_))
    }

    /// The host may end here and has a port that exists (RFC 9110 9.3.6).
    pub fn has_host_and_port(&self) -> bool {
        matches!(self, Host::Port(Some(1..=65_535)))
    }
}

/// Text of an IP literal so far. Only IPv6 addresses without a zone are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressText {
    bytes: [u8; ADDRESS_BYTES_MAX],
    length: u8,
}

impl AddressText {
    const fn new() -> AddressText {
        AddressText {
            bytes: [0; ADDRESS_BYTES_MAX],
            length: 0,
        }
    }

    fn push(&mut self, byte: u8) -> Result<(), InvalidHost> {
        match self.bytes.get_mut(usize::from(self.length)) {
            Some(place) if byte.is_ascii_hexdigit() || byte == b':' || byte == b'.' => {
                *place = byte;
                self.length += 1;
                Ok(())
            }
            _ => Err(InvalidHost),
        }
    }

    fn is_ipv6(&self) -> bool {
        let text = str::from_utf8(&self.bytes[..usize::from(self.length)]);
        text.is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_host(text: &str) -> bool {
        let mut host = Host::new();
        let mut input = text.as_bytes();
        host.advance(&mut input).is_ok() && host.has_host() && input.is_empty()
    }

    #[test]
    fn an_ip_literal_is_an_ipv6_address_without_a_zone() {
        for (text, expected) in [
            ("[::]", true),
            ("[1:2:3:4:5:6:7:8]:80", true),
            ("[::ffff:127.0.0.1]", true),
            ("[ABCD:ef01::]", true),
            ("[]", false),
            ("[:]", false),
            ("[1:2]", false),
            ("[12345::]", false),
            ("[::1.2.3.256]", false),
            ("[1.2.3.4]", false),
            ("[::1%25eth0]", false),
            ("[v1.a]", false),
            ("[::1", false),
        ] {
            assert_eq!(is_host(text), expected, "{text}");
        }
    }

    #[test]
    fn an_address_has_at_most_45_bytes() {
        let longest = "[1111:2222:3333:4444:5555:6666:255.255.255.255]";
        assert_eq!(longest.len(), ADDRESS_BYTES_MAX + 2);
        assert!(is_host(longest));
        let mut host = Host::new();
        let mut input = &longest.as_bytes()[..longest.len() - 1];
        assert_eq!(host.advance(&mut input), Ok(false));
        assert_eq!(host.advance(&mut &b"0"[..]), Err(InvalidHost));
    }
}
