//! A request that was received.

pub use crate::http::message::Version;

/// The method of a request, as far as the answer depends on it.
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

/// The connection after the reply (RFC 9112 9.3).
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
    /// The connection after its reply.
    pub persistence: Persistence,
    /// Its head declared a body, be it an empty one.
    pub has_body: bool,
}

impl Request {
    /// Returns true for a GET by HTTP/1.1 on a kept connection that has a head and no body.
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
