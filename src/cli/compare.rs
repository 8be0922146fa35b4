//! stub
use super::Exit;
use crate::event_loop::StopSignal;
/// stub
#[derive(Debug, clap::Args)]
pub struct CompareArgs {}
/// stub
pub fn run(_: CompareArgs, _: &StopSignal) -> Exit {
    Exit::Fine
}
