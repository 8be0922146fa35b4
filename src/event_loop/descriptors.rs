//! How many sockets this process may have.

/// Descriptors kept for everything that is not a connection: listeners, the poll, standard streams.
const RESERVED: u64 = 32;

/// Raises the limit on descriptors as far as it goes, and returns how many connections fit.
#[cfg(unix)]
pub fn raise_descriptor_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it cannot be raised, the present limit holds.
    let _ = setrlimit(Resource::Nofile, raised);
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let free = current.saturating_sub(RESERVED).max(1);
    usize::try_from(free).unwrap_or(usize::MAX)
}

/// Windows has no such limit on sockets.
#[cfg(not(unix))]
pub fn raise_descriptor_limit() -> usize {
    usize::MAX - RESERVED as usize
}
