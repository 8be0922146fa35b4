//! A contestant's processes: started, watched, measured and ended.
//!
//! A [`server::Server`] runs under a [`supervisor`], a second process of this program, which ends
//! everything that the contestant has started when the first process is gone.

pub mod cores;
mod group;
mod output_tail;
pub mod resource_usage;
pub mod server;
pub mod supervisor;
