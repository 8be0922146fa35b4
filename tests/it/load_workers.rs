//! `load -w N`: copies of the client, one report.

use crate::harness::{Server, output_of};
use crate::load_harness::{Peer, load_well};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn workers_share_an_amount_and_the_connections_exactly() {
    let peer = Peer::answering(OK);
    for (workers, connections, amount) in [(2, 2, 2), (2, 5, 1_001), (3, 10, 1_000)] {
        let before = peer.requests();
        let [w, c, a] = [workers, connections, amount].map(|n: u64| n.to_string());
        let report = load_well(&["-w", &w, "-c", &c, "-a", &a, &peer.url()]);
        report.assert_flawless();
        assert_eq!(report.count("/workers"), workers);
        assert_eq!(report.completed(), amount);
        assert_eq!(peer.requests() - before, amount);
        assert_eq!(report.count("/latency/totalCount"), amount);
        assert_eq!(report.count("/connects/opened"), connections);
    }
}

#[test]
fn workers_share_one_schedule() {
    let server = Server::http(&[]);
    for arrivals in ["constant", "poisson"] {
        let url = server.url();
        let flags = ["-c", "4", "-d", "1", "-R", "1000", "--arrivals", arrivals];
        let report = load_well(&[&["-w", "2"], &flags[..], &[&url]].concat());
        report.assert_flawless();
        let due = report.count("/accounting/due");
        match arrivals {
            "constant" => assert_eq!(due, 1000),
            // The standard deviation is 32.
            _ => assert!((800..1200).contains(&due), "{due}"),
        }
        let [in_flight, never_sent] =
            ["inFlight", "neverSent"].map(|part| report.count(&format!("/accounting/{part}")));
        assert_eq!(report.completed() + in_flight + never_sent, due);
    }
}

#[test]
fn what_workers_cannot_share_is_refused() {
    for (flags, part) in [
        (&["-c", "1"][..], "each needs a connection"),
        (&["-a", "1"][..], "each needs a connection"),
        (&["-B", "5"][..], "use -w 1"),
        (&["-w", "0"][..], "at least 1"),
    ] {
        let refused = output_of(&[&["load", "-w", "2", "http://127.0.0.1:1"], flags].concat());
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
}
