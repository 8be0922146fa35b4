//! stub
use super::Exit;
use crate::event_loop::StopSignal;
/// stub
#[derive(Debug, clap::Args)]
pub struct LoadArgs {}
/// stub
pub fn run(_: LoadArgs, _: &StopSignal) -> Exit {
    Exit::Fine
}
