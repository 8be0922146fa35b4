//! Reasons for which a contestant could not run, worded so that a reader can act on them.

use std::time::Duration;

use crate::format::plural;

/// The reason for which a contestant could not run, or not to the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The system gave us no port, pipe or thread.
    #[error("no {what} for it: {cause}")]
    NoResource {
        /// The missing part.
        what: &'static str,
        /// The system's message.
        cause: String,
    },
    /// Its program is not there.
    #[error("'{program}' was not found; is it installed?")]
    NotFound {
        /// The program's name or path.
        program: String,
    },
    /// Its program did not start.
    #[error("'{program}' did not start: {cause}")]
    NotStarted {
        /// The program's name or path.
        program: String,
        /// The system's message.
        cause: String,
    },
    /// It ended before it accepted a connection, or before its ready path answered as it should.
    #[error("ended before it was ready ({status}){}", after_colon(error_excerpt))]
    EndedEarly {
        /// Its exit status, in words.
        status: String,
        /// Its own message; empty if there is none.
        error_excerpt: String,
    },
    /// Its first process ended in good order and left others behind.
    #[error(
        "went into the background, where it cannot be watched; start it in the foreground (nginx: -g 'daemon off;')"
    )]
    InBackground,
    /// It runs, and no connection is accepted.
    #[error("did not listen on port {port} of 127.0.0.1 or ::1 within {} s{}; if it starts slowly, raise --start-timeout", within.as_secs_f64(), after_colon(error_excerpt))]
    NeverListened {
        /// The port it was given.
        port: u16,
        /// The time limit.
        within: Duration,
        /// Its own message; empty if there is none.
        error_excerpt: String,
    },
    /// It accepts connections, and its ready path does not answer as it should.
    #[error(
        "{target} did not answer with a status below 400 within the start timeout ({last}); see its log, or raise --start-timeout"
    )]
    NotReady {
        /// The URL asked.
        target: String,
        /// The last answer.
        last: String,
    },
    /// It ended under load.
    #[error("ended under load ({status}){}", after_colon(error_excerpt))]
    Died {
        /// Its exit status, in words.
        status: String,
        /// Its own message; empty if there is none.
        error_excerpt: String,
    },
    /// It accepted connections, and completed no reply in the whole window.
    #[error("completed no reply ({}){}", plural(*errors, "error"), after_colon(error_excerpt))]
    NoReply {
        /// Errors of any kind.
        errors: u64,
        /// Its own message; empty if there is none.
        error_excerpt: String,
    },
    /// It completed no reply at one of the loads of a sweep.
    #[error("completed no reply at {load} ({})", plural(*errors, "error"))]
    NoReplyAt {
        /// The load with its unit, in words.
        load: String,
        /// Errors of any kind at that load.
        errors: u64,
    },
    /// The load generator could not measure it.
    #[error("could not be measured: {0}")]
    NotMeasured(String),
}

fn after_colon(line: &str) -> String {
    match line {
        "" => String::new(),
        line => format!(": {line}"),
    }
}
