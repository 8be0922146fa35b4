//! Field values: those that framing and persistence depend on, and all others.

use super::class::{BLANK, TOKEN, VALUE, is, span};
use super::framing::{RequestHead, RequestOption};
use super::host::Host;
use super::keyword::{KeywordMatcher, Keywords};
use super::{Limits, Refusal};

/// The fields that a head is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldName {
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    Expect,
}

pub(super) const FIELD_NAMES: &Keywords<FieldName> = &[
    (b"host", FieldName::Host),
    (b"content-length", FieldName::ContentLength),
    (b"transfer-encoding", FieldName::TransferEncoding),
    (b"connection", FieldName::Connection),
    (b"expect", FieldName::Expect),
];

const CODINGS: &Keywords<()> = &[(b"chunked", ())];
const OPTIONS: &Keywords<RequestOption> = &[
    (b"close", RequestOption::Close),
    (b"keep-alive", RequestOption::KeepAlive),
];
const EXPECTATIONS: &Keywords<RequestOption> = &[(b"100-continue", RequestOption::Continue)];

/// Reads a value from its first byte that is not blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueReader {
    Host { host: Host, is_past: bool },
    Length { length: u64, at: AtLength },
    Codings { at: AtCoding, any: bool },
    Options(AtMember),
    Expectations(AtMember),
    Other,
}

/// Where in a list of lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtLength {
    Before,
    Digits,
    After,
}

/// Where in a list of transfer codings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtCoding {
    Before,
    Name(KeywordMatcher),
    After,
}

/// Where in a list whose members are asked for or not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtMember {
    Before,
    Word(KeywordMatcher),
    /// In the blanks after a word: only a comma makes a member of it.
    After(Option<RequestOption>),
    /// In a member that is more than a word, and so none that is known.
    Strange,
}

impl ValueReader {
    /// For a field of this name in this head.
    pub(super) fn new(name: FieldName, head: &mut RequestHead) -> Result<ValueReader, Refusal> {
        Ok(match name {
            FieldName::Host => {
                head.host()?;
                ValueReader::Host {
                    host: Host::new(),
                    is_past: false,
                }
            }
            FieldName::ContentLength => {
                head.content_length()?;
                ValueReader::Length {
                    length: 0,
                    at: AtLength::Before,
                }
            }
            FieldName::TransferEncoding => {
                head.transfer_encoding()?;
                ValueReader::Codings {
                    at: AtCoding::Before,
                    any: false,
                }
            }
            FieldName::Connection => ValueReader::Options(AtMember::Before),
            FieldName::Expect => ValueReader::Expectations(AtMember::Before),
        })
    }

    /// Whether the CR after the value was read; all of the input is taken if not.
    #[inline]
    pub(super) fn advance(
        &mut self,
        input: &mut &[u8],
        limits: &Limits,
        head: Option<&mut RequestHead>,
    ) -> Result<bool, Refusal> {
        let Some(head) = head else {
            return pass_other(input);
        };
        match self {
            ValueReader::Other => pass_other(input),
            ValueReader::Host { host, is_past } => read_host(host, is_past, input),
            ValueReader::Options(at) => read_members(at, OPTIONS, input, head),
            ValueReader::Expectations(at) => read_members(at, EXPECTATIONS, input, head),
            ValueReader::Length { length, at } => {
                each_byte(input, |byte| push_length(length, at, byte, limits, head))
            }
            ValueReader::Codings { at, any } => {
                each_byte(input, |byte| push_coding(at, any, byte, head))
            }
        }
    }
}

/// Pushes bytes up to a CR, that included.
fn each_byte(
    input: &mut &[u8],
    mut push: impl FnMut(u8) -> Result<(), Refusal>,
) -> Result<bool, Refusal> {
    while let Some((&byte, rest)) = input.split_first() {
        *input = rest;
        push(byte)?;
        if byte == b'\r' {
            return Ok(true);
        }
    }
    Ok(false)
}

fn pass_other(input: &mut &[u8]) -> Result<bool, Refusal> {
    *input = &input[span(input, VALUE)..];
    end_of_value(input)
}

/// After all that a value may hold only its CR is left.
fn end_of_value(input: &mut &[u8]) -> Result<bool, Refusal> {
    match input.split_first() {
        None => Ok(false),
        Some((b'\r', rest)) => {
            *input = rest;
            Ok(true)
        }
        Some(_) => Err(Refusal::BadRequest),
    }
}

fn read_host(host: &mut Host, is_past: &mut bool, input: &mut &[u8]) -> Result<bool, Refusal> {
    if !*is_past {
        if !host.advance(input)? {
            return Ok(false);
        }
        if !host.has_host() && *host != Host::Empty {
            return Err(Refusal::BadRequest);
        }
        *is_past = true;
    }
    *input = &input[span(input, BLANK)..];
    end_of_value(input)
}

/// Connection and Expect (RFC 9110 5.6.1, 7.6.1, 10.1.1).
fn read_members(
    at: &mut AtMember,
    words: &Keywords<RequestOption>,
    input: &mut &[u8],
    head: &mut RequestHead,
) -> Result<bool, Refusal> {
    loop {
        if let AtMember::Before | AtMember::Word(_) = at {
            let run = span(input, TOKEN);
            if run > 0 {
                let mut word = match *at {
                    AtMember::Word(word) => word,
                    _ => KeywordMatcher::new(),
                };
                word.feed(&input[..run], words);
                *at = AtMember::Word(word);
                *input = &input[run..];
            }
        }
        let Some((&byte, rest)) = input.split_first() else {
            return Ok(false);
        };
        *at = match (*at, byte) {
            (at, b',' | b'\r') => {
                let asked = match at {
                    AtMember::Word(word) => word.found(words),
                    AtMember::After(asked) => asked,
                    AtMember::Before | AtMember::Strange => None,
                };
                asked.into_iter().for_each(|asked| head.ask(asked));
                AtMember::Before
            }
            (AtMember::Word(word), b' ' | b'\t') => AtMember::After(word.found(words)),
            (at, b' ' | b'\t') => at,
            _ if is(byte, VALUE) => AtMember::Strange,
            _ => return Err(Refusal::BadRequest),
        };
        *input = rest;
        if byte == b'\r' {
            return Ok(true);
        }
    }
}

/// Content-Length (RFC 9110 8.6).
fn push_length(
    length: &mut u64,
    at: &mut AtLength,
    byte: u8,
    limits: &Limits,
    head: &mut RequestHead,
) -> Result<(), Refusal> {
    *at = match (*at, byte) {
        (AtLength::Before | AtLength::Digits, b'0'..=b'9') => {
            *length = length
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(u64::from(byte - b'0')))
                .filter(|&length| length <= limits.body_bytes_max)
                .ok_or(Refusal::ContentTooLarge)?;
            AtLength::Digits
        }
        (AtLength::Digits | AtLength::After, b',' | b'\r') => {
            head.length(*length)?;
            *length = 0;
            AtLength::Before
        }
        (AtLength::Before, b' ' | b'\t') => AtLength::Before,
        (AtLength::Digits | AtLength::After, b' ' | b'\t') => AtLength::After,
        _ => return Err(Refusal::BadRequest),
    };
    Ok(())
}

/// Transfer-Encoding (RFC 9112 6.1, 7).
fn push_coding(
    at: &mut AtCoding,
    any: &mut bool,
    byte: u8,
    head: &mut RequestHead,
) -> Result<(), Refusal> {
    *at = match (*at, byte) {
        (AtCoding::Before | AtCoding::Name(_), _) if is(byte, TOKEN) => {
            let mut name = match *at {
                AtCoding::Name(name) => name,
                _ => KeywordMatcher::new(),
            };
            name.feed(&[byte], CODINGS);
            AtCoding::Name(name)
        }
        (AtCoding::Name(name), _) if matches!(byte, b',' | b'\r' | b' ' | b'\t' | b';') => {
            head.transfer_coding(name.found(CODINGS).is_some())?;
            *any = true;
            match byte {
                b',' | b'\r' => AtCoding::Before,
                b' ' | b'\t' => AtCoding::After,
                // `chunked` has no parameters, and another coding was refused just now.
                _ => return Err(Refusal::BadRequest),
            }
        }
        (AtCoding::After, b',') => AtCoding::Before,
        (AtCoding::Before, b'\r') if !*any => return Err(Refusal::BadRequest),
        (AtCoding::Before, b',' | b'\r' | b' ' | b'\t') => AtCoding::Before,
        (AtCoding::After, b'\r' | b' ' | b'\t') => AtCoding::After,
        _ => return Err(Refusal::BadRequest),
    };
    Ok(())
}
