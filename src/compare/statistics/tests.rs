//! Error rates of the statistics, counted on simulated benches.

mod change;
mod duet;
mod error_rates;
mod several;
mod stopping;
mod undecided;

use std::collections::BTreeMap;

use crate::compare::random::{Purpose, Random};
use crate::compare::schedule;

use super::*;

/// Two or more simulated servers on a simulated machine.
struct MockBench<'a> {
    /// ln of each server's true speed. The first one is the reference.
    log_speeds: &'a [f64],
    /// Standard deviation of ln(speed) from run to run.
    noise: f64,
    /// By how much the machine gets slower over the whole comparison, as a share.
    drift: f64,
    /// Amplitude by which ln(speed) of all but the reference varies from round to round.
    alternation: f64,
    rounds: usize,
}

impl MockBench<'_> {
    /// Runs the whole schedule of `seed`, and pairs each server with the reference.
    fn compare(&self, seed: u32) -> Vec<PairedRatio> {
        let servers = self.log_speeds.len();
        // Each bench has numbers of its own, or all would make the same errors.
        let bench = (self.noise * 1e3) as u32 * 1000 + (self.drift * 1e3) as u32;
        let mut random = Random::new(seed, Purpose::Mock, bench);
        let slots_last = (servers * self.rounds - 1) as f64;
        let mut rounds = vec![Vec::new(); servers];
        for round in 0..self.rounds {
            let order = schedule::order(servers, round, seed);
            let mut figures = vec![0.0; servers];
            for (place, &server) in order.iter().enumerate() {
                let progress = (round * servers + place) as f64 / slots_last;
                let machine = (1.0 - self.drift * progress).ln();
                let mut noise = self.noise * random.normal();
                if server > 0 {
                    let direction = if round % 2 == 0 { 1.0 } else { -1.0 };
                    noise += direction * self.alternation;
                }
                figures[server] = (self.log_speeds[server] + machine + noise).exp();
            }
            for (server, rounds) in rounds.iter_mut().enumerate().skip(1) {
                rounds.push(PairedRound {
                    contestant: figures[server],
                    reference: figures[0],
                    slots_apart: schedule::slots_apart(&order, server, 0).unwrap(),
                });
            }
        }
        let ratio = |rounds: &Vec<PairedRound>| PairedRatio::of_rounds(rounds).unwrap();
        rounds.iter().skip(1).map(ratio).collect()
    }
}

fn is_different(answer: Answer) -> bool {
    matches!(
        answer,
        Answer::Different(_) | Answer::DifferentWithinMargin(_)
    )
}

fn margin() -> Margin {
    Margin::new(0.02).unwrap()
}

/// The share of `count` seeds for which `holds`.
fn share(count: u32, holds: impl Fn(u32) -> bool) -> f64 {
    (0..count).filter(|&seed| holds(seed)).count() as f64 / f64::from(count)
}
