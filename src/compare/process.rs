//! A contestant's processes: started, watched, measured and ended.

pub mod group;
mod output_tail;
pub mod resource_usage;
pub mod server;
