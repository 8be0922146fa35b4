//! The load generators: their commands, and the figures in what they print.

use std::process::Command;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::Value;

use super::rows::Figure;
use crate::support::process::{Finished, Process};

/// Longest time for which a tool may go on after its planned end.
const GRACE: Duration = Duration::from_secs(3);

/// Load generators other than ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    Wrk,
    H2load,
    Ab,
    Autocannon,
}

/// The figures and the warnings of a tool.
#[derive(Debug, Default)]
pub struct Said {
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub max_ms: Option<f64>,
    pub bad_percent: Option<f64>,
    /// Failed self-tests of `load`, or `errors`.
    pub warned: Vec<String>,
}

impl Said {
    pub fn figure(&self, figure: Figure) -> Option<f64> {
        match figure {
            Figure::P50Ms => self.p50_ms,
            Figure::P99Ms => self.p99_ms,
            Figure::MaxMs => self.max_ms,
            Figure::BadPercent => self.bad_percent,
        }
    }

    fn count_bad(&mut self, bad: f64, all: f64) {
        self.bad_percent = (all > 0.0).then(|| bad / all * 100.0);
        if bad > 0.0 {
            self.warned.push("errors".to_owned());
        }
    }
}

impl Tool {
    pub fn name(self) -> &'static str {
        match self {
            Tool::Wrk => "wrk",
            Tool::H2load => "h2load",
            Tool::Ab => "ab",
            Tool::Autocannon => "autocannon",
        }
    }

    /// Runs it with ten connections, in a closed loop; `None` if it is not installed.
    pub fn run(self, url: &str, run: Duration) -> Option<Said> {
        let seconds = run.as_secs().to_string();
        let mut command = Command::new(self.name());
        match self {
            Tool::Wrk => command.args(["-t1", "-c10", "--latency", "-d", &seconds]),
            Tool::H2load => command.args(["--h1", "-c10", "-D", &seconds]),
            Tool::Ab => command.args(["-k", "-q", "-c10", "-t", &seconds, "-n", "1000000"]),
            Tool::Autocannon => command.args(["-j", "-c10", "-d", &seconds]),
        };
        let mut process = Process::start(command.arg(format!("{url}/"))).ok()?;
        Some(match process.wait(run + GRACE) {
            Ok(Finished { stdout, .. }) => self.read(&stdout),
            Err(_) => Said {
                warned: vec!["did not end".to_owned()],
                ..Said::default()
            },
        })
    }

    fn read(self, output: &str) -> Said {
        let mut said = Said::default();
        if self == Tool::Autocannon {
            let json: Value = serde_json::from_str(output).unwrap_or_default();
            read_json(&json, &mut said);
            let bad = number(&json, "/errors") + number(&json, "/resets");
            said.count_bad(bad, bad + number(&json, "/2xx"));
            return said;
        }
        let (mut bad, mut all) = (0.0, 0.0);
        for line in output.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match (self, words.as_slice()) {
                (Tool::Wrk, ["Latency", _, _, max, ..]) => said.max_ms = ms(max),
                (Tool::Wrk, ["50%", p50]) => said.p50_ms = ms(p50),
                (Tool::Wrk, ["99%", p99]) => said.p99_ms = ms(p99),
                (Tool::Wrk, [requests, "requests", "in", ..]) => {
                    all = requests.parse().unwrap_or(0.0);
                }
                (Tool::Wrk, ["Socket", "errors:", counts @ ..]) => {
                    bad = sum(counts);
                    all += bad;
                }
                (Tool::H2load, ["time", "for", "request:", _, max, ..]) => said.max_ms = ms(max),
                (Tool::H2load, ["requests:", _, _, _, _, done, _, _, _, failed, ..]) => {
                    bad = failed.parse().unwrap_or(0.0);
                    all = bad + done.parse().unwrap_or(0.0);
                }
                (Tool::Ab, ["50%", p50]) => said.p50_ms = p50.parse().ok(),
                (Tool::Ab, ["99%", p99]) => said.p99_ms = p99.parse().ok(),
                (Tool::Ab, ["100%", max, ..]) => said.max_ms = max.parse().ok(),
                (Tool::Ab, ["Complete", "requests:", requests]) => {
                    all = requests.parse().unwrap_or(0.0);
                }
                (Tool::Ab, ["Failed", "requests:", failed]) => {
                    bad = failed.parse().unwrap_or(0.0);
                }
                _ => {}
            }
        }
        said.count_bad(bad, all);
        said
    }
}

/// The figures in the JSON of `load`, and the names of its failed self-tests.
pub fn read_load(output: &str) -> Said {
    let mut said = Said::default();
    let json: Value = serde_json::from_str(output).unwrap_or_default();
    read_json(&json, &mut said);
    let bad = number(&json, "/errors") + number(&json, "/mismatches");
    let all = number(&json, "/accounting/completed") + number(&json, "/errors");
    said.bad_percent = (all > 0.0).then(|| bad / all * 100.0);
    let checks = json.pointer("/checks").and_then(Value::as_array);
    let failed = checks
        .into_iter()
        .flatten()
        .filter(|check| check["result"] == "failed");
    said.warned
        .extend(failed.filter_map(|check| Some(check["name"].as_str()?.to_owned())));
    said
}

/// The shape that autocannon and `load` share.
fn read_json(json: &Value, said: &mut Said) {
    let at = |pointer: &str| json.pointer(pointer).and_then(Value::as_f64);
    said.p50_ms = at("/latency/p50");
    said.p99_ms = at("/latency/p99");
    said.max_ms = at("/latency/max");
}

fn number(json: &Value, pointer: &str) -> f64 {
    json.pointer(pointer).and_then(Value::as_f64).unwrap_or(0.0)
}

/// The numbers in `connect 0, read 12, write 0, timeout 3`.
fn sum(words: &[&str]) -> f64 {
    let numbers = words
        .iter()
        .filter_map(|word| word.trim_end_matches(',').parse::<f64>().ok());
    numbers.sum()
}

/// Milliseconds of `10us`, `1.20ms`, `5.01s`.
fn ms(text: &str) -> Option<f64> {
    let units = [("us", 1e-3), ("ms", 1.0), ("s", 1e3), ("m", 6e4)];
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    Some(number.parse::<f64>().ok()? * factor)
}
