//! HTTP/1.1 as bytes: pure, no I/O, no clock.
//!
//! | module         | what it reads or writes                                              |
//! |----------------|----------------------------------------------------------------------|
//! | `message`      | syntax that requests and responses share                             |
//! | [`request`]    | a stream of pipelined requests, pushed at it in any pieces           |
//! | [`reply`]      | whole replies                                                        |
//! | [`response`]   | a stream of replies, pushed at it in any pieces                      |
//! | [`terminator`] | CR LF CR LF, counted in a stream that need not be HTTP               |
//! | [`credentials`] | fields as others may read them                                      |

pub mod credentials;
mod message;
pub mod reply;
pub mod request;
pub mod response;
pub mod terminator;
