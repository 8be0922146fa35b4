//! `uri-host [ ":" port ]`: the value of Host and a part of two forms of request-target
//! (RFC 9110 7.2, RFC 3986 3.2).

use super::Refusal;
use super::class::{REG_NAME, span};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Empty,
    /// A registered name or an IPv4 address.
    Name,
    /// After `%`, with so many digits to come.
    Percent {
        digits_missing: u8,
    },
    /// Within the brackets of an IPv6 address.
    Address(Address),
    AfterAddress,
    /// The port so far; `None` while it has no digit.
    Port(Option<u32>),
}

impl Host {
    pub(super) const fn new() -> Host {
        Host::Empty
    }

    /// Whether a byte was met that belongs to no authority; it is left in the input. All of the
    /// input is taken if not.
    #[inline]
    pub(super) fn advance(&mut self, input: &mut &[u8]) -> Result<bool, Refusal> {
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

    /// Whether `byte` is a part of the authority.
    fn push(&mut self, byte: u8) -> Result<bool, Refusal> {
        *self = match (*self, byte) {
            (Host::Empty, b'[') => Host::Address(Address::new()),
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
            (Host::Address(address), b']') if address.is_complete() => Host::AfterAddress,
            (Host::Address(mut address), _) => {
                address.push(byte)?;
                Host::Address(address)
            }
            (Host::Percent { .. }, _) => return Err(Refusal::BadRequest),
            _ => return Ok(false),
        };
        Ok(true)
    }

    /// Whether it names a host and may end here.
    pub(super) fn has_host(self) -> bool {
        matches!(self, Host::Name | Host::AfterAddress | Host::Port(_))
    }

    /// Whether it may end here and names a port that exists besides (RFC 9110 9.3.6).
    pub(super) fn has_host_and_port(self) -> bool {
        matches!(self, Host::Port(Some(1..=65_535)))
    }
}

/// An IPv6 address (RFC 3986 3.2.2, `IPv6address`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Groups of 16 bits that were ended by a colon or a dot.
    groups: u8,
    /// Digits of the current group or octet.
    digits: u8,
    /// Those digits read as a decimal number, if that is what they are.
    decimal: Option<u8>,
    /// Dots of an IPv4 address at the end.
    dots: u8,
    /// Whether `::` was met.
    is_elided: bool,
    /// Colons immediately before.
    colons: u8,
}

impl Address {
    const GROUPS: u8 = 8;

    const fn new() -> Address {
        Address {
            groups: 0,
            digits: 0,
            decimal: Some(0),
            dots: 0,
            is_elided: false,
            colons: 0,
        }
    }

    fn push(&mut self, byte: u8) -> Result<(), Refusal> {
        let is_valid = match byte {
            b':' => self.dots == 0 && self.colon(),
            b'.' => self.dot(),
            _ if byte.is_ascii_hexdigit() => self.digit(byte),
            _ => false,
        };
        if is_valid {
            Ok(())
        } else {
            Err(Refusal::BadRequest)
        }
    }

    fn digit(&mut self, digit: u8) -> bool {
        // A single colon at the very start is half of an elision that never came.
        let follows_lone_colon = self.colons == 1 && self.groups == 0 && !self.is_elided;
        // An octet has no leading zero; a group has at most four digits.
        self.decimal = match (digit, self.digits, self.decimal) {
            (b'0'..=b'9', 0, _) => Some(digit - b'0'),
            (b'0'..=b'9', _, Some(decimal @ 1..)) => decimal
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(digit - b'0')),
            _ => None,
        };
        self.digits += 1;
        self.colons = 0;
        let is_octet_or_group = if self.dots > 0 {
            self.decimal.is_some()
        } else {
            self.digits <= 4
        };
        !follows_lone_colon && is_octet_or_group && self.groups < Address::GROUPS
    }

    fn colon(&mut self) -> bool {
        let is_second = self.colons == 1;
        if is_second && self.is_elided || self.colons > 1 {
            return false;
        }
        if self.digits > 0 {
            self.groups += 1;
        } else if !is_second && self.groups > 0 {
            return false;
        }
        self.is_elided |= is_second;
        self.digits = 0;
        self.colons += 1;
        self.groups < Address::GROUPS
    }

    fn dot(&mut self) -> bool {
        let is_octet = self.digits > 0 && self.decimal.is_some();
        self.digits = 0;
        self.dots += 1;
        is_octet && self.dots <= 3
    }

    /// Whether the address may end here.
    fn is_complete(self) -> bool {
        let last = match (self.dots, self.digits) {
            (0, 0) => 0,
            (0, _) => 1,
            (3, 1..) => 2,
            _ => return false,
        };
        let groups = self.groups + last;
        let ends_well = self.digits > 0 || self.colons == 2;
        let is_whole = if self.is_elided {
            groups < Address::GROUPS
        } else {
            groups == Address::GROUPS
        };
        ends_well && is_whole
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use proptest::prelude::*;

    use super::*;

    fn is_address(text: &str) -> bool {
        let mut authority = Host::new();
        let bracketed = format!("[{text}]");
        let mut input = bracketed.as_bytes();
        authority.advance(&mut input).is_ok() && authority.has_host() && input.is_empty()
    }

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        for text in [
            "::",
            "::1",
            "1::",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1::8",
            "::ffff:127.0.0.1",
            "1:2:3:4:5:6:127.0.0.1",
            "::1.2.3.4",
            "abcd:EF01::",
            "0000::0",
            "",
            ":",
            ":::",
            "1",
            "1:",
            ":1",
            "1:2",
            "1::2::3",
            "1:::2",
            "12345::",
            "::12345",
            "g::",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7:8::",
            "1:2:3:4:5:6:7::8",
            "1::2:3:4:5:6:7:8",
            "::1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6::127.0.0.1",
            "1:2:3:4:5:6:7:127.0.0.1",
            "::1.2.3",
            "::1.2.3.4.5",
            "::1.2.3.256",
            "::1.2.3.04",
            "::01.2.3.4",
            "::1.2.3.4:5",
            "::a.2.3.4",
            "1.2.3.4",
            "::1.2..4",
            "::1.2.3.",
            "::.1.2.3",
            ":1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:",
            "fe80::1%25eth0",
            "::1%1",
        ] {
            assert_eq!(
                is_address(text),
                text.parse::<Ipv6Addr>().is_ok(),
                "{text:?}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]
        #[test]
        fn any_text_is_an_address_where_the_standard_library_says_so(
            text in "([0-9]{1,3}[.]){0,4}|((0|1|25|fe|12345|[.]|:|::){0,12})(([0-9]{1,3}[.]){3}[0-9]{1,3})?"
        ) {
            prop_assert_eq!(is_address(&text), text.parse::<Ipv6Addr>().is_ok(), "{:?}", text);
        }
    }
}
