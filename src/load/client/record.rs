//! The record of a run, from which the report is built.

use std::time::Duration;

use super::RunEnd;
use crate::event_loop::Time;
use crate::load::accounting::Accounting;
use crate::load::connects::Connects;
use crate::load::counters::Counters;
use crate::load::open_loop::OpenLoop;
use crate::load::recorder::Recorder;
use crate::load::turns::Turns;

/// The results of a client whose run is over.
#[derive(Debug)]
pub(crate) struct RunRecord {
    pub(crate) accounting: Accounting,
    pub(crate) connects: Connects,
    pub(crate) recorder: Recorder,
    pub(crate) turns: Turns,
    pub(crate) counters: Counters,
    pub(crate) open_loop: Option<OpenLoop>,
    /// CPU time of the thread of its busiest worker.
    pub(crate) worker_cpu: Duration,
    /// The warm-up before the start.
    pub(crate) warmed: Duration,
    pub(crate) started: Time,
    pub(crate) ended: Time,
    pub(crate) end: RunEnd,
}

impl RunRecord {
    /// Adds the record of another worker of the same run.
    pub(crate) fn add(&mut self, other: RunRecord) {
        self.accounting.add(other.accounting);
        self.connects.add(other.connects);
        self.recorder.add(other.recorder);
        self.turns.add(other.turns);
        self.counters.add(other.counters);
        if let (Some(all), Some(open_loop)) = (&mut self.open_loop, other.open_loop) {
            all.add(open_loop);
        }
        self.worker_cpu = self.worker_cpu.max(other.worker_cpu);
        self.ended = self.ended.max(other.ended);
        if self.end == RunEnd::Planned {
            self.end = other.end;
        }
    }
}
