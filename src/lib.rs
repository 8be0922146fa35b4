//! `bareloop`: one hand-rolled event loop, three jobs.
//!
//! - `serve` answers HTTP (or counts terminators) as fast as one core's kernel allows;
//! - `load` measures a server and reports how far its own figures can be trusted;
//! - `compare` runs servers side by side under the same load and gives a verdict.
//!
//! # Layers
//!
//! Imports go down only; `tests/architecture.rs` reads the source and checks it.
//!
//! | layer                      | modules                        | knows                                        |
//! |----------------------------|--------------------------------|----------------------------------------------|
//! | command line               | [`cli`]                        | flags, standard streams, exit codes          |
//! | comparison                 | [`compare`]                    | contestants, rounds, statistics              |
//! | servers and load generator | [`serve`], [`load`]            | purpose of connections; no socket, no clock  |
//! | event loop                 | [`event_loop`]                 | `mio`, `slab`, sockets, clocks               |
//! | HTTP codec                 | [`http`]                       | bytes; pure, no I/O                          |
//! | output                     | [`mod@format`], [`page`]       | figures as text, a report as HTML; pure      |
//!
//! # Rules
//!
//! 1. `mio` and `slab` are named in `event_loop` only.
//! 2. `Instant::now` and `SystemTime::now` are called in the loop and at the top of a job only.
//! 3. No `use` points upward.
//! 4. No `unsafe`.
//! 5. No function is longer than 60 lines and no file longer than 400; tests and the
//!    documentation of a module are not counted.
//! 6. README's help blocks equal `--help`.
//!
//! # Two paths
//!
//! A byte: readiness event → [`event_loop::EventLoop`] → `Connection::pump` →
//! [`serve::http::HttpServer`] → [`http::request::RequestParser`] → [`event_loop::WriteQueue`]
//! → one send.
//!
//! A sample: [`load::client::LoadClient`] stamps and queues a request → a reply is read → framed
//! by [`http::response::ResponseReader`] → paired with its stamp → [`load::recorder::Recorder`] →
//! [`load::report::LoadReport`] → table or JSON.
//!
//! Neither path turns back.
//!
//! # Deliberately absent
//!
//! No async runtime, no HTTP framework, no HTTP/2, no scripting, no routes, no configuration file
//! but the suites of `compare`. More cores come from more copies of the same loop, never from
//! threads inside it.

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
