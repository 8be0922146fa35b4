//! What there is to say about a request that was received.

/// What a request asks of its target, as far as the answer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD: the answer has no body, be it an error.
    Head,
    /// CONNECT: the connection cannot be used as before afterwards.
    Connect,
    /// OPTIONS: the only one that may be about `*`.
    Options,
    /// POST, PUT, DELETE, PATCH or TRACE.
    Known,
    /// Another token.
    Unknown,
}

/// The version that a request is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1, and any later 1.x (RFC 9110 2.5).
    Http11,
}

/// What becomes of the connection after the reply (RFC 9112 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It is kept, as HTTP/1.1 has it.
    Keep,
    /// It is kept because an HTTP/1.0 client asked for it: the reply says `keep-alive` too.
    KeepEchoed,
    /// It is closed. Nothing that follows may be answered.
    Close,
}

/// A request that was received whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its version.
    pub version: Version,
    /// Whether the connection outlives its reply.
    pub persistence: Persistence,
    /// Whether its head declared a body, be it an empty one.
    pub has_body: bool,
}

impl Request {
    /// Whether this is GET by HTTP/1.1 on a kept connection and all of it is its head.
    ///
    /// The same bytes at a [`Position::Boundary`](super::Position::Boundary) are the same request
    /// again, and leave the parser as [`RequestParser::new`](super::RequestParser::new) makes it.
    pub fn is_plain_get(&self) -> bool {
        self.method == Method::Get
            && self.version == Version::Http11
            && self.persistence == Persistence::Keep
            && !self.has_body
    }
}
