//! `bareloop supervise`, for `compare` only: it stands between a comparison and a server.

use std::ffi::OsString;

use clap::Args;

use super::{Exit, output};
use crate::compare::process::supervisor;

/// Run a command for 'bareloop compare', and end it with all its descendants when stdin ends
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct SuperviseArgs {
    /// The program and its arguments, or --shell and a line
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Runs the command to its end.
pub fn run(args: &SuperviseArgs) -> Exit {
    match supervisor::command(&args.command) {
        Some(mut command) => {
            supervisor::supervise(&mut command);
            Exit::Fine
        }
        None => {
            output::fail("no command was given");
            Exit::Usage
        }
    }
}
