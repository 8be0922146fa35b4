//! Counts of a run beside those of its requests: connections, reads, writes, bodies, and errors by
//! kind.

use std::io;

/// Counts that are not about what became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Connections that went away with requests in flight.
    pub(crate) resets: u64,
    /// Times that requests were handed over; one write each, unless the kernel had no room.
    pub(crate) writes: u64,
    /// Replies that ended their connection.
    pub(crate) last_replies: u64,
    /// Connections that ended with such a reply, and with requests behind it that are lost.
    pub(crate) lost_behind_last_reply: u64,
    /// Connections that waited for their first reply when the run stopped, for half of it or more.
    pub(crate) unserved: usize,
    /// Reads that brought bytes.
    pub(crate) reads: u64,
    /// 1xx replies, which answer nothing.
    pub(crate) interim: u64,
    /// Bodies that differ from the expected one.
    pub(crate) wrong_bodies: u64,
    /// Bodies that differ from the first one, if none was expected.
    pub(crate) varied_bodies: u64,
    /// Errors of connections, by kind.
    pub(crate) errors: ErrorCounts,
    /// The first of them, in words.
    pub(crate) first_error: Option<String>,
}

/// Errors of connections: one each, however many requests went with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorCounts {
    /// Nobody listens there.
    pub(crate) refused: u64,
    /// Not opened for another reason on the way: unreachable, or no answer.
    pub(crate) unreachable: u64,
    /// Reset with requests in flight.
    pub(crate) reset: u64,
    /// Closed in order, but with requests in flight.
    pub(crate) closed_early: u64,
    /// Bytes that are no reply.
    pub(crate) bad_reply: u64,
    /// The client's own limit: no local port left.
    pub(crate) no_local_port: u64,
    /// The client's own limit: no descriptor or memory left.
    pub(crate) no_descriptor: u64,
    /// A read or write failed for a reason of its own.
    pub(crate) other: u64,
}

/// The kind of one error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    Refused,
    Unreachable,
    Reset,
    ClosedEarly,
    BadReply,
    NoLocalPort,
    NoDescriptor,
    Other,
}

impl ErrorKind {
    /// Kind of a failed connect.
    pub(crate) fn of_connecting(error: &io::Error) -> ErrorKind {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => ErrorKind::Refused,
            io::ErrorKind::ConnectionReset => ErrorKind::Reset,
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse => ErrorKind::NoLocalPort,
            _ if is_want_of_descriptors(error) => ErrorKind::NoDescriptor,
            _ => ErrorKind::Unreachable,
        }
    }

    /// Kind of a failure of an open connection.
    pub(crate) fn of_connection(error: &io::Error) -> ErrorKind {
        use io::ErrorKind as Io;
        match error.kind() {
            Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe => ErrorKind::Reset,
            _ if is_torn_down(error) => ErrorKind::Reset,
            _ => ErrorKind::Other,
        }
    }
}

/// EPROTOTYPE: what macOS says in place of EPIPE while it is taking a connection down.
fn is_torn_down(error: &io::Error) -> bool {
    cfg!(target_vendor = "apple") && error.raw_os_error() == Some(41)
}

/// ENFILE, EMFILE, ENOBUFS (Linux; macOS) or their Windows kin; std has no kinds for them.
fn is_want_of_descriptors(error: &io::Error) -> bool {
    let codes: &[i32] = if cfg!(windows) {
        &[10024, 10055]
    } else if cfg!(target_os = "linux") {
        &[23, 24, 105]
    } else {
        &[23, 24, 55]
    };
    error.kind() == io::ErrorKind::OutOfMemory
        || error
            .raw_os_error()
            .is_some_and(|code| codes.contains(&code))
}

impl ErrorCounts {
    fn add(&mut self, counts: ErrorCounts) {
        let ErrorCounts {
            refused,
            unreachable,
            reset,
            closed_early,
            bad_reply,
            no_local_port,
            no_descriptor,
            other,
        } = counts;
        self.refused += refused;
        self.unreachable += unreachable;
        self.reset += reset;
        self.closed_early += closed_early;
        self.bad_reply += bad_reply;
        self.no_local_port += no_local_port;
        self.no_descriptor += no_descriptor;
        self.other += other;
    }

    /// All of them.
    pub(crate) fn total(&self) -> u64 {
        self.refused
            + self.unreachable
            + self.reset
            + self.closed_early
            + self.bad_reply
            + self.no_local_port
            + self.no_descriptor
            + self.other
    }

    fn count_of(&mut self, kind: ErrorKind) -> &mut u64 {
        match kind {
            ErrorKind::Refused => &mut self.refused,
            ErrorKind::Unreachable => &mut self.unreachable,
            ErrorKind::Reset => &mut self.reset,
            ErrorKind::ClosedEarly => &mut self.closed_early,
            ErrorKind::BadReply => &mut self.bad_reply,
            ErrorKind::NoLocalPort => &mut self.no_local_port,
            ErrorKind::NoDescriptor => &mut self.no_descriptor,
            ErrorKind::Other => &mut self.other,
        }
    }
}

impl Counters {
    /// Adds the counts of another worker.
    pub(crate) fn add(&mut self, other: Counters) {
        let Counters {
            resets,
            writes,
            last_replies,
            lost_behind_last_reply,
            unserved,
            reads,
            interim,
            wrong_bodies,
            varied_bodies,
            errors,
            first_error,
        } = other;
        self.resets += resets;
        self.writes += writes;
        self.last_replies += last_replies;
        self.lost_behind_last_reply += lost_behind_last_reply;
        self.unserved += unserved;
        self.reads += reads;
        self.interim += interim;
        self.wrong_bodies += wrong_bodies;
        self.varied_bodies += varied_bodies;
        self.errors.add(errors);
        self.first_error = self.first_error.take().or(first_error);
    }

    /// Counts an error; its words are kept if it is the first.
    pub(crate) fn error(&mut self, kind: ErrorKind, words: impl FnOnce() -> String) {
        *self.errors.count_of(kind) += 1;
        self.first_error.get_or_insert_with(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_this_client_lacks_is_not_laid_at_the_servers_door() {
        use rustix::io::Errno;
        for (errno, kind) in [
            (Errno::MFILE, ErrorKind::NoDescriptor),
            (Errno::NFILE, ErrorKind::NoDescriptor),
            (Errno::NOBUFS, ErrorKind::NoDescriptor),
            (Errno::NOMEM, ErrorKind::NoDescriptor),
            (Errno::ADDRNOTAVAIL, ErrorKind::NoLocalPort),
            (Errno::ADDRINUSE, ErrorKind::NoLocalPort),
            (Errno::CONNREFUSED, ErrorKind::Refused),
            (Errno::CONNRESET, ErrorKind::Reset),
            (Errno::TIMEDOUT, ErrorKind::Unreachable),
            (Errno::HOSTUNREACH, ErrorKind::Unreachable),
        ] {
            let error = io::Error::from(errno);
            assert_eq!(ErrorKind::of_connecting(&error), kind, "{error}");
        }
    }

    #[test]
    fn an_open_connection_is_reset_or_fails_for_a_reason_of_its_own() {
        use io::ErrorKind as Io;
        for (error, kind) in [
            (Io::ConnectionReset, ErrorKind::Reset),
            (Io::ConnectionAborted, ErrorKind::Reset),
            (Io::BrokenPipe, ErrorKind::Reset),
            (Io::HostUnreachable, ErrorKind::Other),
        ] {
            assert_eq!(ErrorKind::of_connection(&error.into()), kind, "{error}");
        }
    }

    #[test]
    fn the_counts_of_workers_add_up() {
        let errors = |n| ErrorCounts {
            refused: n,
            unreachable: 2 * n,
            reset: 3 * n,
            closed_early: 4 * n,
            bad_reply: 5 * n,
            no_local_port: 6 * n,
            no_descriptor: 7 * n,
            other: 8 * n,
        };
        assert_eq!(errors(1).total(), 36);
        let counters = |n: u64, first_error: &str| Counters {
            resets: n,
            writes: 2 * n,
            last_replies: 3 * n,
            lost_behind_last_reply: 4 * n,
            unserved: 5 * n as usize,
            reads: 6 * n,
            interim: 7 * n,
            wrong_bodies: 8 * n,
            varied_bodies: 9 * n,
            errors: errors(n),
            first_error: Some(first_error.to_owned()),
        };
        let mut all = Counters::default();
        all.add(counters(1, "one"));
        assert_eq!(all, counters(1, "one"));
        all.add(counters(10, "another"));
        assert_eq!(all, counters(11, "one"));
    }

    #[test]
    fn the_first_error_is_kept_in_words() {
        let mut counters = Counters::default();
        for words in ["one", "another"] {
            counters.error(ErrorKind::Other, || words.to_owned());
        }
        assert_eq!(counters.first_error.as_deref(), Some("one"));
        assert_eq!(counters.errors.other, 2);
    }
}
