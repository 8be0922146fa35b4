//! Scripted peers: clients of the server, and servers of the client.

use crate::World;
use crate::socket::{Network, Owner, State};

/// Bytes that a scripted client sends at most.
const STREAM_BYTES_MAX: usize = 4_000;

const REQUESTS: [&str; 13] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /other HTTP/1.1\r\nHost: b\r\nAccept: */*\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: t\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "NONSENSE\r\n",
];

const REPLIES: [&str; 7] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Le",
    "garbage\r\n\r\n",
];

impl World<'_> {
    /// A scripted client connects to the server.
    pub fn script_dials(&mut self) {
        let mut network = self.network.borrow_mut();
        let scripts = network
            .ends
            .iter()
            .filter(|end| end.owner == Owner::Script && end.state == State::Open);
        // Without faults some descriptors are left for the load client.
        let crowded = !network.faults && scripts.count() >= 2;
        if network.listener.token.is_some() && !crowded {
            let id = network.pair(Owner::Script, Owner::Server);
            network.connect(id);
        }
    }

    /// A scripted peer sends, reads, ends or resets.
    pub fn script_acts(&mut self) {
        let network = &mut *self.network.borrow_mut();
        let open = |(_, end): &(usize, &crate::socket::End)| {
            end.owner == Owner::Script && end.state == State::Open
        };
        let scripts = network.ends.iter().enumerate().filter(open);
        let scripts: Vec<usize> = scripts.map(|(id, _)| id).collect();
        let Some(&id) = network.random.pick(&scripts) else {
            return;
        };
        let serves = network.ends[network.ends[id].peer].owner == Owner::Client;
        match network.random.below(24) {
            0 if network.faults => {
                let peer = network.ends[id].peer;
                network.ends[id].state = State::Closed;
                network.reset(peer);
            }
            1 => network.shut_write(id),
            2 if serves => network.close(id),
            3..=12 => {
                let mut buffer = vec![0; 1 + network.random.below(3_000)];
                let _ = network.read(id, &mut buffer);
            }
            _ => network.script_sends(id, serves),
        }
    }
}

impl Network {
    /// A few messages. What is not sent whole is cut for good where room ends, as by a peer that
    /// gives up.
    fn script_sends(&mut self, id: usize, serves: bool) {
        let end = &self.ends[id];
        let asked_for = !serves || !end.inbound.is_empty() || self.random.one_in(10);
        if end.write_shut || end.reset || !asked_for || end.sent_bytes > STREAM_BYTES_MAX {
            return;
        }
        let (messages, last_harmless) = match serves {
            true => (&REPLIES[..], 3),
            false => (&REQUESTS[..], 10),
        };
        let mut text = String::new();
        for _ in 0..=self.random.below(3) {
            let index = self.random.below(messages.len());
            if index <= last_harmless || self.random.one_in(8) {
                text.push_str(messages[index]);
            }
        }
        let _ = self.write(id, text.as_bytes());
    }
}
