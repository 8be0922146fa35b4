//! On real processes. Each test looks that none is left, by the ids it started.

use std::path::Path;
use std::time::Instant;

use rustix::process::{Pid, test_kill_process};

use super::*;

const SOON: Duration = Duration::from_millis(50);
/// No test takes so long unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn shell(line: &str) -> Contestant {
    format!("server={line} # {{port}}").parse().unwrap()
}

fn start(line: &str) -> Server {
    Server::start(&shell(line), &Children::new()).unwrap()
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain");
        thread::yield_now();
    }
}

/// Gone, or dead and waiting for a foster parent to reap it.
fn is_gone(id: u32) -> bool {
    let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest.trim_start());
    test_kill_process(pid).is_err() || state.starts_with('Z')
}

/// The process id that the server has written as its last line.
fn written_id(server: &mut Server) -> u32 {
    let mut id = None;
    wait_until(|| {
        id = server.error_excerpt().parse().ok();
        id.is_some()
    });
    id.unwrap()
}

fn failure(result: Result<(), Stopped>) -> Failure {
    match result {
        Err(Stopped::Failed(failure)) => failure,
        other => panic!("expected a failure: {other:?}"),
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let contestants = Contestant::defaults(Path::new("/nowhere/bareloop"));
    let children = Children::new();
    let failure = Server::start(&contestants[2], &children).unwrap_err();
    let program = "/nowhere/bareloop".to_owned();
    assert_eq!(failure, Failure::NotFound { program });
    assert!(children.lock().is_empty());
}

#[test]
fn a_command_that_the_shell_does_not_find_says_so() {
    let mut server = start("no-such-program-anywhere");
    let failure = failure(server.wait_until_ready(PATIENCE, &StopSignal::new()));
    let text = failure.to_string();
    assert!(text.contains("127") && text.contains("not found"), "{text}");
    assert!(is_gone(server.id()));
}

#[test]
fn a_server_that_ends_at_once_is_quoted() {
    let mut server = start("echo first >&2; echo 'port \x1b[31mtaken' >&2; echo; exit 3");
    let failure = failure(server.wait_until_ready(PATIENCE, &StopSignal::new()));
    let text = failure.to_string();
    assert_eq!(
        text,
        "ended before it listened (exit status: 3): port [31mtaken"
    );
    assert!(is_gone(server.id()));
}

#[test]
fn stdout_is_quoted_if_stderr_is_silent() {
    let mut server = start("echo 'no licence'; exit 1");
    let failure = failure(server.wait_until_ready(PATIENCE, &StopSignal::new()));
    assert!(failure.to_string().ends_with(": no licence"), "{failure}");
}

#[test]
fn a_server_that_never_listens_is_ended() {
    let mut server = start("exec sleep 1000");
    let failure = failure(server.wait_until_ready(SOON, &StopSignal::new()));
    assert!(matches!(
        failure,
        Failure::NeverListened { within: SOON, .. }
    ));
    assert!(failure.to_string().contains("within 0.05 s"), "{failure}");
    assert!(is_gone(server.id()));
}

#[test]
fn a_server_is_ready_when_its_port_accepts_and_it_lives() {
    let mut server = start("exec sleep 1000");
    let _listener = TcpListener::bind(server.address()).unwrap();
    assert_eq!(
        server.wait_until_ready(PATIENCE, &StopSignal::new()),
        Ok(())
    );
    assert!(!server.has_ended());
    assert!(server.stop(&StopSignal::new()).contains("signal: 15"));
    assert!(is_gone(server.id()));
}

#[test]
fn a_stranger_on_the_port_does_not_make_a_dead_server_ready() {
    let mut server = start("exit 1");
    let _stranger = TcpListener::bind(server.address()).unwrap();
    wait_until(|| server.has_ended());
    let failure = failure(server.wait_until_ready(PATIENCE, &StopSignal::new()));
    assert!(matches!(failure, Failure::EndedEarly { .. }));
}

#[test]
fn waiting_ends_when_the_signal_is_raised() {
    let mut server = start("exec sleep 1000");
    let signal = StopSignal::new();
    signal.raise();
    assert_eq!(
        server.wait_until_ready(PATIENCE, &signal),
        Err(Stopped::Interrupted)
    );
    let id = server.id();
    drop(server);
    assert!(is_gone(id));
}

#[test]
fn descendants_are_ended_with_it() {
    let mut server = start("sh -c 'sleep 1000 & echo $! >&2; wait'");
    let grandchild = written_id(&mut server);
    assert!(!is_gone(grandchild));
    server.stop(&StopSignal::new());
    wait_until(|| is_gone(grandchild));
    assert!(is_gone(server.id()));
}

#[cfg(target_os = "linux")]
#[test]
fn descendants_in_a_session_of_their_own_are_ended() {
    let mut server = start("setsid sleep 1000 & echo $! >&2; wait");
    let descendant = written_id(&mut server);
    wait_until(|| {
        let stat = std::fs::read_to_string(format!("/proc/{descendant}/stat")).unwrap_or_default();
        stat.contains("(sleep)")
    });
    server.stop(&StopSignal::new());
    wait_until(|| is_gone(descendant));
}

#[test]
fn descendants_that_outlive_it_are_ended() {
    let mut server = start("sleep 1000 & echo $! >&2; exit 0");
    let orphan = written_id(&mut server);
    wait_until(|| server.has_ended());
    assert!(!is_gone(orphan));
    drop(server);
    wait_until(|| is_gone(orphan));
}

#[test]
fn a_server_that_will_not_end_is_ended() {
    let mut server = start("trap '' TERM; echo $$ >&2; while :; do sleep 1000; done");
    written_id(&mut server);
    assert!(
        server
            .stop_within(SOON, &StopSignal::new())
            .contains("signal: 9")
    );
    assert!(is_gone(server.id()));
}

#[test]
fn a_second_signal_ends_it_without_a_wait() {
    let mut server = start("trap '' TERM; echo $$ >&2; while :; do sleep 1000; done");
    written_id(&mut server);
    let signal = StopSignal::new();
    signal.raise();
    signal.raise();
    assert!(
        server
            .stop_within(Duration::MAX, &signal)
            .contains("signal: 9")
    );
}

#[test]
fn nothing_is_held_of_a_server_that_is_gone() {
    let children = Children::new();
    let mut server = Server::start(&shell("exec sleep 1000"), &children).unwrap();
    assert_eq!(*children.lock(), [server.id()]);
    server.end();
    assert!(children.lock().is_empty());
}

#[test]
fn much_output_does_not_stop_a_server() {
    let mut server =
        start("yes 'a long line of a chatty server' | head -n 100000 >&2; echo end >&2");
    wait_until(|| server.has_ended());
    assert_eq!(server.error_excerpt(), "end");
}

#[test]
fn a_panic_on_any_thread_ends_all_children() {
    let children = Children::new();
    let mut server = Server::start(&shell("exec sleep 1000"), &children).unwrap();
    children.kill_all_on_panic();
    let panicked = thread::spawn(|| panic!("this one is meant")).join();
    let _ = std::panic::take_hook();
    assert!(panicked.is_err());
    wait_until(|| server.has_ended());
    assert!(server.end().contains("signal: 9"));
}
