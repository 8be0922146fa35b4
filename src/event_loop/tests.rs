//! Rules of the loop that neither a simulation nor a black-box test can see.

use super::*;

const LIMITS: ConnectionLimits = ConnectionLimits {
    connections_max: 10,
    connect_timeout: Duration::ZERO,
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
    ] {
        manual.now.set(Time::START + age);
        manual.wall.set(second(n));
        event_loop.turn(&mut events).expect("it polls");
    }
    assert_eq!(event_loop.finish().0, [second(0), second(0), second(3)]);
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
    let crowd = Crowd {
        listener,
        turns: 0,
        room_at_turn,
        opened: 0,
        dials_took: Vec::new(),
        failures: Vec::new(),
    };
    let limits = ConnectionLimits {
        connect_timeout,
        ..LIMITS
    };
    let mut event_loop = EventLoop::new(crowd, limits, &StopSignal::new()).expect("a poll");
    event_loop.dial(Address::Unix(path), 1);
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
