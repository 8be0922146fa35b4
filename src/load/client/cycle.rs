//! The requests of a run, which take turns, and the reply that each of them has.
//!
//! Each connection goes through all of them in their order, over and over, so those in flight on a
//! connection follow each other in the list. Connection number k of the run begins with request k:
//! connections that begin together are spread over the list, and where the server closes each after
//! a reply, all requests have their turn all the same.

use std::rc::Rc;

use crate::event_loop::{Block, WriteQueue};
use crate::http::response::{
    AnsweredMethod, ExpectedBody, KEPT_BYTES_MAX, LearnedReply, ReceivedReply,
};
use crate::load::LoadPlan;

/// First bodies that are kept for comparison: all requests together have this room.
const ALL_KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The requests of a run, known by their places in its list.
pub(super) struct RequestCycle {
    /// One lap: all requests, one behind the other.
    lap: Rc<Block>,
    /// The place in the lap at which each begins.
    starts: Vec<usize>,
    replies: Vec<ExpectedReply>,
    /// The first request of the next connection.
    first_of_next: usize,
}

/// Knowledge about the replies to one request.
pub(super) struct ExpectedReply {
    pub(super) method: AnsweredMethod,
    pub(super) learned: LearnedReply,
    pub(super) body: ExpectedBody,
}

impl RequestCycle {
    /// The requests of `plan`, rendered.
    pub(super) fn new(plan: &LoadPlan) -> RequestCycle {
        let mut lap = Vec::new();
        let mut starts = Vec::new();
        for request in plan.requests.iter() {
            starts.push(lap.len());
            lap.extend_from_slice(&request.render(&plan.target));
        }
        let kept_bytes_max = KEPT_BYTES_MAX.min(ALL_KEPT_BYTES_MAX / starts.len());
        let body = match &plan.expected_body {
            Some(body) => ExpectedBody::given(body.as_slice()),
            None => ExpectedBody::first_within(kept_bytes_max),
        };
        let replies = plan.requests.iter().map(|request| ExpectedReply {
            method: match request.method.as_str() {
                "HEAD" => AnsweredMethod::Head,
                _ => AnsweredMethod::Other,
            },
            learned: LearnedReply::new(),
            body: body.clone(),
        });
        RequestCycle {
            replies: replies.collect(),
            lap: Block::repeated(&lap),
            starts,
            first_of_next: 0,
        }
    }

    /// The first request of a new connection.
    pub(super) fn first_of_connection(&mut self) -> usize {
        let first = self.first_of_next;
        self.pass_over(1);
        first
    }

    /// Leaves the turns of this number of connections to others.
    pub(super) fn pass_over(&mut self, connections: usize) {
        self.first_of_next = self.after(self.first_of_next, connections);
    }

    /// The request that comes `requests` after the one at `place`.
    #[inline]
    pub(super) fn after(&self, place: usize, requests: usize) -> usize {
        match self.starts.len() {
            // The usual case, without a division.
            1 => 0,
            all => (place + requests) % all,
        }
    }

    /// Queues `requests` of them, beginning with `first`.
    #[inline]
    pub(super) fn push(&self, first: usize, requests: usize, out: &mut WriteQueue) {
        if self.starts.len() == 1 {
            return out.push(&self.lap, requests);
        }
        let offset = self.starts[first];
        let bytes = self.bytes_before(first + requests) - offset;
        out.push_from(&self.lap, offset, bytes);
    }

    /// Length of the first `requests` of a first lap and those behind it.
    fn bytes_before(&self, requests: usize) -> usize {
        let laps = requests / self.starts.len();
        laps * self.lap.message_bytes() + self.starts[requests % self.starts.len()]
    }

    /// The number of whole requests in the last `bytes` before the request at `next`.
    pub(super) fn untouched(&self, bytes: usize, next: usize) -> usize {
        let (lap_bytes, lap_requests) = (self.lap.message_bytes(), self.starts.len());
        // Counted from the start of a lap before those bytes.
        let laps = bytes / lap_bytes + 1;
        let taken_bytes = laps * lap_bytes + self.starts[next] - bytes;
        let last_lap = taken_bytes % lap_bytes;
        let begun = self.starts.partition_point(|&start| start < last_lap);
        laps * lap_requests + next - (taken_bytes / lap_bytes * lap_requests + begun)
    }

    /// Knowledge about the replies to the request at `place`.
    #[inline]
    pub(super) fn reply_to(&mut self, place: usize) -> &mut ExpectedReply {
        &mut self.replies[place]
    }

    /// Counts the copies of the learned reply to the request at `place` that `bytes` begins with, as
    /// [`LearnedReply::copies`] does. What follows the first is the reply to another request, unless
    /// there is one request only.
    #[inline]
    pub(super) fn learned_copies(
        &mut self,
        place: usize,
        bytes: &[u8],
    ) -> Option<(usize, ReceivedReply)> {
        let is_alone = self.replies.len() == 1;
        let learned = &mut self.replies[place].learned;
        let own_bytes = match is_alone {
            true => bytes,
            false => &bytes[..bytes.len().min(learned.len_bytes())],
        };
        learned.copies(own_bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::load::tests::plan;
    use crate::load::{Request, RequestList};

    /// A cycle of requests with paths of these lengths.
    fn cycle(path_bytes: &[usize]) -> RequestCycle {
        let mut plan = plan("http://localhost");
        let request = |&bytes: &usize| Request {
            request_target: "/".repeat(bytes),
            ..Request::get(&plan.target)
        };
        let requests = path_bytes.iter().map(request).collect();
        plan.requests = RequestList::new(requests).expect("at least one");
        RequestCycle::new(&plan)
    }

    proptest! {
        #[test]
        fn what_is_queued_is_counted_request_by_request(
            path_bytes in prop::collection::vec(1usize..40, 1..5),
            first in 0usize..5,
            requests in 0usize..20,
            taken_share in 0.0..=1.0,
        ) {
            let cycle = cycle(&path_bytes);
            let first = first % path_bytes.len();
            let mut out = WriteQueue::new();
            cycle.push(first, requests, &mut out);
            let mut sent = Vec::new();
            out.flush(&mut sent).expect("a Vec takes everything");
            let text = String::from_utf8(sent).expect("text");
            let ends: Vec<usize> = text.match_indices("\r\n\r\n").map(|(at, _)| at + 4).collect();
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let spans: Vec<_> = starts.zip(ends.iter().copied()).collect();
            let in_order = spans.iter().enumerate().all(|(number, &(start, _))| {
                let path = "/".repeat(path_bytes[(first + number) % path_bytes.len()]);
                text[start..].starts_with(&format!("GET {path} HTTP/1.1\r\n"))
            });
            prop_assert!(in_order && spans.len() == requests, "{}", text);
            // The kernel has taken this many bytes.
            let taken = (text.len() as f64 * taken_share) as usize;
            let whole = spans.iter().filter(|&&(start, _)| start >= taken).count();
            let next = cycle.after(first, requests);
            prop_assert_eq!(cycle.untouched(text.len() - taken, next), whole);
        }
    }
}
