//! The command that repeats a measurement, as a shell takes it, without its credentials.

use std::ffi::OsString;

use crate::http::credentials;

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
    let mut is_field = false;
    for word in words {
        let field_at = match is_field {
            true => Some(0),
            false => field_after_flag(&word),
        };
        is_field = field_at.is_some_and(|at| at == word.len() && !is_field);
        let field = field_at.map(|at| word.split_at(at));
        let mask =
            field.and_then(|(flag, field)| Some(format!("{flag}{}", credentials::masked(field)?)));
        masked.push(mask.unwrap_or(word));
    }
    masked
}

/// The place in `word` where the value of `-H` begins, which may stand behind other short flags; its
/// end, if the value is the next word.
fn field_after_flag(word: &str) -> Option<usize> {
    let long = "--header";
    if let Some(rest) = word.strip_prefix(long) {
        let is_flag = rest.is_empty() || rest.starts_with('=');
        return is_flag.then(|| (long.len() + 1).min(word.len()));
    }
    let flags = word.strip_prefix('-')?.find('H')?;
    let is_cluster = word[1..][..flags].chars().all(|c| c.is_ascii_alphabetic());
    let after = flags + 2;
    // Clap leaves out an equals sign.
    let value = after + usize::from(word[after..].starts_with('='));
    is_cluster.then_some(value)
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
            (&["-H=Cookie: s3cret"], "'-H=Cookie: ...'"),
            (&["-nH", "Cookie: s3cret"], "-nH 'Cookie: ...'"),
            (&["-nHCookie: s3cret"], "'-nHCookie: ...'"),
            (
                &["-H", "-Cookie: a", "Cookie: b"],
                "-H '-Cookie: a' 'Cookie: b'",
            ),
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
