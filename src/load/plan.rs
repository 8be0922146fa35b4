//! A validated run: what is sent where, how much at once, and until when.

mod share;

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

pub use share::Share;

use super::Target;
use super::request::RequestList;
use super::schedule::{Arrivals, Rate};
use super::status::ExpectedStatuses;
use crate::event_loop::Time;
use crate::event_loop::tls::TlsClient;

/// More requests in flight than the socket buffers of both sides hold only wait in the client.
pub const PIPELINING_MAX: usize = 10_000;

/// A validated run.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// Where to send requests: the URL of the only one, or that of the server of all.
    pub target: Target,
    /// The requests.
    pub requests: RequestList,
    /// TLS with the target; `None` for http.
    pub tls: Option<TlsClient>,
    /// Connections kept open at once; at least 1.
    pub connections: usize,
    /// Requests in flight on each connection; 1 to [`PIPELINING_MAX`].
    pub pipelining: usize,
    /// The warm-up.
    pub warm_up: WarmUp,
    /// End of the run.
    pub until: Until,
    /// Time limit for a complete reply, from the hand-over of its request.
    pub timeout: Duration,
    /// Sending of further requests on a connection.
    pub refill: Refill,
    /// Schedule of the requests; `None` for a closed loop.
    pub open_loop: Option<OpenLoopPlan>,
    /// The body that every reply should have. Without one, bodies are compared with the first one
    /// of the same request.
    pub expected_body: Option<Vec<u8>>,
    /// The statuses that replies should have. Without them, any but 4xx, 5xx and beyond.
    pub expected_statuses: Option<ExpectedStatuses>,
    /// Errors and wrong bodies after which the run ends early.
    pub bailout: Option<u64>,
    /// Requests after which a connection is closed and another one opened; only in a closed loop.
    pub requests_per_connection: Option<usize>,
    /// Latency ends when the kernel receives a reply, not when the client reads it.
    pub kernel_timestamps: bool,
    /// Copies of the loop, on a thread each; no more than connections of this share.
    pub workers: NonZeroU32,
    /// The part of the run that is this process's; `None` if it is all of it.
    pub share: Option<Share>,
    /// Time at which the first request is due; `None` for at once.
    pub start_at: Option<SystemTime>,
    /// Name of the run in its reports.
    pub title: Option<String>,
}

/// One copy of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its number, from 0.
    pub number: u32,
    /// Workers in all; above `number`.
    pub of: u32,
}

impl Worker {
    /// The worker of a run that has no other.
    pub const ONLY: Worker = Worker { number: 0, of: 1 };

    /// The start of a phase that was planned for `planned` and is noticed `now`. Several workers
    /// start at the same moment, so that their records can be added.
    pub(crate) fn start_of(self, planned: Time, now: Time) -> Time {
        match self {
            Worker::ONLY => now,
            _ => planned,
        }
    }

    /// Its part of `total`; the parts of all workers add up to `total` and differ by one at most.
    pub fn share(self, total: u64) -> u64 {
        let (number, of) = (u64::from(self.number), u64::from(self.of));
        total / of + u64::from(number < total % of)
    }
}

impl LoadPlan {
    /// Worker `number` of this process, among those of all processes.
    pub fn worker(&self, number: u32) -> Worker {
        let (share, workers) = (self.share.unwrap_or(Share::WHOLE), self.workers.get());
        Worker {
            number: share.number() * workers + number,
            of: share.of() * workers,
        }
    }

    /// The part of this run for this process.
    pub fn own_part(&self) -> LoadPlan {
        let of = self.share.map_or(1, Share::of);
        let workers = (0..self.workers.get()).map(|number| self.worker(number));
        let sum = |total| workers.clone().map(|worker| worker.share(total)).sum();
        let connections: u64 = sum(self.connections as u64);
        LoadPlan {
            connections: usize::try_from(connections).unwrap_or(usize::MAX),
            until: match self.until {
                Until::Amount(amount) => Until::Amount(sum(amount)),
                until @ Until::Duration(_) => until,
            },
            open_loop: self.open_loop.map(|open_loop| OpenLoopPlan {
                rate: open_loop.rate.divided(of),
                ..open_loop
            }),
            ..self.clone()
        }
    }

    /// The part of this run for `worker`. Its open loop stays whole: a worker takes its own
    /// requests from the schedule of all.
    pub fn share_of(&self, worker: Worker) -> LoadPlan {
        let connections = worker.share(self.connections as u64);
        LoadPlan {
            connections: usize::try_from(connections).unwrap_or(usize::MAX),
            until: match self.until {
                Until::Amount(amount) => Until::Amount(worker.share(amount)),
                until @ Until::Duration(_) => until,
            },
            ..self.clone()
        }
    }
}

/// Requests are due by a schedule, whatever the server does. Only with [`Until::Duration`] and
/// [`Refill::Rolling`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenLoopPlan {
    /// Requests per second of the whole run.
    pub rate: Rate,
    /// Process by which they become due.
    pub arrivals: Arrivals,
    /// Seed of Poisson arrivals.
    pub seed: u64,
    /// A request that is late by more than this is never sent.
    pub deadline: Option<Duration>,
}

/// Treatment of a server that is slower at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WarmUp {
    /// Nothing.
    #[default]
    None,
    /// The load runs for this time before the run, whose counters start anew. Only with
    /// [`Until::Duration`].
    For(Duration),
    /// The end of the warm-up is found afterwards; latencies and rates are those of the rest.
    Auto,
}

/// End of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After this time.
    Duration(Duration),
    /// After this number of replies.
    Amount(u64),
}

/// Sending of further requests on a connection: one for each reply, or all together after the last
/// reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refill {
    /// Each reply is followed by a request at once; replies read together, by requests sent
    /// together.
    Rolling,
    /// A connection sends its next requests when all of the last are answered.
    Batch,
}

impl Refill {
    /// The word for it in flags and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Refill::Rolling => "rolling",
            Refill::Batch => "batch",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_whole_and_differ_by_one_at_most() {
        for (total, of) in [(10, 1), (10, 3), (9, 3), (2, 2), (1_000_003, 64)] {
            let shares: Vec<u64> = (0..of)
                .map(|number| Worker { number, of }.share(total))
                .collect();
            assert_eq!(shares.iter().sum::<u64>(), total);
            let (least, most) = (shares.iter().min(), shares.iter().max());
            assert!(most.unwrap() - least.unwrap() <= 1, "{shares:?}");
        }
    }
}
