//! `load` over TLS: what the server sees, and one clear line for each reason to refuse it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
#[cfg(unix)]
use std::process::Command;
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::harness::{Complaints, Server, bareloop, run};
use crate::load_harness::{Peer, Visit, load, load_well};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A certificate made for a test, in files of its own.
pub struct Certificate {
    folder: tempfile::TempDir,
    der: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Certificate {
    /// Signed by itself, for `name`.
    pub fn for_name(name: &str) -> Certificate {
        Certificate::with(name, |_| {})
    }

    fn with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        // A test may trust another one, which must not look like the issuer of this one.
        let names = &mut params.distinguished_name;
        names.push(rcgen::DnType::CommonName, name);
        change(&mut params);
        let certificate = params.self_signed(&key).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("cert.pem"), certificate.pem()).expect("room");
        fs::write(folder.path().join("key.pem"), key.serialize_pem()).expect("room");
        Certificate {
            folder,
            der: certificate.into(),
            key: key.serialize_der(),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn pem(&self) -> String {
        let path = self.file("cert.pem");
        path.to_str().expect("UTF-8").to_owned()
    }

    fn server_config(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], key)
            .expect("they fit");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

/// Names in the handshake of each client: the server's, and the protocol's.
pub type Asked = Arc<Mutex<Vec<(Option<String>, Option<Vec<u8>>)>>>;

/// A peer that serves over TLS, and what its clients asked for.
pub fn tls_peer(
    certificate: &Certificate,
    serve: impl Fn(&mut Visit) + Clone + Send + 'static,
) -> (Peer, Asked) {
    let config = certificate.server_config();
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    let wrap = move |mut socket: TcpStream| {
        let mut tls = ServerConnection::new(Arc::clone(&config)).expect("a server");
        // A client that refuses the certificate ends here.
        while tls.is_handshaking() {
            if tls.complete_io(&mut socket).is_err() {
                break;
            }
        }
        let protocol = tls.alpn_protocol().map(<[u8]>::to_vec);
        let name = tls.server_name().map(str::to_owned);
        seen.lock().expect("no panic").push((name, protocol));
        StreamOwned::new(tls, socket)
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    (Peer::wrapping(listener, wrap, serve), asked)
}

pub fn answer(visit: &mut Visit) {
    while visit.request().is_some() && visit.answer(OK.as_bytes()) {}
}

pub fn https(peer: &Peer) -> String {
    format!("https://localhost:{}/x", peer.address().port())
}

#[test]
fn the_client_sees_the_same_over_tls_and_the_server_its_name_and_http_1_1() {
    let certificate = Certificate::for_name("localhost");
    let (peer, asked) = tls_peer(&certificate, answer);
    let pem = certificate.pem();
    let flags = ["-c", "3", "-p", "5", "-a", "300", "--cacert", &pem];
    let urls = [https(&peer), https(&peer) + "?second"];
    let urls = urls.each_ref().map(String::as_str);
    let report = load_well(&[&flags[..], &urls].concat());
    report.assert_flawless();
    assert_eq!(report.completed(), 300);
    assert_eq!(report.count("/requestsInTurn"), 2);
    assert_eq!(report.at("/tls/verified"), true);
    assert!(report.number("/connects/latencyMs/max") > 0.0);
    let request = String::from_utf8(peer.last_request()).expect("text");
    let host = format!("Host: localhost:{}\r\n", peer.address().port());
    assert!(request.contains(&host), "{request}");
    let asked = asked.lock().expect("no panic");
    // The connect check, then those of the run.
    assert_eq!(asked.len(), 4);
    for (name, protocol) in asked.iter() {
        assert_eq!(name.as_deref(), Some("localhost"));
        assert_eq!(protocol.as_deref(), Some(&b"http/1.1"[..]));
    }
}

#[test]
fn large_messages_pass_in_both_directions() {
    let certificate = Certificate::for_name("localhost");
    let body = "x".repeat(2_000_000);
    let reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (peer, _) = tls_peer(&certificate, move |visit| {
        while visit.request().is_some() && visit.answer(reply.as_bytes()) {}
    });
    let file = certificate.file("body");
    fs::write(&file, &body).expect("room");
    let (pem, file) = (certificate.pem(), file.display().to_string());
    let flags = ["-m", "POST", "-i", &file, "-c", "2", "-p", "2", "-a", "8"];
    let url = https(&peer);
    let report = load_well(&[&flags[..], &["--cacert", &pem, &url]].concat());
    report.assert_flawless();
    assert_eq!(report.completed(), 8);
    assert!(peer.last_request().ends_with(body.as_bytes()));
}

#[test]
fn each_reason_to_refuse_a_server_is_one_line() {
    let right = Certificate::for_name("localhost");
    let other = Certificate::for_name("other.test");
    let expired = Certificate::with("localhost", |params| {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    });
    let future = Certificate::with("localhost", |params| {
        params.not_before = rcgen::date_time_ymd(3001, 1, 1);
        params.not_after = rcgen::date_time_ymd(3002, 1, 1);
    });
    let plain = Server::http(&[]);
    let plain_url = format!("https://{}", plain.address());
    let closing = Peer::serving(|_| {});
    let mut complaints = Complaints::default();
    let mut check = |url: &str, trusted: Option<&Certificate>, said: &str| {
        let trust = trusted.map(|trusted| format!("--cacert={}", trusted.pem()));
        let finished = run(bareloop().args(["load", "-a", "1"]).args(trust).arg(url));
        let line = format!("error: cannot connect to {}: ", url.trim_end_matches('/'));
        let stderr = &finished.stderr;
        let is_one_line = stderr.lines().count() == 1 && stderr.starts_with(&line);
        if finished.code != Some(1) || !is_one_line || !stderr.contains(said) {
            complaints.add(format_args!("{said}: {finished:?}"));
        }
    };
    for (certificate, trusted, said) in [
        (
            &other,
            Some(&other),
            "for another name (DnsName(\"other.test\"))",
        ),
        (&expired, Some(&expired), "has expired"),
        (&future, Some(&future), "not valid yet"),
        (
            &right,
            Some(&other),
            "issuer of the certificate is not trusted",
        ),
        (&right, None, "issuer of the certificate is not trusted"),
    ] {
        let (peer, _) = tls_peer(certificate, answer);
        check(&https(&peer), trusted, said);
    }
    check(&plain_url, None, "does not answer in TLS");
    check(
        &https(&closing),
        None,
        "closed the connection during the TLS handshake",
    );
    complaints.settle();
}

#[test]
fn any_certificate_is_accepted_with_k_and_a_warning() {
    let certificate = Certificate::for_name("other.test");
    let (peer, _) = tls_peer(&certificate, answer);
    let (finished, report) = load(&["-k", "-a", "10", &https(&peer)]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stderr.starts_with("warning: -k: "), "{finished:?}");
    assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
    assert_eq!(report.at("/tls/verified"), false);
    let finished = run(bareloop().args(["load", "-k", "-a", "10", &https(&peer)]));
    assert!(
        finished.stdout.contains("not verified (-k)"),
        "{finished:?}"
    );
}

#[cfg(unix)]
#[test]
#[ignore = "needs nginx"]
fn nginx_is_loaded_over_tls() {
    let certificate = Certificate::for_name("localhost");
    let folder = certificate.folder.path().display().to_string();
    let server = Server::on_free_port(|address| {
        let config = format!(
            "daemon off; master_process off; pid {folder}/pid; error_log stderr;
            events {{}}
            http {{
              access_log off;
              client_body_temp_path {folder}; proxy_temp_path {folder};
              fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
              keepalive_requests 1000000;
              server {{
                listen {address} ssl;
                ssl_certificate {folder}/cert.pem;
                ssl_certificate_key {folder}/key.pem;
                location / {{ return 200 'Hello World!'; }}
              }}
            }}"
        );
        let file = certificate.file("nginx.conf");
        fs::write(&file, config).expect("room");
        let mut command = Command::new("nginx");
        command.args(["-p", &folder, "-c"]).arg(file);
        command
    });
    let url = format!("https://localhost:{}/", server.address().port());
    let pem = certificate.pem();
    let flags = ["-c", "10", "-p", "4", "-a", "20000", "--cacert", &pem, &url];
    let report = load_well(&flags);
    report.assert_flawless();
    assert_eq!(report.completed(), 20_000);
}
