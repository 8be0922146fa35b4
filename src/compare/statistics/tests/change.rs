//! Findings between two saved results, and their error rates.

use super::*;

fn facts(pairs: &[(&str, &str)]) -> Facts {
    let owned = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    owned.collect()
}

/// Rounds in which the load was not the limit.
fn closed(rounds: Vec<f64>) -> BoundedRounds {
    BoundedRounds {
        rounds,
        open: OpenSides::default(),
    }
}

/// Two contestants beside the reference 'python'; the machine is `speed` times as fast as usual.
fn result(log_speeds: [f64; 2], speed: f64, seed: u32) -> SavedResult {
    let mut random = Random::new(seed, Purpose::Mock, 0);
    let mut rounds = |log_speed: f64| -> Vec<f64> {
        let mut figure = || speed * (log_speed + 0.01 * random.normal()).exp();
        (0..8).map(|_| figure()).collect()
    };
    let reference = rounds(0.0);
    let mut contestants = BTreeMap::from([(
        "python".to_owned(),
        SavedRounds {
            figures: closed(reference.clone()),
            ratios: BoundedRounds::default(),
        },
    )]);
    for (name, log_speed) in std::iter::zip(["node", "bareloop"], log_speeds) {
        let figures = rounds(log_speed);
        let ratios = std::iter::zip(&figures, &reference).map(|(a, b)| a / b);
        let ratios = closed(ratios.collect());
        let figures = closed(figures);
        contestants.insert(name.to_owned(), SavedRounds { figures, ratios });
    }
    SavedResult {
        machine: facts(&[("cpu", "A"), ("cores", "2")]),
        settings: facts(&[("connections", "100")]),
        version: "1.0".to_owned(),
        reference: Some("python".to_owned()),
        reference_request: None,
        contestants,
    }
}

fn named<'a>(change: &'a BaselineChange, name: &str) -> &'a ContestantChange {
    change.changes.iter().find(|c| c.name == name).unwrap()
}

#[test]
fn an_unchanged_result_changes_in_at_most_5_percent() {
    let alarms = share(1000, |seed| {
        let before = result([0.5, 1.0], 1.0, 2 * seed);
        let mut now = result([0.5, 1.0], 1.0, 2 * seed + 1);
        now.contestants.remove("python");
        let change = change(&before, &now, margin());
        change.changes.iter().any(|c| c.claims.different.is_some())
    });
    println!("any of 2 changed: {alarms}");
    assert!((0.02..=0.065).contains(&alarms), "{alarms}");
}

#[test]
fn a_change_of_5_percent_is_found_in_the_ratio_on_another_machine() {
    let found = share(300, |seed| {
        let before = result([0.5, 1.0], 1.0, 2 * seed);
        let mut now = result([0.45, 1.0], 3.0, 2 * seed + 1);
        now.machine = facts(&[("cpu", "B"), ("cores", "2")]);
        let change = change(&before, &now, margin());
        assert_eq!(change.comparable, Comparable::Ratios);
        assert_eq!(change.changes.len(), 2, "the reference has no ratio");
        let node = named(&change, "node");
        assert_eq!(node.compared, Compared::Ratio);
        let is_less = matches!(node.uncertainty, Uncertainty::Confidence(it) if it.high < 1.0);
        node.claims.different == Some(Direction::Less) && is_less
    });
    println!("found: {found}");
    assert!(found >= 0.95, "{found}");
}

#[test]
fn each_difference_closes_what_it_makes_incomparable() {
    let before = result([0.0; 2], 1.0, 1);
    let changed = |edit: &dyn Fn(&mut SavedResult)| {
        let mut now = result([0.0; 2], 1.0, 2);
        edit(&mut now);
        change(&before, &now, margin())
    };
    let same = changed(&|_| {});
    assert_eq!(
        (same.comparable, same.differences.len()),
        (Comparable::RatiosAndFigures, 0)
    );
    assert_eq!(named(&same, "node").compared, Compared::Ratio);
    assert_eq!(named(&same, "python").compared, Compared::Figure);

    let version = changed(&|now| now.version = "2.0".to_owned());
    assert_eq!(version.comparable, Comparable::RatiosAndFigures);
    assert_eq!(version.differences[0].of, DifferenceOf::Version);

    let reference = changed(&|now| now.reference = Some("node".to_owned()));
    assert_eq!(reference.comparable, Comparable::Figures);
    assert!(
        reference
            .changes
            .iter()
            .all(|c| c.compared == Compared::Figure)
    );

    let request = changed(&|now| now.reference_request = Some("GET /big".to_owned()));
    assert_eq!(request.comparable, Comparable::Figures);
    assert_eq!(
        (request.differences[0].of, &*request.differences[0].name),
        (DifferenceOf::Reference, "request")
    );

    let settings = changed(&|now| now.settings = facts(&[("connections", "10")]));
    assert_eq!(settings.comparable, Comparable::Nothing);
    assert!(settings.changes.is_empty());
    assert_eq!(
        settings.differences,
        [Difference {
            of: DifferenceOf::Settings,
            name: "connections".to_owned(),
            before: Some("100".to_owned()),
            now: Some("10".to_owned()),
        }]
    );

    let both = changed(&|now| {
        now.machine.remove("cpu");
        now.reference = None;
    });
    assert_eq!(
        (both.comparable, both.differences.len()),
        (Comparable::Nothing, 2)
    );
}

#[test]
fn contestants_of_one_result_only_are_named_and_few_rounds_claim_nothing() {
    let before = result([0.0; 2], 1.0, 1);
    let mut now = result([1.0; 2], 1.0, 2);
    let node = now.contestants.remove("node").unwrap();
    now.contestants.insert("nginx".to_owned(), node);
    for rounds in now.contestants.values_mut() {
        rounds.figures.rounds.truncate(5);
        rounds.ratios.rounds.truncate(5);
    }
    let change = change(&before, &now, margin());
    assert_eq!(
        (&*change.gone, &*change.new),
        (&["node".to_owned()][..], &["nginx".to_owned()][..])
    );
    let bareloop = named(&change, "bareloop");
    assert!((bareloop.change - 1f64.exp()).abs() < 0.05);
    let Uncertainty::Range(range) = bareloop.uncertainty else {
        panic!("five rounds: {bareloop:?}");
    };
    let quotients = |name: &str| -> Vec<f64> {
        let before = &before.contestants[name].ratios.rounds;
        let now = &now.contestants[name].ratios.rounds;
        let each = now
            .iter()
            .flat_map(|now| before.iter().map(move |it| now / it));
        each.collect()
    };
    let quotients = quotients("bareloop");
    assert!(quotients.iter().all(|it| range.contains(*it)));
    assert!(quotients.contains(&range.low) && quotients.contains(&range.high));
    assert_eq!(
        (bareloop.claims.different, bareloop.claims.same),
        (None, false)
    );
}
