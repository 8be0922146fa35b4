//! What the client remembers of one connection.

use std::time::Duration;

use crate::event_loop::Time;
use crate::http::response::ResponseReader;
use crate::load::accounting::InFlight;

/// A connection whose last reply announced its end is closed by us after this.
const ANNOUNCED_END_WAIT: Duration = Duration::from_secs(1);

/// One connection: what it waits for, and the reply under way.
#[derive(Debug)]
pub struct LoadConn {
    pub(super) reader: ResponseReader,
    pub(super) in_flight: InFlight,
    pub(super) state: ConnState,
}

/// What is known of a connection's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnState {
    Open,
    /// A reply said that it is the last one.
    EndAnnounced {
        at: Time,
    },
    /// The peer ended it.
    Ended,
    /// We gave it up, and have counted why.
    GivenUp,
}

impl LoadConn {
    pub(super) fn with_room_for(pipelining: usize) -> LoadConn {
        LoadConn {
            reader: ResponseReader::new(),
            in_flight: InFlight::with_room_for(pipelining),
            state: ConnState::Open,
        }
    }

    /// When its peer has been silent for too long.
    pub(super) fn deadline(&self, timeout: Duration) -> Time {
        if let ConnState::EndAnnounced { at } = self.state {
            return at + ANNOUNCED_END_WAIT.min(timeout);
        }
        let oldest = self.in_flight.oldest();
        oldest.map_or(Time::NEVER, |sent_at| sent_at + timeout)
    }

    /// Nothing was left to send on it. It must not stay open: a server that serves one connection
    /// after the other would wait for this one, while the last requests wait on another.
    pub(super) fn has_no_work(&self) -> bool {
        self.state == ConnState::Open && self.in_flight.is_empty()
    }
}
