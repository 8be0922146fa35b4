//! Where requests go: a URL, and perhaps a unix socket.

/// A parsed and supported URL.
#[derive(Clone, Debug)]
pub struct Target {}
