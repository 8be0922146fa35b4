//! Flags after `cargo bench --bench strain --`.

use std::num::NonZeroU64;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Figures of `bareloop serve http` under attack and strain, beside their bounds
#[derive(Parser)]
#[command(
    name = "strain",
    after_help = "\
Examples:
  cargo bench --bench strain
  cargo bench --bench strain -- --only blaster,blasters --seconds 30

Exit codes: 0 all was measured, bounds met or MISSED; 1 a measurement failed, or a reply was wrong;
2 bad usage."
)]
pub struct Options {
    /// Measure only these
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME")]
    only: Vec<Goal>,
    /// Length of each phase under load
    #[arg(long, default_value = "5")]
    seconds: NonZeroU64,
    /// Passed by `cargo bench`. `cargo test` does not pass it and measures nothing.
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Options {
    /// The chosen goals, in the order of the table.
    pub fn goals(&self) -> Vec<Goal> {
        let chosen = |goal: &Goal| self.only.is_empty() || self.only.contains(goal);
        Goal::value_variants()
            .iter()
            .copied()
            .filter(chosen)
            .collect()
    }

    pub fn span(&self) -> Duration {
        Duration::from_secs(self.seconds.get())
    }
}

/// One kind of attack or strain.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Goal {
    /// 10,000 idle connections
    Idle,
    /// One client that pipelines 200,000 requests and reads late
    Unread,
    /// 100 clients that pipeline without end and never read
    Flood,
    /// 500 clients that send a head byte by byte
    Drip,
    /// 500 clients and 64 descriptors
    Descriptors,
    /// Thousands of clients that reset their connections
    Reset,
    /// One client that pipelines as fast as it can
    Blaster,
    /// Eight of those, and 100 clients that send one request after the other
    Blasters,
    /// SIGTERM, under load and idle
    Stop,
    /// SIGTERM twice
    StopTwice,
    /// A new server on the port of an old one
    Restart,
    /// A port that is in use
    PortTaken,
    /// Clients that end their side and go on reading
    HalfClose,
    /// Refused clients that go on sending
    ErrorReply,
}

impl Goal {
    /// The name that `--only` takes.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
