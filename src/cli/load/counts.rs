//! Numbers and modes among the flags of `load`.

use std::num::NonZeroU32;

use crate::cli::values;
use crate::load::{PIPELINING_MAX, Refill};

/// Workers of a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Workers {
    /// One per core, as far as there is work for each.
    PerCore,
    /// This many.
    Exactly(NonZeroU32),
}

impl Workers {
    /// Their number, if there is work for `most`.
    pub(super) fn number(self, most: u64) -> NonZeroU32 {
        match self {
            Workers::PerCore => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let workers = u32::try_from(most.min(cores as u64)).ok();
                workers.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
            }
            Workers::Exactly(workers) => workers,
        }
    }
}

/// A number of workers, or `auto`.
pub(super) fn workers(text: &str) -> Result<Workers, String> {
    if text == "auto" {
        return Ok(Workers::PerCore);
    }
    let workers = u32::try_from(values::count(text)?).ok();
    let workers = workers.and_then(NonZeroU32::new).map(Workers::Exactly);
    workers.ok_or_else(|| format!("'{text}' is too many"))
}

/// A number of requests in flight.
pub(super) fn pipelining(text: &str) -> Result<usize, String> {
    match values::count(text)? {
        count if count <= PIPELINING_MAX => Ok(count),
        _ => Err(format!(
            "more than {PIPELINING_MAX} requests on a connection would wait in this client and not \
             at the server; write at most {PIPELINING_MAX}"
        )),
    }
}

/// A number of requests.
pub(super) fn amount(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err(format!("'{text}' is not a whole number of at least 1")),
    }
}

/// `rolling` or `batch`.
pub(super) fn refill(text: &str) -> Result<Refill, String> {
    [Refill::Rolling, Refill::Batch]
        .into_iter()
        .find(|mode| mode.as_str() == text)
        .ok_or_else(|| format!("'{text}' is not a mode; write rolling or batch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_per_core_needs_work_for_each() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u32;
        let auto = |most| workers("auto").expect("auto").number(most).get();
        assert_eq!((auto(0), auto(1), auto(u64::MAX)), (1, 1, cores));
        assert_eq!(workers("7").expect("seven").number(1).get(), 7);
        assert!(workers("5000000000").is_err() && workers("0").is_err());
    }
}
