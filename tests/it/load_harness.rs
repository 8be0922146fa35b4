//! Runs of `load`, and their reports with all sums checked.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Finished, bareloop, run};
pub use crate::support::peer::{Peer, Visit};

/// A report of `load --json` whose sums have been checked.
#[derive(Clone, Debug)]
pub struct Report {
    json: Value,
}

impl Report {
    /// The report that `finished` printed.
    pub fn of(finished: &Finished) -> Report {
        assert_eq!(finished.stdout.lines().count(), 1, "{finished:?}");
        let json = serde_json::from_str(&finished.stdout)
            .unwrap_or_else(|e| panic!("no JSON: {e}: {finished:?}"));
        let report = Report { json };
        report.check_sums();
        report
    }

    /// The value at this JSON pointer (RFC 6901).
    pub fn at(&self, pointer: &str) -> &Value {
        self.json
            .pointer(pointer)
            .unwrap_or_else(|| panic!("no {pointer} in {:#}", self.json))
    }

    /// The count at this JSON pointer.
    pub fn count(&self, pointer: &str) -> u64 {
        let value = self.at(pointer);
        value
            .as_u64()
            .unwrap_or_else(|| panic!("{pointer} is {value}"))
    }

    /// The number at this JSON pointer.
    pub fn number(&self, pointer: &str) -> f64 {
        let value = self.at(pointer);
        value
            .as_f64()
            .unwrap_or_else(|| panic!("{pointer} is {value}"))
    }

    pub fn sent(&self) -> u64 {
        self.count("/accounting/sent")
    }

    pub fn completed(&self) -> u64 {
        self.count("/accounting/completed")
    }

    pub fn timed_out(&self) -> u64 {
        self.count("/accounting/timedOut")
    }

    pub fn lost(&self) -> u64 {
        self.count("/accounting/lost")
    }

    pub fn in_flight(&self) -> u64 {
        self.count("/accounting/inFlight")
    }

    /// Errors of this kind.
    pub fn errors(&self, kind: &str) -> u64 {
        self.count(&format!("/errorKinds/{kind}"))
    }

    pub fn errors_of_any_kind(&self) -> u64 {
        self.count("/errors")
    }

    /// The warnings of the verdict.
    pub fn reasons(&self) -> String {
        self.at("/verdict/reasons").to_string()
    }

    /// Asserts that each request was answered without an error.
    pub fn assert_flawless(&self) {
        let troubles = [
            self.errors_of_any_kind(),
            self.timed_out(),
            self.lost(),
            self.count("/resets"),
            self.count("/mismatches"),
            self.count("/variedBodies"),
            self.count("/non2xx"),
        ];
        assert_eq!(troubles, [0; 7], "{:#}", self.json);
        assert!(self.completed() > 0, "{:#}", self.json);
    }

    /// Checks the sums that hold in every report, whatever the server did.
    fn check_sums(&self) {
        let kinds: u64 = [
            "refused",
            "unreachable",
            "reset",
            "closedEarly",
            "timeout",
            "badReply",
            "noLocalPort",
            "noDescriptor",
            "other",
        ]
        .iter()
        .map(|kind| self.errors(kind))
        .sum();
        let classes =
            ["/2xx", "/3xx", "/4xx", "/5xx", "/otherStatus"].map(|class| self.count(class));
        let codes = self.at("/statusCodeStats").as_object().expect("an object");
        let by_code: u64 = codes
            .keys()
            .map(|code| self.count(&format!("/statusCodeStats/{code}/count")))
            .sum();
        for (what, left, right) in [
            (
                "every request",
                self.sent(),
                self.completed() + self.timed_out() + self.lost() + self.in_flight(),
            ),
            ("requests.sent", self.count("/requests/sent"), self.sent()),
            (
                "requests.total",
                self.count("/requests/total"),
                self.completed(),
            ),
            (
                "latencies",
                self.count("/latency/totalCount"),
                self.completed(),
            ),
            ("errors", self.errors_of_any_kind(), kinds),
            ("timeouts", self.count("/timeouts"), self.timed_out()),
            ("timeout", self.errors("timeout"), self.timed_out()),
            (
                "mismatches",
                self.count("/mismatches"),
                self.errors("wrongBody"),
            ),
            ("classes", classes.iter().sum(), self.completed()),
            ("status codes", by_code, self.completed()),
            (
                "non2xx",
                self.count("/non2xx"),
                self.completed() - classes[0],
            ),
        ] {
            assert_eq!(left, right, "{what}: {:#}", self.json);
        }
        let slots = self.count("/connections") * self.count("/pipelining");
        assert!(self.in_flight() <= slots, "{:#}", self.json);
    }
}

/// `load --json` with these flags; the URL is one of them.
pub fn load_command(flags: &[&str]) -> Command {
    let mut command = bareloop();
    command.args(["load", "--json"]).args(flags);
    command
}

/// Runs `load` to its end.
pub fn load(flags: &[&str]) -> (Finished, Report) {
    let finished = run(&mut load_command(flags));
    let report = Report::of(&finished);
    (finished, report)
}

/// Runs `load`, which has to succeed without output on stderr.
pub fn load_well(flags: &[&str]) -> Report {
    let (finished, report) = load(flags);
    assert_eq!(finished.code, Some(0), "{flags:?}: {finished:?}");
    assert_eq!(finished.stderr, "", "{flags:?}");
    report
}
