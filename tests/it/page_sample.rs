//! Made-up reports, as `compare` and `load` would hand them to a page.
//!
//! Seeded: a page of the same sample is the same file every time.

use bareloop::page::{
    At, Cost, Curve, CurvePoint, Fact, FactValue, Forest, ForestRow, LatencyCount, Page, Pause,
    PercentileRow, Percentiles, Quantity, RatioLimit, Round, SelfTest, SelfTestResult, Side, Slice,
    Sweep, SweepPoint, SweepVariable, Timeline, TimelineRound, Walk, Warning,
};
use serde_json::{Value, json};

use crate::harness::Random;

pub const CONTESTANTS: usize = 4;
pub const ROUNDS: usize = 6;

/// Draws from distributions.
struct Draws(Random);

impl Draws {
    fn seeded(seed: u64) -> Draws {
        Draws(Random::seeded(seed))
    }

    /// Evenly between 0 and 1.
    fn share(&mut self) -> f64 {
        (self.0.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Normal enough: mean 0, standard deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }
}

/// `(name, requests/s, p50 ms, spread of its latencies, µs of CPU, memory)`
const SERVERS: [(&str, f64, f64, f64, f64, f64); CONTESTANTS] = [
    ("nginx", 118_400.0, 6.9, 0.28, 8.1, 9.4e6),
    ("bareloop-http", 152_300.0, 5.4, 0.16, 6.2, 3.1e6),
    ("node", 41_700.0, 19.8, 0.35, 23.9, 86.2e6),
    ("python-http", 5_264.0, 171.0, 0.5, 188.0, 41.7e6),
];

/// Percentiles that a curve has points at.
fn shares() -> Vec<f64> {
    (1..=33)
        .map(|step| 1.0 - 10f64.powf(-f64::from(step) / 8.0))
        .collect()
}

/// A quantile of a skewed distribution.
fn quantile_ms(p50_ms: f64, spread: f64, share: f64) -> f64 {
    let nines = -(1.0 - share).log10();
    p50_ms * (spread * (0.9 * (nines - 0.301) + 0.12 * nines.powi(2))).exp()
}

/// A comparison of four servers in six rounds.
pub fn comparison() -> Page {
    let report = comparison_report();
    let root = At::root(&report);
    let contestants: Vec<At> = root.key("contestants").elements().collect();
    let named = |index: usize| contestants[index].key("name").text().unwrap();
    Page {
        title: "bareloop compare: nginx, bareloop-http, node, python-http".to_owned(),
        subtitle: "24 November 2026, 100 connections, 10 requests in flight on each".into(),
        verdict: root.key("verdict").text().unwrap(),
        findings: root
            .key("findings")
            .elements()
            .filter_map(|at| at.text())
            .collect(),
        quantities: Vec::new(),
        warnings: vec![
            Warning {
                about: Some(named(1)),
                reason: contestants[1].key("warnings").index(0).text().unwrap(),
                advice: Some(
                    "read its ratio as a lower bound, or give the client more cores".into(),
                ),
            },
            Warning {
                about: Some(named(3)),
                reason: contestants[3].key("warnings").index(0).text().unwrap(),
                advice: None,
            },
        ],
        forest: Some(forest(&root, &contestants)),
        percentiles: Some(percentiles(&contestants)),
        timelines: (0..CONTESTANTS)
            .map(|index| timeline(index, &contestants[index]))
            .collect(),
        sweeps: Vec::new(),
        searches: Vec::new(),
        costs: contestants.iter().enumerate().map(cost).collect(),
        self_tests: self_tests(&root),
        rounds: rounds(&contestants),
        facts: facts(&root),
        command: root.key("command").text(),
        report: report.clone(),
    }
}

fn comparison_report() -> Value {
    let mut random = Draws::seeded(7);
    let session: Vec<f64> = (0..ROUNDS).map(|_| 0.008 * random.normal()).collect();
    let rate = |random: &mut Draws, index: usize, round: usize| {
        let (_, rate, ..) = SERVERS[index];
        rate * (session[round] + 0.012 * random.normal()).exp()
    };
    let rates: Vec<Vec<f64>> = (0..CONTESTANTS)
        .map(|index| {
            (0..ROUNDS)
                .map(|round| rate(&mut random, index, round))
                .collect()
        })
        .collect();
    let contestants: Vec<Value> = (0..CONTESTANTS)
        .map(|index| contestant(index, &rates, &mut random))
        .collect();
    json!({
        "verdict": "bareloop-http makes 1.29 times the requests/s of nginx, at 0.77 times its CPU \
            time per request; node and python-http are slower.",
        "findings": [],
        "machine": {"os": "Linux 6.1 (Debian 12)", "cpu": "AMD EPYC 7B13", "cores": 2,
            "memoryBytes": 8_217_411_584u64},
        "settings": {"connections": 100, "pipelining": 10, "durationSeconds": 2.0, "rounds": 6,
            "sameWithin": 0.02, "seed": 4_711},
        "reference": "nginx",
        "contestants": contestants,
        "checks": [
            {"name": "client busy", "result": "failed", "detail": "97 % of one core in 6 of 6 rounds of bareloop-http"},
            {"name": "background load", "result": "passed", "detail": "0.02 runnable processes on the average"},
            {"name": "steal time", "result": "passed", "detail": "4 ms of 96 s"},
            {"name": "schedule kept", "result": "notApplicable", "detail": "closed loop"},
        ],
        "command": "bareloop compare -c 100 -p 10 -d 2 -r 6 --seed 4711 --server nginx='nginx -p {dir} -c nginx.conf' --server node='node server.js {port}' --only nginx,bareloop-http,node,python-http --reference nginx --export-html page.html",
        "version": "0.1.0"
    })
}

fn contestant(index: usize, rates: &[Vec<f64>], random: &mut Draws) -> Value {
    let (name, _, p50, spread, cpu, memory) = SERVERS[index];
    let mut ratios: Vec<f64> = std::iter::zip(&rates[index], &rates[0])
        .map(|(a, b)| a / b)
        .collect();
    let rounds = ratios.clone();
    ratios.sort_by(f64::total_cmp);
    let median = (ratios[2] + ratios[3]) / 2.0;
    let half = 0.55 * (ratios[5] / ratios[0]).ln();
    let cpus: Vec<f64> = (0..ROUNDS)
        .map(|_| cpu * (1.0 + 0.02 * random.normal()))
        .collect();
    let finding = [
        "",
        "different: 1.29 times as fast",
        "different: 2.8 times slower",
        "different: 22 times slower",
    ][index];
    let latency = |share: f64| {
        let ms = quantile_ms(p50, spread, share);
        json!({"median": ms, "low": ms * 0.96, "high": ms * 1.05})
    };
    let run = |round: usize| {
        json!({"requestsPerSecond": rates[index][round], "p50Ms": p50 / (rates[index][round] / SERVERS[index].1),
            "p99Ms": quantile_ms(p50, spread, 0.99) * (0.97 + 0.01 * round as f64),
            "maxMs": quantile_ms(p50, spread, 0.99999), "cpuMicrosPerRequest": cpus[round],
            "peakMemoryBytes": memory * (1.0 + 0.01 * round as f64), "errors": if index == 3 { round } else { 0 },
            "limitedBy": if index == 1 { "client" } else { "server" }})
    };
    let warnings: Value = match index {
        1 => json!(["The load generator was the limit in 6 of 6 rounds (97 % of a core)"]),
        3 => {
            json!(["15 errors in 5 of 6 rounds; first: connection reset by peer <after 3 replies>"])
        }
        _ => json!([]),
    };
    json!({
        "name": name,
        "requestsPerSecond": summary(&rates[index]),
        "latencyMs": {"p50": latency(0.5), "p90": latency(0.9), "p99": latency(0.99), "p99_9": latency(0.999)},
        "cpuMicrosPerRequest": summary(&cpus),
        "userMicrosPerRequest": cpu * [0.31, 0.22, 0.74, 0.81][index],
        "systemMicrosPerRequest": cpu * [0.69, 0.78, 0.26, 0.19][index],
        "clientMicrosPerRequest": 5.9 + index as f64 * 0.4,
        "peakMemoryBytes": memory * 1.05,
        "ratio": if index == 0 { Value::Null } else { json!({"median": median, "low": median * (-half).exp(),
            "high": median * half.exp(), "finding": finding, "rounds": rounds}) },
        "finding": finding,
        "runs": (0..ROUNDS).map(run).collect::<Vec<_>>(),
        "longestSilence": {"round": 3, "startSeconds": 0.85, "ms": if index == 2 { json!(262.4) } else { Value::Null }},
        "clientPause": {"round": 1, "startSeconds": 1.2, "ms": if index == 1 { json!(61.2) } else { Value::Null }},
        "warnings": warnings,
    })
}

fn summary(rounds: &[f64]) -> Value {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    json!({"median": (sorted[2] + sorted[3]) / 2.0, "min": sorted[0], "max": sorted[5], "rounds": rounds})
}

fn forest(root: &At, contestants: &[At]) -> Forest {
    let row = |(contestant, at): (usize, &At)| ForestRow {
        name: at.key("name").text().unwrap(),
        contestant,
        requests_per_second: at.key("requestsPerSecond").key("median").figure(),
        ratio: at.key("ratio").estimate("median", "low", "high"),
        bar: "95 % interval".to_owned(),
        limit: match contestant {
            1 => RatioLimit::AtLeast,
            _ => RatioLimit::None,
        },
        round_ratios: at.key("ratio").key("rounds").figures(),
        finding: at.key("finding").text().unwrap(),
    };
    Forest {
        quantity: "requests per second".to_owned(),
        reference: "nginx".to_owned(),
        bar: "95 % interval".to_owned(),
        same_within: root.key("settings").key("sameWithin").figure(),
        rows: contestants.iter().enumerate().map(row).collect(),
    }
}

fn percentiles(contestants: &[At]) -> Percentiles {
    let curve = |contestant: usize| {
        let (name, _, p50, spread, ..) = SERVERS[contestant];
        let last = 33 - contestant * 3;
        let point = |share: f64| {
            let ms = quantile_ms(p50, spread, share);
            let width = 0.015 * (1.0 - share).powf(-0.25);
            CurvePoint {
                share,
                ms,
                low_ms: Some(ms / (1.0 + width)),
                high_ms: Some(ms * (1.0 + width)),
                at_least: contestant == 3 && share > 0.995,
            }
        };
        Curve {
            name: name.to_owned(),
            contestant,
            points: shares().into_iter().take(last).map(point).collect(),
        }
    };
    let row = |(contestant, at): (usize, &At)| PercentileRow {
        name: at.key("name").text().unwrap(),
        contestant,
        cells: ["p50", "p90", "p99", "p99_9"]
            .map(|p| at.key("latencyMs").key(p).estimate("median", "low", "high"))
            .to_vec(),
        at_least_from: (contestant == 3).then_some(3),
    };
    Percentiles {
        curves: (0..CONTESTANTS).map(curve).collect(),
        band: "95 % interval".to_owned(),
        columns: ["p50", "p90", "p99", "p99.9"].map(str::to_owned).to_vec(),
        rows: contestants.iter().enumerate().map(row).collect(),
    }
}

fn timeline(contestant: usize, at: &At) -> Timeline {
    let mut random = Draws::seeded(11 + contestant as u64);
    let (name, rate, p50, spread, ..) = SERVERS[contestant];
    let pause = |key: &str, side: Side| {
        let at = at.key(key);
        Some((
            at.key("round").figure()?.value() as usize,
            Pause {
                side,
                start_seconds: at.key("startSeconds").figure()?.value(),
                ms: at.key("ms").figure()?,
            },
        ))
    };
    let pauses = [
        pause("longestSilence", Side::Server),
        pause("clientPause", Side::Client),
    ];
    let round = |round: usize| {
        let pauses: Vec<Pause> = pauses
            .iter()
            .flatten()
            .filter(|(of, _)| *of == round)
            .map(|(_, pause)| pause.clone())
            .collect();
        let slice = |index: usize| {
            let start = index as f64 * 0.1;
            let silent = pauses.iter().any(|pause| {
                pause.side == Side::Server
                    && start >= pause.start_seconds
                    && start < pause.start_seconds + pause.ms.value() / 1000.0 - 0.05
            });
            let rate = if silent { 0.0 } else { rate };
            slice(
                0.1,
                None,
                rate * (1.0 + 0.03 * random.normal()),
                p50,
                spread,
                &mut random,
            )
        };
        TimelineRound {
            slices: (0..20).map(slice).collect(),
            pauses,
        }
    };
    Timeline {
        name: Some(name.to_owned()),
        contestant,
        rounds: (0..ROUNDS).map(round).collect(),
    }
}

/// A slice with skewed latencies around `p50_ms`.
fn slice(
    seconds: f64,
    due: Option<u64>,
    rate: f64,
    p50_ms: f64,
    spread: f64,
    random: &mut Draws,
) -> Slice {
    let answered = (rate * seconds).round() as u64;
    let samples = answered.min(120);
    let latency = |random: &mut Draws| {
        let share = random.share() * 0.999_9;
        quantile_ms(p50_ms, spread, share) * (0.04 * random.normal()).exp()
    };
    Slice {
        seconds,
        due,
        sent: answered,
        answered,
        latencies: (0..samples)
            .map(|_| LatencyCount {
                ms: latency(random),
                count: answered / samples,
            })
            .collect(),
    }
}

fn cost((contestant, at): (usize, &At)) -> Cost {
    Cost {
        name: at.key("name").text().unwrap(),
        contestant,
        cpu_micros: at
            .key("cpuMicrosPerRequest")
            .estimate("median", "min", "max"),
        user_micros: at.key("userMicrosPerRequest").figure(),
        system_micros: at.key("systemMicrosPerRequest").figure(),
        round_micros: at.key("cpuMicrosPerRequest").key("rounds").figures(),
        client_micros: at.key("clientMicrosPerRequest").figure(),
        peak_memory_bytes: at.key("peakMemoryBytes").figure(),
    }
}

fn self_tests(root: &At) -> Vec<SelfTest> {
    let test = |at: At| SelfTest {
        name: at.key("name").text().unwrap(),
        result: match at.key("result").text().unwrap().words() {
            "passed" => SelfTestResult::Passed,
            "failed" => SelfTestResult::Failed,
            _ => SelfTestResult::NotApplicable,
        },
        detail: at.key("detail").text().unwrap(),
        advice: None,
    };
    root.key("checks").elements().map(test).collect()
}

fn rounds(contestants: &[At]) -> Vec<Round> {
    let runs = (0..ROUNDS).flat_map(|round| {
        contestants
            .iter()
            .enumerate()
            .map(move |(contestant, at)| (round, contestant, at))
    });
    runs.map(|(round, contestant, at)| {
        let run = at.key("runs").index(round);
        Round {
            round: round + 1,
            name: at.key("name").text().unwrap(),
            contestant,
            requests_per_second: run.key("requestsPerSecond").figure(),
            p50_ms: run.key("p50Ms").figure(),
            p99_ms: run.key("p99Ms").figure(),
            max_ms: run.key("maxMs").figure(),
            cpu_micros: run.key("cpuMicrosPerRequest").figure(),
            peak_memory_bytes: run.key("peakMemoryBytes").figure(),
            errors: run.key("errors").figure(),
            limited_by: run.key("limitedBy").text(),
        }
    })
    .collect()
}

fn facts(root: &At) -> Vec<Fact> {
    let (machine, settings) = (root.key("machine"), root.key("settings"));
    let fact = |label: &str, value: FactValue| Fact {
        label: label.to_owned(),
        value,
    };
    let text = |at: At| FactValue::Text(at.text().unwrap());
    let figure = |at: At| at.figure().unwrap();
    vec![
        fact("system", text(machine.key("os"))),
        fact("processor", text(machine.key("cpu"))),
        fact("cores", FactValue::Count(figure(machine.key("cores")))),
        fact(
            "memory",
            FactValue::Bytes(figure(machine.key("memoryBytes"))),
        ),
        fact(
            "connections",
            FactValue::Count(figure(settings.key("connections"))),
        ),
        fact(
            "requests in flight on each",
            FactValue::Count(figure(settings.key("pipelining"))),
        ),
        fact(
            "length of a run",
            FactValue::Seconds(figure(settings.key("durationSeconds"))),
        ),
        fact(
            "same within",
            FactValue::Share(figure(settings.key("sameWithin"))),
        ),
        fact("seed", FactValue::Count(figure(settings.key("seed")))),
        fact("bareloop", text(root.key("version"))),
    ]
}

/// Three builds of one server: one the same, one undecided, one slower by 4 %.
pub fn close_comparison() -> Page {
    let report = json!({
        "verdict": "pooled buffers are the same as main within 2 %; logging costs 4 %.",
        "sameWithin": 0.02,
        "contestants": [
            {"name": "main", "rate": 152_310.4, "ratio": null, "finding": ""},
            {"name": "pooled buffers", "rate": 152_933.1, "finding": "the same within 2 %",
                "ratio": {"median": 1.0041, "low": 0.9948, "high": 1.0135, "rounds": [1.0102, 0.9969, 1.0041, 1.0087, 0.9991, 1.0043]}},
            {"name": "logging", "rate": 146_217.0, "finding": "different: 4.0 % slower",
                "ratio": {"median": 0.9603, "low": 0.9511, "high": 0.9696, "rounds": [0.9531, 0.9688, 0.9571, 0.9633, 0.9642, 0.9558]}},
            {"name": "new parser", "rate": 154_820.0, "finding": "undecided: about 9 more rounds would decide",
                "ratio": {"median": 1.0171, "low": 0.9989, "high": 1.0356, "rounds": [1.0391, 0.9977, 1.0165, 1.0254, 1.0039, 1.0177]}},
        ]
    });
    let root = At::root(&report);
    let row = |(contestant, at): (usize, At)| ForestRow {
        name: at.key("name").text().unwrap(),
        contestant,
        requests_per_second: at.key("rate").figure(),
        ratio: at.key("ratio").estimate("median", "low", "high"),
        bar: "95 % interval".to_owned(),
        limit: RatioLimit::None,
        round_ratios: at.key("ratio").key("rounds").figures(),
        finding: at.key("finding").text().unwrap(),
    };
    let forest = Forest {
        quantity: "requests per second".to_owned(),
        reference: "main".to_owned(),
        bar: "95 % interval".to_owned(),
        same_within: root.key("sameWithin").figure(),
        rows: root
            .key("contestants")
            .elements()
            .enumerate()
            .map(row)
            .collect(),
    };
    Page {
        title: "bareloop compare: three builds against main".to_owned(),
        verdict: root.key("verdict").text().unwrap(),
        forest: Some(forest),
        report,
        ..Page::default()
    }
}

/// A single run at a fixed rate, with a stall of the server, a second mode and a drift; and a
/// sweep over rates with a knee.
pub fn run() -> Page {
    let report = run_report();
    let root = At::root(&report);
    let latency = root.key("latency");
    let quantity = |label: &str, value: FactValue, note: &str| Quantity {
        label: label.to_owned(),
        value,
        is_lower_bound: false,
        note: (!note.is_empty()).then(|| note.into()),
    };
    let figure = |at: At| at.figure().unwrap();
    let row = PercentileRow {
        name: "this run".into(),
        contestant: 1,
        cells: ["p50", "p90", "p99", "p99_9"]
            .map(|p| latency.key(p).estimate("value", "low", "high"))
            .to_vec(),
        at_least_from: Some(3),
    };
    Page {
        title: "bareloop load http://127.0.0.1:8080/".to_owned(),
        subtitle:
            "24 November 2026, 20,000 requests/s for 20 s on 50 connections, Poisson arrivals"
                .into(),
        verdict: root.key("verdict").text().unwrap(),
        quantities: vec![
            quantity(
                "replies per second",
                FactValue::PerSecond(figure(root.key("repliesPerSecond"))),
                "of 20,000 due",
            ),
            quantity(
                "p50",
                FactValue::Milliseconds(figure(latency.key("p50").key("value"))),
                "",
            ),
            quantity(
                "p99",
                FactValue::Milliseconds(figure(latency.key("p99").key("value"))),
                "",
            ),
            quantity("errors", FactValue::Count(figure(root.key("errors"))), ""),
        ],
        warnings: root
            .key("reasons")
            .elements()
            .filter_map(|at| at.text())
            .map(|reason| Warning {
                about: None,
                reason,
                advice: None,
            })
            .collect(),
        percentiles: Some(Percentiles {
            curves: vec![run_curve()],
            band: "95 % interval".to_owned(),
            columns: ["p50", "p90", "p99", "p99.9"].map(str::to_owned).to_vec(),
            rows: vec![row],
        }),
        timelines: vec![run_timeline(&root)],
        sweeps: vec![sweep(&root)],
        self_tests: self_tests(&root),
        command: root.key("command").text(),
        report: report.clone(),
        ..Page::default()
    }
}

fn run_report() -> Value {
    let interval = |ms: f64, width: f64| json!({"value": ms, "low": ms / (1.0 + width), "high": ms * (1.0 + width)});
    let steps = [5e3, 10e3, 15e3, 20e3, 25e3, 30e3, 35e3];
    let step = |walk: &str, offered: f64| {
        let knee: f64 = if walk == "up" { 27_400.0 } else { 25_100.0 };
        let load = (offered / knee).min(0.985);
        let achieved = offered.min(knee * 1.02);
        let p50 = 0.4 / (1.0 - load);
        json!({"walk": walk, "offered": offered, "achieved": {"value": achieved, "low": achieved * 0.99, "high": achieved * 1.008},
            "p50Ms": interval(p50, 0.06), "p99Ms": interval(p50 * 5.2, 0.2)})
    };
    let up = steps.iter().map(|rate| step("up", *rate));
    let down = steps.iter().rev().skip(1).map(|rate| step("down", *rate));
    json!({
        "verdict": "SUSPECT: 19,640 replies per second of 20,000 due; p99 is 48.1 ms, but the run was not steady.",
        "reasons": ["The server sent nothing for 812 ms from 6.0 s on.", "The latency rose by 60 % from the first to the last quarter."],
        "repliesPerSecond": 19_640.2,
        "errors": 118,
        "latency": {"p50": interval(1.24, 0.05), "p90": interval(2.31, 0.08), "p99": interval(48.1, 0.6),
            "p99_9": {"value": 803.0, "low": 610.0, "high": null}},
        "silence": {"startSeconds": 6.0, "ms": 812.0},
        "client": {"pauses": [{"startSeconds": 14.1, "ms": 34.0}, {"startSeconds": 3.4, "ms": 12.5}]},
        "checks": [
            {"name": "schedule kept", "result": "passed", "detail": "p99 of the lag 0.031 ms"},
            {"name": "steady", "result": "failed", "detail": "latency rises with time: Kendall's tau 0.61"},
        ],
        "sweep": {"points": up.chain(down).collect::<Vec<_>>(), "knee": {"value": 26_200.0, "low": 25_000.0, "high": 27_500.0}},
        "command": "bareloop load -R 20k --arrivals poisson -c 50 -d 20 --seed 99 http://127.0.0.1:8080/",
    })
}

fn run_curve() -> Curve {
    /// `(nines, ms)`: a first mode, the timer of the second, the stall.
    const CORNERS: [(f64, f64); 7] = [
        (0.0, 0.9),
        (0.301, 1.24),
        (1.0, 2.31),
        (1.3, 40.5),
        (2.0, 48.1),
        (3.0, 803.0),
        (5.0, 818.0),
    ];
    let point = |share: f64| {
        let nines = -(1.0 - share).log10();
        let next = CORNERS.iter().position(|(at, _)| *at > nines).unwrap();
        let ((from, low), (to, high)) = (CORNERS[next - 1], CORNERS[next]);
        let ms = low * (high / low).powf((nines - from) / (to - from));
        let width = 1.04 + 0.6 * share.powi(60);
        CurvePoint {
            share,
            ms,
            low_ms: Some(ms / width),
            high_ms: (share < 0.998).then_some(ms * width),
            at_least: share > 0.997,
        }
    };
    Curve {
        name: "this run".to_owned(),
        contestant: 1,
        points: shares().into_iter().map(point).collect(),
    }
}

fn run_timeline(root: &At) -> Timeline {
    let mut random = Draws::seeded(3);
    let slice = |index: usize| {
        let time = index as f64 * 0.1;
        let silent = (6.0..6.8).contains(&time);
        let p50 = 1.0 * (1.0 + time / 33.0);
        let rate = if silent {
            0.0
        } else {
            20_000.0 * (1.0 + 0.02 * random.normal())
        };
        let mut slice = slice(0.1, Some(2000), rate, p50, 0.3, &mut random);
        if silent {
            slice.sent = 50;
        } else {
            // The second mode: one reply in 20 waits for a timer.
            let waits = (0..6).map(|_| LatencyCount {
                ms: 40.0 + 2.0 * random.share(),
                count: 16,
            });
            slice.latencies.extend(waits);
        }
        if (6.8..7.1).contains(&time) {
            let owed = (0..40).map(|step| LatencyCount {
                ms: 20.0 * f64::from(step) + 10.0,
                count: 130,
            });
            slice.latencies.extend(owed);
            slice.answered += 5200;
            slice.sent += 5200;
        }
        slice
    };
    let pause = |side: Side, at: At| Pause {
        side,
        start_seconds: at.key("startSeconds").figure().unwrap().value(),
        ms: at.key("ms").figure().unwrap(),
    };
    let slices = (0..200).map(slice).collect();
    let client = root.key("client").key("pauses");
    let mut pauses: Vec<Pause> = client
        .elements()
        .map(|at| pause(Side::Client, at))
        .collect();
    pauses.push(pause(Side::Server, root.key("silence")));
    Timeline {
        name: None,
        contestant: 1,
        rounds: vec![TimelineRound { slices, pauses }],
    }
}

fn sweep(root: &At) -> Sweep {
    let point = |at: At| SweepPoint {
        walk: match at.key("walk").text().unwrap().words() {
            "up" => Walk::Up,
            _ => Walk::Down,
        },
        load: at.key("offered").figure().unwrap(),
        achieved_per_second: at.key("achieved").estimate("value", "low", "high"),
        p50_ms: at.key("p50Ms").estimate("value", "low", "high"),
        p99_ms: at.key("p99Ms").estimate("value", "low", "high"),
        at_least_from: None,
        errors: None,
    };
    let at = root.key("sweep");
    Sweep {
        name: None,
        contestant: 1,
        variable: SweepVariable::OfferedPerSecond,
        points: at.key("points").elements().map(point).collect(),
        bars: "95 % intervals".to_owned(),
        knee_bounds: "95 % interval".to_owned(),
        knee: at.key("knee").estimate("value", "low", "high"),
    }
}
