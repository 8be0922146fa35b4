//! `serve` on unix domain sockets, and the line about its work at the stop.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::{GET, PATIENCE, Server, bareloop, output_of};
use crate::support::process::{Finished, Process};

/// A `serve http` on a unix socket in a folder of its own.
struct OnSocket {
    process: Process,
    path: PathBuf,
    _folder: TempDir,
}

fn bind_flag(path: &Path) -> String {
    format!("unix:{}", path.display())
}

impl OnSocket {
    fn start() -> OnSocket {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sock");
        let mut server = OnSocket {
            process: OnSocket::process(&path),
            path,
            _folder: folder,
        };
        server.await_announcement();
        server
    }

    fn process(path: &Path) -> Process {
        let mut command = bareloop();
        command.args(["serve", "http", "--bind", &bind_flag(path)]);
        Process::start(&mut command).expect("the program starts")
    }

    fn await_announcement(&mut self) {
        let line = self.process.stdout.line(PATIENCE).expect("an announcement");
        let expected = format!("listening on unix:{}", self.path.display());
        assert_eq!(line.trim_end(), expected);
    }

    /// Sends `request` on a new connection, ends it, and returns all replies.
    fn ask(&self, requests: &[u8]) -> String {
        let mut stream = UnixStream::connect(&self.path).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.write_all(requests).expect("it reads");
        stream.shutdown(std::net::Shutdown::Write).expect("open");
        let mut replies = String::new();
        stream.read_to_string(&mut replies).expect("replies");
        replies
    }

    fn stop(&mut self) -> Finished {
        self.process.signal(Signal::TERM).expect("it runs");
        self.process.wait(PATIENCE).expect("it ends")
    }
}

#[test]
fn a_server_on_a_unix_socket_answers_and_removes_its_file_at_the_stop() {
    let mut server = OnSocket::start();
    let replies = server.ask(&GET.repeat(2));
    assert_eq!(replies.matches("HTTP/1.1 200 OK").count(), 2, "{replies}");
    assert!(server.path.exists());
    assert_eq!(server.stop().code, Some(0));
    assert!(!server.path.exists(), "the file is left behind");
}

#[test]
fn a_file_that_a_killed_server_left_is_taken_over() {
    let mut server = OnSocket::start();
    server.process.kill();
    server.process.wait(PATIENCE).expect("it was killed");
    assert!(server.path.exists(), "SIGKILL leaves the file");
    server.process = OnSocket::process(&server.path);
    server.await_announcement();
    assert!(server.ask(GET).contains("200 OK"));
}

#[test]
fn a_file_that_is_another_servers_stays_at_the_stop() {
    let mut first = OnSocket::start();
    fs::remove_file(&first.path).expect("its file");
    let second = UnixListener::bind(&first.path).expect("the path is free");
    assert_eq!(first.stop().code, Some(0));
    assert!(first.path.exists());
    drop(second);
}

#[test]
fn a_path_in_use_is_refused_and_nothing_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("live.sock");
    let _live = UnixListener::bind(&socket).expect("a free path");
    let file = folder.path().join("file");
    fs::write(&file, "text").expect("a new file");
    for (path, remedy) in [(&socket, "stop what listens"), (&file, "is not a socket")] {
        let output = output_of(&["serve", "http", "--bind", &bind_flag(path)]);
        assert_eq!(output.code, Some(1));
        let named = output.stderr.contains(&path.display().to_string());
        assert!(named && output.stderr.contains(remedy), "{}", output.stderr);
    }
    UnixStream::connect(&socket).expect("the other server still listens");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "text");
}

#[test]
fn a_stop_prints_one_line_about_the_work_done() {
    let mut server = OnSocket::start();
    server.ask(&GET.repeat(3));
    server.ask(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    server.ask(b"nonsense\r\n\r\n");
    let line = server.stop().stdout;
    assert!(
        line.starts_with("served 5 requests on 3 connections in ")
            && line.ends_with(", 2 refused\n"),
        "{line:?}"
    );
    let server = Server::tcp(&[]);
    server.connect().send("\r\n\r\n\r\n\r\n");
    server.signal(Signal::TERM);
    let line = server.wait().stdout;
    assert!(
        line.starts_with("served 2 requests on 1 connection in "),
        "{line:?}"
    );
}
