//! The flags of sweeps.

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::toml_values;
use super::values::{count, rate};
use crate::compare::sweep::SweepPlan;
use crate::load::PIPELINING_MAX;

/// Loads that each server is measured under, beside the comparison.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[command(next_help_heading = "After the comparison")]
pub struct SweepArgs {
    /// Measure each server with each of these numbers of connections, upwards in one round and
    /// downwards in the next
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = count)]
    #[serde(rename = "connections", deserialize_with = "toml_values::counts")]
    pub(super) sweep_connections: Vec<NonZeroUsize>,
    /// The same for requests in flight on each connection
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = count)]
    #[serde(rename = "pipelining", deserialize_with = "toml_values::counts")]
    pub(super) sweep_pipelining: Vec<NonZeroUsize>,
    /// The same for requests due per second in all, such as 1k,2k,5k
    #[arg(long, value_name = "RATE,RATE,...", value_delimiter = ',', value_parser = rate)]
    #[serde(rename = "rate", deserialize_with = "toml_values::rates")]
    pub(super) sweep_rate: Vec<f64>,
}

impl SweepArgs {
    /// Each sweep of these flags, or that of `suite` where there is none.
    pub(super) fn or(&self, suite: &SweepArgs) -> SweepArgs {
        fn either<T: Clone>(flag: &[T], suite: &[T]) -> Vec<T> {
            match flag.is_empty() {
                true => suite.to_vec(),
                false => flag.to_vec(),
            }
        }
        SweepArgs {
            sweep_connections: either(&self.sweep_connections, &suite.sweep_connections),
            sweep_pipelining: either(&self.sweep_pipelining, &suite.sweep_pipelining),
            sweep_rate: either(&self.sweep_rate, &suite.sweep_rate),
        }
    }

    /// The sweeps asked for, each with rising loads.
    ///
    /// # Errors
    /// One line that names the flag and the remedy.
    pub(super) fn plans(&self, descriptors: usize) -> Result<Vec<SweepPlan>, String> {
        let connections = rising("--sweep-connections", &self.sweep_connections)?;
        let pipelining = rising("--sweep-pipelining", &self.sweep_pipelining)?;
        let rates = rising("--sweep-rate", &self.sweep_rate)?;
        if let Some(most) = connections.last().filter(|most| most.get() > descriptors) {
            return Err(format!(
                "--sweep-connections {most}: this process may open {descriptors}; raise the limit \
                 with ulimit -n"
            ));
        }
        if let Some(most) = pipelining.last().filter(|most| most.get() > PIPELINING_MAX) {
            return Err(format!(
                "--sweep-pipelining {most}: at most {PIPELINING_MAX}"
            ));
        }
        let plans = [
            SweepPlan::Connections(connections),
            SweepPlan::Pipelining(pipelining),
            SweepPlan::Rate(rates),
        ];
        Ok(plans.into_iter().filter(|plan| plan.loads() > 0).collect())
    }
}

/// Sorted, each once; none or at least two.
fn rising<T: Copy + PartialOrd>(flag: &str, loads: &[T]) -> Result<Vec<T>, String> {
    let mut loads = loads.to_vec();
    loads.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    loads.dedup();
    match loads.len() {
        1 => Err(format!(
            "{flag}: one load is no sweep; write at least two with a comma"
        )),
        _ => Ok(loads),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_rise_and_come_once() {
        assert_eq!(rising("", &[10, 1, 10, 2]), Ok(vec![1, 2, 10]));
        assert_eq!(rising::<f64>("", &[]), Ok(Vec::new()));
        let error = rising("--sweep-rate", &[1.0, 1.0]).unwrap_err();
        assert!(error.starts_with("--sweep-rate: one load"), "{error}");
    }
}
