//! The settings of a comparison, as its report names them.

use serde::Serialize;

use crate::compare::statistics::Margin;
use crate::compare::{RequestSettings, Settings};
use crate::event_loop::tls::Trust;
use crate::http::credentials;

/// Certificates were accepted from anyone.
const NOT_VERIFIED: &str = "not verified";

/// [`Settings`], with times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingsUsed {
    /// Connections kept open at once.
    pub connections: usize,
    /// Requests in flight on each connection.
    pub pipelining: usize,
    /// Requests due per second in all, evenly spaced; `null` for a closed loop.
    pub rate: Option<f64>,
    /// Length of each measured window.
    pub duration_seconds: f64,
    /// Load before each window that was not measured.
    pub warmup_seconds: f64,
    /// Time limit for a reply.
    pub timeout_seconds: f64,
    /// `not verified` if those of https servers were accepted unverified, `null` otherwise.
    pub certificates: Option<&'static str>,
    /// The request of all contestants without one of their own.
    #[serde(flatten)]
    pub request: RequestUsed,
    /// Planned runs of each contestant; with a precision, the most.
    pub rounds: usize,
    /// Rounds are run until each ratio is known to this: 0.02 is 2 %; `null` for a fixed
    /// number.
    pub precision: Option<f64>,
    /// Each contestant ran beside the reference, and the load alternated between the two.
    pub duet: bool,
    /// The difference below which two servers count as the same: 0.02 is 2 %.
    pub same_within: f64,
    /// Decided the order in which the contestants ran.
    pub seed: u32,
}

/// [`RequestSettings`], as text.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestUsed {
    /// Request-target.
    pub path: String,
    /// Method.
    pub method: String,
    /// Fields beyond Host and Connection, as they were sent; those that are credentials without
    /// their values.
    pub fields: Vec<String>,
    /// Body; bytes that are no text are replaced.
    pub body: String,
}

impl From<&Settings> for SettingsUsed {
    fn from(settings: &Settings) -> SettingsUsed {
        SettingsUsed {
            connections: settings.connections.get(),
            pipelining: settings.pipelining.get(),
            rate: settings.rate,
            duration_seconds: settings.duration.as_secs_f64(),
            warmup_seconds: settings.warmup.as_secs_f64(),
            timeout_seconds: settings.timeout.as_secs_f64(),
            certificates: (settings.trust == Trust::Anyone).then_some(NOT_VERIFIED),
            request: (&settings.request).into(),
            rounds: settings.rounds.get(),
            precision: settings.precision.map(Margin::share),
            duet: settings.duet,
            same_within: settings.same_within.share(),
            seed: settings.seed,
        }
    }
}

impl From<&RequestSettings> for RequestUsed {
    fn from(request: &RequestSettings) -> RequestUsed {
        let shown = |(name, value): &(String, String)| {
            let field = format!("{name}: {value}");
            credentials::masked(&field).unwrap_or(field)
        };
        RequestUsed {
            path: request.path.clone(),
            method: request.method.clone(),
            fields: request.fields.iter().map(shown).collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        }
    }
}
