//! Flags, exit codes, and what is said when something is wrong: one clear line with the remedy.

use crate::harness::{Complaints, output_of};

#[test]
fn bad_usage_exits_with_2_and_names_the_flag_and_the_remedy() {
    let mut complaints = Complaints::default();
    for (args, said) in [
        (&["serve"][..], &["Usage:"][..]),
        (&["serve", "ftp"], &["ftp"]),
        (&["nonsense"], &["nonsense"]),
        (&["--nonsense"], &["--nonsense"]),
        (&["serve", "http", "--nonsense"], &["--nonsense", "--help"]),
        (&["serve", "http", "--bnid", "a:1"], &["--bnid", "--bind"]),
        (
            &["serve", "http", "--bind"],
            &["--bind", "value is required"],
        ),
        (
            &["serve", "http", "--header", "no colon"],
            &["--header", "not a field", "Name: value"],
        ),
        (
            &["serve", "http", "--header", "a b: c"],
            &["--header", "field name"],
        ),
        (
            &["serve", "http", "--header", ": c"],
            &["--header", "field name"],
        ),
        (
            &["serve", "http", "--header", "X: a\r\nY: b"],
            &["--header", "control character"],
        ),
        (
            &["serve", "http", "--header", "Content-Length: 5"],
            &["--header", "Content-Length", "leave it out"],
        ),
        (
            &["serve", "http", "--header", "date: now"],
            &["--header", "date", "leave it out"],
        ),
        (
            &["serve", "http", "--header-timeout", "abc"],
            &["--header-timeout", "not a time", "500ms"],
        ),
        (&["serve", "http", "--header-timeout", "-1"], &["-1"]),
        (
            &["serve", "http", "--idle-timeout", "0"],
            &["--idle-timeout", "more than 0"],
        ),
        (
            &["serve", "http", "--body-max", "1.5"],
            &["--body-max", "whole number"],
        ),
        (
            &["serve", "http", "--connections-max", "0"],
            &["--connections-max", "at least 1"],
        ),
        (
            &["serve", "http", "--head-max", "99999999999999999999999"],
            &["--head-max"],
        ),
        (&["serve", "http", "stray"], &["stray"]),
        (&["serve", "http", "8089"], &["--bind localhost:8089"]),
        (
            &["serve", "tcp", "--port", "8089"],
            &["--bind localhost:8089"],
        ),
        (&["serve", "tcp", "--body", "x"], &["--body"]),
        (
            &["serve", "tcp", "--header-timeout", "1"],
            &["--header-timeout"],
        ),
    ] {
        let output = output_of(args);
        let stderr = &output.stderr;
        if output.code != Some(2) || !output.stdout.is_empty() {
            complaints.add(format_args!("{args:?}: {output:?}"));
        }
        for word in said {
            if !stderr.contains(word) {
                complaints.add(format_args!("{args:?}: no {word:?} in {stderr}"));
            }
        }
        if stderr.contains("panicked") {
            complaints.add(format_args!("{args:?}: {stderr}"));
        }
    }
    complaints.settle();
}

#[test]
fn a_place_that_cannot_be_bound_is_one_line_with_the_remedy_and_exit_code_1() {
    let mut complaints = Complaints::default();
    for (code, bind, said) in [
        (2, "nonsense", "write --bind ADDR:PORT"),
        (2, "127.0.0.1", "write --bind ADDR:PORT"),
        (2, "127.0.0.1:", "write --bind ADDR:PORT"),
        (2, "127.0.0.1:65536", "write --bind ADDR:PORT"),
        (2, "127.0.0.1:http", "write --bind ADDR:PORT"),
        (2, "::1", "write --bind ADDR:PORT"),
        (2, "[::1", "write --bind ADDR:PORT"),
        (1, "no-such-host.invalid:80", "write --bind ADDR:PORT"),
        // TEST-NET-1 (RFC 5737) is nobody's own address.
        (1, "192.0.2.1:8080", "choose an address of this machine"),
    ] {
        for protocol in ["http", "tcp"] {
            let output = output_of(&["serve", protocol, "--bind", bind]);
            let stderr = &output.stderr;
            // Below bad usage stands where to read more.
            let lines_max = if code == 2 { 3 } else { 1 };
            let is_short = stderr.ends_with('\n') && stderr.lines().count() <= lines_max;
            if output.code != Some(code) || !is_short {
                complaints.add(format_args!(
                    "{protocol} {bind:?}: {:?} {stderr}",
                    output.code
                ));
            }
            if !stderr.starts_with("error: ") || !stderr.contains(said) || !stderr.contains(bind) {
                complaints.add(format_args!("{protocol} {bind:?}: {stderr}"));
            }
            if !output.stdout.is_empty() {
                complaints.add(format_args!(
                    "{protocol} {bind:?}: announced {}",
                    output.stdout
                ));
            }
        }
    }
    complaints.settle();
}

#[test]
fn help_at_each_level_exits_with_0_and_has_examples() {
    for args in [
        &["--help"][..],
        &["serve", "http", "--help"],
        &["serve", "tcp", "--help"],
    ] {
        let output = output_of(args);
        let stdout = &output.stdout;
        assert_eq!(output.code, Some(0), "{args:?}");
        assert!(stdout.contains("Usage: bareloop"), "{args:?}: {stdout}");
        assert!(
            stdout.contains("Examples:\n  bareloop "),
            "{args:?}: {stdout}"
        );
        assert_eq!(output.stderr, "", "{args:?}");
    }
    let output = output_of(&["serve", "--help"]);
    assert_eq!(output.code, Some(0));
    for job in ["http", "tcp"] {
        assert!(output.stdout.contains(job));
    }
}

#[test]
fn help_names_the_exit_codes() {
    assert!(output_of(&["--help"]).stdout.contains("Exit codes:"));
}

#[test]
fn without_arguments_the_help_is_shown_on_stderr() {
    let output = output_of(&[]);
    assert_eq!(output.code, Some(2));
    assert_eq!(output.stdout, "");
    // An error would have the usage too; the examples stand in the help only.
    for part in ["Usage: bareloop", "Examples:\n  bareloop "] {
        assert!(output.stderr.contains(part), "{output:?}");
    }
}

#[test]
fn the_version_is_that_of_the_crate() {
    let output = output_of(&["--version"]);
    assert_eq!(output.code, Some(0));
    assert_eq!(
        output.stdout,
        format!("bareloop {}\n", env!("CARGO_PKG_VERSION"))
    );
}
