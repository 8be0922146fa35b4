//! The servers of the table, and how each is started.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::options::{Load, Workload};
use super::process::{self, Client};
use super::rounds::Program;
use super::runner::{Bench, Result};
use super::table::Sample;
use super::{clients, exchange};
use crate::support::server::Server;
use crate::support::usage::wait_until_idle;

/// A row of the server table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The floor, answering with the reply of `serve http`.
    Floor,
    /// The floor measured twice; its distance from 1.00 is noise.
    FloorAgain,
    ServeHttp,
    Nginx,
    /// The floor, answering with the reply of `serve tcp`.
    FloorTcp,
    ServeTcp,
}

/// In the order of the table; a floor comes before the servers that are compared with it.
pub const ALL: [Kind; 6] = [
    Kind::Floor,
    Kind::FloorAgain,
    Kind::ServeHttp,
    Kind::Nginx,
    Kind::FloorTcp,
    Kind::ServeTcp,
];

/// More than any table opens. The default of `serve` is exactly as many as a table opens.
const CONNECTIONS_MAX: &str = "12000";

/// The replies of `serve http` and `serve tcp`, so that the floors send the same bytes.
pub struct Replies {
    pub http: Vec<u8>,
    tcp: Vec<u8>,
}

impl Replies {
    /// Takes a reply from each.
    pub fn ask(core: usize) -> io::Result<Replies> {
        let ask = |job| exchange::first_reply(serve(job, core)?.address());
        Ok(Replies {
            http: ask("http")?,
            tcp: ask("tcp")?,
        })
    }
}

impl Program for Kind {
    type Sample = Sample;

    fn name(self) -> &'static str {
        match self {
            Kind::Floor => "floor",
            Kind::FloorAgain => "floor-again",
            Kind::ServeHttp => "serve-http",
            Kind::Nginx => "nginx",
            Kind::FloorTcp => "floor-tcp",
            Kind::ServeTcp => "serve-tcp",
        }
    }

    fn floor(self) -> Kind {
        match self {
            Kind::Floor | Kind::FloorAgain | Kind::ServeHttp | Kind::Nginx => Kind::Floor,
            Kind::FloorTcp | Kind::ServeTcp => Kind::FloorTcp,
        }
    }

    fn installed(self) -> bool {
        self != Kind::Nginx || process::installed("nginx")
    }

    /// Replies to the floor client, and the CPU time of the server.
    fn measure(self, bench: &Bench, load: Load) -> Result<Sample> {
        let server = self.start(bench)?;
        let floor = clients::Kind::Floor;
        let command = floor.command(server.address(), load, bench)?;
        let mut client = Client::start(command, bench.client_core)?;
        client.line(Duration::ZERO)?;
        let before = wait_until_idle(server.process.id())?;
        let started = Instant::now();
        client.go()?;
        let count = client.line(load.duration)?;
        let wall = started.elapsed();
        let cpu = wait_until_idle(server.process.id())? - before;
        let requests = floor
            .completed(&count)
            .ok_or("the client did not say its count")?;
        Ok(Sample {
            requests,
            cpu,
            wall,
        })
    }
}

impl Kind {
    /// Starts it on a free port.
    pub fn start(self, bench: &Bench) -> io::Result<Server> {
        let core = bench.server_core;
        match self {
            Kind::Floor | Kind::FloorAgain => floor(&bench.replies.http, Workload::Repeated, core),
            Kind::FloorTcp => floor(&bench.replies.tcp, Workload::Repeated, core),
            Kind::ServeHttp => serve("http", core),
            Kind::ServeTcp => serve("tcp", core),
            Kind::Nginx => nginx(bench.scratch(), core),
        }
    }
}

/// Starts the floor server, which answers with `reply`, or with replies like it.
pub fn floor(reply: &[u8], workload: Workload, core: usize) -> io::Result<Server> {
    let reply = std::str::from_utf8(reply).map_err(io::Error::other)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["floor-server", reply, workload.name()]);
    process::announced(command, core)
}

fn serve(job: &str, core: usize) -> io::Result<Server> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bareloop"));
    command.args(["serve", job, "--bind", "127.0.0.1:0"]);
    command.args(["--connections-max", CONNECTIONS_MAX]);
    process::announced(command, core)
        .map_err(|error| io::Error::other(format!("bareloop serve {job}: {error}")))
}

/// One process that is its own worker, so that its CPU time is the whole cost; no log, and no limit
/// on the age of a connection.
fn nginx(scratch: &Path, core: usize) -> io::Result<Server> {
    process::on_free_port(core, |address| {
        let folder = scratch.display();
        let configuration = format!(
            "daemon off; master_process off; worker_processes 1;
             pid {folder}/nginx.pid; error_log {folder}/error.log crit;
             events {{ worker_connections 16384; }}
             http {{
                 access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s;
                 client_body_temp_path {folder}; proxy_temp_path {folder};
                 fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
                 server {{ listen {address}; location / {{ return 200 \"Hello World!\"; }} }}
             }}\n"
        );
        let path = scratch.join("nginx.conf");
        fs::write(&path, configuration)?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(scratch).arg("-c").arg(&path);
        Ok(command)
    })
}
