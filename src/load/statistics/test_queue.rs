//! Simulated servers with known latencies: a queue by Lindley's recursion, at the level of events.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use super::interval_log::{Interval, IntervalLog};
use crate::event_loop::Time;

/// The percentiles that have intervals.
pub(crate) const QUANTILES: [f64; 5] = [0.5, 0.9, 0.975, 0.99, 0.999];

/// Random numbers of distributions.
pub(crate) struct Random(Xoshiro256PlusPlus);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Random {
        Random(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// In (0, 1].
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// Of mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Of mean 0 and deviation 1 (Box and Muller, 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A queue with Poisson arrivals and one server.
#[derive(Clone, Copy)]
pub(crate) struct QueuePlan {
    pub(crate) load: f64,
    pub(crate) rate: f64,
    pub(crate) seconds: f64,
    /// Service times: exponential, or always the same.
    pub(crate) exponential: bool,
    /// Service time at the share `x` of the run, relative to that of the plan.
    pub(crate) slowdown: fn(f64) -> f64,
}

impl QueuePlan {
    pub(crate) fn mm1(load: f64, rate: f64, seconds: f64) -> QueuePlan {
        QueuePlan {
            load,
            rate,
            seconds,
            exponential: true,
            slowdown: |_| 1.0,
        }
    }

    /// -ln(1 - q) / (mu - lambda)
    pub(crate) fn mm1_quantile_ns(&self, quantile: f64) -> f64 {
        -(1.0 - quantile).ln() * self.load / (self.rate * (1.0 - self.load)) * 1e9
    }
}

/// One run of the queue, begun in its steady state.
pub(crate) fn run(plan: &QueuePlan, seed: u64) -> Vec<Interval> {
    let mut random = Random::seeded(seed);
    let mut log = IntervalLog::starting(Time::START);
    let service = plan.load / plan.rate;
    let end = plan.seconds;
    let mut arrival = 0.0;
    // The work found by an arrival of M/M/1 is exponential with probability `load`, otherwise 0.
    let mut free_at = match random.uniform() < plan.load {
        true => random.exponential() * service / (1.0 - plan.load),
        false => 0.0,
    };
    loop {
        arrival += random.exponential() / plan.rate;
        let length = if plan.exponential {
            random.exponential()
        } else {
            1.0
        };
        free_at = f64::max(arrival, free_at) + length * service * (plan.slowdown)(arrival / end);
        if free_at >= end {
            break;
        }
        let latency = (free_at - arrival) * 1e9;
        log.record(Time::from_ns((free_at * 1e9) as u64), latency as u64, 1);
    }
    log.finish(Time::from_ns((end * 1e9) as u64));
    log.intervals().to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::censoring::Survival;
    use super::super::interval_log::all_answered;
    use super::super::quantile_interval::QuantileIntervals;
    use super::*;
    use crate::load::schedule::{Arrivals, Rate, Schedule, SchedulePlan};

    const RUNS: u64 = 100;

    /// A queue behind the real schedule: Poisson arrivals at 2,500 per second for 20 s, latency from
    /// the due time.
    fn run_on_schedule(load: f64, exponential: bool, seed: u64) -> Vec<Interval> {
        let (rate, end) = (2500.0, Time::from_ns(20_000_000_000));
        let mut schedule = Schedule::new(&SchedulePlan {
            rate: Rate::Constant(rate),
            arrivals: Arrivals::Poisson,
            seed,
            worker: 0,
            workers: 1,
            start: Time::START,
            end,
        });
        let mut random = Random::seeded(seed);
        let mut log = IntervalLog::starting(Time::START);
        let service_ns = load / rate * 1e9;
        let mut departure = 0;
        while let Some(due) = schedule.take(end) {
            let length = if exponential {
                random.exponential()
            } else {
                1.0
            };
            departure = due.as_ns().max(departure) + (length * service_ns) as u64;
            let departed = Time::from_ns(departure);
            if departed >= end {
                break;
            }
            log.record(departed, departed.ns_since(due), 1);
        }
        log.finish(end);
        log.intervals().to_vec()
    }

    /// p50, p90 and p99 of M/M/1 are -ln(1 - p) / (mu - lambda), the mean is 1 / (mu - lambda).
    #[test]
    fn latencies_agree_with_an_m_m_1_queue() {
        let (mut right, mut asked) = (0, 0);
        for load in [0.3, 0.5, 0.8] {
            let plan = QueuePlan::mm1(load, 2500.0, 20.0);
            let mut mean_ns = 0.0;
            for seed in 0..RUNS {
                let intervals = run_on_schedule(load, true, seed);
                let all = all_answered(&intervals);
                mean_ns += all.mean_ns() / RUNS as f64;
                let survival = Survival::of(&intervals);
                let found = QuantileIntervals::new(&intervals, &survival);
                for quantile in [0.5, 0.9, 0.99] {
                    let truth = plan.mm1_quantile_ns(quantile);
                    let Ok(interval) = found.of(quantile) else {
                        continue;
                    };
                    let high = interval.high_ns.map_or(f64::INFINITY, |ns| ns as f64);
                    asked += 1;
                    right += u32::from(interval.low_ns as f64 <= truth && truth <= high);
                }
            }
            let truth = plan.mm1_quantile_ns(1.0 - (-1f64).exp());
            println!("M/M/1 {load}: mean {:.4} of theory", mean_ns / truth);
            assert!(
                (mean_ns / truth - 1.0).abs() < 0.02,
                "{load}: {}",
                mean_ns / truth
            );
        }
        println!("{right} of {asked} percentiles within their intervals");
        // 95 % of 600 runs (5,155 of 5,392 percentiles); here less three standard errors.
        assert!(right * 100 >= asked * 92, "{right} of {asked}");
    }

    /// The mean wait of M/D/1 is rho S / (2 (1 - rho)).
    #[test]
    fn the_mean_wait_agrees_with_an_m_d_1_queue() {
        for load in [0.3, 0.5, 0.8] {
            let service_ns = load / 2500.0 * 1e9;
            let wait =
                |seed| all_answered(&run_on_schedule(load, false, seed)).mean_ns() - service_ns;
            let wait_ns = (0..RUNS).map(wait).sum::<f64>() / RUNS as f64;
            let truth = load * service_ns / (2.0 * (1.0 - load));
            println!("M/D/1 {load}: mean wait {:.4} of theory", wait_ns / truth);
            assert!(
                (wait_ns / truth - 1.0).abs() < 0.02,
                "{load}: {}",
                wait_ns / truth
            );
        }
    }
}
