//! Time limits for a client, by the part of a request that is awaited.

use std::time::Duration;

use crate::event_loop::Time;
use crate::http::request::Position;

/// Time limits for a client.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Time limit for receiving a complete request head, from its first byte (408).
    pub header: Duration,
    /// Time limit between two pieces of a body (408).
    pub body_gap: Duration,
    /// Time limit for receiving a complete body, from the end of its head (408).
    pub body_total: Duration,
    /// Time limit between the end of a request and the first byte of the next.
    pub idle: Duration,
}

/// The part of a request that is awaited, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestTimer {
    /// The first byte of a request.
    Idle { since: Time },
    /// The rest of a head whose first byte arrived then. Later bytes do not change it.
    Head { since: Time },
    /// The rest of a body: the times of the end of its head and of its last piece.
    Body { since: Time, last_piece: Time },
}

impl RequestTimer {
    /// Bytes arrived, after which the parser is at `position`. If a request ended in these bytes,
    /// the caller has set [`RequestTimer::Idle`] before.
    pub fn follow(&mut self, position: Position, now: Time) {
        *self = match (position, *self) {
            (Position::Head, RequestTimer::Head { since }) => RequestTimer::Head { since },
            (Position::Head, _) => RequestTimer::Head { since: now },
            (Position::Body, RequestTimer::Body { since, .. }) => RequestTimer::Body {
                since,
                last_piece: now,
            },
            (Position::Body, _) => RequestTimer::Body {
                since: now,
                last_piece: now,
            },
            (Position::Boundary | Position::Refused, _) => RequestTimer::Idle { since: now },
        };
    }

    /// Time at which the limit is reached.
    #[inline]
    pub fn deadline(&self, timeouts: &Timeouts) -> Time {
        match *self {
            RequestTimer::Idle { since } => since + timeouts.idle,
            RequestTimer::Head { since } => since + timeouts.header,
            RequestTimer::Body { since, last_piece } => {
                (since + timeouts.body_total).min(last_piece + timeouts.body_gap)
            }
        }
    }

    /// Extends the limit by a time in which the server did not read.
    pub fn extend(&mut self, by: Duration) {
        match self {
            RequestTimer::Idle { since } | RequestTimer::Head { since } => *since = *since + by,
            RequestTimer::Body { since, last_piece } => {
                *since = *since + by;
                *last_piece = *last_piece + by;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUTS: Timeouts = Timeouts {
        header: Duration::from_secs(10),
        body_gap: Duration::from_secs(11),
        body_total: Duration::from_secs(60),
        idle: Duration::from_secs(70),
    };

    fn at(seconds: u64) -> Time {
        Time::from_ns(seconds * 1_000_000_000)
    }

    fn body(since: u64, last_piece: u64) -> RequestTimer {
        RequestTimer::Body {
            since: at(since),
            last_piece: at(last_piece),
        }
    }

    fn deadline_after(steps: &[(u64, Position)]) -> Time {
        let mut request_timer = RequestTimer::Idle { since: at(0) };
        for &(seconds, position) in steps {
            request_timer.follow(position, at(seconds));
        }
        request_timer.deadline(&TIMEOUTS)
    }

    #[test]
    fn a_dripping_client_cannot_push_the_head_deadline_back() {
        let drip = [
            (1, Position::Head),
            (5, Position::Head),
            (9, Position::Head),
        ];
        assert_eq!(deadline_after(&drip), at(11));
    }

    #[test]
    fn a_body_has_a_deadline_for_each_piece_and_one_for_all() {
        assert_eq!(
            deadline_after(&[(1, Position::Body), (5, Position::Body)]),
            at(16)
        );
        let drip: Vec<_> = (1..60).map(|s| (s, Position::Body)).collect();
        assert_eq!(deadline_after(&drip), at(61));
    }

    #[test]
    fn an_idle_connection_waits_from_its_last_request() {
        assert_eq!(
            deadline_after(&[(1, Position::Head), (3, Position::Boundary)]),
            at(73)
        );
    }

    #[test]
    fn our_own_pause_is_not_the_clients_fault() {
        let pause = Duration::from_secs(30);
        for (mut request_timer, deadline) in [
            (RequestTimer::Idle { since: at(1) }, at(71)),
            (RequestTimer::Head { since: at(1) }, at(11)),
            (body(1, 5), at(16)),
            (body(1, 55), at(61)),
        ] {
            assert_eq!(
                request_timer.deadline(&TIMEOUTS),
                deadline,
                "{request_timer:?}"
            );
            request_timer.extend(pause);
            assert_eq!(request_timer.deadline(&TIMEOUTS), deadline + pause);
        }
    }
}
