//! Load in slices: a client that pauses and goes on with its connections kept open, so that the
//! load can alternate between two servers.
//!
//! The loop and the client are the same as in a run; [`PausableClient`] stands between the two and
//! withholds the calls that would send new requests.

use std::io;
use std::time::{Duration, SystemTime};

use super::client::{LoadClient, LoadConn};
use super::{
    Error, LoadPlan, LoadReport, Progress, ReadyRun, RunClocks, connect_timeout, connection_limits,
};
use crate::event_loop::{
    AfterClose, Clock, ClockRead, Closed, EventLoop, Flow, Kernel, LoopPhase, MioKernel, Protocol,
    StopSignal, Time, TurnResult, WriteQueue,
};

/// A paused load still takes a turn this often while its last replies come in.
const DRAIN_WAKE: Duration = Duration::from_millis(1);

/// A load that is paused until it is resumed.
pub struct SlicedLoad<'a> {
    plan: &'a LoadPlan,
    event_loop: EventLoop<PausableClient<'a>>,
    events: <MioKernel as Kernel>::Events,
    clocks: RunClocks,
    address: String,
}

impl<'a> SlicedLoad<'a> {
    /// Connects to the peer of `ready`; nothing is sent yet. The plan's end counts from here.
    ///
    /// # Errors
    /// The system gives no poll instance.
    pub fn connect(
        ready: ReadyRun<'a>,
        on_progress: &'a mut dyn FnMut(Progress),
    ) -> Result<SlicedLoad<'a>, Error> {
        let address = ready.address();
        let ReadyRun { plan, peer } = ready;
        // Two loops of one thread cannot both be woken: whoever drives them looks at the signal.
        let signal = StopSignal::new();
        let kernel = MioKernel::new(&signal)?;
        let events = kernel.new_events();
        let client = PausableClient {
            client: LoadClient::new(plan, on_progress),
            phase: Phase::Paused,
            wake_at: Time::NEVER,
        };
        let clock = Clock::start();
        let mut event_loop = EventLoop::on(kernel, clock, client, connection_limits(plan), &signal)
            .over_tls(plan.tls.clone());
        event_loop.dial(peer, plan.connections, connect_timeout(plan));
        Ok(SlicedLoad {
            plan,
            event_loop,
            events,
            clocks: RunClocks::start(None),
            address,
        })
    }

    /// Every open connection sends its requests again.
    ///
    /// # Errors
    /// The kernel's wait fails, or the plan's end has come.
    pub fn resume(&mut self) -> io::Result<()> {
        self.event_loop.protocol_mut().phase = Phase::Resuming;
        self.turn(Duration::ZERO)?;
        self.event_loop.protocol_mut().phase = Phase::Running;
        Ok(())
    }

    /// Runs for `length`, as long as `go_on` holds. Returns the real length.
    ///
    /// # Errors
    /// As [`SlicedLoad::resume`].
    pub fn run_for(
        &mut self,
        length: Duration,
        go_on: impl Fn(&Self) -> bool,
    ) -> io::Result<Duration> {
        let start = self.now();
        while self.now() - start < length && go_on(self) {
            self.turn(length - (self.now() - start).min(length))?;
        }
        Ok(self.now() - start)
    }

    /// Sends nothing new, and waits for outstanding replies, `within` this time at most.
    ///
    /// # Errors
    /// As [`SlicedLoad::resume`].
    pub fn pause(&mut self, within: Duration) -> io::Result<()> {
        self.event_loop.protocol_mut().phase = Phase::Paused;
        self.run_for(within, |load| load.in_flight() > 0).map(drop)
    }

    /// Forgets what was measured until now: the warm-up is over.
    pub fn end_warm_up(&mut self) {
        let now = self.now();
        self.event_loop.protocol_mut().client.begin_run(now);
    }

    /// Replies since the end of the warm-up.
    pub fn completed(&self) -> u64 {
        self.event_loop.protocol().client.accounting().completed
    }

    /// The report of all slices since the end of the warm-up, pauses included: its rates mean
    /// nothing.
    pub fn finish(self) -> LoadReport {
        let record = self.event_loop.finish().client.finish();
        LoadReport::new(self.plan, &record, self.clocks.around(self.address))
    }

    fn in_flight(&self) -> u64 {
        self.event_loop.protocol().client.accounting().in_flight
    }

    fn now(&self) -> Time {
        self.event_loop.clock().now()
    }

    fn turn(&mut self, at_most: Duration) -> io::Result<()> {
        let wake_at = match self.event_loop.protocol().phase {
            Phase::Paused => self.now() + at_most.min(DRAIN_WAKE),
            Phase::Resuming | Phase::Running => self.now() + at_most,
        };
        self.event_loop.protocol_mut().wake_at = wake_at;
        match self.event_loop.turn(&mut self.events)? {
            LoopPhase::Over => Err(io::Error::other("the load ended before its time")),
            _ => Ok(()),
        }
    }
}

/// Phase of a load in slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing new is sent.
    Paused,
    /// Each connection is to send its first requests.
    Resuming,
    /// Each reply frees a slot, as in a run.
    Running,
}

/// A [`LoadClient`] that can be paused.
struct PausableClient<'a> {
    client: LoadClient<'a>,
    phase: Phase,
    wake_at: Time,
}

impl<'a> Protocol for PausableClient<'a> {
    type Conn = LoadConn;

    const CLOCK_READ: ClockRead = <LoadClient<'a> as Protocol>::CLOCK_READ;
    const READS_WHILE_BLOCKED: bool = <LoadClient<'a> as Protocol>::READS_WHILE_BLOCKED;

    fn opened(&mut self, now: Time, out: &mut WriteQueue) -> LoadConn {
        self.client.opened(now, out)
    }

    fn dialled(&mut self, took: Duration) {
        self.client.dialled(took);
    }

    fn received(
        &mut self,
        conn: &mut LoadConn,
        bytes: &[u8],
        now: Time,
        out: &mut WriteQueue,
    ) -> Flow {
        self.client.received(conn, bytes, now, out)
    }

    fn caught_up(&mut self, conn: &mut LoadConn, now: Time, out: &mut WriteQueue) -> Flow {
        match self.phase {
            Phase::Paused => Flow::Keep,
            Phase::Resuming | Phase::Running => self.client.caught_up(conn, now, out),
        }
    }

    fn ended(&mut self, conn: &mut LoadConn, now: Time, out: &mut WriteQueue) -> Flow {
        self.client.ended(conn, now, out)
    }

    fn deadline(&self, conn: &LoadConn) -> Time {
        self.client.deadline(conn)
    }

    fn overdue(&mut self, conn: &mut LoadConn, now: Time, out: &mut WriteQueue) -> Flow {
        self.client.overdue(conn, now, out)
    }

    fn unsent(&mut self, conn: &mut LoadConn, bytes: usize, now: Time) {
        self.client.unsent(conn, bytes, now);
    }

    /// The loop visits each open connection once a turn as long as something is due.
    fn send_at(&self) -> Time {
        match self.phase {
            Phase::Resuming => Time::START,
            Phase::Paused | Phase::Running => Time::NEVER,
        }
    }

    fn closed(&mut self, conn: Option<LoadConn>, why: Closed, now: Time) -> AfterClose {
        self.client.closed(conn, why, now)
    }

    fn turn(&mut self, now: Time, wall: SystemTime) -> TurnResult {
        match self.client.turn(now, wall) {
            TurnResult::Run { wake } => TurnResult::Run {
                wake: wake.min(self.wake_at),
            },
            TurnResult::Stop => TurnResult::Stop,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
    use std::thread;

    use super::*;
    use crate::load::{Until, prepare};

    /// Longer than any wait of these tests.
    const LONG: Duration = Duration::from_secs(20);

    /// A server that counts its requests.
    struct Peer {
        url: String,
        requests: Arc<AtomicU64>,
    }

    impl Peer {
        /// For the connect check and one connection of a load.
        fn start() -> Peer {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = listener.local_addr().expect("an address");
            let requests = Arc::new(AtomicU64::new(0));
            let counted = requests.clone();
            thread::spawn(move || {
                for stream in listener.incoming().take(2) {
                    answer(stream.expect("a connection"), &counted);
                }
            });
            Peer {
                url: format!("http://{address}"),
                requests,
            }
        }

        fn requests(&self) -> u64 {
            self.requests.load(SeqCst)
        }

        fn plan(&self) -> LoadPlan {
            LoadPlan {
                until: Until::Duration(Duration::from_secs(3600)),
                ..crate::load::tests::plan(&self.url)
            }
        }
    }

    /// Until the client ends the connection.
    fn answer(mut stream: TcpStream, requests: &AtomicU64) {
        let (mut bytes, mut unread) = ([0; 4096], Vec::new());
        while let Ok(length @ 1..) = stream.read(&mut bytes) {
            unread.extend_from_slice(&bytes[..length]);
            while let Some(end) = unread.windows(4).position(|end| end == b"\r\n\r\n") {
                unread.drain(..end + 4);
                requests.fetch_add(1, SeqCst);
                let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                if stream.write_all(reply).is_err() {
                    return;
                }
            }
        }
    }

    fn connect<'a>(plan: &'a LoadPlan, on_progress: &'a mut dyn FnMut(Progress)) -> SlicedLoad<'a> {
        let ready = prepare(plan, &StopSignal::new()).expect("the peer accepts");
        SlicedLoad::connect(ready, on_progress).expect("a poll instance")
    }

    /// Loads until this many more replies have come, and pauses.
    fn take_slice(load: &mut SlicedLoad<'_>, replies: u64) {
        let enough = load.completed() + replies;
        load.resume().expect("it polls");
        load.run_for(LONG, |load| load.completed() < enough)
            .expect("it polls");
        load.pause(LONG).expect("it polls");
        assert!(load.completed() >= enough);
        assert_eq!(load.in_flight(), 0);
    }

    #[test]
    fn one_server_is_idle_while_the_other_is_loaded() {
        let peers = [Peer::start(), Peer::start()];
        let plans = peers.each_ref().map(Peer::plan);
        let (mut ignore, mut ignore_too) = (|_| {}, |_| {});
        let mut first = connect(&plans[0], &mut ignore);
        let mut second = connect(&plans[1], &mut ignore_too);
        assert_eq!((peers[0].requests(), peers[1].requests()), (0, 0));
        take_slice(&mut first, 100);
        // All that was asked is answered, and nothing is asked in a pause.
        assert_eq!(peers[0].requests(), first.completed());
        let turns = std::cell::Cell::new(0);
        let three_turns = |_: &SlicedLoad<'_>| turns.replace(turns.get() + 1) < 3;
        first.run_for(LONG, three_turns).expect("it polls");
        take_slice(&mut second, 100);
        assert_eq!(peers[0].requests(), first.completed());
        let loaded = second.completed();
        take_slice(&mut first, 100);
        assert_eq!(peers[0].requests(), first.completed());
        assert_eq!((peers[1].requests(), second.completed()), (loaded, loaded));
    }

    #[test]
    fn a_warm_up_is_forgotten_and_its_connections_stay() {
        let peer = Peer::start();
        let plan = peer.plan();
        let mut ignore = |_| {};
        let mut load = connect(&plan, &mut ignore);
        take_slice(&mut load, 100);
        let warmed = peer.requests();
        load.end_warm_up();
        assert_eq!(load.completed(), 0);
        take_slice(&mut load, 50);
        let report = load.finish();
        assert_eq!(report.requests.total, peer.requests() - warmed);
        assert_eq!((report.errors, report.connects.opened), (0, 1));
        assert!(report.connects.latency_ms.max > 0.0);
    }

    #[test]
    fn the_end_of_the_plan_ends_a_slice_with_an_error() {
        let peer = Peer::start();
        let plan = LoadPlan {
            until: Until::Amount(30),
            ..peer.plan()
        };
        let mut ignore = |_| {};
        let mut load = connect(&plan, &mut ignore);
        load.resume().expect("it polls");
        let ended = load.run_for(LONG, |_| true);
        assert!(ended.is_err(), "{ended:?}");
        assert_eq!(load.completed(), 30);
    }

    /// The hooks that the loop calls in a pause and after it.
    #[test]
    fn a_client_sends_on_every_connection_when_it_is_resumed() {
        let plan = crate::load::tests::plan("http://localhost");
        let request_bytes = plan.requests[0].render(&plan.target).len();
        let mut ignore = |_| {};
        let mut client = PausableClient {
            client: LoadClient::new(&plan, &mut ignore),
            phase: Phase::Paused,
            wake_at: Time::from_ns(7),
        };
        let turn = client.turn(Time::START, SystemTime::UNIX_EPOCH);
        let wake = Time::from_ns(7);
        assert_eq!(turn, TurnResult::Run { wake });
        let mut out = WriteQueue::new();
        let mut conn = client.opened(Time::START, &mut out);
        assert_eq!(client.send_at(), Time::NEVER);
        client.caught_up(&mut conn, Time::START, &mut out);
        assert!(out.is_empty());
        client.phase = Phase::Resuming;
        assert_eq!(client.send_at(), Time::START);
        client.caught_up(&mut conn, Time::START, &mut out);
        client.phase = Phase::Running;
        assert_eq!(client.send_at(), Time::NEVER);
        // The kernel took four of the ten.
        client.unsent(&mut conn, 6 * request_bytes, Time::START);
        assert_eq!(client.client.accounting().sent, 4);
    }
}
