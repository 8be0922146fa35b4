//! Hands the command line to [`bareloop::cli`] and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    bareloop::cli::run(std::env::args_os()).into()
}
