//! `pump` on scripted streams: each test is one promise of the module's head.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use super::closing::{DRAINED_BYTES_MAX, IDLE_LINGER};
use super::*;
use crate::event_loop::{AfterClose, Block, Clock, ClockRead, ConnectionLimits, TurnResult};

/// Outcome of the next read. A script that is over would block.
enum Incoming {
    Bytes(Vec<u8>),
    End,
    Error(io::ErrorKind),
}

/// Outcome of the next write. A script that is over takes everything.
enum Room {
    /// This many bytes are taken, then none until the next pump.
    Bytes(usize),
    Error(io::ErrorKind),
}

#[derive(Default)]
struct Script {
    incoming: VecDeque<Incoming>,
    /// Taken from the kernel by earlier reads.
    held: VecDeque<Vec<u8>>,
    room: VecDeque<Room>,
    sent: Vec<u8>,
    writes: usize,
    reads: usize,
    shut: bool,
    shut_fails_as: Option<io::ErrorKind>,
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        match self.incoming.pop_front() {
            Some(Incoming::Bytes(mut bytes)) => {
                let taken = bytes.len().min(buffer.len());
                let rest = bytes.split_off(taken);
                buffer[..taken].copy_from_slice(&bytes);
                if !rest.is_empty() {
                    self.incoming.push_front(Incoming::Bytes(rest));
                }
                Ok(taken)
            }
            Some(Incoming::End) => {
                self.incoming.push_front(Incoming::End);
                Ok(0)
            }
            Some(Incoming::Error(kind)) => Err(kind.into()),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        let taken = match self.room.pop_front() {
            Some(Room::Bytes(room)) if room < bytes.len() => {
                self.room.push_front(Room::Error(io::ErrorKind::WouldBlock));
                room
            }
            Some(Room::Bytes(_)) => bytes.len(),
            Some(Room::Error(kind)) => return Err(kind.into()),
            None => bytes.len(),
        };
        self.sent.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Script {
    fn read_held(&mut self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        let bytes = self.held.pop_front()?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Some(Ok(bytes.len()))
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.shut = true;
        self.shut_fails_as.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

/// Answers `?` with `reply`, finishes at `!`, aborts at `#`.
struct Oracle<const READS_WHILE_BLOCKED: bool = false> {
    reply: Rc<Block>,
    received: Vec<u8>,
    deadline: Time,
    resumed: Vec<Duration>,
    unsent_bytes: Vec<usize>,
}

impl<const READS: bool> Protocol for Oracle<READS> {
    type Conn = ();

    const READS_WHILE_BLOCKED: bool = READS;

    fn opened(&mut self, _now: Time, _out: &mut WriteQueue) {}

    fn received(&mut self, _: &mut (), bytes: &[u8], _now: Time, out: &mut WriteQueue) -> Flow {
        self.received.extend_from_slice(bytes);
        for byte in bytes {
            match byte {
                b'?' => out.push(&self.reply, 1),
                b'!' => return Flow::Finish,
                b'#' => return Flow::Abort,
                _ => {}
            }
        }
        Flow::Keep
    }

    fn ended(&mut self, _: &mut (), _now: Time, _out: &mut WriteQueue) -> Flow {
        Flow::Keep
    }

    fn deadline(&self, _: &()) -> Time {
        self.deadline
    }

    fn overdue(&mut self, _: &mut (), _now: Time, out: &mut WriteQueue) -> Flow {
        out.push(&self.reply, 1);
        Flow::Finish
    }

    fn unsent(&mut self, _: &mut (), bytes: usize, _now: Time) {
        self.unsent_bytes.push(bytes);
    }

    fn resumed(&mut self, _: &mut (), paused: Duration) {
        self.resumed.push(paused);
    }

    fn closed(&mut self, _: Option<()>, _why: Closed, _now: Time) -> AfterClose {
        AfterClose::Forget
    }

    fn turn(&mut self, _now: Time, _wall: SystemTime) -> TurnResult {
        TurnResult::Stop
    }
}

const LIMITS: ConnectionLimits = ConnectionLimits {
    connections_max: 1,
    send_timeout: Duration::from_secs(30),
    linger: Duration::from_secs(1),
    grace: Duration::from_secs(4),
};

struct Bed<const READS_WHILE_BLOCKED: bool = false> {
    shared: Shared<Oracle<READS_WHILE_BLOCKED>>,
    connection: Connection<Script, Oracle<READS_WHILE_BLOCKED>>,
}

fn bed(incoming: Vec<Incoming>, room: Vec<Room>) -> Bed {
    bed_that_reads_while_blocked(incoming, room)
}

fn bed_that_reads_while_blocked<const READS: bool>(
    incoming: Vec<Incoming>,
    room: Vec<Room>,
) -> Bed<READS> {
    let oracle = Oracle {
        reply: Block::repeated(b"<yes>"),
        received: Vec::new(),
        deadline: Time::NEVER,
        resumed: Vec::new(),
        unsent_bytes: Vec::new(),
    };
    let mut shared = Shared::new(oracle, LIMITS, Clock::manual().0, ShortRead::Drained);
    let script = Script {
        incoming: incoming.into(),
        room: room.into(),
        ..Script::default()
    };
    let (connection, pumped) = Connection::open(script, &mut shared);
    assert!(matches!(pumped, Pumped::Wait));
    Bed { shared, connection }
}

impl<const READS: bool> Bed<READS> {
    fn pump(&mut self) -> Pumped {
        self.pump_hinted(Hint::Ready)
    }

    fn pump_hinted(&mut self, hint: Hint) -> Pumped {
        self.connection.pump(&mut self.shared, hint)
    }

    /// Pumps; returns true if the connection then waits, for room or for something to read.
    fn waits(&mut self, for_room: bool) -> bool {
        matches!(self.pump(), Pumped::Wait) && self.connection.is_blocked() == for_room
    }

    fn connection_overdue(&mut self) -> Pumped {
        self.connection.overdue(&mut self.shared)
    }

    fn script(&mut self) -> &mut Script {
        &mut self.connection.stream
    }

    fn sent(&self) -> String {
        String::from_utf8_lossy(&self.connection.stream.sent).into_owned()
    }

    fn at(&mut self, seconds: u64) -> &mut Bed<READS> {
        self.shared.now = Time::START + Duration::from_secs(seconds);
        self
    }
}

fn bytes(text: &str) -> Incoming {
    Incoming::Bytes(text.as_bytes().to_vec())
}

#[test]
fn a_batch_costs_one_read_and_one_write() {
    let mut bed = bed(vec![bytes("???")], vec![]);
    assert!(bed.waits(false));
    assert_eq!(bed.sent(), "<yes><yes><yes>");
    assert_eq!((bed.script().reads, bed.script().writes), (1, 1));
}

#[test]
fn the_protocol_learns_how_many_bytes_wait_for_the_kernel() {
    // 15 bytes are queued, and 5 more while the first of them wait.
    let room = vec![Room::Bytes(7), Room::Bytes(4), Room::Bytes(3)];
    let mut bed: Bed<true> = bed_that_reads_while_blocked(vec![bytes("???")], room);
    bed.pump();
    assert_eq!(bed.shared.protocol.unsent_bytes, [8]);
    bed.script().incoming.push_back(bytes("?"));
    bed.pump();
    assert_eq!(bed.shared.protocol.unsent_bytes, [8, 4, 9]);
    bed.pump();
    bed.pump();
    assert_eq!(bed.shared.protocol.unsent_bytes, [8, 4, 9, 6, 0]);
    assert_eq!(bed.sent(), "<yes>".repeat(4));
    // What the kernel takes at once is not worth a call.
    bed.script().incoming.push_back(bytes("?"));
    bed.pump();
    assert_eq!(bed.shared.protocol.unsent_bytes.len(), 5);
}

#[test]
fn an_event_without_bytes_is_harmless() {
    let mut bed = bed(vec![], vec![]);
    assert!(bed.waits(false));
    assert_eq!(bed.script().writes, 0);
}

#[test]
fn an_interrupted_call_is_made_again() {
    use io::ErrorKind::Interrupted;
    let mut bed = bed(
        vec![Incoming::Error(Interrupted), bytes("?")],
        vec![
            Room::Error(Interrupted),
            Room::Bytes(1),
            Room::Error(Interrupted),
        ],
    );
    assert!(bed.waits(true));
    assert!(bed.waits(false));
    assert_eq!(bed.sent(), "<yes>");
}

#[test]
fn a_peer_that_takes_nothing_is_not_read_from() {
    let mut bed = bed(
        vec![bytes("??"), bytes("?")],
        vec![Room::Bytes(3), Room::Error(io::ErrorKind::WouldBlock)],
    );
    assert!(bed.waits(true));
    assert!(bed.waits(true));
    assert_eq!(bed.script().reads, 1);
    assert_eq!(bed.sent(), "<ye");
    // Once it takes them, the same pump reads on: the edge of those bytes is spent.
    assert!(bed.waits(false));
    assert_eq!(bed.sent(), "<yes><yes><yes>");
}

#[test]
fn a_peer_that_takes_nothing_is_not_read_to_its_end() {
    let mut bed = bed(vec![bytes("??"), Incoming::End], vec![Room::Bytes(3)]);
    assert!(matches!(bed.pump_hinted(Hint::ReadClosed), Pumped::Wait));
    assert_eq!(bed.script().reads, 1);
}

#[test]
fn a_client_reads_all_there_is_while_its_peer_takes_nothing() {
    let mut bed: Bed<true> =
        bed_that_reads_while_blocked(vec![bytes("??"), bytes("?")], vec![Room::Bytes(3)]);
    let pumped = bed.pump_hinted(Hint::ReadClosed);
    assert!(matches!(pumped, Pumped::Wait));
    assert_eq!(bed.sent(), "<ye");
    assert_eq!(bed.shared.protocol.received, b"???");
    assert!(bed.connection.is_blocked());
    assert!(bed.waits(false));
    assert_eq!(
        bed.sent(),
        "<yes><yes><yes>",
        "in the order of their causes"
    );
}

#[test]
fn a_client_that_is_blocked_finishes_only_when_all_is_sent() {
    let mut bed: Bed<true> = bed_that_reads_while_blocked(
        vec![bytes("?"), bytes("?!")],
        vec![Room::Bytes(1), Room::Error(io::ErrorKind::WouldBlock)],
    );
    bed.pump();
    assert!(bed.connection.is_blocked());
    assert!(bed.waits(true));
    bed.pump();
    assert_eq!(bed.sent(), "<yes><yes>");
}

#[test]
fn a_pause_of_our_own_is_reported_with_its_length() {
    let mut bed = bed(vec![bytes("?")], vec![Room::Bytes(1)]);
    bed.at(3).pump();
    bed.at(10).pump();
    assert_eq!(bed.shared.protocol.resumed, [Duration::from_secs(7)]);
}

#[test]
fn unsent_bytes_are_given_up_only_without_progress() {
    let mut bed = bed(vec![bytes("?")], vec![Room::Bytes(1), Room::Bytes(1)]);
    bed.at(0).pump();
    assert_eq!(bed.connection.deadline(&bed.shared).as_ns(), 30_000_000_000);
    bed.at(20).pump();
    assert_eq!(bed.connection.deadline(&bed.shared).as_ns(), 50_000_000_000);
    bed.script()
        .room
        .push_front(Room::Error(io::ErrorKind::WouldBlock));
    bed.at(40).pump();
    assert_eq!(bed.connection.deadline(&bed.shared).as_ns(), 50_000_000_000);
    bed.script()
        .room
        .push_front(Room::Error(io::ErrorKind::WouldBlock));
    let pumped = bed.at(50).connection_overdue();
    assert!(matches!(pumped, Pumped::Closed(Closed::Stalled)));
}

/// The kernel tells nothing of little room.
#[test]
fn a_peer_that_took_something_without_an_event_is_not_given_up() {
    let mut bed = bed(vec![bytes("?")], vec![Room::Bytes(1)]);
    bed.at(0).pump();
    bed.script().room = VecDeque::from([
        Room::Bytes(1),
        // Of the pump that follows.
        Room::Error(io::ErrorKind::WouldBlock),
    ]);
    assert!(matches!(bed.at(30).connection_overdue(), Pumped::Wait));
    assert_eq!(bed.connection.deadline(&bed.shared).as_ns(), 60_000_000_000);
    bed.script().room.clear();
    assert!(matches!(bed.at(60).connection_overdue(), Pumped::Wait));
    assert_eq!(bed.sent(), "<yes>");
    assert!(!bed.connection.is_blocked());
}

#[test]
fn a_short_read_has_emptied_the_socket_unless_an_end_may_be_there() {
    let mut bed = bed(vec![bytes("?"), Incoming::End], vec![]);
    assert!(bed.waits(false));
    assert_eq!(bed.script().reads, 1);
    assert!(matches!(
        bed.pump_hinted(Hint::ReadClosed),
        Pumped::Closed(Closed::Done)
    ));
}

#[test]
fn a_short_read_is_pumped_again_where_it_arms_no_event() {
    let mut bed = bed(vec![bytes("?")], vec![]);
    bed.shared.short_read = ShortRead::NotArmed;
    assert!(matches!(bed.pump(), Pumped::Again));
    assert_eq!(bed.script().reads, 1);
    assert!(bed.waits(false));
}

#[test]
fn a_read_closed_hint_reads_to_the_end_at_once() {
    let mut bed = bed(vec![bytes("?"), Incoming::End], vec![]);
    assert!(matches!(
        bed.pump_hinted(Hint::ReadClosed),
        Pumped::Closed(Closed::Done)
    ));
    assert_eq!(bed.sent(), "<yes>");
}

#[test]
fn a_peer_that_sends_without_end_is_pumped_again_after_the_others() {
    let full = || Incoming::Bytes(vec![b'.'; READ_BUFFER_BYTES]);
    let mut bed = bed(
        (0..READS_PER_EVENT_MAX + 1).map(|_| full()).collect(),
        vec![],
    );
    assert!(matches!(bed.pump(), Pumped::Again));
    assert_eq!(bed.script().reads, READS_PER_EVENT_MAX);
}

#[test]
fn what_a_stream_holds_is_answered_before_the_next_event() {
    let full = || Incoming::Bytes(vec![b'.'; READ_BUFFER_BYTES]);
    for (incoming, is_drained) in [
        ((0..READS_PER_EVENT_MAX).map(|_| full()).collect(), false),
        (vec![bytes(".")], true),
    ] {
        let mut bed = bed(incoming, vec![]);
        bed.script().held = vec![b"?".to_vec(), b"?".to_vec()].into();
        match is_drained {
            true => assert!(bed.waits(false)),
            false => assert!(matches!(bed.pump(), Pumped::Again)),
        }
        assert_eq!(bed.sent(), "<yes><yes>");
    }
}

#[test]
fn a_half_closed_peer_gets_every_reply_before_the_close() {
    let mut bed = bed(vec![bytes("??"), Incoming::End], vec![Room::Bytes(7)]);
    assert!(matches!(bed.pump_hinted(Hint::ReadClosed), Pumped::Wait));
    // The end is read only after the residue is gone.
    assert!(matches!(
        bed.pump_hinted(Hint::ReadClosed),
        Pumped::Closed(Closed::Done)
    ));
    assert_eq!(bed.sent(), "<yes><yes>");
}

#[test]
fn a_finished_connection_is_shut_and_drained_before_it_is_closed() {
    let mut bed = bed(vec![bytes("?!???")], vec![]);
    assert!(bed.waits(false));
    assert!(bed.script().shut);
    assert_eq!(bed.sent(), "<yes>");
    let interrupted = Incoming::Error(io::ErrorKind::Interrupted);
    bed.script().incoming = vec![bytes("??"), interrupted, bytes("??"), Incoming::End].into();
    assert!(matches!(bed.pump(), Pumped::Closed(Closed::Done)));
    let left = &bed.script().incoming;
    assert!(matches!(left.front(), Some(Incoming::End)), "all was read");
    assert_eq!(bed.sent(), "<yes>", "nothing is answered after the end");
}

#[test]
fn a_finished_connection_is_shut_only_when_all_is_sent() {
    let mut bed = bed(vec![bytes("?!")], vec![Room::Bytes(2)]);
    assert!(bed.waits(true));
    assert!(!bed.script().shut);
    assert!(bed.waits(false));
    assert!(bed.script().shut);
    assert_eq!(bed.sent(), "<yes>");
}

#[test]
fn a_peer_that_is_gone_when_all_is_sent_is_not_waited_for() {
    let mut bed = bed(vec![bytes("?!")], vec![]);
    bed.script().shut_fails_as = Some(io::ErrorKind::NotConnected);
    assert!(matches!(bed.pump(), Pumped::Closed(Closed::Done)));
    assert_eq!(bed.sent(), "<yes>");
}

#[test]
fn a_write_side_that_cannot_be_shut_is_a_failure() {
    let mut bed = bed(vec![bytes("?!")], vec![]);
    bed.script().shut_fails_as = Some(io::ErrorKind::BrokenPipe);
    assert!(matches!(bed.pump(), Pumped::Closed(Closed::Failed(_))));
}

#[test]
fn a_peer_that_resets_while_it_is_drained_is_not_waited_for() {
    let mut bed = bed(vec![bytes("?!")], vec![]);
    assert!(bed.waits(false));
    bed.script().incoming = vec![Incoming::Error(io::ErrorKind::ConnectionReset)].into();
    assert!(matches!(bed.pump(), Pumped::Closed(Closed::Done)));
}

#[test]
fn draining_is_bounded_in_bytes_and_in_time() {
    let mut bed = bed(vec![bytes("!")], vec![]);
    bed.at(5).pump();
    assert_eq!(bed.connection.deadline(&bed.shared).as_ns(), 6_000_000_000);
    bed.script().incoming = vec![
        Incoming::Bytes(vec![b'.'; DRAINED_BYTES_MAX]),
        bytes("left unread"),
        Incoming::End,
    ]
    .into();
    assert!(bed.waits(false));
    assert!(bed.waits(false));
    assert_eq!(bed.script().incoming.len(), 2);
    let pumped = bed.connection.overdue(&mut bed.shared);
    assert!(matches!(pumped, Pumped::Closed(Closed::Done)));
}

#[test]
fn an_abort_drops_what_was_queued() {
    let mut bed = bed(vec![bytes("?#")], vec![]);
    assert!(matches!(bed.pump(), Pumped::Closed(Closed::Done)));
    assert_eq!(bed.sent(), "");
    assert!(
        bed.shared.queue.is_empty(),
        "the next connection gets a clean queue"
    );
}

#[test]
fn a_reset_closes_the_connection_whether_read_or_written() {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    let mut on_read = bed(vec![Incoming::Error(ConnectionReset)], vec![]);
    assert!(matches!(on_read.pump(), Pumped::Closed(Closed::Failed(_))));
    let mut on_write = bed(vec![bytes("?")], vec![Room::Error(BrokenPipe)]);
    assert!(matches!(on_write.pump(), Pumped::Closed(Closed::Failed(_))));
    assert!(on_write.shared.queue.is_empty());
}

#[test]
fn an_overdue_connection_is_told_so_and_finished() {
    let mut bed = bed(vec![], vec![]);
    bed.shared.protocol.deadline = Time::from_ns(7);
    assert_eq!(bed.connection.deadline(&bed.shared), Time::from_ns(7));
    let pumped = bed.connection.overdue(&mut bed.shared);
    assert!(matches!(pumped, Pumped::Wait));
    assert_eq!(bed.sent(), "<yes>");
    assert!(bed.script().shut);
}

/// A server whose peer takes little by little is not read from, and its protocol waits for nothing.
#[test]
fn a_client_that_is_blocked_keeps_the_deadline_of_its_protocol() {
    let rooms = || vec![Room::Bytes(1), Room::Error(io::ErrorKind::WouldBlock)];
    let mut client = bed_that_reads_while_blocked::<true>(vec![bytes("?")], rooms());
    client.shared.protocol.deadline = Time::from_ns(7_000_000_000);
    client.pump();
    let deadline = client.connection.deadline(&client.shared);
    assert_eq!(deadline.as_ns(), 7_000_000_000);
    client.at(7);
    let pumped = client.connection.overdue(&mut client.shared);
    assert!(matches!(pumped, Pumped::Wait), "its protocol finishes");
    assert_eq!(client.shared.protocol.unsent_bytes.last(), Some(&9));

    let mut server = bed(vec![bytes("?")], rooms());
    server.shared.protocol.deadline = Time::from_ns(7_000_000_000);
    server.pump();
    let deadline = server.connection.deadline(&server.shared);
    assert_eq!(deadline.as_ns(), 30_000_000_000);
}

#[test]
fn a_stop_answers_what_has_arrived_and_nothing_after() {
    let mut bed = bed(vec![bytes("??")], vec![]);
    let pumped = bed.connection.stop(&mut bed.shared);
    assert!(matches!(pumped, Pumped::Wait));
    assert_eq!(bed.sent(), "<yes><yes>");
    assert!(bed.script().shut);
    bed.script().incoming.push_back(bytes("?"));
    bed.pump();
    assert_eq!(bed.sent(), "<yes><yes>");
}

#[test]
fn a_stop_reads_all_that_has_arrived_even_beyond_one_pump() {
    let full = || Incoming::Bytes(vec![b'.'; READ_BUFFER_BYTES]);
    let mut incoming: Vec<Incoming> = (0..READS_PER_EVENT_MAX + 1).map(|_| full()).collect();
    incoming.push(bytes("?"));
    let mut bed = bed(incoming, vec![]);
    bed.connection.stop(&mut bed.shared);
    assert_eq!(bed.sent(), "<yes>");
}

#[test]
fn a_stop_sends_unsent_bytes_first() {
    let mut bed = bed(vec![bytes("??")], vec![Room::Bytes(1), Room::Bytes(1)]);
    bed.pump();
    let pumped = bed.connection.stop(&mut bed.shared);
    assert!(matches!(pumped, Pumped::Wait));
    assert!(!bed.script().shut);
    bed.pump();
    assert!(bed.script().shut);
    assert_eq!(bed.sent(), "<yes><yes>");
}

#[test]
fn a_stop_waits_longer_for_an_answered_peer_than_for_an_idle_one() {
    let mut idle = bed(vec![], vec![]);
    idle.connection.stop(&mut idle.shared);
    let mut answered = bed(vec![bytes("?")], vec![]);
    answered.connection.stop(&mut answered.shared);
    let idle_until = idle.connection.deadline(&idle.shared);
    let answered_until = answered.connection.deadline(&answered.shared);
    assert_eq!(idle_until, Time::START + IDLE_LINGER);
    assert_eq!(answered_until, Time::START + LIMITS.linger);
}

#[test]
fn a_stop_of_a_connection_that_was_reset_closes_it() {
    let mut bed = bed(
        vec![Incoming::Error(io::ErrorKind::ConnectionReset)],
        vec![],
    );
    let pumped = bed.connection.stop(&mut bed.shared);
    assert!(matches!(pumped, Pumped::Closed(Closed::Failed(_))));
    assert!(!bed.script().shut);
}

/// Reads the clock for each read, and notes the times.
struct Timed(Vec<Time>);

impl Protocol for Timed {
    type Conn = ();

    const CLOCK_READ: ClockRead = ClockRead::PerRead;

    fn opened(&mut self, _: Time, _: &mut WriteQueue) {}

    fn received(&mut self, (): &mut (), _: &[u8], now: Time, _: &mut WriteQueue) -> Flow {
        self.0.push(now);
        Flow::Keep
    }
}

#[test]
fn what_is_read_has_the_time_of_its_read_and_not_of_the_turn() {
    let (clock, manual) = Clock::manual();
    let mut shared = Shared::new(Timed(Vec::new()), LIMITS, clock, ShortRead::Drained);
    let script = Script {
        incoming: vec![bytes("a")].into(),
        ..Script::default()
    };
    let (mut connection, _) = Connection::open(script, &mut shared);
    let later = Time::START + Duration::from_micros(9);
    manual.now.set(later);
    connection.pump(&mut shared, Hint::Ready);
    assert_eq!(
        (shared.now, &shared.protocol.0[..]),
        (Time::START, &[later][..])
    );
}
