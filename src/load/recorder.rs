//! Latencies, rates and silences of a run, recorded at line rate in bounded memory.
//!
//! A latency is recorded once, in the histogram of the interval that is under way; the distribution
//! of the run is the sum of its intervals. Nothing is dropped.

use std::time::Duration;

use super::statistics::interval_log::IntervalLog;
use super::windows::Windows;
use crate::event_loop::Time;

/// Status codes have three digits.
const STATUSES: usize = 1000;

/// The longest time without a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) began: Time,
    pub(crate) ns: u64,
}

impl Silence {
    /// Its end.
    pub(crate) fn ended(self) -> Time {
        self.began + Duration::from_nanos(self.ns)
    }
}

/// Everything measured of the replies of a run.
#[derive(Clone, Debug)]
pub struct Recorder {
    /// Latencies of replies, and ages of requests that got none.
    pub(crate) log: IntervalLog,
    pub(crate) windows: Windows,
    bytes: u64,
    statuses: Vec<u64>,
    last_reply_at: Time,
    silence: Silence,
}

impl Recorder {
    /// Nothing recorded; the run begins at `now`.
    pub(crate) fn starting(now: Time) -> Recorder {
        Recorder {
            log: IntervalLog::starting(now),
            windows: Windows::starting(now),
            bytes: 0,
            statuses: vec![0; STATUSES],
            last_reply_at: now,
            silence: Silence::default(),
        }
    }

    /// Records requests that are queued for sending.
    #[inline]
    pub(crate) fn sent(&mut self, requests: usize) {
        self.log.record_sent(requests as u64);
    }

    /// Bytes came in, of whatever they are a part.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Records complete replies with this status.
    pub(crate) fn replied(&mut self, status: u16, replies: usize, now: Time) {
        self.statuses[usize::from(status)] += replies as u64;
        self.note_silence(now);
        self.last_reply_at = now;
    }

    /// Records replies that took from `began` until they arrived, and were read `now`. A reply that
    /// arrived before its request began was stamped by a clock that has been set since: then it took
    /// until `now`.
    #[inline]
    pub(crate) fn took(&mut self, began: Time, arrived_at: Time, now: Time, replies: usize) {
        let ended = if arrived_at < began { now } else { arrived_at };
        self.log.record(now, ended.ns_since(began), replies as u64);
    }

    /// Records requests that began at `began`, were waiting at `now`, and are watched no longer.
    pub(crate) fn gave_up(&mut self, began: Time, now: Time, requests: usize) {
        let age_ns = now.ns_since(began);
        self.log.record_censored(now, age_ns, requests as u64);
    }

    /// Records requests that began at `began` and were lost at `now` with their connection.
    pub(crate) fn lost(&mut self, began: Time, now: Time, requests: usize) {
        let age_ns = now.ns_since(began);
        self.log.record_lost(now, age_ns, requests as u64);
    }

    /// A turn of the loop at `now`, with `completed` replies so far: closes a window that is full.
    pub(crate) fn turn(&mut self, now: Time, completed: u64) {
        self.log.turn(now);
        self.windows.turn(now, completed, self.bytes);
    }

    /// The run is over, with `completed` replies.
    pub(crate) fn finish(&mut self, now: Time, completed: u64) {
        self.note_silence(now);
        self.log.finish(now);
        self.windows.finish(now, completed, self.bytes);
    }

    /// Adds what another worker recorded in the same run. A silence of all workers is no longer than
    /// the longest of any one; the shortest of these is kept.
    pub(crate) fn add(&mut self, other: Recorder) {
        self.log.add(other.log);
        self.windows.add(&other.windows);
        self.bytes += other.bytes;
        for (count, others) in self.statuses.iter_mut().zip(other.statuses) {
            *count += others;
        }
        self.last_reply_at = self.last_reply_at.max(other.last_reply_at);
        if other.silence.ns < self.silence.ns {
            self.silence = other.silence;
        }
    }

    fn note_silence(&mut self, now: Time) {
        let ns = now.ns_since(self.last_reply_at);
        if ns > self.silence.ns {
            let began = self.last_reply_at;
            self.silence = Silence { began, ns };
        }
    }

    /// Bytes received, whether or not they came to be a reply.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When the last reply was complete, or the run began.
    pub(crate) fn last_reply_at(&self) -> Time {
        self.last_reply_at
    }

    /// The longest time without a reply on any connection.
    pub(crate) fn longest_silence(&self) -> Silence {
        self.silence
    }

    /// Status codes that came, with their counts.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = (u16, u64)> {
        (0..)
            .zip(self.statuses.iter().copied())
            .filter(|&(_, count)| count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silence_may_be_the_first_the_last_or_between() {
        let at = Time::from_ns;
        let mut recorder = Recorder::starting(at(0));
        recorder.replied(200, 1, at(10));
        assert_eq!(
            recorder.longest_silence(),
            Silence {
                began: at(0),
                ns: 10
            }
        );
        recorder.replied(200, 2, at(30));
        recorder.replied(404, 1, at(35));
        assert_eq!(
            recorder.longest_silence(),
            Silence {
                began: at(10),
                ns: 20
            }
        );
        recorder.finish(at(60), 4);
        assert_eq!(
            recorder.longest_silence(),
            Silence {
                began: at(35),
                ns: 25
            }
        );
        let statuses: Vec<_> = recorder.statuses().collect();
        assert_eq!(statuses, [(200, 3), (404, 1)]);
    }
}
