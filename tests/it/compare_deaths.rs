//! `compare` with servers that end in mid-run.

use std::net::TcpListener;
use std::path::Path;
use std::process::exit;
use std::thread;

use serde_json::Value;

use crate::harness::{bareloop, run};
use crate::support::peer::Peer;

/// Its value is the port of a server that ends.
const PORT: &str = "MORTAL_PORT";
/// Replies before it ends. The check of a reply takes five, and the load the others.
const REPLIES: usize = 20;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that ends under load. As a test it does nothing: [`mortal`] runs it as a contestant.
#[test]
fn server() {
    let Ok(port) = std::env::var(PORT) else {
        return;
    };
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("a free port");
    let _server = Peer::on(listener, |visit| {
        while visit.request().is_some() && visit.answer(OK) {
            if visit.before >= REPLIES {
                exit(7);
            }
        }
    });
    loop {
        thread::park();
    }
}

/// The contestant `mortal`, which lives through its first start and ends under load in its second.
fn mortal(folder: &Path) -> String {
    let this = std::env::current_exe().expect("the path of this program");
    format!(
        "mortal=mkdir '{}' 2>&1 && exec '{}' serve http --bind 127.0.0.1:{{port}}; \
         {PORT}={{port}} exec '{}' --quiet --exact compare_deaths::server",
        folder.join("lived").display(),
        env!("CARGO_BIN_EXE_bareloop"),
        this.display()
    )
}

/// The JSON of a comparison of `mortal` and others, which fails.
fn compared(only: &str, flags: &[&str]) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = bareloop();
    command.args(["compare", "-c", "2", "-p", "2", "-d", "0.2", "--json"]);
    command.args(["--warmup", "0.05", "--reference", "bareloop-http"]);
    command.args(["--server", &mortal(folder.path()), "--only", only]);
    let finished = run(command.args(flags));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    serde_json::from_str(&finished.stdout).expect("JSON")
}

fn row<'j>(json: &'j Value, name: &str) -> &'j Value {
    let rows = json["contestants"].as_array().expect("an array");
    let row = rows.iter().find(|row| row["name"] == name);
    row.unwrap_or_else(|| panic!("no {name} in {json:#}"))
}

fn rounds(row: &Value) -> u64 {
    row["runs"].as_array().expect("an array").len() as u64
}

fn assert_died_in_round_2(json: &Value) {
    let mortal = row(json, "mortal");
    assert_eq!(mortal["status"], "failed", "{mortal:#}");
    let reason = mortal["reason"].as_str().expect("a reason");
    let start = "in round 2: ended under load (exit status: 7)";
    assert!(reason.starts_with(start), "{reason}");
    assert_eq!(rounds(mortal), 1);
}

fn assert_went_on(json: &Value, name: &str) {
    let row = row(json, name);
    assert_eq!(row["status"], "ran", "{row:#}");
    assert_eq!(Some(rounds(row)), json["roundsDone"].as_u64(), "{json:#}");
}

#[test]
fn a_death_does_not_end_rounds_that_go_on_until_ratios_are_known() {
    let only = "mortal,bareloop-tcp,bareloop-http";
    let json = compared(only, &["-r", "auto", "--precision", "99%"]);
    assert_died_in_round_2(&json);
    assert!(json["roundsDone"].as_u64() >= Some(6), "{json:#}");
    assert_went_on(&json, "bareloop-tcp");
    assert_went_on(&json, "bareloop-http");
    let ratio = &row(&json, "bareloop-tcp")["ratio"];
    assert_eq!(ratio["bounds"], "interval", "{ratio:#}");
}

#[test]
fn a_death_in_a_duet_does_not_end_the_others() {
    let only = "mortal,bareloop-tcp,bareloop-http";
    let json = compared(only, &["-r", "3", "--duet"]);
    assert_died_in_round_2(&json);
    assert_eq!(json["roundsDone"], 3);
    assert_went_on(&json, "bareloop-tcp");
    assert_went_on(&json, "bareloop-http");
}

#[test]
fn the_death_of_the_reference_ends_duets() {
    let flags = ["-r", "50", "--duet", "--reference", "mortal"];
    let json = compared("mortal,bareloop-http", &flags);
    assert_died_in_round_2(&json);
    assert_eq!(json["roundsDone"], 2);
    assert_eq!(json["roundsEnd"], "nothingToJudge");
    assert_eq!(json["reference"], "mortal");
    let other = row(&json, "bareloop-http");
    assert_eq!((&other["status"], rounds(other)), (&"ran".into(), 1));
}
