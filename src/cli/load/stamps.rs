//! `--kernel-timestamps`: latencies end when the kernel receives a reply.

use clap::Args;

use crate::event_loop::HAS_KERNEL_STAMPS;
use crate::load::Target;

/// The flag of the kernel's stamps.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Accuracy of the client")]
pub(super) struct StampArgs {
    /// End each latency when the kernel receives the reply, so that a busy or stopped client does
    /// not lengthen it. The time until the client reads the reply is reported separately. Linux
    /// only; costs the client about 8 % more CPU time
    #[arg(long)]
    kernel_timestamps: bool,
}

impl StampArgs {
    /// Returns true if the stamps are wanted.
    ///
    /// # Errors
    /// There are none for replies from `target`.
    pub(super) fn wanted(self, target: &Target) -> Result<bool, String> {
        let without = match (target.socket_path(), target.is_https()) {
            _ if !self.kernel_timestamps => return Ok(false),
            _ if !HAS_KERNEL_STAMPS => "this system",
            (Some(_), _) => "a unix domain socket",
            (None, true) => "https, where the kernel sees encrypted records",
            (None, false) => return Ok(true),
        };
        Err(format!(
            "--kernel-timestamps: there are none for {without}; leave it out"
        ))
    }
}
