//! `compare` with https servers: whose certificates are accepted, and in which parts.

use serde_json::Value;

use crate::compare_suite::{self, json};
use crate::harness::{Finished, bareloop, run};
use crate::load_harness::Peer;
use crate::load_tls::{Certificate, answer, https, tls_peer};

fn peer(certificate: &Certificate) -> Peer {
    tls_peer(certificate, answer).0
}

/// `compare` of one peer under two names, with a sign of readiness, and these settings.
fn compare(peer: &Peer, settings: &str, flags: &[&str]) -> Finished {
    let url = https(peer);
    let server = |name| {
        format!(
            "[[server]]\nname = '{name}'\nurl = '{url}'\nready = {{ path = '/', timeout = 1 }}\n"
        )
    };
    let suite = format!("[settings]\n{settings}\n{}{}", server("a"), server("b"));
    compare_suite::compare(&suite, &[&["-p", "2", "--warmup", "0.05"], flags].concat())
}

fn assert_ran(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let json = json(finished);
    for index in [0, 1] {
        let row = &json["contestants"][index];
        assert_eq!(row["status"], "ran", "{row:#}");
        assert_eq!(row["errors"], 0, "{row:#}");
    }
}

#[test]
fn named_authorities_are_trusted_in_rounds_sweeps_and_searches() {
    let certificate = Certificate::for_name("localhost");
    let (peer, pem) = (peer(&certificate), certificate.pem());
    let after = [
        "--sweep-connections",
        "1,2",
        "--find-rate",
        "max<10s",
        "--trial-duration",
        "0.05",
        "-R",
        "50",
    ];
    let finished = compare(
        &peer,
        "",
        &[&["--json", "--cacert", &pem], &after[..]].concat(),
    );
    // On a busy machine a search may sign no rate.
    assert!(matches!(finished.code, Some(0 | 1)), "{finished:?}");
    let json = json(&finished);
    let certificates = json["settings"].get("certificates");
    assert_eq!(certificates, Some(&Value::Null));
    for index in [0, 1] {
        let (sweep, row) = (&json["sweeps"][index], &json["contestants"][index]);
        assert_eq!(sweep.get("reason"), Some(&Value::Null), "{sweep:#}");
        assert_eq!(row["status"], "ran", "{row:#}");
        let trials = row["findRate"]["trials"].as_array().expect("trials");
        let answered = trials.iter().any(|trial| trial["valueMs"].is_number());
        assert!(answered, "{row:#}");
    }
}

#[test]
fn named_authorities_are_trusted_in_duets_and_by_a_suite() {
    let certificate = Certificate::for_name("localhost");
    let peer = peer(&certificate);
    let settings = format!("duet = true\ncacert = '{}'", certificate.pem());
    assert_ran(&compare(&peer, &settings, &["--json"]));
}

#[test]
fn unverified_certificates_are_a_warning_and_a_fact() {
    let certificate = Certificate::for_name("other.test");
    let peer = peer(&certificate);
    for (settings, flags, warning) in [
        ("", &["--json", "-k"][..], "warning: -k: "),
        (
            "insecure = true",
            &["--json"],
            "warning: --suite: insecure: ",
        ),
        // The flag decides.
        ("cacert = 'missing.pem'", &["--json", "-k"], "warning: -k: "),
    ] {
        let finished = compare(&peer, settings, flags);
        assert_ran(&finished);
        assert!(finished.stderr.contains(warning), "{finished:?}");
        let facts = &json(&finished)["settings"];
        assert_eq!(facts["certificates"], "not verified");
    }
    let page = compare(&peer, "", &["-k", "--export-html", "-"]);
    assert!(page.stdout.contains("not verified"), "{page:?}");
    let table = compare(&peer, "", &["-k"]);
    assert!(table.stdout.contains("not verified (-k)"), "{table:?}");
}

#[test]
fn certificates_of_unknown_issuers_are_refused() {
    let (right, other) = (
        Certificate::for_name("localhost"),
        Certificate::for_name("other.test"),
    );
    let (peer, pem) = (peer(&right), other.pem());
    for flags in [&["--json"][..], &["--json", "--cacert", &pem]] {
        let finished = compare(&peer, "", flags);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let reason = &json(&finished)["contestants"][0]["reason"];
        let reason = reason.as_str().expect("a reason");
        assert!(reason.contains("issuer of the certificate"), "{reason}");
    }
}

#[test]
fn authorities_that_cannot_be_read_are_one_line_that_names_the_flag_or_the_key() {
    let certificate = Certificate::for_name("localhost");
    let peer = peer(&certificate);
    let both = "cacert = 'missing.pem'\ninsecure = true";
    for (settings, flags, line) in [
        (
            "",
            &["--cacert", "missing.pem"][..],
            "error: --cacert missing.pem: ",
        ),
        (
            "insecure = true",
            &["--cacert", "missing.pem"],
            "error: --cacert missing.pem: ",
        ),
        (
            "cacert = 'missing.pem'",
            &[],
            "error: --suite: cacert missing.pem: ",
        ),
        (both, &[], "error: --suite: insecure and cacert"),
    ] {
        let finished = compare(&peer, settings, flags);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.starts_with(line), "{finished:?}");
        assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
    }
}

#[test]
fn flags_of_https_without_an_https_server_are_warned_of() {
    for (flags, warning) in [
        (
            &["--cacert", "missing.pem"][..],
            "warning: --cacert: http has no",
        ),
        (&["-k"], "warning: -k: no server has"),
    ] {
        let mut command = bareloop();
        command.args(["compare", "-d", "0.1", "-r", "1", "--warmup", "0.05"]);
        command.args(flags);
        let finished = run(command.args(["--only", "bareloop-tcp", "--json"]));
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(finished.stderr.starts_with(warning), "{finished:?}");
        let certificates = &json(&finished)["settings"]["certificates"];
        assert_eq!(*certificates, Value::Null);
    }
}
