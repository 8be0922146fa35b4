//! The command that repeats a measurement, as a shell takes it.

use std::ffi::OsString;

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
    let rest: Vec<String> = words.collect();
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
