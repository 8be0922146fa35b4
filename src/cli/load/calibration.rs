//! `--calibrate`: the highest rate of this client on this machine, with the settings of the run.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use crate::cli::output;
use crate::compare::process::cores;
use crate::compare::process::server::{Launcher, Server, free_port};
use crate::event_loop::StopSignal;
use crate::load::{self, Calibration, LoadPlan, LoadReport, Target, Until, WarmUp};

/// Time for which the server is loaded before that: connecting is no part of the rate.
const WARM_UP: Duration = Duration::from_millis(200);
/// Length of the calibration.
const DURATION: Duration = Duration::from_secs(1);
/// Time limit for the server to listen.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// The flag of the calibration.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Accuracy of the client")]
pub(super) struct CalibrationArgs {
    /// After the run, load 'serve http' for a second with the same settings, and report how near
    /// the run came to the highest rate of this client on this machine
    #[arg(long, conflicts_with = "find_rate")]
    calibrate: bool,
}

impl CalibrationArgs {
    /// Refuses runs whose rate cannot be compared with that of plain HTTP over TCP.
    pub(super) fn check(self, plan: &LoadPlan) -> Result<(), String> {
        let unlike = match (&plan.tls, plan.target.socket_path()) {
            _ if !self.calibrate => return Ok(()),
            (Some(_), _) => "https",
            (None, Some(_)) => "--socket-path",
            (None, None) => return Ok(()),
        };
        Err(format!(
            "--calibrate: it measures plain HTTP over TCP, and says nothing about {unlike}; \
             leave it out"
        ))
    }

    /// Completes `report` if it was asked for. A failure is a warning: the run itself is done.
    pub(super) fn complete(self, report: &mut LoadReport, plan: &LoadPlan, signal: &StopSignal) {
        if !self.calibrate || signal.times_raised() > 0 {
            return;
        }
        match measure(plan, signal) {
            Ok(requests_per_second) => {
                report.calibration = Some(Calibration::of(requests_per_second, report));
            }
            Err(message) => output::warn(&format!("--calibrate: {message}")),
        }
    }
}

/// Requests per second against a server of our own.
fn measure(plan: &LoadPlan, signal: &StopSignal) -> Result<f64, String> {
    let bareloop = std::env::current_exe()
        .map_err(|error| format!("cannot find this program's own file: {error}"))?;
    let port = free_port().map_err(|failure| failure.to_string())?;
    let bind = format!("127.0.0.1:{port}");
    let program = bareloop.clone().into_os_string();
    let copies = plan.workers.to_string();
    let flags = ["serve", "http", "--bind", &bind, "--workers", &copies].map(Into::into);
    let command = [&[program][..], &flags].concat();
    let launcher = Launcher::new(bareloop);
    let start = || Server::start(&launcher, &command, &[], port);
    let started = cores::beside(plan.workers, start)
        .ok_or("no core is left for a server beside the client; give it fewer workers (-w)")?;
    let mut server = started.map_err(|failure| failure.to_string())?;
    let ready = server.wait_until_ready(READY_WITHIN, signal);
    let address = ready.map_err(|_| "the server did not start".to_owned())?;
    let report = load::run(&calibration_plan(plan, address)?, signal, &mut |_| {});
    server.stop(signal);
    let report = report.map_err(|error| error.to_string())?;
    match report.accounting.completed {
        0 => Err("the server answered no request".to_owned()),
        _ => Ok(report.requests_per_second()),
    }
}

/// The plan of the run, as a closed loop for a second against the server at `address`.
fn calibration_plan(plan: &LoadPlan, address: SocketAddr) -> Result<LoadPlan, String> {
    Ok(LoadPlan {
        target: Target::parse(&format!("http://{address}")).map_err(|e| e.to_string())?,
        tls: None,
        warm_up: WarmUp::For(WARM_UP),
        until: Until::Duration(DURATION),
        open_loop: None,
        expected_body: None,
        expected_statuses: None,
        bailout: None,
        share: None,
        start_at: None,
        ..plan.own_part()
    })
}
