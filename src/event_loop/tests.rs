//! Rules of the loop that neither a simulation nor a black-box test can see.

use std::net::{SocketAddr, TcpStream};

use super::*;

const LIMITS: ConnectionLimits = ConnectionLimits {
    connections_max: 10,
    send_timeout: Duration::from_secs(30),
    linger: Duration::from_secs(1),
    grace: Duration::from_secs(4),
};

/// Notes the time of day of each turn.
struct WallClock(Vec<SystemTime>);

impl Protocol for WallClock {
    type Conn = ();

    fn opened(&mut self, _: Time, _: &mut WriteQueue) {}

    fn received(&mut self, (): &mut (), _: &[u8], _: Time, _: &mut WriteQueue) -> Flow {
        Flow::Keep
    }

    fn turn(&mut self, now: Time, wall: SystemTime) -> TurnResult {
        self.0.push(wall);
        TurnResult::Run { wake: now }
    }
}

#[test]
fn the_time_of_day_is_read_again_only_when_it_may_be_too_old() {
    let signal = StopSignal::new();
    let kernel = MioKernel::new(&signal).expect("a poll");
    let (clock, manual) = Clock::manual();
    let mut event_loop = EventLoop::on(kernel, clock, WallClock(Vec::new()), LIMITS, &signal);
    let mut events = event_loop.kernel.new_events();
    let second = |n| SystemTime::UNIX_EPOCH + Duration::from_secs(n);
    for (n, age) in [
        (1, Duration::ZERO),
        (2, WALL_CLOCK_AGE_MAX / 2),
        (3, WALL_CLOCK_AGE_MAX),
        (4, WALL_CLOCK_AGE_MAX * 3 / 2),
    ] {
        manual.now.set(Time::START + age);
        manual.wall.set(second(n));
        event_loop.turn(&mut events).expect("it polls");
    }
    assert_eq!(
        event_loop.finish().0,
        [second(0), second(0), second(3), second(3)]
    );
}

/// Sends on the connections that the loop asks, while something is due.
#[derive(Default)]
struct Paced {
    opened: usize,
    /// Requests that are due.
    due: usize,
    send_at: Time,
    wake: Time,
    /// Connections that were asked, in order.
    asked: Vec<usize>,
}

impl Protocol for Paced {
    type Conn = usize;

    fn opened(&mut self, _: Time, _: &mut WriteQueue) -> usize {
        self.opened += 1;
        self.opened
    }

    fn received(&mut self, _: &mut usize, _: &[u8], _: Time, _: &mut WriteQueue) -> Flow {
        Flow::Keep
    }

    fn caught_up(&mut self, conn: &mut usize, _: Time, _: &mut WriteQueue) -> Flow {
        if self.due > 0 {
            self.due -= 1;
            self.asked.push(*conn);
        }
        Flow::Keep
    }

    fn deadline(&self, conn: &usize) -> Time {
        match self.asked.contains(conn) {
            true => Time::START + Duration::from_secs(7),
            false => Time::NEVER,
        }
    }

    fn send_at(&self) -> Time {
        match self.due {
            0 => Time::NEVER,
            _ => self.send_at,
        }
    }

    fn turn(&mut self, _: Time, _: SystemTime) -> TurnResult {
        TurnResult::Run { wake: self.wake }
    }
}

/// A loop under a clock that stands still, which listens on as many addresses.
fn listening<P: Protocol, const N: usize>(
    protocol: P,
    limits: ConnectionLimits,
    signal: &StopSignal,
) -> (EventLoop<P>, [SocketAddr; N]) {
    let kernel = MioKernel::new(signal).expect("a poll");
    let mut event_loop = EventLoop::on(kernel, Clock::manual().0, protocol, limits, signal);
    let addresses = [(); N].map(|()| {
        let any_port = Address::Tcp(([127, 0, 0, 1], 0).into());
        match event_loop.listen(&any_port).expect("a free port") {
            Address::Tcp(address) => address,
            #[cfg(unix)]
            Address::Unix(path) => panic!("{path:?}"),
        }
    });
    (event_loop, addresses)
}

fn clients(address: SocketAddr, clients: usize) -> Vec<TcpStream> {
    let connect = |_| TcpStream::connect(address).expect("a listener");
    (0..clients).map(connect).collect()
}

#[test]
fn connections_are_asked_to_send_what_is_due_each_once_and_in_turn() {
    let limits = ConnectionLimits {
        connections_max: 3,
        ..LIMITS
    };
    let paced = Paced {
        wake: Time::NEVER,
        ..Paced::default()
    };
    let (mut event_loop, [address]) = listening(paced, limits, &StopSignal::new());
    let _clients = clients(address, 3);
    let mut events = event_loop.kernel.new_events();
    while event_loop.protocol().opened < 3 {
        event_loop.turn(&mut events).expect("it polls");
    }
    assert_eq!(event_loop.due_at(), Time::NEVER);
    let mut asked = |due| {
        event_loop.protocol_mut().due = due;
        event_loop.turn(&mut events).expect("it polls");
        event_loop.protocol_mut().due = 0;
        let asked = std::mem::take(&mut event_loop.protocol_mut().asked);
        (asked, event_loop.due_at())
    };
    let look_at = Time::START + Duration::from_secs(7);
    assert_eq!(asked(2), (vec![1, 2], look_at));
    assert_eq!(asked(2).0, [3, 1]);
    assert_eq!(asked(4).0, [2, 3, 1]);
}

#[test]
fn the_loop_waits_until_shortly_before_something_is_due_to_be_sent() {
    let (mut event_loop, []) = listening(Paced::default(), LIMITS, &StopSignal::new());
    let us = Duration::from_micros;
    for (send_at, wake, timeout) in [
        (None, None, None),
        (None, Some(us(5_000)), Some(us(5_000))),
        (Some(us(10_000)), None, Some(us(10_000) - pacing::POLLED)),
        (Some(us(10_000)), Some(us(5_000)), Some(us(5_000))),
        (Some(us(1_000)), Some(us(5_000)), Some(us(0))),
    ] {
        let at = |due: Option<Duration>| due.map_or(Time::NEVER, |due| Time::START + due);
        let paced = event_loop.protocol_mut();
        (paced.due, paced.send_at) = (1, at(send_at));
        event_loop.wake_at = at(wake);
        assert_eq!(event_loop.wait_timeout(), timeout);
    }
}

#[test]
fn a_backlog_is_not_forgotten_because_another_listener_has_none() {
    let limits = ConnectionLimits {
        connections_max: 1000,
        ..LIMITS
    };
    let paced = Paced {
        wake: Time::NEVER,
        ..Paced::default()
    };
    let (mut event_loop, [crowded, _idle]) = listening(paced, limits, &StopSignal::new());
    let _clients = clients(crowded, 65);
    let mut events = event_loop.kernel.new_events();
    while event_loop.protocol().opened < 64 {
        event_loop.turn(&mut events).expect("it polls");
    }
    assert_eq!(event_loop.due_at(), Time::START, "one more waits");
    event_loop.turn(&mut events).expect("it polls");
    assert_eq!(event_loop.protocol().opened, 65);
}

#[test]
fn a_stop_accepts_who_has_connected_before() {
    let signal = StopSignal::new();
    let (event_loop, [address]) = listening(Paced::default(), LIMITS, &signal);
    // They have gone again, so that the stop need not wait for them.
    drop(clients(address, 2));
    signal.raise();
    assert_eq!(event_loop.run().expect("it polls").opened, 2);
}

#[test]
fn a_raise_wakes_each_loop_that_is_still_there() {
    let signal = StopSignal::new();
    let idle = || {
        let paced = Paced {
            wake: Time::NEVER,
            ..Paced::default()
        };
        let (mut event_loop, []) = listening(paced, LIMITS, &signal);
        let mut events = event_loop.kernel.new_events();
        // The first turn looks for an earlier raise.
        event_loop.turn(&mut events).expect("it polls");
        event_loop
    };
    let (gone, remaining) = (idle(), idle());
    drop(gone);
    signal.raise();
    remaining.run().expect("it polls");
}

/// Dials a unix socket whose backlog is full, and makes room in it at its turn `room_at_turn`.
#[cfg(target_os = "linux")]
struct Crowd {
    listener: socket2::Socket,
    turns: usize,
    room_at_turn: usize,
    opened: usize,
    dials_took: Vec<Duration>,
    failures: Vec<io::ErrorKind>,
}

#[cfg(target_os = "linux")]
impl Protocol for Crowd {
    type Conn = ();

    fn opened(&mut self, _: Time, _: &mut WriteQueue) {
        self.opened += 1;
    }

    fn dialled(&mut self, took: Duration) {
        self.dials_took.push(took);
    }

    fn received(&mut self, (): &mut (), _: &[u8], _: Time, _: &mut WriteQueue) -> Flow {
        Flow::Keep
    }

    fn closed(&mut self, _: Option<()>, why: Closed, _: Time) -> AfterClose {
        if let Closed::NotConnected(error) = why {
            self.failures.push(error.kind());
        }
        AfterClose::Forget
    }

    fn turn(&mut self, now: Time, _: SystemTime) -> TurnResult {
        self.turns += 1;
        if self.turns == self.room_at_turn {
            self.listener.accept().expect("somebody waits");
        }
        match self.opened + self.failures.len() {
            0 => TurnResult::Run {
                wake: now + Duration::from_millis(1),
            },
            _ => TurnResult::Stop,
        }
    }
}

/// The protocol of a loop that has dialled, once, a unix socket with a full backlog.
#[cfg(target_os = "linux")]
fn dial_full_backlog(connect_timeout: Duration, room_at_turn: usize) -> Crowd {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    let address = socket2::SockAddr::unix(&path).expect("a short path");
    let socket = || socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None);
    let listener = socket().expect("a socket");
    listener.bind(&address).expect("a new path");
    listener.listen(0).expect("it listens");
    let waiting = socket().expect("a socket");
    waiting.connect(&address).expect("there is room for one");
    let taken = Acceptor::bind(&Address::Unix(path.clone()));
    assert_eq!(
        taken.map_err(|e| e.kind()).err(),
        Some(io::ErrorKind::AddrInUse),
        "full, and not abandoned"
    );
    dial(path, listener, connect_timeout, room_at_turn)
}

/// The protocol of a loop that has dialled `path` once.
#[cfg(target_os = "linux")]
fn dial(
    path: std::path::PathBuf,
    listener: socket2::Socket,
    connect_timeout: Duration,
    room_at_turn: usize,
) -> Crowd {
    let crowd = Crowd {
        listener,
        turns: 0,
        room_at_turn,
        opened: 0,
        dials_took: Vec::new(),
        failures: Vec::new(),
    };
    let mut event_loop = EventLoop::new(crowd, LIMITS, &StopSignal::new()).expect("a poll");
    event_loop.dial(Address::Unix(path), 1, connect_timeout);
    event_loop.run().expect("it polls")
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_backlog_of_a_unix_socket_is_tried_again() {
    let crowd = dial_full_backlog(Duration::from_secs(10), 5);
    assert_eq!((crowd.opened, crowd.failures), (1, vec![]));
    let [took] = crowd.dials_took[..] else {
        panic!("{:?}", crowd.dials_took);
    };
    // From the first dial, not from the one that succeeded.
    assert!(took >= Duration::from_millis(5), "{took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_unix_socket_that_does_not_exist_is_not_tried_again() {
    let none = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None);
    let path = tempfile::tempdir()
        .expect("a directory")
        .path()
        .join("none");
    let timeout = Duration::from_millis(20);
    let crowd = dial(path, none.expect("a socket"), timeout, usize::MAX);
    assert_eq!(crowd.failures, [io::ErrorKind::NotFound]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_backlog_of_a_unix_socket_ends_with_the_connect_timeout() {
    let crowd = dial_full_backlog(Duration::from_millis(20), usize::MAX);
    assert_eq!(
        (crowd.opened, crowd.failures),
        (0, vec![io::ErrorKind::TimedOut])
    );
}
