//! The client's own delays: the length of its loop's turns, and its pauses.
//!
//! A reply that arrives while the client works on other replies, or does not run at all, is read
//! late, and its latency includes this delay. A turn is the work between two waits. A pause is a
//! turn that took long, or a wait that lasted long beyond its planned end. The client plans to wake
//! at least every [`WAKE_EVERY`]. So it also notices a pause that begins during a wait; the
//! measured length is too short by at most that time.

use std::time::Duration;

use super::statistics::distribution::Distribution;
use crate::event_loop::{Time, Wait};

/// Longest planned wait.
pub(crate) const WAKE_EVERY: Duration = Duration::from_millis(10);
/// Shortest delay that counts as a pause.
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(20);
/// Pauses that are kept one by one; of more, the shortest are only counted.
const PAUSES_KEPT_MAX: usize = 1_000;

/// Turns of the client's loop in a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns {
    /// End of the last wait; `None` before the first.
    woken_at: Option<Time>,
    /// Time between two waits.
    pub(crate) lengths: Distribution,
    pub(crate) pauses: Pauses,
    /// Time from the kernel's receipt of each reply until it was read; empty without its stamps.
    pub(crate) delays: Distribution,
}

impl Turns {
    /// The next wait is over, and with it the turn before it.
    #[inline]
    pub(crate) fn waited(&mut self, wait: Wait) {
        if let Some(woken_at) = self.woken_at {
            self.lengths.record(wait.began.ns_since(woken_at), 1);
            self.pauses.note(woken_at, wait.began);
        }
        self.pauses.note(wait.due, wait.ended);
        self.woken_at = Some(wait.ended);
    }

    /// `replies` were read this long after the kernel had received them.
    pub(crate) fn read_late(&mut self, delay: Duration, replies: usize) {
        let ns = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        self.delays.record(ns, replies as u64);
    }

    /// Adds the turns of another worker of the same run.
    pub(crate) fn add(&mut self, mut other: Turns) {
        self.lengths.add(&other.lengths.take_packed());
        self.pauses.append(other.pauses);
        self.delays.add(&other.delays.take_packed());
    }
}

/// Times in which the client did not do its work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pauses {
    /// The longest of them, in the order in which they began.
    pub(crate) kept: Vec<ClientPause>,
    /// All of them.
    pub(crate) count: u64,
    /// Their sum.
    pub(crate) total: Duration,
}

/// A pause of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientPause {
    pub(crate) began: Time,
    pub(crate) length: Duration,
}

impl Pauses {
    /// Counts the time between the two if it is a pause.
    #[inline]
    fn note(&mut self, began: Time, ended: Time) {
        if ended - began >= PAUSE_MIN {
            self.add(began, ended - began);
        }
    }

    #[cold]
    fn add(&mut self, began: Time, length: Duration) {
        self.count += 1;
        self.total += length;
        self.kept.push(ClientPause { began, length });
        if self.kept.len() > PAUSES_KEPT_MAX {
            let numbered = self.kept.iter().enumerate();
            let shortest = numbered.min_by_key(|(_, pause)| pause.length);
            if let Some((index, _)) = shortest {
                self.kept.remove(index);
            }
        }
    }

    /// The longest of those that are kept.
    pub(crate) fn longest(&self) -> Option<ClientPause> {
        self.kept.iter().copied().max_by_key(|pause| pause.length)
    }

    /// Time between `began` and `ended` in which the client, or any of its workers, paused.
    pub(crate) fn within(&self, began: Time, ended: Time) -> Duration {
        let mut from = began;
        let mut sum = Duration::ZERO;
        for pause in &self.kept {
            let until = (pause.began + pause.length).min(ended);
            sum += until - pause.began.max(from);
            from = from.max(until);
        }
        sum
    }

    fn append(&mut self, other: Pauses) {
        self.count += other.count;
        self.total += other.total;
        self.kept.extend(other.kept);
        self.kept
            .sort_by_key(|pause| std::cmp::Reverse(pause.length));
        self.kept.truncate(PAUSES_KEPT_MAX);
        self.kept.sort_by_key(|pause| pause.began);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Time {
        Time::START + Duration::from_millis(ms)
    }

    fn wait(began: u64, due: u64, ended: u64) -> Wait {
        Wait {
            began: ms(began),
            due: ms(due),
            ended: ms(ended),
        }
    }

    fn pauses(waits: &[Wait]) -> Vec<(Time, u128)> {
        let mut turns = Turns::default();
        for &wait in waits {
            turns.waited(wait);
        }
        let kept = turns.pauses.kept.iter();
        kept.map(|pause| (pause.began, pause.length.as_millis()))
            .collect()
    }

    #[test]
    fn a_long_turn_is_a_pause_and_so_is_a_wait_beyond_its_end() {
        assert_eq!(pauses(&[wait(0, 10, 10), wait(29, 39, 39)]), []);
        let long_turn = [wait(0, 10, 10), wait(30, 40, 35)];
        assert_eq!(pauses(&long_turn), [(ms(10), 20)]);
        assert_eq!(pauses(&[wait(0, 10, 29)]), []);
        assert_eq!(pauses(&[wait(0, 10, 60)]), [(ms(10), 50)]);
        let without_a_limit = Wait {
            due: Time::NEVER,
            ..wait(0, 0, 5_000)
        };
        assert_eq!(pauses(&[without_a_limit]), []);
    }

    #[test]
    fn a_turn_is_the_time_between_two_waits() {
        let mut turns = Turns::default();
        turns.waited(wait(5, 10, 10));
        turns.waited(wait(12, 20, 15));
        turns.waited(wait(16, 20, 20));
        assert_eq!(turns.lengths.total(), 2);
        assert_eq!(turns.lengths.max_ns(), 2_000_000);
    }

    #[test]
    fn the_list_of_pauses_is_bounded_and_their_sum_is_not() {
        let mut turns = Turns::default();
        for n in 0..1_500 {
            turns.waited(wait(n * 100, n * 100 + 10, n * 100 + 60));
        }
        let Pauses { kept, count, total } = &turns.pauses;
        // Each wait, and each turn of 40 ms between two.
        assert_eq!((kept.len(), *count), (1_000, 1_500 + 1_499));
        assert_eq!(total.as_millis(), 1_500 * 50 + 1_499 * 40);
    }

    #[test]
    fn the_longest_pauses_are_kept_of_one_worker_and_of_several() {
        let many = || {
            let mut turns = Turns::default();
            for n in 0..1_200 {
                turns.waited(wait(n * 100, n * 100 + 10, n * 100 + 60));
            }
            turns
        };
        let mut all = many();
        all.waited(wait(119_961, 119_970, 149_970));
        all.add(many());
        let longest = all.pauses.longest().expect("a pause");
        assert_eq!((longest.began, longest.length.as_secs()), (ms(119_970), 30));
        let is_ordered = all.pauses.kept.is_sorted_by_key(|pause| pause.began);
        assert!(is_ordered && all.pauses.kept.len() == 1_000);
    }

    #[test]
    fn pauses_are_summed_within_bounds() {
        let mut turns = Turns::default();
        turns.waited(wait(0, 10, 60));
        turns.waited(wait(61, 100, 150));
        let within = |began, ended| turns.pauses.within(ms(began), ms(ended)).as_millis();
        assert_eq!(within(0, 200), 100);
        assert_eq!(within(30, 120), 50);
        assert_eq!(within(70, 90), 0);
    }

    #[test]
    fn the_pauses_of_workers_are_merged_in_order() {
        let mut first = Turns::default();
        first.waited(wait(0, 100, 160));
        let mut second = Turns::default();
        second.waited(wait(0, 10, 40));
        second.waited(wait(41, 80, 130));
        first.add(second);
        let Pauses { kept, count, total } = &first.pauses;
        let begins: Vec<Time> = kept.iter().map(|pause| pause.began).collect();
        assert_eq!(begins, [ms(10), ms(80), ms(100)]);
        assert_eq!((*count, total.as_millis()), (3, 140));
        assert_eq!(first.lengths.total(), 1);
        assert_eq!(first.pauses.within(ms(0), ms(200)).as_millis(), 110);
    }

    #[test]
    fn the_delays_of_workers_are_merged() {
        let mut first = Turns::default();
        first.read_late(Duration::from_millis(3), 2);
        let mut second = Turns::default();
        second.read_late(Duration::from_millis(9), 1);
        first.add(second);
        assert_eq!(
            (first.delays.total(), first.delays.max_ns()),
            (3, 9_000_000)
        );
        assert_eq!(first.delays.sum_ns(), 15_000_000);
    }

    #[test]
    fn the_longest_pause_is_kept_of_all_workers_and_their_list_is_bounded() {
        let mut first = Turns::default();
        let mut second = Turns::default();
        for n in 0..900 {
            first.waited(wait(n * 200, n * 200 + 10, n * 200 + 60));
            second.waited(wait(n * 200, n * 200 + 10, n * 200 + 70));
        }
        first.add(second);
        assert_eq!(first.pauses.kept.len(), PAUSES_KEPT_MAX);
        // The turns between the waits.
        let longest = first.pauses.longest().expect("a pause");
        assert_eq!(longest.length.as_millis(), 140);
    }
}
