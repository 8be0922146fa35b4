//! Figures of one run: one contestant in one round.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::machine::MachineUse;
use super::process::resource_usage::Usage;
use super::reply_check::ReplyFacts;
use super::statistics::DuetRatio;
use crate::load;
use crate::load::report::{ClientPause, Timeline};

/// From this share of a core on, a process counts as busy all the time.
pub(super) const BUSY_SHARE_MIN: f64 = 0.9;

/// From this share of all cores on, what others take is worth a word.
pub(super) const TAKEN_SHARE_MIN: f64 = 0.05;

/// Outcome of one contestant in one round.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFigures {
    /// Length of the measured window.
    pub window: Duration,
    /// Replies in the window.
    pub completed: u64,
    /// Errors of any kind in the window.
    pub errors: u64,
    /// The server's treatment of a connection after a reply.
    pub closing: Closing,
    /// Replies with a status other than 2xx in the window.
    pub non2xx: u64,
    /// Median latency in milliseconds; `None` with too few replies.
    pub p50_ms: Option<f64>,
    /// 99th percentile of the latency in milliseconds; `None` with too few replies.
    pub p99_ms: Option<f64>,
    /// The first percentile that is only a lower bound, in percent; `None` if each is exact.
    pub lower_bounds_from: Option<f64>,
    /// Longest latency in milliseconds.
    pub max_ms: f64,
    /// Usage of the server and its descendants in the window; `None` if the system did not report
    /// it.
    pub server: Option<Usage>,
    /// Usage of the load generator in the window.
    pub client: Option<Usage>,
    /// The whole machine in the window; `None` if the system did not say.
    pub machine: Option<MachineUse>,
    /// The reply as it was before the load; `None` if there was none in time.
    pub reply: Option<ReplyFacts>,
    /// The ratio to the reference, if both were loaded in turn; the rate is that of its own slices.
    pub duet: Option<DuetRatio>,
    /// Variance of the logarithm of the rate, as far as the window shows it; `None` if the window
    /// was too short.
    pub rate_variance: Option<f64>,
    /// CPU time of the load generator, as a share of one core.
    pub client_cpu_share: f64,
    /// Reasons of the load generator to doubt these figures.
    pub warnings: Vec<load::Warning>,
    /// The run over time, for charts.
    pub course: RunCourse,
}

/// A run over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunCourse {
    /// Each tenth of a second, packed: about 1 kB.
    pub timeline: Timeline,
    /// Pauses of the client; none in a duet, which is made of them.
    pub client_pauses: Vec<ClientPause>,
    /// The longest time without a reply on any connection; `None` in a duet.
    pub longest_silence: Option<Silence>,
}

/// A time without a reply.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silence {
    /// Its length in milliseconds.
    pub ms: f64,
    /// Its start, seconds after that of the window.
    pub began_seconds: f64,
}

impl RunFigures {
    /// True if `percent`, a percentile, is only a lower bound: requests without a reply lie there.
    pub fn is_lower_bound(&self, percent: f64) -> bool {
        self.lower_bounds_from.is_some_and(|first| percent >= first)
    }

    /// Replies per second of the window.
    pub fn requests_per_second(&self) -> f64 {
        self.completed as f64 / self.window.as_secs_f64()
    }

    /// CPU time of the server per reply, in microseconds.
    pub fn cpu_micros_per_request(&self) -> Option<f64> {
        self.per_request_micros(self.server?.cpu)
    }

    /// A time per reply, in microseconds; `None` without replies.
    pub fn per_request_micros(&self, time: Duration) -> Option<f64> {
        (self.completed > 0).then(|| time.as_secs_f64() * 1e6 / self.completed as f64)
    }

    /// CPU time of the server, as a share of one core.
    pub fn server_cpu_share(&self) -> Option<f64> {
        Some(self.server?.cpu.as_secs_f64() / self.window.as_secs_f64())
    }

    /// The warning that its replies had other statuses or bodies than the expected ones. Errors are
    /// often cheaper than answers, so the speed of such a run is no speed.
    pub fn wrong_replies(&self) -> Option<&load::Warning> {
        let mut warnings = self.warnings.iter();
        warnings.find(|warning| is_wrong_reply(warning))
    }

    /// Returns true if the load generator used a whole core: then the figures are a lower bound of
    /// what the server can do, even if the server was busy too. An open loop always uses one; there
    /// it was the limit if it sent late and fell behind its schedule.
    pub fn is_client_limited(&self) -> bool {
        let is_late = |warning: &load::Warning| matches!(warning, load::Warning::LateClient { .. });
        match self.has_kept_up() {
            None => self.client_cpu_share >= BUSY_SHARE_MIN,
            Some(kept_up) => !kept_up && self.warnings.iter().any(is_late),
        }
    }

    /// Returns true if the replies came as fast as the requests were due: then the rate was the
    /// limit. `None` in a closed loop. The first half is left out: what is in flight all the time
    /// is missing from it.
    pub fn has_kept_up(&self) -> Option<bool> {
        let Timeline { intervals, due, .. } = &self.course.timeline;
        let first_half = intervals.len() / 2;
        let answered = intervals.iter().skip(first_half);
        let answered: u64 = answered.map(|interval| interval.answered.total()).sum();
        let wanted: u64 = due.iter().skip(first_half).sum();
        let enough = wanted as f64 * KEPT_UP_SHARE_MIN;
        (!due.is_empty()).then_some((answered + KEPT_UP_SLACK) as f64 >= enough)
    }

    /// Returns true if the load generator used a whole core and the server did not: the figures say
    /// nothing of the server's own limit.
    pub fn is_client_limited_alone(&self) -> bool {
        let server_is_busy = |share| share >= BUSY_SHARE_MIN;
        self.is_client_limited() && !self.server_cpu_share().is_some_and(server_is_busy)
    }

    /// Returns the parts at their limit in this run; empty if there was none.
    pub fn limits(&self) -> Vec<Limit> {
        let share = self.server_cpu_share();
        let server = share.is_some_and(|share| share >= BUSY_SHARE_MIN);
        let machine = self.machine.is_some_and(|machine| {
            let taken = machine.others_share.unwrap_or_default() + machine.steal_share;
            machine.idle_share < IDLE_SHARE_MIN && taken >= TAKEN_SHARE_MIN
        });
        [
            (Limit::Rate, self.has_kept_up() == Some(true)),
            (Limit::Client, self.is_client_limited()),
            (Limit::Server, server),
            (Limit::Machine, machine),
        ]
        .into_iter()
        .filter_map(|(limit, is_reached)| is_reached.then_some(limit))
        .collect()
    }
}

/// Something that a run can be limited by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// The rate was given, and the server kept up.
    Rate,
    /// The load generator used a whole core, or was late in an open loop.
    Client,
    /// The server used a whole core or more.
    Server,
    /// No core was idle, and others took a part of them.
    Machine,
}

/// A server that answers less than this share of what is due does not keep up ...
const KEPT_UP_SHARE_MIN: f64 = 0.98;
/// ... unless no more than this many requests are missing.
const KEPT_UP_SLACK: u64 = 3;

/// A machine with less than this share of its time idle has nothing left to give.
const IDLE_SHARE_MIN: f64 = 0.05;

/// Settings that differ from run to run of one contestant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunConditions {
    /// Length of the measured window.
    pub window: Duration,
    /// Length of a dummy environment variable. It moves the stack of the process, and speed moves
    /// with that (Mytkowicz et al. 2009): one more draw of what is luck.
    pub padding_bytes: usize,
}

/// A server's treatment of a connection after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// It serves several replies on most connections.
    KeepsAlive,
    /// It closes most connections after one reply.
    AfterEachReply {
        /// Requests lost with a connection.
        lost: u64,
        /// Requests sent.
        sent: u64,
    },
}

/// Replies of another status or body than the expected one.
pub(super) fn is_wrong_reply(warning: &load::Warning) -> bool {
    use load::Warning::{UnexpectedStatus, WrongBodies};
    matches!(warning, UnexpectedStatus { .. } | WrongBodies { .. })
}
