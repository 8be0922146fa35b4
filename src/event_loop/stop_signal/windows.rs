//! Ctrl-C and the console's closing, which Windows reports on a thread of its own.

use std::io;

use mio::Registry;

use super::{StopSignal, StopSignals};

/// The console's events, once they are caught.
#[derive(Debug, Default)]
pub struct SystemSignals;

/// A loop is woken by the signal itself.
#[derive(Debug)]
pub struct Watched;

impl SystemSignals {
    /// Catches the console's events from now on; Windows does not distinguish them.
    pub fn catch(&self, _obeyed: StopSignals, signal: &StopSignal) -> io::Result<()> {
        let raised = signal.clone();
        ctrlc::set_handler(move || raised.raise()).map_err(io::Error::other)
    }

    /// None: they raise the signal themselves.
    pub fn take_caught(&self) -> u32 {
        0
    }

    /// Nothing to watch.
    pub fn watch(&self, _registry: &Registry) -> io::Result<Watched> {
        Ok(Watched)
    }
}
