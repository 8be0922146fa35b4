//! Field values that framing and persistence depend on. All bytes of a value are known to be
//! allowed in one ([`super::class::VALUE`]) before they come here.

use super::class::{BLANK, REG_NAME, TOKEN, is, span};
use super::host::{Host, InvalidHost};
use super::keyword::{KeywordMatcher, Keywords, is_word};

/// Members of Connection and Expect that have a meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    Close,
    KeepAlive,
    Continue,
}

/// Fault of a Content-Length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthFault {
    /// Not digits only; also an empty list element.
    Malformed,
    /// Above [`ValueSink::length_max`].
    TooLarge,
}

/// An element of Transfer-Encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Chunked,
    /// Any other token, its parameters not yet read.
    Other,
    /// No transfer coding, or `chunked` with parameters: it has none.
    Malformed,
    /// The list has no element.
    Missing,
}

/// The receiver of the elements of values.
///
/// Its functions are called for those fields only whose [`ValueReader`] was asked for.
pub trait ValueSink {
    /// Reason not to read the section any further.
    type Error;
    /// The error for bytes that are no field section.
    const MALFORMED: Self::Error;

    /// Largest Content-Length that is no fault.
    fn length_max(&self) -> u64 {
        u64::MAX
    }

    /// Takes an element of Content-Length. After a fault the rest of the value is not read.
    fn length(&mut self, _length: Result<u64, LengthFault>) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Takes an element of Transfer-Encoding.
    fn coding(&mut self, _coding: Coding) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Takes a member of Connection or Expect.
    fn member(&mut self, _member: Member) {}
}

const CODINGS: &Keywords<Coding> = &[(b"chunked", Coding::Chunked)];
const OPTIONS: &Keywords<Member> = &[
    (b"close", Member::Close),
    (b"keep-alive", Member::KeepAlive),
];
const EXPECTATIONS: &Keywords<Member> = &[(b"100-continue", Member::Continue)];

/// Reads a value, from its first byte that is not blank, in any pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueReader {
    Host {
        host: Host,
        is_past: bool,
    },
    Lengths {
        length: u64,
        at: AtLength,
    },
    Codings {
        at: AtCoding,
        any: bool,
    },
    Options(AtMember),
    Expectations(AtMember),
    /// A value that means nothing here.
    Other,
}

/// Position in a list of lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtLength {
    Before,
    Digits,
    After,
}

/// Position in a list of transfer codings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtCoding {
    Before,
    Name(KeywordMatcher),
    After,
    /// In parameters, or in an element that is malformed: ends at a comma outside quotes.
    Passing(Quote),
}

/// Position in or outside a quoted string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    Outside,
    Inside,
    /// After a backslash.
    Escaped,
}

/// Position in a list of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtMember {
    Before,
    Word(KeywordMatcher),
    /// In the blanks after a word: only a comma makes a member of it.
    After(Option<Member>),
    /// In a member that is more than a word, and so none that is known.
    Strange,
}

impl ValueReader {
    pub const fn host() -> ValueReader {
        ValueReader::Host {
            host: Host::new(),
            is_past: false,
        }
    }

    pub const fn lengths() -> ValueReader {
        ValueReader::Lengths {
            length: 0,
            at: AtLength::Before,
        }
    }

    pub const fn codings() -> ValueReader {
        ValueReader::Codings {
            at: AtCoding::Before,
            any: false,
        }
    }

    pub const fn options() -> ValueReader {
        ValueReader::Options(AtMember::Before)
    }

    pub const fn expectations() -> ValueReader {
        ValueReader::Expectations(AtMember::Before)
    }

    /// Takes the whole value if it is one of the usual ones, which need no machine.
    #[inline]
    pub fn is_usual<S: ValueSink>(&self, value: &[u8], section: &mut S) -> bool {
        match self {
            ValueReader::Host { .. } => {
                let name_bytes = span(value, REG_NAME);
                let port = value[name_bytes..].split_first();
                let is_port = |port: &[u8]| port.iter().all(u8::is_ascii_digit);
                name_bytes > 0 && port.is_none_or(|(&colon, port)| colon == b':' && is_port(port))
            }
            ValueReader::Options(_) if is_word(value, b"keep-alive") => {
                section.member(Member::KeepAlive);
                true
            }
            _ => false,
        }
    }

    /// Reads the next piece of the value.
    #[inline]
    pub fn feed<S: ValueSink>(&mut self, piece: &[u8], section: &mut S) -> Result<(), S::Error> {
        match self {
            ValueReader::Other => Ok(()),
            ValueReader::Host { host, is_past } => {
                feed_host(host, is_past, piece).map_err(|InvalidHost| S::MALFORMED)
            }
            ValueReader::Options(at) => {
                feed_members(at, OPTIONS, piece, section);
                Ok(())
            }
            ValueReader::Expectations(at) => {
                feed_members(at, EXPECTATIONS, piece, section);
                Ok(())
            }
            ValueReader::Lengths { length, at } => {
                for &byte in piece {
                    if let Err(fault) = push_length(length, at, byte, section)? {
                        section.length(Err(fault))?;
                        *self = ValueReader::Other;
                        break;
                    }
                }
                Ok(())
            }
            ValueReader::Codings { at, any } => piece
                .iter()
                .try_for_each(|&byte| push_coding(at, any, byte, section)),
        }
    }

    /// The value has ended.
    pub fn end<S: ValueSink>(&mut self, section: &mut S) -> Result<(), S::Error> {
        match *self {
            ValueReader::Host { host, is_past } if !is_past && !may_end(&host) => {
                return Err(S::MALFORMED);
            }
            ValueReader::Options(at) => end_member(at, OPTIONS, section),
            ValueReader::Expectations(at) => end_member(at, EXPECTATIONS, section),
            ValueReader::Lengths { length, at } => section.length(match at {
                AtLength::Before => Err(LengthFault::Malformed),
                AtLength::Digits | AtLength::After => Ok(length),
            })?,
            ValueReader::Codings { at, any } => match at {
                AtCoding::Name(name) => section.coding(coding(name))?,
                AtCoding::Before if !any => section.coding(Coding::Missing)?,
                _ => {}
            },
            ValueReader::Host { .. } | ValueReader::Other => {}
        }
        Ok(())
    }
}

/// The host is complete, or there is none.
fn may_end(host: &Host) -> bool {
    host.has_host() || *host == Host::Empty
}

/// Host (RFC 9112 3.2).
fn feed_host(host: &mut Host, is_past: &mut bool, piece: &[u8]) -> Result<(), InvalidHost> {
    let mut rest = piece;
    if !*is_past {
        if !host.advance(&mut rest)? {
            return Ok(());
        }
        if !may_end(host) {
            return Err(InvalidHost);
        }
        *is_past = true;
    }
    if span(rest, BLANK) == rest.len() {
        Ok(())
    } else {
        Err(InvalidHost)
    }
}

/// Connection and Expect (RFC 9110 5.6.1, 7.6.1, 10.1.1).
fn feed_members<S: ValueSink>(
    at: &mut AtMember,
    words: &Keywords<Member>,
    piece: &[u8],
    section: &mut S,
) {
    let mut rest = piece;
    loop {
        if let AtMember::Before | AtMember::Word(_) = at {
            let run = span(rest, TOKEN);
            if run > 0 {
                let mut word = match *at {
                    AtMember::Word(word) => word,
                    _ => KeywordMatcher::new(),
                };
                word.feed(&rest[..run], words);
                *at = AtMember::Word(word);
                rest = &rest[run..];
            }
        }
        let Some((&byte, after)) = rest.split_first() else {
            return;
        };
        *at = match (*at, byte) {
            (at, b',') => {
                end_member(at, words, section);
                AtMember::Before
            }
            (AtMember::Word(word), b' ' | b'\t') => AtMember::After(word.found(words)),
            (at, b' ' | b'\t') => at,
            _ => AtMember::Strange,
        };
        rest = after;
    }
}

/// A member has ended.
fn end_member<S: ValueSink>(at: AtMember, words: &Keywords<Member>, section: &mut S) {
    let member = match at {
        AtMember::Word(word) => word.found(words),
        AtMember::After(member) => member,
        AtMember::Before | AtMember::Strange => None,
    };
    if let Some(member) = member {
        section.member(member);
    }
}

/// Content-Length (RFC 9110 8.6). The inner result is the fault that the byte causes.
fn push_length<S: ValueSink>(
    length: &mut u64,
    at: &mut AtLength,
    byte: u8,
    section: &mut S,
) -> Result<Result<(), LengthFault>, S::Error> {
    *at = match (*at, byte) {
        (AtLength::Before | AtLength::Digits, b'0'..=b'9') => {
            let longer = length
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(u64::from(byte - b'0')))
                .filter(|&length| length <= section.length_max());
            let Some(longer) = longer else {
                return Ok(Err(LengthFault::TooLarge));
            };
            *length = longer;
            AtLength::Digits
        }
        (AtLength::Digits | AtLength::After, b',') => {
            section.length(Ok(*length))?;
            *length = 0;
            AtLength::Before
        }
        (AtLength::Before, b' ' | b'\t') => AtLength::Before,
        (AtLength::Digits | AtLength::After, b' ' | b'\t') => AtLength::After,
        _ => return Ok(Err(LengthFault::Malformed)),
    };
    Ok(Ok(()))
}

/// Transfer-Encoding (RFC 9112 6.1, 7).
fn push_coding<S: ValueSink>(
    at: &mut AtCoding,
    any: &mut bool,
    byte: u8,
    section: &mut S,
) -> Result<(), S::Error> {
    *at = match (*at, byte) {
        (AtCoding::Passing(quote), _) => pass_coding(quote, byte),
        (AtCoding::Before | AtCoding::Name(_), _) if is(byte, TOKEN) => {
            let mut name = match *at {
                AtCoding::Name(name) => name,
                _ => KeywordMatcher::new(),
            };
            name.feed(&[byte], CODINGS);
            AtCoding::Name(name)
        }
        (AtCoding::Name(name), b',' | b' ' | b'\t' | b';') => {
            *any = true;
            section.coding(coding(name))?;
            match byte {
                b',' => AtCoding::Before,
                b' ' | b'\t' => AtCoding::After,
                _ => {
                    if coding(name) == Coding::Chunked {
                        section.coding(Coding::Malformed)?;
                    }
                    AtCoding::Passing(Quote::Outside)
                }
            }
        }
        (AtCoding::Before | AtCoding::After, b',') => AtCoding::Before,
        (at @ (AtCoding::Before | AtCoding::After), b' ' | b'\t') => at,
        _ => {
            *any = true;
            section.coding(Coding::Malformed)?;
            pass_coding(Quote::Outside, byte)
        }
    };
    Ok(())
}

/// One byte of an element that is passed over.
fn pass_coding(quote: Quote, byte: u8) -> AtCoding {
    AtCoding::Passing(match (quote, byte) {
        (Quote::Outside, b',') => return AtCoding::Before,
        (Quote::Outside, b'"') | (Quote::Escaped, _) => Quote::Inside,
        (Quote::Inside, b'"') | (Quote::Outside, _) => Quote::Outside,
        (Quote::Inside, b'\\') => Quote::Escaped,
        (Quote::Inside, _) => Quote::Inside,
    })
}

fn coding(name: KeywordMatcher) -> Coding {
    name.found(CODINGS).unwrap_or(Coding::Other)
}
