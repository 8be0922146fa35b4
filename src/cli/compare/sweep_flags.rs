//! The flags of sweeps.

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::given::given_as;
use super::toml_values;
use super::values::{count, rate};
use crate::compare::sweep::SweepPlan;
use crate::load::PIPELINING_MAX;

/// Loads that each server is measured under, after the comparison.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[command(next_help_heading = "After the comparison")]
pub struct SweepArgs {
    /// After the comparison, measure each server with each of these numbers of connections, in
    /// rising order in one round and in falling order in the next
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
    /// Each sweep of these flags, or that of `suite` where there is none; each with rising loads.
    ///
    /// # Errors
    /// One line that names the flag or the key, and the remedy.
    pub(super) fn plans(
        &self,
        suite: &SweepArgs,
        descriptors: usize,
    ) -> Result<Vec<SweepPlan>, String> {
        let connections = Loads::rising(
            "connections",
            &self.sweep_connections,
            &suite.sweep_connections,
        )?;
        let pipelining = Loads::rising(
            "pipelining",
            &self.sweep_pipelining,
            &suite.sweep_pipelining,
        )?;
        let rates = Loads::rising("rate", &self.sweep_rate, &suite.sweep_rate)?;
        let (name, most) = (&connections.name, connections.loads.last());
        if let Some(most) = most.filter(|most| most.get() > descriptors) {
            return Err(format!(
                "{name} {most}: this process may open at most {descriptors} connections; raise the \
                 limit with ulimit -n"
            ));
        }
        let (name, most) = (&pipelining.name, pipelining.loads.last());
        if let Some(most) = most.filter(|most| most.get() > PIPELINING_MAX) {
            return Err(format!("{name} {most}: at most {PIPELINING_MAX}"));
        }
        let plans = [
            SweepPlan::Connections(connections.loads),
            SweepPlan::Pipelining(pipelining.loads),
            SweepPlan::Rate(rates.loads),
        ];
        Ok(plans.into_iter().filter(|plan| plan.loads() > 0).collect())
    }
}

/// The loads of one sweep; none or at least two.
#[derive(Debug, PartialEq)]
struct Loads<T> {
    /// The flag or the key that they come from.
    name: String,
    /// Sorted, each once.
    loads: Vec<T>,
}

impl<T: Copy + PartialOrd> Loads<T> {
    /// Those of `flag`, or of `suite` where there are none.
    fn rising(variable: &str, flag: &[T], suite: &[T]) -> Result<Loads<T>, String> {
        let name = given_as(
            &format!("--sweep-{variable}"),
            &format!("sweep.{variable}"),
            !flag.is_empty(),
            !suite.is_empty(),
        );
        let given = if flag.is_empty() { suite } else { flag };
        let mut loads = given.to_vec();
        loads.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
        loads.dedup();
        match loads.len() {
            1 => Err(format!(
                "{name}: one load is not a sweep; write at least two with a comma"
            )),
            _ => Ok(Loads { name, loads }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rising(flag: &[f64], suite: &[f64]) -> Result<Vec<f64>, String> {
        Loads::rising("rate", flag, suite).map(|rising| rising.loads)
    }

    #[test]
    fn loads_rise_and_come_once() {
        assert_eq!(
            rising(&[10.0, 1.0, 10.0, 2.0], &[]),
            Ok(vec![1.0, 2.0, 10.0])
        );
        assert_eq!(rising(&[], &[]), Ok(Vec::new()));
        let error = rising(&[1.0, 1.0], &[]).unwrap_err();
        assert!(error.starts_with("--sweep-rate: one load"), "{error}");
    }

    #[test]
    fn flags_go_before_the_suite() {
        assert_eq!(rising(&[2.0, 1.0], &[4.0, 3.0]), Ok(vec![1.0, 2.0]));
        assert_eq!(rising(&[], &[4.0, 3.0]), Ok(vec![3.0, 4.0]));
    }
}
