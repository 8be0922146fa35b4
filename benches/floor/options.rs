//! The flags after `cargo bench --bench floor --`, and the programs the bench is besides.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

/// How far `bareloop` is from the kernel's floor.
#[derive(Parser)]
#[command(name = "floor")]
pub struct Options {
    /// Connections kept open at once.
    #[arg(short, long, default_value = "100")]
    pub connections: NonZeroUsize,
    /// Requests in flight on each connection; one table for each.
    #[arg(short, long, value_delimiter = ',', default_value = "1,10,16")]
    pub pipelining: Vec<NonZeroUsize>,
    /// Whole seconds of each measurement.
    #[arg(short, long, default_value = "1")]
    pub duration: NonZeroUsize,
    /// Rounds; each measures every program once.
    #[arg(short, long, default_value = "5")]
    pub rounds: NonZeroUsize,
    /// What to measure.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "servers,clients"
    )]
    pub tables: Vec<Measured>,
    /// What the tables of servers and clients are measured with; a table for each.
    #[arg(
        short,
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "repeated,varying"
    )]
    pub workload: Vec<Workload>,
    /// Measure these programs only (and the floors that they stand beside).
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub only: Vec<String>,
    /// Given by `cargo bench`, and not by `cargo test`, which must not measure anything.
    #[arg(long, hide = true)]
    pub bench: bool,
    #[command(subcommand)]
    pub part: Option<Part>,
}

/// A table, or more than one of a kind.
#[derive(Clone, Copy, ValueEnum)]
pub enum Measured {
    /// Servers' requests per CPU-second.
    Servers,
    /// Clients' requests per CPU-second.
    Clients,
    /// CPU, memory and start at very many connections.
    Scale,
    /// Latencies at half of the floor server's maximum.
    Tail,
}

/// What is sent to a server, and what a client gets for it.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// The same short request over and over, answered with the same reply.
    Repeated,
    /// To servers, heads of a browser, each with its own target and cookie. To clients, replies
    /// each with its own X-Request-Id.
    Varying,
}

impl Workload {
    /// As the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            Workload::Repeated => "repeated",
            Workload::Varying => "varying",
        }
    }
}

/// What the bench starts itself as, so that each end's CPU time is a process of its own.
#[derive(Subcommand)]
#[command(hide = true)]
pub enum Part {
    #[command(hide = true)]
    FloorServer { reply: String, workload: Workload },
    #[command(hide = true)]
    FloorClient {
        address: SocketAddr,
        connections: usize,
        pipelining: usize,
        seconds: u64,
        workload: Workload,
    },
    #[command(hide = true)]
    PacedClient {
        address: SocketAddr,
        connections: usize,
        rate_per_second: NonZeroU64,
        seconds: u64,
    },
}

/// One measurement's load.
#[derive(Clone, Copy)]
pub struct Load {
    pub connections: usize,
    pub pipelining: usize,
    pub duration: Duration,
    pub workload: Workload,
}

impl Options {
    pub fn load(&self, pipelining: NonZeroUsize, workload: Workload) -> Load {
        Load {
            connections: self.connections.get(),
            pipelining: pipelining.get(),
            duration: Duration::from_secs(self.duration.get() as u64),
            workload,
        }
    }
}
