//! A suite: the servers of a comparison, their requests and the settings of runs, in a TOML file.
//!
//! Values are read by the parsers of the flags of the same name. Every error names the line.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::judgement::{Pin, Rounds};
use super::sweep_flags::SweepArgs;
use super::toml_values;
use crate::compare::contestant::Invalid;
use crate::compare::statistics::Margin;
use crate::compare::{Contestant, OwnSettings, RequestChanges};
use crate::load::ExpectedStatuses;
use crate::load::find_rate::RateObjective;

/// The suite of the default comparison, with all that a suite can say in comments.
pub(super) const DEFAULT: &str = include_str!("default_suite.toml");

/// A valid suite.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Suite {
    /// Settings of runs.
    pub settings: RunSettings,
    /// The request of all servers without one of their own.
    pub request: RequestChanges,
    /// Empty for those of the default comparison.
    pub servers: Vec<Contestant>,
}

/// Settings of runs; `None` is for a flag or a default to decide.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RunSettings {
    #[serde(deserialize_with = "toml_values::count")]
    pub connections: Option<NonZeroUsize>,
    #[serde(deserialize_with = "toml_values::pipelining")]
    pub pipelining: Option<NonZeroUsize>,
    #[serde(deserialize_with = "toml_values::rate")]
    pub rate: Option<f64>,
    #[serde(deserialize_with = "toml_values::time")]
    pub duration: Option<Duration>,
    #[serde(deserialize_with = "toml_values::warmup")]
    pub warmup: Option<Duration>,
    #[serde(deserialize_with = "toml_values::time")]
    pub timeout: Option<Duration>,
    #[serde(deserialize_with = "toml_values::time")]
    pub start_timeout: Option<Duration>,
    pub cacert: Option<PathBuf>,
    pub insecure: bool,
    #[serde(deserialize_with = "toml_values::rounds")]
    pub rounds: Option<Rounds>,
    #[serde(deserialize_with = "toml_values::margin")]
    pub precision: Option<Margin>,
    #[serde(deserialize_with = "toml_values::margin")]
    pub same_within: Option<Margin>,
    pub duet: bool,
    #[serde(deserialize_with = "toml_values::pin")]
    pub pin: Option<Pin>,
    pub sweep: SweepArgs,
    #[serde(deserialize_with = "toml_values::objective")]
    pub find_rate: Option<RateObjective>,
    #[serde(deserialize_with = "toml_values::time")]
    pub trial_duration: Option<Duration>,
    pub seed: Option<u32>,
    pub reference: Option<String>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteFile {
    #[serde(default)]
    settings: RunSettings,
    #[serde(default)]
    request: RequestKeys,
    #[serde(default, rename = "server")]
    servers: Vec<Spanned<ServerKeys>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct RequestKeys {
    #[serde(deserialize_with = "toml_values::path")]
    path: Option<String>,
    #[serde(deserialize_with = "toml_values::method")]
    method: Option<String>,
    #[serde(deserialize_with = "toml_values::fields")]
    fields: Option<Vec<(String, String)>>,
    body: Option<String>,
    #[serde(deserialize_with = "toml_values::statuses")]
    expect_status: Option<ExpectedStatuses>,
    expect_body: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ServerKeys {
    name: String,
    command: Option<String>,
    url: Option<String>,
    built_in: Option<String>,
    #[serde(default, deserialize_with = "toml_values::environment")]
    environment: Vec<(String, String)>,
    #[serde(default)]
    request: RequestKeys,
    #[serde(default)]
    ready: ReadyKeys,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReadyKeys {
    #[serde(deserialize_with = "toml_values::path")]
    path: Option<String>,
    #[serde(deserialize_with = "toml_values::time")]
    timeout: Option<Duration>,
}

/// The reason for which a server of a suite cannot be a contestant.
#[derive(Debug, thiserror::Error)]
enum ServerError {
    #[error("a server has one of these keys: command, url, built-in; this one has {0}")]
    Start(usize),
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Suite {
    /// Reads `file`. Built-in servers are run by `bareloop`.
    ///
    /// # Errors
    /// One line that names the file, the line and the remedy.
    pub(super) fn read(file: &Path, bareloop: &Path) -> Result<Suite, String> {
        let shown = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|e| format!("--suite: cannot read {shown}: {e}"))?;
        Suite::parse(&text, bareloop).map_err(|e| format!("--suite: {shown}, {e}"))
    }

    /// # Errors
    /// The line and the remedy.
    fn parse(text: &str, bareloop: &Path) -> Result<Suite, String> {
        let at_line = |at: usize, message: &dyn Display| {
            let line = text[..at].matches('\n').count() + 1;
            format!("line {line}: {message}; see --print-suite")
        };
        let written: SuiteFile = toml::from_str(text).map_err(|error| {
            // A message has the keys there are in a second line.
            let message = error.message().replace('\n', "; ");
            at_line(error.span().map_or(0, |span| span.start), &message)
        })?;
        let mut servers: Vec<Contestant> = Vec::new();
        for keys in written.servers {
            let at = keys.span().start;
            let server = keys.into_inner().contestant(bareloop);
            let server = server.map_err(|error| at_line(at, &error))?;
            if servers.iter().any(|other| other.name() == server.name()) {
                let name = server.name();
                return Err(at_line(at, &format!("a second server is named '{name}'")));
            }
            servers.push(server);
        }
        Ok(Suite {
            settings: written.settings,
            request: written.request.into(),
            servers,
        })
    }
}

impl From<RequestKeys> for RequestChanges {
    fn from(keys: RequestKeys) -> RequestChanges {
        RequestChanges {
            path: keys.path,
            method: keys.method,
            fields: keys.fields,
            body: keys.body.map(String::into_bytes),
            expected_statuses: keys.expect_status,
            expected_body: keys.expect_body.map(String::into_bytes),
        }
    }
}

impl ServerKeys {
    fn contestant(self, bareloop: &Path) -> Result<Contestant, ServerError> {
        let name = &self.name;
        let own = OwnSettings {
            environment: self.environment,
            request: self.request.into(),
            start_timeout: self.ready.timeout,
            ready_path: self.ready.path,
        };
        let server = match (&self.command, &self.url, &self.built_in) {
            (Some(line), None, None) => Contestant::started(name, line, own),
            (None, Some(url), None) => Contestant::running(name, url, own),
            (None, None, Some(built_in)) => Contestant::built_in(name, built_in, bareloop)
                .and_then(|server| server.with_own(own)),
            (command, url, built_in) => {
                let given = [command, url, built_in].into_iter().flatten().count();
                return Err(ServerError::Start(given));
            }
        };
        Ok(server?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::RequestSettings;

    fn suite(text: &str) -> Suite {
        Suite::parse(text, Path::new("bareloop")).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    fn error(text: &str) -> String {
        Suite::parse(text, Path::new("bareloop")).expect_err(text)
    }

    #[test]
    fn the_printed_suite_is_the_default_comparison() {
        let defaults = Contestant::defaults(Path::new("bareloop"));
        assert_eq!(suite(DEFAULT).servers, defaults);
        let request = suite(DEFAULT).request.of(&RequestSettings {
            path: "/other".to_owned(),
            body: b"other".to_vec(),
            ..RequestSettings::default()
        });
        assert_eq!(request, RequestSettings::default());
    }

    #[test]
    fn a_server_has_an_environment_a_request_and_a_sign_of_readiness() {
        let text = r#"
            [request]
            fields = ["X-A: b"]
            [[server]]
            name = "node"
            command = "node server.js"
            environment.PORT = "{port}"
            environment.WORKERS = 2
            request.path = "/json"
            request.method = "post"
            request.body = "{}"
            request.expect-status = 201
            request.expect-body = "ok"
            ready.path = "/health"
            ready.timeout = "500ms"
        "#;
        let suite = suite(text);
        let server = &suite.servers[0];
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let environment = [variable("PORT", "81"), variable("WORKERS", "2")];
        assert_eq!(server.environment(81), environment);
        let request = server
            .own()
            .request
            .of(&suite.request.of(&RequestSettings::default()));
        assert_eq!(request.path, "/json");
        assert_eq!(request.method, "POST");
        assert_eq!(request.body, b"{}");
        assert_eq!(request.fields, [variable("X-A", "b")], "those of all");
        assert_eq!(request.expected_statuses, "201".parse().ok());
        assert_eq!(request.expected_body.as_deref(), Some(&b"ok"[..]));
        assert_eq!(server.own().ready_path.as_deref(), Some("/health"));
        let timeout = Some(Duration::from_millis(500));
        assert_eq!(server.own().start_timeout, timeout);
    }

    #[test]
    fn settings_are_read_as_the_flags_of_their_names() {
        let suite = suite(
            "[settings]\nduration = \"500ms\"\nwarmup = 0\nrounds = 8\ntimeout = 0.5\nrate = '1k'",
        );
        let settings = suite.settings;
        assert_eq!(settings.rate, Some(1000.0));
        assert_eq!(settings.duration, Some(Duration::from_millis(500)));
        assert_eq!(settings.warmup, Some(Duration::ZERO));
        let eight = NonZeroUsize::new(8).map(Rounds::Fixed);
        assert_eq!(settings.rounds, eight);
        assert_eq!(settings.timeout, Some(Duration::from_millis(500)));
        assert_eq!(settings.connections, None);
    }

    #[test]
    fn settings_hold_what_decides_an_answer_and_the_sweeps() {
        let settings = suite(
            "[settings]\nrounds = 'auto'\nprecision = '1%'\nduet = true\npin = 'off'\n\
             sweep.connections = [1, 10]\nsweep.pipelining = [1, '4']\nsweep.rate = ['1k', 2500]\n\
             find-rate = 'p99<5ms'\ntrial-duration = '500ms'",
        )
        .settings;
        assert_eq!(settings.rounds, Some(Rounds::Auto));
        assert_eq!(settings.precision.map(Margin::share), Some(0.01));
        assert!(settings.duet);
        assert_eq!(settings.pin, Some(Pin::Off));
        let counts = |numbers: [usize; 2]| numbers.map(|n| NonZeroUsize::new(n).unwrap()).to_vec();
        assert_eq!(settings.sweep.sweep_connections, counts([1, 10]));
        assert_eq!(settings.sweep.sweep_pipelining, counts([1, 4]));
        assert_eq!(settings.sweep.sweep_rate, [1000.0, 2500.0]);
        assert_eq!(settings.find_rate, "p99<5ms".parse().ok());
        assert_eq!(settings.trial_duration, Some(Duration::from_millis(500)));
    }

    #[test]
    fn errors_name_the_line_and_the_remedy() {
        let server = "[[server]]\nname = 'a'\n";
        for (text, line, remedy) in [
            ("\n[settings]\nconections = 1".to_owned(), 3, "connections"),
            ("[settings]\nrounds = 0".to_owned(), 2, "at least 1"),
            (
                "[settings]\npipelining = 10001".to_owned(),
                2,
                "at most 10000",
            ),
            ("[settings]\npin = 'maybe'".to_owned(), 2, "off"),
            ("[settings]\nrate = 0".to_owned(), 2, "1k"),
            ("[settings]\nfind-rate = 'p99>1s'".to_owned(), 2, "p99<5ms"),
            ("[settings]\nsweep.rate = ['x']".to_owned(), 2, "1k"),
            ("[settings]\nduration = '5 parsecs'".to_owned(), 2, "500ms"),
            ("[request]\npath = 'x'".to_owned(), 2, "/x"),
            ("[request]\nfields = ['x']".to_owned(), 2, "Name: value"),
            ("[request]\nexpect-status = 'ok'".to_owned(), 2, "404"),
            (server.to_owned(), 1, "command, url, built-in"),
            (format!("\n{server}command = 'x'"), 2, "{port}"),
            (format!("{server}url = 'ftp://x'"), 1, "http"),
            (format!("{server}built-in = 'nginx'"), 1, "python-http"),
            (
                format!("{server}url = 'http://x'\nenvironment.A = 'b'"),
                1,
                "start the server here",
            ),
            (
                format!("{server}url = 'http://x'\n{server}url = 'http://y'"),
                4,
                "'a'",
            ),
            (
                format!("{server}command = 'x {{port}}'\nready.path = 'health'"),
                4,
                "/health",
            ),
            (
                format!("{server}command = 'x {{port}}'\nrequest.paht = '/'"),
                4,
                "path",
            ),
            ("[settings".to_owned(), 1, "]"),
        ] {
            let error = error(&text);
            assert!(
                error.starts_with(&format!("line {line}: ")),
                "{text}: {error}"
            );
            assert!(error.contains(remedy), "{text}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
