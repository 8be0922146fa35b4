//! The other tests, over and over beside busy cores: none may fail because the machine is slow.
//!
//! `BARELOOP_REPEAT=20 cargo test --release --test it repeated:: -- --ignored --nocapture`

use std::hint::spin_loop;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::process::Process;

/// Longer than one run of all tests takes beside busy cores.
const RUN_MAX: Duration = Duration::from_secs(1200);

/// Runs the tests of this binary with these arguments while each core has something else to do.
fn repeat(args: &[&str]) {
    let runs = std::env::var("BARELOOP_REPEAT").unwrap_or_else(|_| "2".to_owned());
    let runs: u32 = runs.parse().expect("BARELOOP_REPEAT is a number");
    let this = std::env::current_exe().expect("the path of this program");
    let is_over = AtomicBool::new(false);
    let failures: Vec<String> = thread::scope(|scope| {
        let cores = thread::available_parallelism().expect("a number of cores");
        for _ in 0..cores.get() {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    spin_loop();
                }
            });
        }
        let run = |run| {
            let started = Instant::now();
            let mut command = Command::new(&this);
            command.args(args).args(["--skip", "repeated::"]);
            let finished = Process::start(&mut command).and_then(|mut run| run.wait(RUN_MAX));
            println!(
                "run {run} of {runs}: {:.1} s",
                started.elapsed().as_secs_f64()
            );
            match finished {
                Ok(finished) if finished.code == Some(0) => None,
                other => Some(format!("run {run}: {other:#?}").replace("\\n", "\n")),
            }
        };
        let failures = (1..=runs).filter_map(run).collect();
        is_over.store(true, Ordering::Relaxed);
        failures
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
#[ignore = "two runs of all other tests, or BARELOOP_REPEAT"]
fn the_default_tests_pass_beside_busy_cores() {
    repeat(&[]);
}

#[test]
#[ignore = "two runs of all other ignored tests, or BARELOOP_REPEAT"]
fn the_ignored_tests_pass_beside_busy_cores() {
    repeat(&["--ignored", "--test-threads=2"]);
}
