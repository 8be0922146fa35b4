//! Numbers and modes among the flags of `load`.

use std::num::NonZeroU32;

use crate::cli::values;
use crate::load::{PIPELINING_MAX, Refill};

/// A number of workers, or `auto`.
pub(super) fn workers(text: &str) -> Result<NonZeroU32, String> {
    let workers = match text {
        "auto" => std::thread::available_parallelism().map_or(1, usize::from),
        number => values::count(number)?,
    };
    let workers = u32::try_from(workers).ok().and_then(NonZeroU32::new);
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
