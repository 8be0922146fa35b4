//! The clients of the table: how each is started, and where it prints its number of replies.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::options::{Load, Workload};
use super::rounds::Program;
use super::runner::{Bench, Result};
use super::table::Sample;
use super::{process, servers};

/// A row of the client table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Floor,
    /// The floor measured twice; its distance from 1.00 is noise.
    FloorAgain,
    Load,
    Wrk,
    H2load,
}

/// In the order of the table, the floor first.
pub const ALL: [Kind; 5] = [
    Kind::Floor,
    Kind::FloorAgain,
    Kind::Load,
    Kind::Wrk,
    Kind::H2load,
];

impl Program for Kind {
    type Sample = Sample;

    fn name(self) -> &'static str {
        match self {
            Kind::Floor => "floor",
            Kind::FloorAgain => "floor-again",
            Kind::Load => "load",
            Kind::Wrk => "wrk",
            Kind::H2load => "h2load",
        }
    }

    fn floor(self) -> Kind {
        Kind::Floor
    }

    fn installed(self) -> bool {
        match self {
            Kind::Floor | Kind::FloorAgain | Kind::Load => true,
            Kind::Wrk | Kind::H2load => process::installed(self.name()),
        }
    }

    /// Replies from the floor server, and the CPU time of the client.
    fn measure(self, bench: &Bench, load: Load) -> Result<Sample> {
        let server = servers::floor(&bench.replies.http, load.workload, bench.server_core)?;
        // Its requests are the same in any workload: the replies differ.
        let load = Load {
            workload: Workload::Repeated,
            ..load
        };
        let run = process::run(
            self.command(server.address(), load, bench)?,
            bench.client_core,
        )?;
        let requests = self
            .completed(&run.stdout)
            .ok_or("the client did not say its count")?;
        Ok(Sample {
            requests,
            cpu: run.cpu,
            wall: run.wall,
        })
    }
}

impl Kind {
    /// The command that loads `address`.
    pub fn command(self, address: SocketAddr, load: Load, bench: &Bench) -> io::Result<Command> {
        let url = format!("http://{address}/");
        let connections = load.connections.to_string();
        let pipelining = load.pipelining.to_string();
        let seconds = load.duration.as_secs().to_string();
        let (c, p, d) = (connections.as_str(), pipelining.as_str(), seconds.as_str());
        let mut command;
        match self {
            Kind::Floor | Kind::FloorAgain => {
                command = Command::new(std::env::current_exe()?);
                command.args(["floor-client", &address.to_string(), c, p, d]);
                command.arg(load.workload.name());
            }
            Kind::Load => {
                command = Command::new(env!("CARGO_BIN_EXE_bareloop"));
                command.args(["load", "-n", "--json", "-c", c, "-p", p, "-d", d, &url]);
            }
            Kind::Wrk => {
                command = Command::new("wrk");
                command.args(["-t", "1", "-c", c, "-d", d]);
                if load.pipelining > 1 {
                    command
                        .arg("-s")
                        .arg(wrk_script(load.pipelining, bench.scratch())?);
                }
                command.arg(&url);
            }
            Kind::H2load => {
                command = Command::new("h2load");
                command.args(["--h1", "-t", "1", "-c", c, "-m", p, "-D", d, &url]);
            }
        }
        Ok(command)
    }

    /// Replies completed, from the output of the client.
    pub fn completed(self, stdout: &str) -> Option<u64> {
        match self {
            Kind::Floor | Kind::FloorAgain => stdout.lines().last()?.parse().ok(),
            Kind::Load => {
                let report: serde_json::Value = serde_json::from_str(stdout).ok()?;
                report["requests"]["total"].as_u64()
            }
            // "  123456 requests in 1.00s, 16.48MB read"
            Kind::Wrk => number_before(stdout, " requests in "),
            // "requests: 123456 total, 123456 started, 123456 done, 123456 succeeded, 0 failed, ..."
            Kind::H2load => number_before(stdout, " succeeded, "),
        }
    }
}

/// The number right before the first `mark`.
fn number_before(text: &str, mark: &str) -> Option<u64> {
    let (before, _) = text.split_once(mark)?;
    before
        .rsplit(|byte: char| !byte.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// A script for wrk, which takes a block of requests for one request: its way to pipeline.
fn wrk_script(pipelining: usize, scratch: &Path) -> io::Result<PathBuf> {
    let path = scratch.join(format!("pipeline-{pipelining}.lua"));
    let script = format!(
        "local block
         init = function() block = string.rep(wrk.format(), {pipelining}) end
         request = function() return block end\n"
    );
    fs::write(&path, script)?;
    Ok(path)
}
