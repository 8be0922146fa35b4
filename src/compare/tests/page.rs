//! The page of scripted rounds: what its first sentence says.

use super::super::page::of_comparison;
use super::*;

/// The verdict and the findings of six rounds in which `python-http` has 1000 requests/s and the
/// others these.
fn verdict(rates: &[(&'static str, [u64; 6])]) -> (String, usize) {
    let names: Vec<&str> = std::iter::once("python-http")
        .chain(rates.iter().map(|(name, _)| *name))
        .collect();
    let plan = plan(&names, 6);
    let script = Script::default();
    let mut script = rates
        .iter()
        .fold(script, |script, (name, rates)| script.rates(name, rates));
    let (outcome, report, _) = held(&plan, &mut script);
    let page = of_comparison(&report, &outcome, "bareloop compare").unwrap();
    (page.verdict.words().to_owned(), page.findings.len())
}

const FASTER: [u64; 6] = [3960, 3960, 4040, 4040, 3960, 4040];
const SLOWER: [u64; 6] = [505, 505, 495, 495, 505, 495];
const NOISY: [u64; 6] = [700, 1500, 900, 1300, 1400, 800];

#[test]
fn the_first_sentence_says_which_is_faster_as_far_as_that_is_shown() {
    for (rates, start, findings) in [
        (&[("bareloop-http", FASTER)][..], "bareloop-http is 4.0", 0),
        (
            &[("bareloop-http", FASTER), ("bareloop-tcp", SLOWER)],
            "Highest rate of 3: bareloop-http is 4.0",
            1,
        ),
        (
            &[("bareloop-http", SLOWER), ("bareloop-tcp", SLOWER)],
            "python-http is faster than each of the other 2.",
            2,
        ),
        (
            &[("bareloop-http", NOISY), ("bareloop-tcp", SLOWER)],
            "None of the other 2 is shown to be faster than python-http.",
            2,
        ),
        (&[], "python-http ran, and there is no other server", 0),
    ] {
        let (verdict, found) = verdict(rates);
        assert!(verdict.starts_with(start), "{verdict}");
        assert_eq!(found, findings, "{verdict}");
    }
}
