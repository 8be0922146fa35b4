//! The client's state of one connection.

use std::time::Duration;

use crate::event_loop::Time;
use crate::http::response::ResponseReader;
use crate::load::accounting::InFlight;

/// One connection: its requests, and the reply under way.
#[derive(Debug)]
pub struct LoadConn {
    /// The reply of which a part was read; `None` at a message boundary, where most reads end.
    pub(super) partial: Option<Box<ResponseReader>>,
    pub(super) in_flight: InFlight,
    /// Place in the cycle of the request that is answered next. Those in flight follow each other.
    pub(super) oldest: usize,
    pub(super) state: ConnState,
    pub(super) has_replied: bool,
    /// Requests that may still be sent on it.
    pub(super) requests_left: usize,
    /// It was open before the start, and nothing was sent on it yet.
    pub(super) held: bool,
}

/// Phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnState {
    Open,
    /// A reply was the last one (`Connection: close`).
    LastReplied,
    /// We gave it up, and have counted why.
    GivenUp,
}

impl LoadConn {
    /// A connection on which `requests` are sent, beginning with `first`; `held` until the start.
    pub(super) fn new(requests: usize, held: bool, first: usize) -> LoadConn {
        LoadConn {
            partial: None,
            in_flight: InFlight::default(),
            oldest: first,
            state: ConnState::Open,
            has_replied: false,
            requests_left: requests,
            held,
        }
    }

    /// Time at which its oldest request has waited too long.
    pub(super) fn deadline(&self, timeout: Duration) -> Time {
        let oldest = self.in_flight.oldest();
        oldest.map_or(Time::NEVER, |sent_at| sent_at + timeout)
    }

    /// Nothing was left to send on it. It must not stay open: a server that serves one connection
    /// after the other would wait for this one, while the last requests wait on another.
    pub(super) fn has_no_work(&self) -> bool {
        self.state == ConnState::Open && self.in_flight.is_idle()
    }
}
