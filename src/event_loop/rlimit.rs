//! The limit on open descriptors, and so on connections.

/// Descriptors kept for everything that is not a connection: listeners, the poll, standard streams.
const RESERVED: u64 = 32;

/// The limit on descriptors; `None` if there is none.
#[cfg(unix)]
pub fn descriptor_limit() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};

    getrlimit(Resource::Nofile).current
}

/// Sets the limit on descriptors of this process and of those that it starts.
///
/// # Errors
/// It is higher than the system allows.
#[cfg(unix)]
pub fn set_descriptor_limit(limit: u64) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let set = Rlimit {
        current: Some(limit),
        ..getrlimit(Resource::Nofile)
    };
    Ok(setrlimit(Resource::Nofile, set)?)
}

/// Raises the limit on descriptors as far as possible; returns the number of connections that fit.
#[cfg(unix)]
pub fn raise_descriptor_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised, the present limit holds.
    let _ = steps(limit.current, limit.maximum).find(|&current| {
        let raised = Rlimit {
            current,
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised).is_ok()
    });
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let free = current.saturating_sub(RESERVED).max(1);
    usize::try_from(free).unwrap_or(usize::MAX)
}

/// Values to raise the limit to, the best first; `None` is no limit. macOS reports no maximum, and
/// then refuses more than the kernel's own (setrlimit(2)).
#[cfg(unix)]
fn steps(current: Option<u64>, maximum: Option<u64>) -> impl Iterator<Item = Option<u64>> {
    let above = move |&step: &u64| {
        current.is_some_and(|current| step > current) && maximum.is_none_or(|most| step < most)
    };
    let lesser = [1 << 20, 1 << 18, 1 << 16, 1 << 14, 10_240];
    std::iter::once(maximum).chain(lesser.into_iter().filter(above).map(Some))
}

/// Windows has no such limit on sockets.
#[cfg(not(unix))]
pub fn descriptor_limit() -> Option<u64> {
    None
}

/// Windows has no such limit on sockets.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn set_descriptor_limit(_limit: u64) -> std::io::Result<()> {
    Ok(())
}

/// Windows has no such limit on sockets.
#[cfg(not(unix))]
pub fn raise_descriptor_limit() -> usize {
    usize::MAX - RESERVED as usize
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_maximum_is_tried_first_and_nothing_beyond_it_or_below_the_present_limit() {
        let all = |current, maximum| steps(current, maximum).collect::<Vec<_>>();
        assert_eq!(all(Some(1024), Some(4096)), [Some(4096)]);
        assert_eq!(all(Some(256), Some(12_000)), [Some(12_000), Some(10_240)]);
        assert_eq!(all(None, None), [None]);
        let macos = all(Some(256), None);
        assert_eq!(
            macos,
            [
                None,
                Some(1_048_576),
                Some(262_144),
                Some(65_536),
                Some(16_384),
                Some(10_240)
            ]
        );
        assert_eq!(
            all(Some(10_240), Some(16_384)),
            [Some(16_384)],
            "each value once"
        );
    }
}
