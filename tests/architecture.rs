//! The rules of `src/lib.rs`, checked by reading the source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FUNCTION_LINES_MAX: usize = 60;
const FILE_LINES_MAX: usize = 400;

/// The modules, from the lowest layer up. A module may use those before it in this list.
const LAYERS: [&str; 8] = [
    "format",
    "page",
    "http",
    "event_loop",
    "load",
    "serve",
    "compare",
    "cli",
];

/// Where time may be read: the loop, and the top of each job.
const CLOCKS: [&str; 3] = ["event_loop", "load.rs", "compare.rs"];

struct Source {
    /// Relative to `src`, with forward slashes.
    path: String,
    /// Without the tests at its end.
    lines: Vec<String>,
}

impl Source {
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.trim_end_matches(".rs")
    }

    /// Lines that are not comments, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.lines.iter().enumerate();
        numbered
            .map(|(index, line)| (index + 1, line.as_str()))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 20, "the source was not found");
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().map(str::to_owned);
        let lines = lines.take_while(|line| !line.starts_with("#[cfg(test)]"));
        let path = file.strip_prefix(&root).unwrap();
        Source {
            path: path.to_str().unwrap().replace('\\', "/"),
            lines: lines.collect(),
        }
    };
    files.into_iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().unwrap() != "tests" {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|e| e == "rs") && !is_test_file(&path) {
            files.push(path);
        }
    }
}

/// A file that its parent declares under `#[cfg(test)]`.
fn is_test_file(path: &Path) -> bool {
    let stem = path.file_stem().unwrap().to_str().unwrap();
    stem == "tests" || stem.starts_with("test_") || stem == "simulation"
}

fn assert_none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// Every line of code for which `is_broken` holds, as `path:line: text`.
fn find(is_broken: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in source.code() {
            if is_broken(&source, line) {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    found
}

#[test]
fn only_the_loop_names_mio_and_slab() {
    let names = ["mio::", "use mio", "slab::", "use slab"];
    assert_none(
        "mio and slab belong to event_loop",
        find(|source, line| {
            source.module() != "event_loop" && names.iter().any(|name| has_word(line, name))
        }),
    );
}

#[test]
fn time_is_read_in_the_loop_and_at_the_top_of_a_job_only() {
    assert_none(
        "take `now` as an argument",
        find(|source, line| {
            let reads = line.contains("Instant::now") || line.contains("SystemTime::now");
            reads && !CLOCKS.iter().any(|place| source.path.starts_with(place))
        }),
    );
}

#[test]
fn no_import_points_upward() {
    let layer = |module: &str| LAYERS.iter().position(|&name| name == module);
    assert_none(
        "import only from layers below",
        find(|source, line| {
            let Some(own) = layer(source.module()) else {
                return false;
            };
            line.split("crate::").skip(1).any(|rest| {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let used = &rest[..end.unwrap_or(rest.len())];
                // `crate::{` would hide the modules that it names.
                if used.is_empty() {
                    return true;
                }
                // Serve and load stand side by side.
                let beside = matches!((source.module(), used), ("serve", "load"));
                beside || layer(used).is_some_and(|used| used > own)
            })
        }),
    );
}

#[test]
fn the_library_has_no_unsafe_code() {
    let root = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).unwrap();
    assert!(root.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn nothing_is_unfinished_or_excused_without_a_reason() {
    assert_none(
        "finish it",
        find(|_, line| {
            let unfinished = ["todo!(", "unimplemented!(", "dbg!(", ".unwrap()"];
            let excused = line.contains("#[allow(") && !line.contains("reason = ");
            excused || unfinished.iter().any(|mark| line.contains(mark))
        }),
    );
}

/// A summary line is a noun phrase, or begins with a verb in the third person.
#[test]
fn summaries_of_docs_are_no_questions() {
    let is_doc = |line: &str| line.starts_with("///") || line.starts_with("//!");
    let mut found = Vec::new();
    for source in sources() {
        let mut within_paragraph = false;
        for (index, line) in source.lines.iter().enumerate() {
            let line = line.trim_start();
            let text = line.trim_start_matches(['/', '!']).trim_start();
            let opens = text.split(|c: char| !c.is_alphanumeric()).next();
            let opens = opens.unwrap_or_default();
            let is_question = [
                "Whether", "How", "What", "Who", "Whose", "Which", "When", "Why", "So",
            ]
            .contains(&opens);
            if is_doc(line) && !within_paragraph && is_question {
                found.push(format!("{}:{}: {line}", source.path, index + 1));
            }
            within_paragraph = is_doc(line) && !text.is_empty();
        }
    }
    assert_none("write a noun phrase or begin with a verb", found);
}

#[test]
fn files_and_functions_are_short() {
    let mut found = Vec::new();
    for source in sources() {
        // A module's documentation does not count; it may be a tutorial.
        let code = source.lines.iter().filter(|line| !line.starts_with("//!"));
        let lines = code.count();
        if lines > FILE_LINES_MAX {
            found.push(format!("{}: {lines} lines", source.path));
        }
        for (name, first, lines) in functions(&source.lines) {
            if lines > FUNCTION_LINES_MAX {
                found.push(format!("{}:{first}: fn {name}: {lines} lines", source.path));
            }
        }
    }
    assert_none("split it", found);
}

/// Name, first line and length of each function, as rustfmt lays them out.
fn functions(lines: &[String]) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(at) = words.iter().position(|&word| word == "fn") else {
            continue;
        };
        let is_item = words[..at]
            .iter()
            .all(|word| word.starts_with("pub") || *word == "const" || *word == "async");
        if !is_item || line.trim_end().ends_with(['}', ';']) {
            continue;
        }
        // A function that a trait asks for has no body.
        let signature_end = lines[index..]
            .iter()
            .find(|line| line.ends_with(['{', ';']));
        if signature_end.is_some_and(|line| line.ends_with(';')) {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let length = lines[index..].iter().position(|line| *line == closing);
        let name = words[at + 1].split(['(', '<']).next().unwrap().to_owned();
        found.push((name, index + 1, length.map_or(1, |last| last + 1)));
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// README shows `--help` in blocks that start with the command: what it shows must be true.
#[test]
fn readme_shows_help_as_it_is() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let mut shown = 0;
    for block in readme.split("```").skip(1).step_by(2) {
        let Some((command, help)) = block
            .trim_start_matches("text")
            .trim_start_matches("console")
            .trim_start()
            .split_once('\n')
        else {
            continue;
        };
        let Some(arguments) = command.strip_prefix("$ bareloop ") else {
            continue;
        };
        if !arguments.ends_with("--help") {
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_bareloop"))
            .args(arguments.split_whitespace())
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        assert_eq!(
            help.trim_end(),
            String::from_utf8(output.stdout).unwrap().trim_end(),
            "`bareloop {arguments}` in README.md"
        );
        shown += 1;
    }
    assert!(shown >= 1, "README.md shows no --help");
}
