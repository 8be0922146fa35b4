//! Flags after `cargo bench --bench floor --`, and the parts that the bench starts itself as.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

/// Requests per CPU-second of `bareloop`, beside those of programs that make only the system calls
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
    /// Tables to measure.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "servers,clients"
    )]
    pub tables: Vec<Measured>,
    /// Workloads of the tables of servers and clients; one table for each.
    #[arg(
        short,
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "repeated,varying"
    )]
    pub workload: Vec<Workload>,
    /// Measure only these programs (and their floors).
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub only: Vec<String>,
    /// Passed by `cargo bench`. `cargo test` does not pass it and measures nothing.
    #[arg(long, hide = true)]
    pub bench: bool,
    #[command(subcommand)]
    pub part: Option<Part>,
}

/// A kind of table.
#[derive(Clone, Copy, ValueEnum)]
pub enum Measured {
    /// Servers' requests per CPU-second.
    Servers,
    /// Clients' requests per CPU-second.
    Clients,
    /// CPU time at many connections, memory and start.
    Scale,
    /// Latencies at half of the floor server's maximum.
    Tail,
}

/// Requests sent to a server, and replies sent to a client.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// The same short request over and over, answered with the same reply.
    Repeated,
    /// To servers, heads of a browser, each with its own target and cookie. To clients, replies
    /// each with its own X-Request-Id.
    Varying,
}

impl Workload {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Workload::Repeated => "repeated",
            Workload::Varying => "varying",
        }
    }
}

/// A program that the bench is besides: each end is a process of its own, with its own CPU time.
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
