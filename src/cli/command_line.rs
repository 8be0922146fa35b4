//! The command that repeats a measurement, as a shell takes it, without its credentials.

use std::ffi::OsString;

/// Fields whose values are credentials.
const CREDENTIALS: [&str; 3] = ["Authorization", "Proxy-Authorization", "Cookie"];

/// `argv` as one line, with the seed that was drawn if none was given.
pub(super) fn repeating(
    argv: impl IntoIterator<Item = OsString>,
    drawn_seed: Option<u64>,
) -> String {
    let mut words = argv
        .into_iter()
        .map(|word| word.to_string_lossy().into_owned());
    // Wherever the program stood: the reader's stands elsewhere.
    let program = words.next().map(|_| "bareloop".to_owned());
    let rest: Vec<String> = without_credentials(words);
    let has_seed = rest
        .iter()
        .any(|word| word == "--seed" || word.starts_with("--seed="));
    let mut line: Vec<String> = program.into_iter().collect();
    let mut rest = rest.into_iter();
    // The name of the job.
    line.extend(rest.next());
    if let Some(seed) = drawn_seed.filter(|_| !has_seed) {
        line.extend(["--seed".to_owned(), seed.to_string()]);
    }
    line.extend(rest);
    line.iter()
        .map(|word| quoted(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Masks the values of fields that are credentials: the command is for others to read.
fn without_credentials(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut masked: Vec<String> = Vec::new();
    for word in words {
        let is_field = matches!(masked.last().map(String::as_str), Some("-H" | "--header"));
        let mut attached = ["--header=", "-H"].into_iter();
        let flag = match is_field {
            true => Some(""),
            false => attached.find(|flag| word.starts_with(flag)),
        };
        let field = flag.map(|flag| word.split_at(flag.len()));
        let mask = field.and_then(|(flag, field)| Some(format!("{flag}{}", masked_field(field)?)));
        masked.push(mask.unwrap_or(word));
    }
    masked
}

/// `Name: ...` for a field that is a credential; `None` for any other.
fn masked_field(field: &str) -> Option<String> {
    let (name, _) = field.split_at(field.find([':', '='])?);
    let is_credential = CREDENTIALS
        .iter()
        .any(|credential| name.trim().eq_ignore_ascii_case(credential));
    is_credential.then(|| format!("{name}: ..."))
}

/// A word in single quotes, if a shell would not take it as it is.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_=./:,%+@".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &[&str], seed: Option<u64>) -> String {
        repeating(words.iter().map(OsString::from), seed)
    }

    #[test]
    fn a_drawn_seed_is_named_and_a_given_one_stays() {
        let compare = ["/usr/bin/bareloop", "compare", "-r", "12"];
        assert_eq!(line(&compare, Some(7)), "bareloop compare --seed 7 -r 12");
        assert_eq!(line(&compare, None), "bareloop compare -r 12");
        let given = ["bareloop", "compare", "--seed=3"];
        assert_eq!(line(&given, Some(3)), "bareloop compare --seed=3");
    }

    #[test]
    fn credentials_are_left_out() {
        for (words, masked) in [
            (
                &["-H", "Authorization: Bearer s3cret"][..],
                "-H 'Authorization: ...'",
            ),
            (&["--header", "cookie=s3cret"], "--header 'cookie: ...'"),
            (
                &["-HProxy-Authorization:s3cret"],
                "'-HProxy-Authorization: ...'",
            ),
            (&["--header=Cookie: s3cret"], "'--header=Cookie: ...'"),
            (&["-H", "Accept: */*"], "-H 'Accept: */*'"),
            (&["-b", "Cookie: a"], "-b 'Cookie: a'"),
        ] {
            let argv = [&["x", "load"], words].concat();
            assert_eq!(line(&argv, None), format!("bareloop load {masked}"));
        }
    }

    #[test]
    fn a_shell_reads_each_word_as_it_was() {
        let words = [
            "x",
            "load",
            "-H",
            "A: it's",
            "",
            "a{port}",
            "http://[::1]:80/?q=1&r",
        ];
        let quoted = line(&words, None);
        assert_eq!(
            quoted,
            r"bareloop load -H 'A: it'\''s' '' 'a{port}' 'http://[::1]:80/?q=1&r'"
        );
    }
}
