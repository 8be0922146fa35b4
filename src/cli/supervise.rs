//! `bareloop supervise`, for `compare` only: it stands between a comparison and a server.

use std::ffi::OsString;

use clap::Args;

use super::{Exit, output};
use crate::compare::process::supervisor;
use crate::event_loop::set_descriptor_limit;

/// Run a command for 'bareloop compare', and end it with all its descendants when stdin ends
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct SuperviseArgs {
    /// Limit on open descriptors for the command [default: as inherited]
    #[arg(long, value_name = "N")]
    descriptor_limit: Option<u64>,
    /// The program and its arguments, or --shell and a line
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Runs the command to its end.
pub fn run(args: &SuperviseArgs) -> Exit {
    if let Some(limit) = args.descriptor_limit {
        // Otherwise the command has the limit of this process, which is the higher one.
        let _ = set_descriptor_limit(limit);
    }
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
