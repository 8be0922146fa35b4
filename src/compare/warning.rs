//! Reasons to doubt a contestant's figures, over all its rounds.

use std::fmt;
use std::mem::discriminant;

use serde::{Serialize, Serializer};

use super::MachineUse;
use super::reply_check::ReplyFacts;
use super::run_figures::{BUSY_SHARE_MIN, Closing, RunFigures, TAKEN_SHARE_MIN, is_wrong_reply};
use crate::format::{count, percent};
use crate::load;

/// A reason to doubt one run.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The load generator used a whole core.
    ClientLimited {
        /// CPU time of the load generator, as a share of one core.
        client_cpu_share: f64,
        /// CPU time of the server, as a share of one core; `None` if the system did not say.
        server_cpu_share: Option<f64>,
    },
    /// The server closes most connections after one reply.
    NoKeepAlive {
        /// Requests lost with a connection.
        lost: u64,
        /// Requests sent.
        sent: u64,
    },
    /// It left requests that were sent at once on one connection without an answer.
    NotPipelined,
    /// Other processes, or other guests of the same host, took a part of the cores.
    MachineTaken(MachineUse),
    /// Found by the load generator.
    Load(load::Warning),
}

/// A reason with the number of rounds in which it came up. Reasons that differ in their figures
/// only count as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// As it was in the first of those rounds.
    pub reason: Reason,
    /// Rounds in which it came up.
    pub rounds: usize,
    /// Rounds in which the contestant ran.
    pub rounds_run: usize,
}

impl Warning {
    /// True if replies had other statuses or bodies than the expected ones.
    pub fn is_about_replies(&self) -> bool {
        matches!(&self.reason, Reason::Load(warning) if is_wrong_reply(warning))
    }
}

/// All reasons to doubt `runs`, in the order in which they came up.
pub fn of_runs<'a>(runs: impl Iterator<Item = &'a RunFigures>) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    let mut rounds_run = 0;
    for run in runs {
        rounds_run += 1;
        for reason in reasons(run) {
            match warnings.iter_mut().find(|w| same_kind(&w.reason, &reason)) {
                Some(warning) => warning.rounds += 1,
                None => warnings.push(Warning {
                    reason,
                    rounds: 1,
                    rounds_run: 0,
                }),
            }
        }
    }
    for warning in &mut warnings {
        warning.rounds_run = rounds_run;
    }
    warnings
}

/// The reasons to doubt one run, each fact once.
fn reasons(run: &RunFigures) -> Vec<Reason> {
    // In an open loop its lateness is reported, and the core that it uses says nothing.
    let is_told_here = run.is_client_limited() && run.has_kept_up().is_none();
    let client_limited = is_told_here.then(|| Reason::ClientLimited {
        client_cpu_share: run.client_cpu_share,
        server_cpu_share: run.server_cpu_share(),
    });
    let no_keep_alive = match run.closing {
        Closing::KeepsAlive => None,
        Closing::AfterEachReply { lost, sent } => Some(Reason::NoKeepAlive { lost, sent }),
    };
    let answers_one_by_one = |reply: ReplyFacts| reply.keeps_alive && !reply.pipelines;
    let not_pipelined = run.reply.is_some_and(answers_one_by_one);
    let taken = run.machine.filter(|machine| {
        let others_share = machine.others_share.unwrap_or_default();
        others_share.max(machine.steal_share) >= TAKEN_SHARE_MIN
    });
    let found = run.warnings.iter();
    let is_told = |warning: &&load::Warning| !is_consequence(warning, run.closing);
    client_limited
        .into_iter()
        .chain(no_keep_alive)
        .chain(not_pipelined.then_some(Reason::NotPipelined))
        .chain(taken.map(Reason::MachineTaken))
        .chain(found.filter(is_told).cloned().map(Reason::Load))
        .collect()
}

/// True for what a comparison says in its own words: that the client was busy, and what follows
/// from a server that closes connections.
fn is_consequence(warning: &load::Warning, closing: Closing) -> bool {
    use load::Warning::{ClientBusy, Connections, Errors, IdleConnections, NoKeepAlive};
    match warning {
        ClientBusy { .. } => true,
        Connections { .. } | Errors { .. } | IdleConnections { .. } | NoKeepAlive { .. } => {
            closing != Closing::KeepsAlive
        }
        _ => false,
    }
}

fn same_kind(one: &Reason, other: &Reason) -> bool {
    match (one, other) {
        (Reason::Load(one), Reason::Load(other)) => discriminant(one) == discriminant(other),
        _ => discriminant(one) == discriminant(other),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::ClientLimited {
                client_cpu_share,
                server_cpu_share,
            } => client_limited(f, *client_cpu_share, *server_cpu_share),
            Reason::NoKeepAlive { lost: 0, .. } => f.write_str(
                "closes the connection after each reply: the rate includes a connect for each \
                 request",
            ),
            Reason::NoKeepAlive { lost, sent } => write!(
                f,
                "closes the connection after each reply: {} of {} requests were lost with it; \
                 measure it with -p 1",
                count(*lost),
                count(*sent)
            ),
            Reason::NotPipelined => f.write_str(
                "does not answer three requests sent at once on one connection; measure it with \
                 -p 1",
            ),
            Reason::MachineTaken(machine) => machine_taken(f, machine),
            Reason::Load(warning) => warning.fmt(f),
        }
    }
}

fn machine_taken(f: &mut fmt::Formatter<'_>, machine: &MachineUse) -> fmt::Result {
    let steal = percent(machine.steal_share);
    match machine.others_share.map(percent) {
        Some(others) => write!(
            f,
            "other processes used {others} and other guests of the host {steal} of all cores; stop \
             other processes, or repeat when the host is quieter"
        ),
        None => write!(
            f,
            "other guests of the host used {steal} of all cores; repeat when the host is quieter"
        ),
    }
}

/// A busy server may have been the limit too. Then it has little room left, if it uses one core
/// only; one with several workers may have more, and the client cannot know.
fn client_limited(f: &mut fmt::Formatter<'_>, client: f64, server: Option<f64>) -> fmt::Result {
    let client = percent(client);
    match server {
        Some(server) if server >= BUSY_SHARE_MIN => write!(
            f,
            "client and server were both at their limit ({client} and {} of a core); the server may be faster with a faster client",
            percent(server)
        ),
        Some(server) => write!(
            f,
            "the client was the limit ({client} of a core; the server used {}); the server may be \
             faster than this",
            percent(server)
        ),
        None => write!(
            f,
            "the client was at its limit ({client} of a core); the server may be faster than this"
        ),
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.rounds, self.rounds_run) {
            (1, 1) => {}
            (1, rounds_run) => write!(f, "in 1 of {rounds_run} rounds: ")?,
            (rounds, rounds_run) => write!(f, "in {rounds} of {rounds_run} rounds, first: ")?,
        }
        self.reason.fmt(f)
    }
}

impl Serialize for Warning {
    /// As its sentence.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
