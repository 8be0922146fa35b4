//! `bareloop`: one hand-rolled event loop, three jobs.
//!
//! - `serve` answers HTTP (or counts terminators) as fast as one core's kernel allows;
//! - `load` measures a server and says how far its own figures can be trusted;
//! - `compare` runs servers side by side under the same load and judges them.
//!
//! # Floors
//!
//! Imports go down only; `tests/architecture.rs` reads the source and holds it to that.
//!
//! | floor  | modules                     | what it knows                                             |
//! |--------|-----------------------------|-----------------------------------------------------------|
//! | hand   | [`cli`]                     | flags, stdout, stderr, exit codes                          |
//! | judge  | [`compare`]                 | contestants, rounds, statistics                            |
//! | jobs   | [`serve`], [`load`]         | what connections are for; never a socket, never a clock    |
//! | loop   | [`event_loop`]              | `mio`, `slab`, sockets, the clock                          |
//! | stones | [`http`]                    | bytes; pure, no I/O                                        |
//! | stones | [`page`]                    | a report as HTML; pure, no I/O                             |
//!
//! # Laws
//!
//! 1. `mio` and `slab` are named in `event_loop` only.
//! 2. `Instant::now` and `SystemTime::now` are called in the loop and at the top of a job only.
//! 3. No `use` points upward.
//! 4. No `unsafe`.
//! 5. No function is longer than 60 lines and no file longer than 400; tests and the
//!    documentation of a module are not counted.
//! 6. README's help blocks equal `--help`.
//!
//! # Two walks
//!
//! A byte: readiness event → [`event_loop::EventLoop`] → `Connection::pump` →
//! [`serve::http::HttpServer`] → [`http::request::RequestParser`] → [`event_loop::WriteQueue`]
//! → one send.
//!
//! A sample: [`load::client::LoadClient`] stamps and queues a request → a reply is read → framed
//! by [`http::response::ResponseReader`] → paired with its stamp → [`load::recorder::Recorder`] →
//! [`load::report::LoadReport`] → table or JSON.
//!
//! Neither walk turns back.
//!
//! # Absences, deliberate
//!
//! No async runtime, no HTTP framework, no HTTP/2, no scripting, no configuration file, no
//! routes. More cores come from more copies of the same loop, never from threads inside it.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod compare;
pub mod event_loop;
pub mod format;
pub mod http;
pub mod load;
pub mod page;
pub mod serve;
