//! Values of a suite, read by the parsers of the flags of the same name.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::ValueEnum;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::judgement::{self, Pin, Rounds};
use super::values;
use crate::cli::values::duration;
use crate::compare::statistics::Margin;
use crate::load::find_rate::RateObjective;
use crate::load::{self, ExpectedStatuses};

pub(super) fn count<'de, D: Deserializer<'de>>(d: D) -> Result<Option<NonZeroUsize>, D::Error> {
    parsed(d, values::count)
}

pub(super) fn pipelining<'de, D: Deserializer<'de>>(
    d: D,
) -> Result<Option<NonZeroUsize>, D::Error> {
    parsed(d, values::pipelining)
}

pub(super) fn rate<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
    parsed(d, values::rate)
}

pub(super) fn time<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
    parsed(d, duration)
}

pub(super) fn warmup<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
    parsed(d, values::warmup)
}

pub(super) fn rounds<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Rounds>, D::Error> {
    parsed(d, judgement::rounds)
}

pub(super) fn objective<'de, D: Deserializer<'de>>(
    d: D,
) -> Result<Option<RateObjective>, D::Error> {
    parsed(d, str::parse)
}

pub(super) fn pin<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Pin>, D::Error> {
    parsed(d, |text| {
        Pin::from_str(text, false).map_err(|_| format!("'{text}' is neither \"on\" nor \"off\""))
    })
}

pub(super) fn counts<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<NonZeroUsize>, D::Error> {
    all_parsed(d, values::count)
}

pub(super) fn rates<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<f64>, D::Error> {
    all_parsed(d, values::rate)
}

pub(super) fn margin<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Margin>, D::Error> {
    parsed(d, judgement::margin)
}

pub(super) fn path<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    parsed(d, values::path)
}

pub(super) fn method<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    parsed(d, load::request::parse_method)
}

pub(super) fn statuses<'de, D: Deserializer<'de>>(
    d: D,
) -> Result<Option<ExpectedStatuses>, D::Error> {
    parsed(d, str::parse)
}

pub(super) fn fields<'de, D: Deserializer<'de>>(
    d: D,
) -> Result<Option<Vec<(String, String)>>, D::Error> {
    let texts = Vec::<String>::deserialize(d)?;
    let fields = texts.iter().map(|text| load::request::parse_field(text));
    fields
        .collect::<Result<_, _>>()
        .map(Some)
        .map_err(D::Error::custom)
}

pub(super) fn environment<'de, D: Deserializer<'de>>(
    d: D,
) -> Result<Vec<(String, String)>, D::Error> {
    let variables = BTreeMap::<String, Scalar>::deserialize(d)?;
    let variable = |(name, value): (String, Scalar)| {
        let value = value.into_text();
        match name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            true => Err(D::Error::custom(format!(
                "'{name}' cannot be a variable of an environment"
            ))),
            false => Ok((name, value)),
        }
    };
    variables.into_iter().map(variable).collect()
}

/// A value as a flag would have it, whichever way it is written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Integer(i64),
    Number(f64),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Scalar::Text(text) => text,
            Scalar::Integer(number) => number.to_string(),
            Scalar::Number(number) => number.to_string(),
        }
    }
}

/// A value that the parser of a flag reads.
fn parsed<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    parse(&text).map(Some).map_err(D::Error::custom)
}

/// A list of values that the parser of a flag reads.
fn all_parsed<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, D::Error> {
    let values = Vec::<Scalar>::deserialize(deserializer)?.into_iter();
    let parsed = values.map(|value| parse(&value.into_text()));
    parsed.collect::<Result<_, _>>().map_err(D::Error::custom)
}
