//! The statistics of one run: pure functions of an [`interval_log`], judged by their error rates on
//! simulated queues.

pub mod buckets;
pub mod distribution;
pub mod interval_log;
