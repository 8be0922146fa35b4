//! The load client: keeps every slot of every connection filled, pairs each reply with the stamp
//! of its own request, and accounts for every request that got no reply.
//!
//! The usual batch costs one comparison with the learned reply, one histogram update and one push
//! of pre-rendered requests. Where several requests take turns, each reply is compared with that of
//! its own request, and there is still only one push. Everything else (heads, chunks, a new Date,
//! the end of a connection) takes the slow path through [`crate::http::response::ResponseReader`].
//!
//! Deliberately absent: a timer per request (the oldest stamp of a connection is its deadline) and
//! a correction for coordinated omission (a closed loop measures service time, and an open loop
//! response time; the report names which).

mod closing;
mod conn;
mod cycle;
mod ending;
mod filling;
mod record;
mod replies;
mod warming;

pub use conn::LoadConn;
pub(crate) use ending::RunEnd;
pub(crate) use record::RunRecord;

use std::time::{Duration, SystemTime};

use super::accounting::{Accounting, Ledger};
use super::connects::Connects;
use super::counters::Counters;
use super::open_loop::OpenLoop;
use super::plan::{OpenLoopPlan, Worker};
use super::recorder::Recorder;
use super::status::{self, ExpectedStatuses};
use super::turns::{Turns, WAKE_EVERY};
use super::{LoadPlan, Progress, Refill, RunPhase, Until, WarmUp};
use crate::event_loop::{
    AfterClose, ClockRead, Closed, Flow, Protocol, Time, TurnResult, Wait, WriteQueue,
};
use crate::http::response::AtEnd;
use conn::ConnState;
use cycle::RequestCycle;

/// Shortest time between two progress reports.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// A load generator as a protocol.
pub struct LoadClient<'a> {
    requests: RequestCycle,
    pipelining: usize,
    refill: Refill,
    open_loop_plan: Option<OpenLoopPlan>,
    worker: Worker,
    /// The planned start; `None` for the first turn, or that of all workers.
    start_at: Option<Time>,
    /// Connections that were open before the start, and have nothing sent yet.
    held: usize,
    /// `None` in a closed loop, and before the start. In a box, so that the state of a closed loop
    /// lies close together.
    open_loop: Option<Box<OpenLoop>>,
    timeout: Duration,
    until: Until,
    /// A body that differs from the first is a note; one that differs from the user's is wrong.
    body_is_given: bool,
    expected_statuses: Option<ExpectedStatuses>,
    /// Errors and wrong bodies that end the run.
    bailout: u64,
    /// Requests that are sent on each connection.
    requests_per_connection: usize,
    connects_failed_in_a_row: usize,
    ledger: Ledger,
    connects: Connects,
    recorder: Recorder,
    /// Time at which the kernel received the bytes that are being taken; `None` without its stamps.
    arrived_at: Option<Time>,
    turns: Turns,
    counters: Counters,
    warm_up: WarmUp,
    /// End of the warm-up; `None` in the run.
    warm_until: Option<Time>,
    /// Length of the warm-up.
    warmed: Duration,
    started: Option<Time>,
    ended: Time,
    /// The end of the run; `None` before it.
    ending: Option<RunEnd>,
    progress_due: Time,
    on_progress: &'a mut dyn FnMut(Progress),
}

impl<'a> LoadClient<'a> {
    /// A client for `plan` that reports its progress to `on_progress`.
    pub fn new(plan: &LoadPlan, on_progress: &'a mut dyn FnMut(Progress)) -> LoadClient<'a> {
        LoadClient {
            requests: RequestCycle::new(plan),
            pipelining: plan.pipelining,
            refill: plan.refill,
            open_loop_plan: plan.open_loop,
            worker: Worker::ONLY,
            start_at: None,
            held: 0,
            open_loop: None,
            timeout: plan.timeout,
            until: plan.until,
            expected_statuses: plan.expected_statuses.clone(),
            bailout: plan.bailout.unwrap_or(u64::MAX),
            requests_per_connection: plan.requests_per_connection.unwrap_or(usize::MAX),
            body_is_given: plan.expected_body.is_some(),
            connects_failed_in_a_row: 0,
            ledger: Ledger::new(plan.until),
            connects: Connects::asked(plan.connections),
            recorder: Recorder::starting(Time::START),
            arrived_at: None,
            turns: Turns::default(),
            counters: Counters::default(),
            warm_up: plan.warm_up,
            warm_until: None,
            warmed: Duration::ZERO,
            started: None,
            ended: Time::START,
            ending: None,
            progress_due: Time::START,
            on_progress,
        }
    }

    /// The same client as one of several workers, whose run starts at [`Time::START`] for all.
    pub fn as_worker(mut self, worker: Worker) -> LoadClient<'a> {
        let connections_before = worker.number as usize * self.connects.asked;
        self.requests.pass_over(connections_before);
        LoadClient { worker, ..self }
    }

    /// The accounting so far.
    pub fn accounting(&self) -> Accounting {
        self.ledger.counts()
    }

    /// Returns the record of the run, which is over.
    pub(crate) fn finish(mut self) -> RunRecord {
        self.censor_backlog();
        let stopped = match self.warm_until {
            Some(_) => RunEnd::StillWarming,
            None => RunEnd::Interrupted,
        };
        let accounting = self.ledger.finish();
        self.recorder.finish(self.ended, accounting.completed);
        RunRecord {
            accounting,
            connects: self.connects,
            recorder: self.recorder,
            turns: self.turns,
            counters: self.counters,
            open_loop: self.open_loop.map(|open_loop| *open_loop),
            worker_cpu: Duration::ZERO,
            warmed: self.warmed,
            started: self.started.unwrap_or(self.ended),
            ended: self.ended,
            end: self.ending.unwrap_or(stopped),
        }
    }

    /// As autocannon counts: each error of a connection once, and each request that timed out.
    fn errors_total(&self) -> u64 {
        self.counters.errors.total() + self.ledger.counts().timed_out
    }

    fn unexpected_statuses(&self) -> u64 {
        let expected = self.expected_statuses.as_ref();
        let statuses = self.recorder.statuses();
        let unexpected = statuses.filter(|(status, _)| !status::is_expected(expected, *status));
        unexpected.map(|(_, replies)| replies).sum()
    }

    fn tell_progress(&mut self, now: Time, started: Time) {
        if now < self.progress_due {
            return;
        }
        self.progress_due = now + PROGRESS_EVERY;
        let progress = Progress {
            phase: match self.warm_until {
                Some(_) => RunPhase::WarmUp,
                None => RunPhase::Run,
            },
            elapsed: now - started,
            completed: self.ledger.counts().completed,
            errors: self.errors_total(),
            unexpected_statuses: self.unexpected_statuses(),
        };
        (self.on_progress)(progress);
    }
}

impl Protocol for LoadClient<'_> {
    type Conn = LoadConn;

    const CLOCK_READ: ClockRead = ClockRead::PerRead;
    const READS_WHILE_BLOCKED: bool = true;
    const TIMES_WAITS: bool = true;
    const TIMES_ARRIVALS: bool = true;

    fn arrived(&mut self, at: Time) {
        self.arrived_at = Some(at);
    }

    fn dialled(&mut self, took: Duration) {
        self.connects.dialled(took);
    }

    fn opened(&mut self, now: Time, _out: &mut WriteQueue) -> LoadConn {
        self.connects.opened(now);
        self.connects_failed_in_a_row = 0;
        let held = self.is_before_start();
        self.held += usize::from(held);
        let first = self.requests.first_of_connection();
        LoadConn::new(self.requests_per_connection, held, first)
    }

    fn received(
        &mut self,
        conn: &mut LoadConn,
        bytes: &[u8],
        now: Time,
        _out: &mut WriteQueue,
    ) -> Flow {
        self.counters.reads += 1;
        self.recorder.received(bytes.len());
        let taken = self.take_replies(conn, bytes, now);
        self.arrived_at = None;
        if let Err(why) = taken {
            return self.refuse(conn, why);
        }
        match conn.state {
            // RFC 9112 9.6: the client closes. Not every server does.
            ConnState::LastReplied => Flow::Abort,
            _ => Flow::Keep,
        }
    }

    /// Fills slots here and not as replies come in, so that nothing is sent on a connection that
    /// the server has already closed.
    fn caught_up(&mut self, conn: &mut LoadConn, now: Time, out: &mut WriteQueue) -> Flow {
        if self.is_before_start() {
            return Flow::Keep;
        }
        self.release(conn);
        self.fill(conn, now, out);
        if self.open_loop.is_none() && conn.has_no_work() {
            Flow::Abort
        } else {
            Flow::Keep
        }
    }

    /// A request is in flight from the moment that the kernel takes its first byte.
    fn unsent(&mut self, conn: &mut LoadConn, bytes: usize, now: Time) {
        let requests = self.requests.untouched(bytes, self.next_request(conn));
        self.ledger.queue(&mut conn.in_flight, requests, now);
    }

    fn ended(&mut self, conn: &mut LoadConn, now: Time, _out: &mut WriteQueue) -> Flow {
        let expected = self.requests.reply_to(conn.oldest);
        if let Some(mut reader) = conn.partial.take()
            && let AtEnd::Complete(reply) = reader.end(expected.method, &mut expected.body)
        {
            self.complete(conn, 1, &reply, now);
        }
        Flow::Abort
    }

    fn send_at(&self) -> Time {
        if self.held > 0 {
            return self.started.or(self.start_at).unwrap_or(Time::NEVER);
        }
        let open_loop = self.open_loop.as_deref();
        open_loop.map_or(Time::NEVER, OpenLoop::send_at)
    }

    fn deadline(&self, conn: &LoadConn) -> Time {
        conn.deadline(self.timeout)
    }

    fn overdue(&mut self, conn: &mut LoadConn, now: Time, _out: &mut WriteQueue) -> Flow {
        if conn.state == ConnState::Open {
            let recorder = &mut self.recorder;
            self.ledger.time_out(&mut conn.in_flight, |began, n| {
                recorder.gave_up(began, now, n)
            });
            self.counters.resets += 1;
            self.counters.first_error.get_or_insert_with(|| {
                format!("no reply within the timeout of {:?}", self.timeout)
            });
            conn.state = ConnState::GivenUp;
        }
        Flow::Abort
    }

    fn closed(&mut self, conn: Option<LoadConn>, why: Closed, now: Time) -> AfterClose {
        match conn {
            Some(conn) => {
                // `now` is that of the turn, and the last reply may have been read later.
                self.connects.closed(now.max(self.recorder.last_reply_at()));
                self.connection_closed(conn, &why, now)
            }
            None => self.not_connected(&why, now),
        }
    }

    fn waited(&mut self, wait: Wait) {
        self.turns.waited(wait);
    }

    fn turn(&mut self, now: Time, _wall: SystemTime) -> TurnResult {
        match self.started {
            None => match self.start_at.filter(|&start_at| now < start_at) {
                Some(start_at) => {
                    let wake = start_at.min(now + WAKE_EVERY);
                    return TurnResult::Run { wake };
                }
                None => self.start(now),
            },
            Some(_) => self.end_warm_up(now),
        }
        let started = self.started.unwrap_or(now);
        self.ended = now;
        if let Some((end, at)) = self.end(now, started) {
            self.ending = Some(end);
            self.ended = at;
            return TurnResult::Stop;
        }
        self.recorder.turn(now, self.ledger.counts().completed);
        self.tell_progress(now, started);
        let end = match self.until {
            Until::Duration(duration) => started + duration,
            Until::Amount(_) => Time::NEVER,
        };
        let end = self.warm_until.unwrap_or(end);
        let due = end.min(self.recorder.windows.due()).min(self.progress_due);
        TurnResult::Run {
            wake: due.min(now + WAKE_EVERY),
        }
    }
}
