//! System calls that neither std nor rustix offer in safe code, each behind a small safe function.
//! The only file of the project with `unsafe`.
//!
//! `recv` and `send` are not here: `TcpStream::read` and `write` make exactly these calls.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Events taken from the kernel by one wait.
const EVENTS_MAX: usize = 1024;

/// An edge-triggered epoll set, with room for what one wait returns.
pub struct Epoll {
    set: OwnedFd,
    events: Vec<libc::epoll_event>,
}

/// An event of one descriptor.
#[derive(Clone, Copy)]
pub struct Event {
    /// The descriptor.
    pub fd: RawFd,
    /// The peer has closed, or the socket has failed. No later edge repeats this.
    pub hung_up: bool,
}

impl Epoll {
    /// An empty set.
    pub fn new() -> io::Result<Epoll> {
        // SAFETY: takes no pointer.
        let fd = checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel has just made `fd`, and nobody else owns it.
        let set = unsafe { OwnedFd::from_raw_fd(fd) };
        let events = vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS_MAX];
        Ok(Epoll { set, events })
    }

    /// Watches `source` for bytes and for its end. Closing the descriptor removes it.
    pub fn add(&self, source: &impl AsRawFd) -> io::Result<()> {
        let fd = source.as_raw_fd();
        let mut event = libc::epoll_event {
            events: (libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLET) as u32,
            u64: fd as u64,
        };
        // SAFETY: `event` lives through the call, and the kernel only reads it.
        let status = unsafe {
            libc::epoll_ctl(
                self.set.as_raw_fd(),
                libc::EPOLL_CTL_ADD,
                fd,
                &raw mut event,
            )
        };
        checked(status).map(drop)
    }

    /// Waits for events, at most for `patience`. `None` waits without a limit.
    pub fn wait(&mut self, patience: Option<Duration>) -> io::Result<impl Iterator<Item = Event>> {
        let timeout_ms = patience.map_or(-1, |limit| limit.as_millis() as libc::c_int);
        let ready = loop {
            // SAFETY: the kernel writes at most `events.len()` entries, to memory that it owns.
            let status = unsafe {
                libc::epoll_wait(
                    self.set.as_raw_fd(),
                    self.events.as_mut_ptr(),
                    self.events.len() as libc::c_int,
                    timeout_ms,
                )
            };
            match checked(status) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {} // A tracer came.
                result => break result? as usize,
            }
        };
        const HUNG_UP: u32 = (libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR) as u32;
        Ok(self.events[..ready].iter().map(|event| Event {
            fd: event.u64 as RawFd,
            hung_up: event.events & HUNG_UP != 0,
        }))
    }
}

/// Makes `command` run on `core` alone, and end when this process does.
pub fn pin(command: &mut Command, core: usize) {
    let prepare = move || {
        let mut set = CpuSet::new();
        set.set(core);
        sched_setaffinity(None, &set)?;
        Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
    };
    // SAFETY: between fork and exec only system calls are made; nothing is allocated or locked.
    unsafe { command.pre_exec(prepare) };
}

/// CPU time of all children that have ended and been waited for.
pub fn ended_children_cpu() -> io::Result<Duration> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel fills the struct, and zeroes are a valid one.
    let usage = unsafe {
        checked(libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()))?;
        usage.assume_init()
    };
    let span = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    Ok(span(usage.ru_utime) + span(usage.ru_stime))
}

fn checked(status: libc::c_int) -> io::Result<libc::c_int> {
    if status < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(status)
    }
}
