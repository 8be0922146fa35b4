//! The statistics of one run: pure functions of an [`interval_log`], judged by their error rates on
//! simulated queues.

pub mod arrivals_check;
pub mod buckets;
pub mod censoring;
pub mod distribution;
pub mod hlog;
pub mod interval_log;
pub mod quantile_interval;
pub mod run_percentiles;
pub mod stationarity;
pub mod warmup;

#[cfg(test)]
pub(super) mod test_queue;
