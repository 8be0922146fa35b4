//! `bareloop`: a server, a load generator and a comparison on one hand-written event loop.
//!
//! - `serve` answers HTTP (or each CR LF CR LF) as fast as one core's kernel allows;
//! - `load` measures a server and reports how far its own figures can be trusted;
//! - `compare` runs servers side by side under the same load and gives a verdict.
//!
//! # Layers
//!
//! Modules import only from layers below them; `tests/architecture.rs` checks this.
//!
//! | layer                   | modules                  | handles                                 |
//! |-------------------------|--------------------------|-----------------------------------------|
//! | command line            | [`cli`]                  | flags, standard streams, exit codes     |
//! | comparison              | [`compare`]              | contestants, rounds, statistics         |
//! | servers, load generator | [`serve`], [`load`]      | requests and replies (*)                |
//! | event loop              | [`event_loop`]           | `mio`, `slab`, sockets, clocks          |
//! | HTTP codec              | [`http`]                 | bytes; pure, no I/O                     |
//! | output                  | [`mod@format`], [`page`] | figures as text, a report as HTML; pure |
//!
//! (*) No socket, and no clock below the top of a job.
//!
//! # Rules
//!
//! 1. `mio` and `slab` are named in `event_loop` only.
//! 2. `Instant::now` and `SystemTime::now` are called in the loop and at the top of a job only.
//! 3. No `use` names a higher layer.
//! 4. No `unsafe`.
//! 5. No function is longer than 60 lines and no file longer than 400; tests and the
//!    documentation of a module are not counted.
//! 6. README's help blocks equal `--help`.
//!
//! # Two paths
//!
//! A byte: readiness event → [`event_loop::EventLoop`] → `Connection::pump` →
//! [`serve::http::HttpServer`] → request cache or [`http::request::RequestParser`] →
//! [`event_loop::WriteQueue`] → one send.
//!
//! A sample: [`load::client::LoadClient`] stamps and queues a request → a reply is read → framed
//! by [`http::response::ResponseReader`] → paired with its stamp → [`load::recorder::Recorder`] →
//! [`load::report::LoadReport`] → table or JSON.
//!
//! # Deliberately absent
//!
//! No async runtime, no HTTP framework, no HTTP/2, no scripting, no routes, and no configuration
//! file except the suites of `compare`. To use more cores, copies of the same loop run on a thread
//! each; a loop itself has no threads.

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
