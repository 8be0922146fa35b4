//! The run: measures the chosen goals, one after the other.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use super::figure::{Figures, header};
use super::options::{Goal, Options};
use super::server::Server;
use super::{blast, closing, crowd, drip, paced, reset, starve, stop, unread};
use crate::support::cores::Cores;

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The cores, and the length of each load.
#[derive(Clone, Copy)]
pub struct Bench {
    pub cores: Cores,
    pub span: Duration,
}

impl Bench {
    pub fn server(&self, flags: &[&str]) -> Result<Server> {
        Server::start(self.cores, flags)
    }
}

/// Measures and prints.
pub fn main() -> ExitCode {
    // `cargo test --all-targets` starts benches too.
    let options = Options::parse();
    if !options.bench {
        eprintln!("strain: not measured; run `cargo bench --bench strain`");
        return ExitCode::SUCCESS;
    }
    match measure(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("strain: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints. True if all was measured and all replies were right.
fn measure(options: &Options) -> Result<bool> {
    bareloop::event_loop::raise_descriptor_limit();
    let cores = Cores::first_two()?;
    cores.stay_on_client_core()?;
    let bench = Bench {
        cores,
        span: options.span(),
    };
    println!(
        "bareloop serve http on core {}, all clients on core {}; load phases of {} s",
        cores.server,
        cores.clients,
        bench.span.as_secs()
    );
    if cores.are_shared() {
        println!("one core only: clients and server share it");
    }
    let alone = paced::beside(&bench.server(&[])?, bench.span)?;
    println!(
        "A client that sends a request each millisecond, alone: p50 {:.2?}, p99 {:.2?}, p99.9 {:.2?}",
        alone.at(0.5),
        alone.at(0.99),
        alone.at(0.999)
    );
    println!(
        "Time in which other processes had the cores: {}\n",
        alone.cores_taken()
    );
    println!("{}", header());
    let (mut missed, mut failed) = (0, 0);
    for goal in options.goals() {
        match figures(goal, &bench) {
            Ok(all) => {
                for figures in &all {
                    print!("{figures}");
                }
                missed += all.iter().map(Figures::missed).sum::<usize>();
                failed += all.iter().map(Figures::wrong).sum::<usize>();
            }
            Err(error) => {
                println!("      {}: not measured: {error}", goal.name());
                failed += 1;
            }
        }
    }
    println!("\n{missed} missed, {failed} wrong or not measured");
    Ok(failed == 0)
}

fn figures(goal: Goal, bench: &Bench) -> Result<Vec<Figures>> {
    match goal {
        Goal::Idle => crowd::idle(bench),
        Goal::Unread => unread::late_reader(bench),
        Goal::Flood => unread::flood(bench),
        Goal::Drip => drip::heads(bench),
        Goal::Descriptors => starve::descriptors(bench),
        Goal::Reset => reset::everywhere(bench),
        Goal::Blaster => blast::one(bench),
        Goal::Blasters => blast::eight(bench),
        Goal::Stop => stop::once(bench),
        Goal::StopTwice => stop::twice(bench),
        Goal::Restart => stop::restart(bench),
        Goal::PortTaken => stop::port_taken(bench),
        Goal::HalfClose => closing::half(bench),
        Goal::ErrorReply => closing::refused(bench),
    }
}
