//! What a head says about its message: how long it is, and what comes after (RFC 9112 6, 9).

use super::{Method, Persistence, Refusal, Request, Version};

/// How the end of a declared body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// Content-Length.
    Length(u64),
    /// Transfer-Encoding: chunked.
    Chunked,
}

/// What was learned of a head so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHead {
    pub(super) method: Option<Method>,
    pub(super) version: Version,
    pub(super) body: Option<BodyFraming>,
    has_host: bool,
    asks_close: bool,
    asks_keep_alive: bool,
    asks_continue: bool,
}

/// Connection options and expectations that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestOption {
    Close,
    KeepAlive,
    Continue,
}

impl RequestHead {
    pub(super) const fn new() -> RequestHead {
        RequestHead {
            method: None,
            version: Version::Http11,
            body: None,
            has_host: false,
            asks_close: false,
            asks_keep_alive: false,
            asks_continue: false,
        }
    }

    /// A Host field has begun. A second one is refused, even by HTTP/1.0 (RFC 9112 3.2).
    pub(super) fn host(&mut self) -> Result<(), Refusal> {
        if self.has_host {
            return Err(Refusal::BadRequest);
        }
        self.has_host = true;
        Ok(())
    }

    /// A Content-Length field has begun.
    pub(super) fn content_length(&self) -> Result<(), Refusal> {
        match self.body {
            Some(BodyFraming::Chunked) => Err(Refusal::BadRequest),
            None | Some(BodyFraming::Length(_)) => Ok(()),
        }
    }

    /// A Content-Length was read whole.
    pub(super) fn length(&mut self, length: u64) -> Result<(), Refusal> {
        if self
            .body
            .is_some_and(|known| known != BodyFraming::Length(length))
        {
            return Err(Refusal::BadRequest);
        }
        self.body = Some(BodyFraming::Length(length));
        Ok(())
    }

    /// A Transfer-Encoding field has begun.
    pub(super) fn transfer_encoding(&self) -> Result<(), Refusal> {
        match (self.version, self.body) {
            (Version::Http10, _) | (_, Some(BodyFraming::Length(_))) => Err(Refusal::BadRequest),
            (Version::Http11, None | Some(BodyFraming::Chunked)) => Ok(()),
        }
    }

    /// A transfer coding was read whole; `chunked` or not.
    pub(super) fn transfer_coding(&mut self, is_chunked: bool) -> Result<(), Refusal> {
        if self.body.is_some() {
            return Err(Refusal::BadRequest);
        }
        if !is_chunked {
            return Err(Refusal::NotImplemented);
        }
        self.body = Some(BodyFraming::Chunked);
        Ok(())
    }

    /// A Connection option or an expectation was read whole.
    pub(super) fn ask(&mut self, what: RequestOption) {
        match what {
            RequestOption::Close => self.asks_close = true,
            RequestOption::KeepAlive => self.asks_keep_alive = true,
            RequestOption::Continue => self.asks_continue = true,
        }
    }

    /// What can only be judged once the head is complete.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        match (self.version, self.has_host) {
            (Version::Http11, false) => Err(Refusal::BadRequest),
            _ => Ok(()),
        }
    }

    /// Whether the client, with a body to come, waits for a 100. HTTP/1.0 has none to wait for
    /// (RFC 9110 10.1.1).
    pub(super) fn expects_continue(&self) -> bool {
        self.asks_continue && self.version == Version::Http11
    }

    pub(super) fn request(&self) -> Request {
        let method = self.method.unwrap_or(Method::Unknown);
        let persistence = match self.version {
            // What follows CONNECT would be the tunnel's bytes (RFC 9110 9.3.6).
            _ if self.asks_close || method == Method::Connect => Persistence::Close,
            Version::Http11 => Persistence::Keep,
            Version::Http10 if self.asks_keep_alive => Persistence::KeepEchoed,
            Version::Http10 => Persistence::Close,
        };
        Request {
            method,
            version: self.version,
            persistence,
            has_body: self.body.is_some(),
        }
    }
}
