//! Contestants' processes under their supervisor. Each test sees that none is left, by the ids
//! that the processes have told.

use std::ffi::OsString;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use bareloop::compare::process::cores::CoreDivision;
use bareloop::compare::process::server::{Launcher, Server, free_port};
use bareloop::compare::process::supervisor::SHELL;
use bareloop::compare::{Failure, Stopped};
use bareloop::event_loop::StopSignal;
use rustix::process::{Pid, test_kill_process};

use crate::harness::PATIENCE;

const SOON: Duration = Duration::from_millis(50);

fn start_on(port: u16, line: &str) -> Server {
    Server::start(&launcher(), &[SHELL.into(), line.into()], &[], port).unwrap()
}

fn launcher() -> Launcher {
    Launcher::new(env!("CARGO_BIN_EXE_bareloop").into())
}

fn start(line: &str) -> Server {
    start_on(free_port().unwrap(), line)
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain");
        thread::yield_now();
    }
}

/// Ended, whether its parent has noticed or not.
fn is_gone(id: u32) -> bool {
    let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
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

fn failure(server: &mut Server) -> Failure {
    match server.wait_until_ready(PATIENCE, &StopSignal::new()) {
        Err(Stopped::Failed(failure)) => failure,
        other => panic!("expected a failure: {other:?}"),
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let command: [OsString; 1] = ["/nowhere/server".into()];
    let failure = Server::start(&launcher(), &command, &[], 1).unwrap_err();
    let program = "/nowhere/server".to_owned();
    assert_eq!(failure, Failure::NotFound { program });
    let failure =
        Server::start(&Launcher::new("/nowhere/bareloop".into()), &command, &[], 1).unwrap_err();
    assert!(matches!(failure, Failure::NotStarted { .. }), "{failure}");
}

#[test]
fn a_command_that_the_shell_does_not_find_says_so() {
    let text = failure(&mut start("no-such-program-anywhere")).to_string();
    assert!(text.contains("127") && text.contains("not found"), "{text}");
}

#[test]
fn a_server_that_ends_at_once_is_quoted() {
    let mut server = start("echo first >&2; echo 'port \x1b[31mtaken' >&2; echo; exit 3");
    assert_eq!(
        failure(&mut server).to_string(),
        "ended before it was ready (exit status: 3): port [31mtaken"
    );
}

#[test]
fn stdout_is_quoted_too() {
    let text = failure(&mut start("echo 'no licence'; exit 1")).to_string();
    assert!(text.ends_with(": no licence"), "{text}");
}

#[test]
fn a_server_that_never_listens_is_ended() {
    let mut server = start("echo $$; exec sleep 1000");
    let id = written_id(&mut server);
    let Err(Stopped::Failed(failure)) = server.wait_until_ready(SOON, &StopSignal::new()) else {
        panic!("it does not listen");
    };
    assert!(failure.to_string().contains("within 0.05 s"), "{failure}");
    assert!(is_gone(id));
}

#[test]
fn a_server_is_ready_when_its_port_accepts_on_either_address_and_it_lives() {
    for host in ["127.0.0.1", "::1"] {
        let port = free_port().unwrap();
        let mut server = start_on(port, "echo $$; exec sleep 1000");
        let id = written_id(&mut server);
        let listener = TcpListener::bind((host, port)).unwrap();
        assert_eq!(
            server.wait_until_ready(PATIENCE, &StopSignal::new()),
            Ok(listener.local_addr().unwrap())
        );
        assert_eq!(server.end_of_first_process(), None);
        server.stop(&StopSignal::new());
        let end = server.end_of_first_process().expect("it has ended");
        assert!(end.status.contains("signal: 15"), "{end:?}");
        assert!(is_gone(id));
    }
}

#[test]
fn another_listener_on_the_port_does_not_make_a_dead_server_ready() {
    let port = free_port().unwrap();
    let mut server = start_on(port, "exit 1");
    let _other = TcpListener::bind(("127.0.0.1", port)).unwrap();
    wait_until(|| server.end_of_first_process().is_some());
    assert!(matches!(failure(&mut server), Failure::EndedEarly { .. }));
}

#[test]
fn waiting_ends_when_the_signal_is_raised() {
    let mut server = start("echo $$; exec sleep 1000");
    let id = written_id(&mut server);
    let signal = StopSignal::new();
    signal.raise();
    assert_eq!(
        server.wait_until_ready(PATIENCE, &signal),
        Err(Stopped::Interrupted)
    );
    drop(server);
    assert!(is_gone(id));
}

/// Command lines that leave a process behind whose id they tell, and which is hard to find.
const HIDDEN: [&str; 4] = [
    "sh -c 'sleep 1000 & echo $! >&2; wait'",
    "setsid sleep 1000 & echo $! >&2; wait",
    "sleep 1000 & echo $! >&2; exit 1",
    "(setsid sh -c '(setsid sleep 1000 & echo $! >&2)' &); wait",
];

#[cfg(target_os = "linux")]
#[test]
fn all_descendants_are_ended_with_it() {
    for line in HIDDEN {
        for stop in [true, false] {
            let mut server = start(line);
            let descendant = written_id(&mut server);
            assert!(!is_gone(descendant), "{line}");
            match stop {
                true => server.stop(&StopSignal::new()),
                false => drop(server),
            }
            // A process that was killed has to run once more to end.
            wait_until(|| is_gone(descendant));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_goes_into_the_background_is_named_as_that_and_ended() {
    let mut server = start("setsid sleep 1000 & echo $! >&2");
    let background = written_id(&mut server);
    assert_eq!(failure(&mut server), Failure::InBackground);
    wait_until(|| is_gone(background));
}

#[test]
fn a_server_that_will_not_end_is_ended() {
    let mut server = start("trap '' TERM; echo $$ >&2; while :; do sleep 1000; done");
    let id = written_id(&mut server);
    server.stop_within(SOON, &StopSignal::new());
    let end = server.end_of_first_process().expect("it has ended");
    assert!(end.status.contains("signal: 9"), "{end:?}");
    assert!(is_gone(id));
}

#[test]
fn a_second_signal_ends_it_without_a_wait() {
    let mut server = start("trap '' TERM; echo $$ >&2; while :; do sleep 1000; done");
    let id = written_id(&mut server);
    let signal = StopSignal::new();
    signal.raise();
    signal.raise();
    server.stop_within(Duration::MAX, &signal);
    assert!(is_gone(id));
}

#[test]
fn much_output_does_not_stop_a_server() {
    let line = "yes 'a long line of a chatty server' | head -n 100000 >&2; echo end >&2";
    let mut server = start(line);
    wait_until(|| server.end_of_first_process().is_some());
    assert_eq!(server.error_excerpt(), "end");
}

#[test]
fn a_port_that_is_free_accepts_nothing() {
    let port = free_port().unwrap();
    for host in ["127.0.0.1", "::1"] {
        assert!(TcpStream::connect((host, port)).is_err(), "{host}");
    }
}

/// The cores that a process or thread may use, as in `/proc/PID/status`.
#[cfg(target_os = "linux")]
fn allowed_cores(folder: &str) -> String {
    let status = fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
    let mut lines = status.lines();
    let list = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.unwrap_or_default().trim().to_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_runs_on_its_cores_and_what_reads_its_output_does_not() {
    let check = || {
        let Some(cores) = CoreDivision::of_this_machine() else {
            return;
        };
        cores.enter_client();
        let client = allowed_cores("/proc/thread-self");
        let launcher = Launcher {
            cores: Some(cores),
            ..launcher()
        };
        let line = "echo $$ >&2; exec sleep 1000";
        let command = [SHELL.into(), line.into()];
        let mut server = Server::start(&launcher, &command, &[], 1).unwrap();
        let of_server = allowed_cores(&format!("/proc/{}", written_id(&mut server)));
        assert_ne!(of_server, client);
        // Servers of other tests have all cores, and so have their readers.
        for thread in fs::read_dir("/proc/self/task").unwrap() {
            let folder = thread.unwrap().path().display().to_string();
            assert_ne!(allowed_cores(&folder), of_server, "{folder}");
        }
    };
    thread::spawn(check).join().unwrap();
}
