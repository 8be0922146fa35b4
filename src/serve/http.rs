//! `serve http`: answers every GET with the same body, and everything else by RFC 9110 and RFC 9112.

mod request_timer;
mod response_cache;

use std::time::{Duration, SystemTime};

pub use request_timer::Timeouts;

use super::request_cache::RequestCache;
use super::{Counters, Warnings};
use crate::event_loop::{Flow, Protocol, ServerWarning, Time, TurnResult, WriteQueue};
use crate::http::reply::WithBody;
use crate::http::request::{Limits, Method, Request, RequestParser, Step};
use request_timer::RequestTimer;
use response_cache::{Answer, ResponseCache};

/// Settings of an HTTP server.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Body of the reply to GET.
    pub body: Vec<u8>,
    /// Fields added to every reply; none of those that frame it.
    pub fields: Vec<(String, String)>,
    /// Bounds on a request.
    pub limits: Limits,
    /// Time limits for a client.
    pub timeouts: Timeouts,
}

/// Answers HTTP requests.
pub struct HttpServer {
    limits: Limits,
    timeouts: Timeouts,
    response_cache: ResponseCache,
    request_cache: RequestCache,
    warnings: Warnings,
    counters: Counters,
}

/// State of a connection of [`HttpServer`].
#[derive(Debug)]
pub struct HttpConn {
    parser: RequestParser,
    request_timer: RequestTimer,
}

impl HttpServer {
    /// A server that reports to `warnings`.
    pub fn new(settings: HttpSettings, warnings: Warnings) -> HttpServer {
        HttpServer {
            limits: settings.limits,
            timeouts: settings.timeouts,
            response_cache: ResponseCache::new(settings.body, settings.fields),
            request_cache: RequestCache::default(),
            warnings,
            counters: Counters::default(),
        }
    }

    /// Its work so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Queues the reply to a request.
    fn answer(&mut self, answer: Answer, out: &mut WriteQueue) {
        self.counters.requests += 1;
        self.counters.refused += u64::from(answer.is_error());
        out.push(self.response_cache.get(answer), 1);
    }

    /// Answers what the parser finds in `bytes`, request by request.
    fn answer_each(
        &mut self,
        conn: &mut HttpConn,
        mut bytes: &[u8],
        now: Time,
        out: &mut WriteQueue,
    ) -> Flow {
        while !bytes.is_empty() {
            let fresh = conn.parser.is_fresh();
            let (consumed, step) = conn.parser.step(bytes, &self.limits);
            let (head, rest) = bytes.split_at(consumed);
            bytes = rest;
            match step {
                None => break,
                Some(Step::ExpectsContinue) => {
                    out.push(self.response_cache.get(Answer::Continue), 1)
                }
                Some(Step::Complete(request)) => {
                    conn.request_timer = RequestTimer::Idle { since: now };
                    let answer = answer_to(&request);
                    self.answer(answer, out);
                    if answer.closes() {
                        return Flow::Finish;
                    }
                    if fresh && request.is_plain_get() {
                        self.request_cache.learn(head);
                        bytes = self.answer_repeats(bytes, out);
                    }
                }
                Some(Step::Refused(why)) => {
                    self.answer(refusal(conn, why.status()), out);
                    return Flow::Finish;
                }
            }
        }
        conn.request_timer.follow(conn.parser.position(), now);
        Flow::Keep
    }

    /// The fast path: answers the requests at the front of `bytes` that equal the last plain GET
    /// byte for byte, and returns what follows them. Only for a connection between two requests.
    fn answer_repeats<'b>(&mut self, bytes: &'b [u8], out: &mut WriteQueue) -> &'b [u8] {
        let (count, rest) = self.request_cache.strip_repeats(bytes);
        self.counters.requests += count as u64;
        out.push(self.response_cache.plain_get(), count);
        rest
    }
}

impl Protocol for HttpServer {
    type Conn = HttpConn;

    fn opened(&mut self, now: Time, _out: &mut WriteQueue) -> HttpConn {
        self.counters.connections += 1;
        HttpConn {
            parser: RequestParser::default(),
            request_timer: RequestTimer::Idle { since: now },
        }
    }

    #[inline]
    fn received(
        &mut self,
        conn: &mut HttpConn,
        mut bytes: &[u8],
        now: Time,
        out: &mut WriteQueue,
    ) -> Flow {
        if conn.parser.is_fresh() {
            bytes = self.answer_repeats(bytes, out);
            if bytes.is_empty() {
                conn.request_timer = RequestTimer::Idle { since: now };
                return Flow::Keep;
            }
        }
        self.answer_each(conn, bytes, now, out)
    }

    #[inline]
    fn deadline(&self, conn: &HttpConn) -> Time {
        conn.request_timer.deadline(&self.timeouts)
    }

    fn overdue(&mut self, conn: &mut HttpConn, _now: Time, out: &mut WriteQueue) -> Flow {
        match conn.request_timer {
            RequestTimer::Idle { .. } => {}
            RequestTimer::Head { .. } | RequestTimer::Body { .. } => {
                self.answer(refusal(conn, 408), out);
            }
        }
        Flow::Finish
    }

    fn resumed(&mut self, conn: &mut HttpConn, paused: Duration) {
        conn.request_timer.extend(paused);
    }

    fn turn(&mut self, _now: Time, wall: SystemTime) -> TurnResult {
        self.response_cache.set_date(wall);
        TurnResult::Run { wake: Time::NEVER }
    }

    fn warn(&mut self, warning: ServerWarning, now: Time) {
        self.warnings.report(&warning, now);
    }
}

/// The answer to a request.
fn answer_to(request: &Request) -> Answer {
    let persistence = request.persistence;
    let status = match request.method {
        Method::Get => return Answer::Get(persistence),
        Method::Head => return Answer::Head(persistence),
        Method::Connect | Method::Known | Method::Options => 405,
        Method::Unknown => 501,
    };
    Answer::NotServed {
        status,
        persistence,
    }
}

/// The last answer of a connection whose current request is refused or was not received whole.
fn refusal(conn: &HttpConn, status: u16) -> Answer {
    let with_body = match conn.parser.method() {
        Some(Method::Head) => WithBody::HeadOnly,
        _ => WithBody::Yes,
    };
    Answer::Refused { status, with_body }
}

#[cfg(test)]
mod tests;
