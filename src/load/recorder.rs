//! Latencies, rates and silences of a run, recorded at line rate in bounded memory.
//!
//! A latency is recorded once, in the histogram of the interval that is under way; the distribution
//! of the run is the sum of its intervals. Nothing is dropped.

use std::time::Duration;

use super::statistics::interval_log::IntervalLog;
use super::windows::Windows;
use crate::event_loop::Time;

/// Silences of a worker that are shorter are not compared with those of others ...
const SILENCE_NS_MIN: u64 = 20_000_000;
/// ... and if there are more of them than this, only those that are twice as long.
const SILENCES_MAX: usize = 4096;
/// Status codes have three digits.
const STATUSES: usize = 1000;

/// A time without a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) began: Time,
    pub(crate) ns: u64,
}

impl Silence {
    fn between(began: Time, ended: Time) -> Silence {
        let ns = ended.ns_since(began);
        Silence { began, ns }
    }

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
    ended: Time,
    /// The longest; `None` if several workers have none in common.
    silence: Option<Silence>,
    /// All of [`Recorder::silence_ns_min`] or longer, in order.
    silences: Vec<Silence>,
    silence_ns_min: u64,
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
            ended: now,
            silence: Some(Silence { began: now, ns: 0 }),
            silences: Vec::new(),
            silence_ns_min: SILENCE_NS_MIN,
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
        self.ended = now;
        self.log.finish(now);
        self.windows.finish(now, completed, self.bytes);
    }

    /// Adds what another worker recorded in the same run.
    pub(crate) fn add(&mut self, other: Recorder) {
        self.add_silences(&other);
        self.log.add(other.log);
        self.windows.add(&other.windows);
        self.bytes += other.bytes;
        for (count, others) in self.statuses.iter_mut().zip(other.statuses) {
            *count += others;
        }
        self.last_reply_at = self.last_reply_at.max(other.last_reply_at);
        self.ended = self.ended.max(other.ended);
    }

    fn note_silence(&mut self, now: Time) {
        let silence = Silence::between(self.last_reply_at, now);
        if self.silence.is_none_or(|longest| silence.ns > longest.ns) {
            self.silence = Some(silence);
        }
        if silence.ns >= self.silence_ns_min {
            self.keep(silence);
        }
    }

    #[cold]
    fn keep(&mut self, silence: Silence) {
        self.silences.push(silence);
        if self.silences.len() > SILENCES_MAX {
            self.silence_ns_min *= 2;
            let least = self.silence_ns_min;
            self.silences.retain(|silence| silence.ns >= least);
        }
    }

    /// Keeps the silences that both have in common.
    fn add_silences(&mut self, other: &Recorder) {
        let ended = self.ended.max(other.ended);
        self.silence_ns_min = self.silence_ns_min.max(other.silence_ns_min);
        let (mine, others) = (self.silences_until(ended), other.silences_until(ended));
        self.silences.clear();
        let (mut mine, mut others) = (mine.iter().peekable(), others.iter().peekable());
        while let (Some(one), Some(two)) = (mine.peek(), others.peek()) {
            let until = one.ended().min(two.ended());
            let common = Silence::between(one.began.max(two.began), until);
            if common.ns >= self.silence_ns_min {
                self.silences.push(common);
            }
            match one.ended() < two.ended() {
                true => mine.next(),
                false => others.next(),
            };
        }
        self.silence = self
            .silences
            .iter()
            .copied()
            .max_by_key(|silence| silence.ns);
    }

    /// Its silences in a run that went on until `ended`, to which it did not reply after its own end.
    fn silences_until(&self, ended: Time) -> Vec<Silence> {
        let last = Silence::between(self.last_reply_at, ended);
        let before = self
            .silences
            .iter()
            .filter(|silence| silence.began < last.began);
        before.copied().chain([last]).collect()
    }

    /// Bytes received, whether or not they came to be a reply.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Time at which the last reply was complete, or the run began.
    pub(crate) fn last_reply_at(&self) -> Time {
        self.last_reply_at
    }

    /// The longest time without a reply on any connection; `None` if several workers have none of
    /// 20 ms or longer in common.
    pub(crate) fn longest_silence(&self) -> Option<Silence> {
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
    use crate::load::statistics::interval_log::all_answered;

    #[test]
    fn the_longest_silence_may_be_the_first_the_last_or_between() {
        let at = Time::from_ns;
        let mut recorder = Recorder::starting(at(0));
        recorder.replied(200, 1, at(10));
        let longest = |recorder: &Recorder| recorder.longest_silence().expect("one worker");
        assert_eq!(longest(&recorder), Silence::between(at(0), at(10)));
        recorder.replied(200, 2, at(30));
        recorder.replied(404, 1, at(35));
        assert_eq!(longest(&recorder), Silence::between(at(10), at(30)));
        recorder.finish(at(60), 4);
        assert_eq!(longest(&recorder), Silence::between(at(35), at(60)));
        let statuses: Vec<_> = recorder.statuses().collect();
        assert_eq!(statuses, [(200, 3), (404, 1)]);
    }

    fn ms(ms: u64) -> Time {
        Time::START + Duration::from_millis(ms)
    }

    /// A worker that replies every millisecond until its end, but in these times.
    fn worker(silent: &[(u64, u64)], ended: u64) -> Recorder {
        let mut recorder = Recorder::starting(ms(0));
        let is_silent = |at: &u64| {
            silent
                .iter()
                .any(|(from, to)| (*from + 1..*to).contains(at))
        };
        for at in (0..ended).filter(|at| !is_silent(at)) {
            recorder.replied(200, 1, ms(at));
        }
        recorder.finish(ms(ended), 0);
        recorder
    }

    fn common(workers: &[(&[(u64, u64)], u64)]) -> Option<(Time, Time)> {
        let mut workers = workers.iter().map(|(silent, ended)| worker(silent, *ended));
        let mut all = workers.next().expect("one worker");
        workers.for_each(|other| all.add(other));
        let silence = all.longest_silence();
        silence.map(|silence| (silence.began, silence.ended()))
    }

    #[test]
    fn a_silence_of_several_workers_is_one_that_all_have() {
        let apart = [(&[(2000, 2950)][..], 9000), (&[(5000, 6200)], 9000)];
        assert_eq!(common(&apart), None);
        let overlapping: [(&[(u64, u64)], u64); 3] = [
            (&[(100, 400), (2000, 2950)], 9000),
            (&[(200, 300), (2500, 3000)], 9000),
            (&[(2600, 2700), (2800, 8000)], 9000),
        ];
        assert_eq!(common(&overlapping), Some((ms(2800), ms(2950))));
        assert_eq!(common(&overlapping[..2]), Some((ms(2500), ms(2950))));
        // The first is done before the others; it replies to nothing from then on.
        let done = [(&[][..], 1000), (&[(500, 1200), (3000, 3500)], 9000)];
        assert_eq!(common(&done), Some((ms(3000), ms(3500))));
        assert_eq!(common(&[(&[], 1000), (&[], 1010)]), None);
    }

    #[test]
    fn many_silences_are_kept_in_bounded_memory() {
        let mut recorder = Recorder::starting(ms(0));
        for number in 1..=10_000 {
            recorder.replied(200, 1, ms(number * 20));
        }
        assert!(recorder.silences.len() <= SILENCES_MAX);
        assert_eq!(recorder.silence_ns_min, 2 * SILENCE_NS_MIN);
    }

    #[test]
    fn the_records_of_workers_add_up() {
        let at = Time::from_ns;
        let record = |bytes, replies: &[(u16, u64)], ended| {
            let mut recorder = Recorder::starting(at(0));
            recorder.received(bytes);
            for &(status, ns) in replies {
                recorder.replied(status, 1, at(ns));
                recorder.took(at(0), at(ns), at(ns), 1);
            }
            recorder.finish(at(ended), replies.len() as u64);
            recorder
        };
        let mut all = record(7, &[(200, 10), (404, 30)], 35);
        all.add(record(5, &[(200, 5), (200, 20), (200, 31)], 32));
        assert_eq!(all.bytes(), 12);
        assert_eq!(all.statuses().collect::<Vec<_>>(), [(200, 4), (404, 1)]);
        assert_eq!(all.last_reply_at(), at(31));
        assert_eq!(all.windows.reply_rates(), [5.0 * 1e9 / 35.0]);
        let answered = all_answered(all.log.intervals());
        assert_eq!((answered.total(), answered.max_ns()), (5, 31));
    }
}
