//! The open loop's queue of due requests, one for the whole run: any free slot takes the oldest.
//! It is a schedule with two cursors, so its memory does not depend on the backlog.

use std::time::Duration;

use super::plan::{OpenLoopPlan, Worker};
use super::schedule::{Schedule, SchedulePlan};
use super::statistics::arrivals_check::{ArrivalsCheck, LawBroken};
use super::statistics::distribution::Distribution;
use super::statistics::interval_log::Interval;
use crate::event_loop::Time;

/// The requests of a run that are due and not sent, and the lateness of those that were sent.
#[derive(Debug)]
pub(crate) struct OpenLoop {
    plan: SchedulePlan,
    /// Numbers of the workers whose records were added, its own first.
    workers: Vec<u32>,
    schedule: Schedule,
    deadline: Duration,
    /// From a request's due time to its hand-over.
    pub(crate) lag: Distribution,
    /// The part of it in which a slot was free: the client's own delay.
    pub(crate) client_lag: Distribution,
    /// Due times with the client's own delay added: what the client made of its schedule.
    arrivals: Vec<ArrivalsCheck>,
    /// The last of these.
    last_arrival: Time,
    slots: Slots,
}

/// State of the slots that due requests are sent in.
#[derive(Clone, Copy, Debug)]
enum Slots {
    AllTaken,
    FreeSince(Time),
}

/// Longer than any run: nothing is shed.
const NO_DEADLINE: Duration = Duration::MAX;

impl OpenLoop {
    /// The queue of a run from `start` to `end`.
    pub(crate) fn new(plan: &OpenLoopPlan, start: Time, end: Time, worker: Worker) -> OpenLoop {
        let schedule = SchedulePlan {
            rate: plan.rate,
            arrivals: plan.arrivals,
            seed: plan.seed,
            worker: worker.number,
            workers: worker.of,
            start,
            end,
        };
        OpenLoop {
            plan: schedule,
            workers: vec![worker.number],
            schedule: Schedule::new(&schedule),
            deadline: plan.deadline.unwrap_or(NO_DEADLINE),
            lag: Distribution::default(),
            client_lag: Distribution::default(),
            arrivals: vec![ArrivalsCheck::new(
                plan.rate.divided(worker.of),
                plan.arrivals,
                start,
            )],
            last_arrival: start,
            slots: Slots::AllTaken,
        }
    }

    /// Time at which a free slot has something to send; never while no slot is free.
    pub(crate) fn send_at(&self) -> Time {
        match self.slots {
            Slots::AllTaken => Time::NEVER,
            Slots::FreeSince(_) => self.schedule.next_due().unwrap_or(Time::NEVER),
        }
    }

    /// Notes the number of slots that are free on all connections at `now`.
    pub(crate) fn note_free(&mut self, slots: usize, now: Time) {
        self.slots = match (slots, self.slots) {
            (0, _) => Slots::AllTaken,
            (_, Slots::AllTaken) => Slots::FreeSince(now),
            (_, since) => since,
        };
    }

    /// The share of the backlog for one of `connections`, so that requests that are due together
    /// do not queue behind each other on one.
    pub(crate) fn share(&mut self, connections: usize, now: Time) -> u64 {
        self.schedule
            .backlog(now)
            .div_ceil(connections.max(1) as u64)
    }

    /// Takes the oldest request that is too late to be sent, and returns when it was due.
    pub(crate) fn shed(&mut self, now: Time) -> Option<Time> {
        let due = self.schedule.next_due()?;
        (now - due > self.deadline).then(|| self.schedule.take(now))?
    }

    /// Takes the oldest request that is due, to be sent at `now`; returns when it was due.
    pub(crate) fn take(&mut self, now: Time) -> Option<Time> {
        let due = self.schedule.take(now)?;
        self.lag.record(now.ns_since(due), 1);
        let client_since = match self.slots {
            Slots::AllTaken => now,
            Slots::FreeSince(since) => since.max(due),
        };
        let client_lag_ns = now.ns_since(client_since);
        self.client_lag.record(client_lag_ns, 1);
        let arrival = due + Duration::from_nanos(client_lag_ns);
        self.last_arrival = self.last_arrival.max(arrival);
        for arrivals in &mut self.arrivals {
            arrivals.sent(self.last_arrival);
        }
        Some(due)
    }

    /// Requests of all workers of this process that were due in each of `intervals`, which follow each other.
    pub(crate) fn due_in(&self, intervals: &[Interval]) -> Vec<u64> {
        let of_worker = |&worker: &u32| {
            Schedule::new(&SchedulePlan {
                worker,
                ..self.plan
            })
        };
        let mut schedules: Vec<Schedule> = self.workers.iter().map(of_worker).collect();
        let mut due_by = |time| -> u64 {
            let schedules = schedules.iter_mut();
            schedules.map(|schedule| schedule.due_by(time)).sum()
        };
        let first = intervals.first();
        // What is due at the very start is due in the first interval.
        let before_first = first.filter(|first| first.began > self.plan.start);
        let mut before = before_first.map_or(0, |first| due_by(first.began));
        let due = |interval: &Interval| {
            let by_its_end = due_by(interval.began + Duration::from_nanos(interval.length_ns));
            by_its_end - std::mem::replace(&mut before, by_its_end)
        };
        intervals.iter().map(due).collect()
    }

    /// Due times of all requests that are due by `now` and were not taken.
    pub(crate) fn untaken(&self, now: Time) -> impl Iterator<Item = Time> + use<> {
        self.schedule.untaken(now)
    }

    /// Properties of the planned arrivals that a worker's requests lack; `None` if too few were
    /// due.
    pub(crate) fn laws_broken(&self, ended: Time) -> Option<Vec<LawBroken>> {
        // Nothing is due after the end of the schedule, which a turn of the loop may miss.
        let ended = ended.min(self.plan.end);
        let found = self
            .arrivals
            .iter()
            .map(|check| check.clone().finish(ended));
        let told: Vec<_> = found.flatten().collect();
        (!told.is_empty()).then(|| told.concat())
    }

    /// Adds what another worker of the same run found.
    pub(crate) fn add(&mut self, mut other: OpenLoop) {
        self.workers.append(&mut other.workers);
        self.lag.add(&other.lag.take_packed());
        self.client_lag.add(&other.client_lag.take_packed());
        self.arrivals.append(&mut other.arrivals);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::schedule::{Arrivals, Rate};
    use crate::load::statistics::interval_log::IntervalLog;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Time {
        Time::from_ns(ms * MS)
    }

    /// A request each millisecond.
    fn steady(worker: Worker) -> OpenLoop {
        let plan = OpenLoopPlan {
            rate: Rate::Constant(1000.0),
            arrivals: Arrivals::Constant,
            seed: 0,
            deadline: None,
        };
        OpenLoop::new(&plan, Time::START, Time::NEVER, worker)
    }

    #[test]
    fn a_backlog_is_shared_by_all_connections() {
        let mut open_loop = steady(Worker::ONLY);
        assert_eq!(open_loop.share(1, at(9)), 10);
        assert_eq!(open_loop.share(4, at(9)), 3);
    }

    #[test]
    fn the_clients_own_lag_begins_when_a_request_is_due_and_a_slot_is_free() {
        let mut open_loop = steady(Worker::ONLY);
        // Due at 0, 1 and 2 ms.
        for (free_at, taken_at, lag, client_lag) in [(0, 3, 3, 3), (10, 12, 11, 2), (0, 13, 11, 11)]
        {
            open_loop.note_free(0, at(0));
            open_loop.note_free(1, at(free_at));
            assert!(open_loop.take(at(taken_at)).is_some());
            let found = [
                open_loop.lag.take_packed(),
                open_loop.client_lag.take_packed(),
            ];
            let found = found.map(|lag| (lag.total(), lag.max_ns()));
            assert_eq!(found, [(1, lag * MS), (1, client_lag * MS)]);
        }
    }

    #[test]
    fn arrivals_are_judged_by_what_the_client_made_of_them() {
        let laws_broken = |is_late: fn(u64) -> bool, requests: u64| {
            let mut open_loop = steady(Worker::ONLY);
            for due in 0..requests {
                // Without a free slot the server is late, and not the client.
                open_loop.note_free(usize::from(is_late(due)), at(due));
                let now = at(due + 20);
                assert_eq!(open_loop.take(now), Some(at(due)));
                open_loop.note_free(0, now);
            }
            open_loop.laws_broken(at(requests))
        };
        assert_eq!(laws_broken(|_| false, 10), None);
        assert_eq!(laws_broken(|_| false, 20_000), Some(Vec::new()));
        let in_bursts = laws_broken(|due| due % 20 == 0, 20_000);
        assert!(in_bursts.is_some_and(|laws| !laws.is_empty()));
    }

    #[test]
    fn workers_add_up() {
        let of_two = |number| {
            let mut open_loop = steady(Worker { number, of: 2 });
            for _ in 0..10_000 {
                open_loop.note_free(1, at(0));
                let due = open_loop.schedule.next_due().expect("no end");
                open_loop.take(due);
            }
            open_loop
        };
        let mut open_loop = of_two(0);
        open_loop.add(of_two(1));
        assert_eq!(open_loop.lag.total(), 20_000);
        assert_eq!(open_loop.client_lag.total(), 20_000);
        assert_eq!(open_loop.arrivals.len(), 2);
    }

    #[test]
    fn each_request_of_all_workers_is_due_in_one_interval() {
        let plan = OpenLoopPlan {
            rate: Rate::Constant(1000.0),
            arrivals: Arrivals::Constant,
            seed: 0,
            deadline: None,
        };
        let start = at(5);
        let mut log = IntervalLog::starting(start);
        log.finish(start + Duration::from_millis(250));
        let intervals = log.into_intervals();
        let of_worker = |number| OpenLoop::new(&plan, start, Time::NEVER, Worker { number, of: 3 });
        let mut open_loop = of_worker(0);
        open_loop.add(of_worker(1));
        open_loop.add(of_worker(2));
        // The first is due at the start, and the one at 100 ms in the interval that ends there.
        assert_eq!(open_loop.due_in(&intervals), [101, 100, 50]);
        assert_eq!(open_loop.due_in(&intervals[1..]), [100, 50]);
        // Another process has the other two.
        assert_eq!(of_worker(1).due_in(&intervals), [34, 33, 17]);
    }
}
