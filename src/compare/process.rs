//! A contestant's processes: started, watched, measured and ended.

pub mod child;
pub mod group;
pub mod resource_usage;
