//! The replies of the present second, each rendered once and then repeated.
//!
//! A whole reply, with its Date, is kept as long as the Date is right. (TechEmpower's rules forbid
//! this; bareloop does not claim to follow them.)

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::event_loop::Block;
use crate::http::reply::{CONTINUE, ImfDate, ServerReply, WithBody};
use crate::http::request::Persistence;

/// The answer to a request, or to the lack of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200 with the body.
    Get(Persistence),
    /// The same head without the body.
    Head(Persistence),
    /// 405 or 501: a method that is not served; the connection may go on.
    NotServed {
        status: u16,
        persistence: Persistence,
    },
    /// 100: the client may send its body.
    Continue,
    /// An error after which nothing more is read.
    Refused { status: u16, with_body: WithBody },
}

impl Answer {
    /// Returns true if its status is 4xx or 5xx.
    pub fn is_error(self) -> bool {
        matches!(self, Answer::NotServed { .. } | Answer::Refused { .. })
    }

    /// Returns true if the connection ends with it.
    pub fn closes(self) -> bool {
        match self {
            Answer::Get(persistence)
            | Answer::Head(persistence)
            | Answer::NotServed { persistence, .. } => persistence == Persistence::Close,
            Answer::Continue => false,
            Answer::Refused { .. } => true,
        }
    }
}

/// The usual answer.
const PLAIN_GET: Answer = Answer::Get(Persistence::Keep);

/// The replies of one server.
#[derive(Debug)]
pub struct ResponseCache {
    body: Vec<u8>,
    fields: Vec<(String, String)>,
    /// The second since 1970 whose Date is in the rendered replies.
    second: u64,
    date: ImfDate,
    /// The reply to a plain GET.
    plain_get: Rc<Block>,
    /// The other replies of this second; their number is bounded by the kinds of answers.
    rendered: Vec<(Answer, Rc<Block>)>,
}

impl ResponseCache {
    /// Replies to GET with `body`, and `fields` beside the server's own.
    pub fn new(body: Vec<u8>, fields: Vec<(String, String)>) -> ResponseCache {
        let mut response_cache = ResponseCache {
            body,
            fields,
            second: 0,
            date: ImfDate::new(UNIX_EPOCH),
            plain_get: Block::once(&[]),
            rendered: Vec::new(),
        };
        response_cache.plain_get = Block::repeated(&response_cache.render(PLAIN_GET));
        response_cache
    }

    /// Sets the Date of later replies. Queued ones keep theirs.
    pub fn set_date(&mut self, wall: SystemTime) {
        let second = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        if second.as_secs() != self.second {
            self.second = second.as_secs();
            self.date = ImfDate::new(wall);
            self.rendered.clear();
            self.plain_get = Block::repeated(&self.render(PLAIN_GET));
        }
    }

    /// The reply to GET on a connection that is kept.
    #[inline]
    pub fn plain_get(&self) -> &Rc<Block> {
        &self.plain_get
    }

    /// The reply that gives `answer`.
    pub fn get(&mut self, answer: Answer) -> &Rc<Block> {
        if answer == PLAIN_GET {
            return &self.plain_get;
        }
        let known = self.rendered.iter().position(|(known, _)| *known == answer);
        let index = known.unwrap_or_else(|| {
            let block = Block::repeated(&self.render(answer));
            self.rendered.push((answer, block));
            self.rendered.len() - 1
        });
        &self.rendered[index].1
    }

    fn render(&self, answer: Answer) -> Vec<u8> {
        match answer {
            Answer::Get(persistence) => self.render_ok(persistence, WithBody::Yes),
            Answer::Head(persistence) => self.render_ok(persistence, WithBody::HeadOnly),
            Answer::NotServed {
                status,
                persistence,
            } => ServerReply::error(status, persistence, WithBody::Yes).render(&self.date),
            Answer::Continue => CONTINUE.to_vec(),
            Answer::Refused { status, with_body } => {
                ServerReply::error(status, Persistence::Close, with_body).render(&self.date)
            }
        }
    }

    fn render_ok(&self, persistence: Persistence, with_body: WithBody) -> Vec<u8> {
        let fields: Vec<(&str, &str)> = self
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let reply = ServerReply {
            status: 200,
            fields: &fields,
            body: &self.body,
            persistence,
            with_body,
        };
        reply.render(&self.date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    fn text(response_cache: &mut ResponseCache, answer: Answer) -> String {
        String::from_utf8(response_cache.get(answer).message().to_vec()).unwrap()
    }

    #[test]
    fn the_date_moves_with_the_wall_clock_and_back() {
        let mut response_cache = ResponseCache::new(b"x".to_vec(), Vec::new());
        for (second, time) in [(10, "00:00:10"), (11, "00:00:11"), (10, "00:00:10")] {
            response_cache.set_date(at(second));
            for answer in [
                Answer::Get(Persistence::Keep),
                Answer::Get(Persistence::Close),
                Answer::Head(Persistence::Keep),
                Answer::Refused {
                    status: 400,
                    with_body: WithBody::Yes,
                },
            ] {
                let text = text(&mut response_cache, answer);
                assert!(text.contains(time), "{text}");
            }
        }
    }

    #[test]
    fn a_reply_is_rendered_once_a_second() {
        let mut response_cache = ResponseCache::new(b"x".to_vec(), Vec::new());
        let answer = Answer::Get(Persistence::Keep);
        let first = Rc::clone(response_cache.get(answer));
        response_cache.get(Answer::Continue);
        assert!(Rc::ptr_eq(&first, response_cache.get(answer)));
        response_cache.set_date(at(1));
        assert!(!Rc::ptr_eq(&first, response_cache.get(answer)));
    }

    #[test]
    fn body_and_fields_are_those_of_the_user() {
        let fields = vec![("X-A".to_owned(), "b".to_owned())];
        let mut response_cache = ResponseCache::new(b"Hi".to_vec(), fields);
        let get = text(&mut response_cache, Answer::Get(Persistence::Keep));
        assert!(
            get.contains("\r\nX-A: b\r\nContent-Length: 2\r\n\r\nHi"),
            "{get}"
        );
        let head = text(&mut response_cache, Answer::Head(Persistence::Keep));
        assert_eq!(format!("{head}Hi"), get);
    }
}
