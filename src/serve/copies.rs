//! Copies of an event loop, on a thread each. They share the stop signal and nothing else.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::{Counters, Error};
use crate::event_loop::{Acceptor, ConnectionLimits, EventLoop, Protocol, StopSignal};

/// Runs one copy for each set of sockets until `signal` stops all of them; returns the work of
/// each. The first copy runs on this thread: with one copy there is no other, since in a process
/// with two threads every system call on a descriptor costs more.
///
/// `on_start` is called when every copy has all descriptors that it needs, before the first accept.
///
/// # Errors
/// A copy could not be started, or failed; then the others are stopped.
pub fn run<P: Protocol>(
    sockets: Vec<Vec<Acceptor>>,
    limits: &ConnectionLimits,
    new_server: impl Fn() -> P + Sync,
    counters: impl Fn(&P) -> Counters + Sync,
    signal: &StopSignal,
    on_start: impl FnOnce(),
) -> Result<Vec<Counters>, Error> {
    let copies = sockets.len();
    let run_one = |index: usize, acceptors: Vec<Acceptor>, on_start: &mut dyn FnMut()| {
        let limits = limits_of(limits, copies, index);
        let served = run_copy(acceptors, limits, new_server(), signal, on_start);
        // One stop ends all, and so does one failure.
        if served.is_err() {
            signal.raise();
        }
        served.map(|server| counters(&server))
    };
    let mut sockets = sockets.into_iter().enumerate();
    let Some((_, first)) = sockets.next() else {
        return Ok(Vec::new());
    };
    let (started, starts) = channel();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut failure = None;
        for (index, acceptors) in sockets {
            let started = started.clone();
            let spawned = thread::Builder::new()
                .name(format!("copy {}", index + 1))
                .spawn_scoped(scope, move || {
                    let mut started = Some(started);
                    run_one(index, acceptors, &mut || report_start(&mut started))
                });
            match spawned {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    signal.raise();
                    failure = Some(Err(error));
                    break;
                }
            }
        }
        drop(started);
        let mut on_start = Some(on_start);
        let mut served = vec![run_one(0, first, &mut || {
            if all_started(&starts, copies)
                && let Some(on_start) = on_start.take()
            {
                on_start();
            }
        })];
        served.extend(threads.into_iter().map(|thread| {
            let panicked = |_| Err(io::Error::other("a copy of the loop panicked"));
            thread.join().unwrap_or_else(panicked)
        }));
        served.extend(failure);
        Ok(served.into_iter().collect::<io::Result<_>>()?)
    })
}

/// Tells the first copy that this one has started, and that it will not report again.
fn report_start(started: &mut Option<Sender<()>>) {
    if let Some(started) = started.take() {
        // Fails if the first copy could not start, which ends this one too.
        let _ = started.send(());
    }
}

/// Waits until no other copy can report any more; returns true if all of them have started.
fn all_started(starts: &Receiver<()>, copies: usize) -> bool {
    starts.iter().count() == copies - 1
}

/// The limits of copy `index` of `copies`.
fn limits_of(limits: &ConnectionLimits, copies: usize, index: usize) -> ConnectionLimits {
    ConnectionLimits {
        connections_max: share(limits.connections_max, copies, index),
        ..limits.clone()
    }
}

/// The part of `total` for copy `index` of `copies`; the parts differ by one at most.
fn share(total: usize, copies: usize, index: usize) -> usize {
    total / copies + usize::from(index < total % copies)
}

fn run_copy<P: Protocol>(
    acceptors: Vec<Acceptor>,
    limits: ConnectionLimits,
    server: P,
    signal: &StopSignal,
    on_start: &mut dyn FnMut(),
) -> io::Result<P> {
    let mut event_loop = EventLoop::new(server, limits, signal)?;
    for acceptor in acceptors {
        event_loop.listen_on(acceptor)?;
    }
    on_start();
    event_loop.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_whole_and_differ_by_one_at_most() {
        for (total, copies) in [(10, 1), (10, 3), (9, 3), (2, 2), (1_000_003, 64)] {
            let shares: Vec<usize> = (0..copies).map(|i| share(total, copies, i)).collect();
            assert_eq!(shares.iter().sum::<usize>(), total);
            let (least, most) = (shares.iter().min(), shares.iter().max());
            assert!(most.unwrap() - least.unwrap() <= 1, "{shares:?}");
        }
    }
}
