//! The conformance suite of HTTP requests: one table, `requests.txt`, read by the unit tests of the
//! parser and by the tests that send each case over a socket.

/// A line of the table; the table's head explains its columns.
#[derive(Clone, Debug)]
pub struct Case {
    /// Heading of the part of the table that the case is in.
    pub section: String,
    /// Unique within its section.
    pub name: String,
    /// The bytes that are sent.
    pub sent: Vec<u8>,
    /// The steps that follow, as the table words them.
    pub steps: String,
}

/// All cases, in the order of the table.
pub fn cases() -> Vec<Case> {
    let mut section = "";
    let mut cases = Vec::new();
    for line in include_str!("requests.txt").lines() {
        if let Some(title) = line.strip_prefix('[') {
            section = title.trim_end_matches(']');
        } else if !line.is_empty() && !line.starts_with('#') {
            cases.push(Case::read(section, line));
        }
    }
    cases
}

impl Case {
    fn read(section: &str, line: &str) -> Case {
        let columns: Vec<&str> = line.splitn(3, " | ").collect();
        let &[steps, name, sent] = &columns[..] else {
            panic!("three columns: {line}");
        };
        Case {
            section: section.to_owned(),
            name: name.to_owned(),
            sent: unescape(sent),
            steps: steps.to_owned(),
        }
    }
}

/// Bytes as the table writes them: `\r`, `\n`, `\t`, `\\`, `\xHH`, and `{N*BYTES}` for repetition.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '{' => {
                let end = rest.find('}').expect("a closing brace");
                let (count, unit) = rest[1..end].split_once('*').expect("a count");
                bytes.extend(unescape(unit).repeat(count.parse().expect("a number")));
                end + 1
            }
            '\\' => {
                let (byte, taken) = match rest.as_bytes()[1] {
                    b'r' => (b'\r', 2),
                    b'n' => (b'\n', 2),
                    b't' => (b'\t', 2),
                    b'\\' => (b'\\', 2),
                    b'x' => (u8::from_str_radix(&rest[2..4], 16).expect("two digits"), 4),
                    _ => panic!("an unknown escape: {rest}"),
                };
                bytes.push(byte);
                taken
            }
            _ => {
                bytes.push(u8::try_from(first).expect("ASCII"));
                1
            }
        };
        rest = &rest[taken..];
    }
    bytes
}
