//! A server as a process of its own, once it listens.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::process::Process;

/// Time between two attempts to connect to a server that does not announce its address.
const RETRY: Duration = Duration::from_millis(2);

/// Ports tried before a server that cannot start is given up.
const PORTS_MAX: usize = 3;

#[derive(Debug)]
pub struct Server {
    pub process: Process,
    addresses: Vec<SocketAddr>,
}

impl Server {
    /// A server that announces the addresses it listens on, all with one write: a line
    /// `listening on SCHEME://ADDRESS` for each.
    pub fn announced(mut process: Process) -> io::Result<Server> {
        let mut addresses = Vec::new();
        let mut line = match process.stdout.line(PATIENCE) {
            Ok(line) => Some(line),
            Err(error) => {
                process.kill();
                let stderr = process.wait(PATIENCE)?.stderr;
                return Err(io::Error::other(format!(
                    "no address was announced ({error}): {stderr}"
                )));
            }
        };
        while let Some(announced) = line {
            addresses.push(address_in(&announced)?);
            line = process.stdout.line_received();
        }
        Ok(Server { process, addresses })
    }

    /// A server that is told its address: a free port of 127.0.0.1. Returns when it accepts.
    ///
    /// Another process can take the port before the server does; then the next port is tried.
    pub fn on_free_port(
        mut start: impl FnMut(SocketAddr) -> io::Result<Process>,
    ) -> io::Result<Server> {
        let mut failure = String::new();
        for _ in 0..PORTS_MAX {
            let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
            let mut process = start(address)?;
            let until = Instant::now() + PATIENCE;
            loop {
                let is_accepting = TcpStream::connect(address).is_ok();
                if !process.is_running()? {
                    failure = process.wait(PATIENCE)?.stderr;
                    break;
                }
                if is_accepting {
                    let addresses = vec![address];
                    return Ok(Server { process, addresses });
                }
                if Instant::now() > until {
                    return Err(io::Error::other(format!("does not listen on {address}")));
                }
                thread::sleep(RETRY);
            }
        }
        Err(io::Error::other(format!("ended at its start: {failure}")))
    }

    /// The first address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All addresses it listens on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

fn address_in(line: &str) -> io::Result<SocketAddr> {
    line.trim_end()
        .strip_prefix("listening on ")
        .and_then(|url| url.split_once("://"))
        .and_then(|(_, address)| address.parse().ok())
        .ok_or_else(|| io::Error::other(format!("not an announced address: {line:?}")))
}
