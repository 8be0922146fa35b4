//! The target of requests: a URL, and a unix socket if one takes the place of its host.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::{fmt, io};

use crate::event_loop::tls::{TlsClient, Trust, TrustError};

/// Scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http:`
    Http,
    /// `https:`, over TLS.
    Https,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// The port of a URL that has none (RFC 9110 4.2).
    fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// A parsed and supported URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    scheme: Scheme,
    host: Host,
    port: u16,
    /// Origin-form (RFC 9112 3.2.1): the path and the query, as written.
    request_target: String,
    assumed_http: bool,
    socket_path: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Name(String),
    V6(Ipv6Addr),
}

/// Reasons to refuse a URL. Each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Neither http nor https.
    #[error("the scheme '{0}' is not supported; give an http:// or https:// URL")]
    Scheme(String),
    /// `user@host`
    #[error("a user name in the URL is not supported; send one with -H 'Authorization: ...'")]
    UserInfo,
    /// Nothing where the host should be.
    #[error("the URL has no host; write it like http://localhost:8080/path")]
    NoHost,
    /// Only a port: `:8080`.
    #[error("the URL has no host; did you mean {0}?")]
    PortOnly(String),
    /// Not a name, an IPv4 address, or an IPv6 address in brackets.
    #[error(
        "'{0}' is not a host name or address; write an IPv6 address in brackets: http://[::1]:8080"
    )]
    Host(String),
    /// A number, which the resolver would take for an address: `9103` for 0.0.35.143.
    #[error("'{host}' is not a host name or a full address; did you mean {guess}?")]
    Number {
        /// As it was written.
        host: String,
        /// The same number as a port.
        guess: String,
    },
    /// An address with parts missing, which the resolver would complete: `10.1` to 10.0.0.1.
    #[error("'{0}' is not a host name or a full address; write all four numbers, as in 127.0.0.1")]
    Abbreviated(String),
    /// Not a number from 1 to 65535.
    #[error("'{0}' is not a port; give a number from 1 to 65535")]
    Port(String),
    /// A blank, a control character, or one beyond ASCII.
    #[error("the URL holds {0:?}, which must be percent-encoded")]
    Character(char),
}

impl Target {
    /// Parses an absolute http or https URL; a missing scheme is taken for `http://`.
    ///
    /// # Errors
    /// The fault, and its remedy.
    pub fn parse(url: &str) -> Result<Target, UrlError> {
        if let Some(c) = url.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(UrlError::Character(c));
        }
        let (scheme, rest) = strip_scheme(url)?;
        let assumed_http = scheme.is_none();
        let scheme = scheme.unwrap_or(Scheme::Http);
        let rest = rest.split('#').next().unwrap_or_default();
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(authority_end);
        if authority.contains('@') {
            return Err(UrlError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        let port = port.unwrap_or(scheme.default_port());
        if host.is_empty() && !authority.is_empty() {
            let scheme = scheme.as_str();
            return Err(UrlError::PortOnly(format!(
                "{scheme}://localhost:{port}{target}"
            )));
        }
        if is_abbreviated(host) {
            return Err(abbreviated(host, target));
        }
        let request_target = match target.as_bytes().first() {
            Some(b'/') => target.to_owned(),
            _ => format!("/{target}"),
        };
        Ok(Target {
            scheme,
            host: Host::parse(host)?,
            port,
            request_target,
            assumed_http,
            socket_path: None,
        })
    }

    /// The same target, reached through the unix domain socket at `path`.
    pub fn through_socket(self, path: PathBuf) -> Target {
        Target {
            socket_path: Some(path),
            ..self
        }
    }

    /// The server alone, without path and query.
    pub fn origin(&self) -> Target {
        Target {
            request_target: "/".to_owned(),
            ..self.clone()
        }
    }

    /// Returns true if both have the same scheme, host and port (RFC 9110 4.3.1).
    pub fn has_origin_of(&self, other: &Target) -> bool {
        let is_same_host = match (&self.host, &other.host) {
            (Host::Name(one), Host::Name(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        };
        is_same_host && (self.scheme, self.port) == (other.scheme, other.port)
    }

    /// Returns true if the URL was written without a scheme.
    pub fn assumed_http(&self) -> bool {
        self.assumed_http
    }

    /// Returns true for https.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The unix domain socket to dial in place of the URL's host.
    pub fn socket_path(&self) -> Option<&Path> {
        self.socket_path.as_deref()
    }

    /// Returns the request-target of the request line.
    pub fn request_target(&self) -> &str {
        &self.request_target
    }

    /// TLS with the host, for https; `None` for http.
    ///
    /// # Errors
    /// As [`TlsClient::new`].
    pub fn tls(&self, trust: &Trust) -> Result<Option<TlsClient>, TrustError> {
        let host = match &self.host {
            Host::Name(name) => name.clone(),
            Host::V6(address) => address.to_string(),
        };
        match self.scheme {
            Scheme::Http => Ok(None),
            Scheme::Https => TlsClient::new(&host, trust).map(Some),
        }
    }

    /// Returns the value of the Host field: with the port only where it is not the scheme's
    /// (RFC 9110 7.2).
    pub fn authority(&self) -> String {
        match self.port == self.scheme.default_port() {
            true => self.host.to_string(),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Every address the host stands for, in the resolver's order, without repetitions.
    ///
    /// # Errors
    /// The resolver's message.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let mut addresses = Vec::new();
        let found: Vec<SocketAddr> = match &self.host {
            Host::Name(name) => (name.as_str(), self.port).to_socket_addrs()?.collect(),
            Host::V6(address) => vec![(*address, self.port).into()],
        };
        for address in found {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }
}

/// The URL, with its scheme.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self.request_target.as_str() {
            "/" => "",
            path => path,
        };
        let scheme = self.scheme.as_str();
        write!(f, "{scheme}://{}{path}", self.authority())
    }
}

impl Host {
    fn parse(text: &str) -> Result<Host, UrlError> {
        let refused = || UrlError::Host(text.to_owned());
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or_else(refused)?;
            return inner.parse().map(Host::V6).map_err(|_| refused());
        }
        if text.is_empty() {
            return Err(UrlError::NoHost);
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if text.chars().all(allowed) {
            Ok(Host::Name(text.to_owned()))
        } else {
            Err(refused())
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// Returns true for what the resolver would complete to an IPv4 address: its last label is a number, and it
/// is no dotted quad.
fn is_abbreviated(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next();
    let is_number = last.is_some_and(|last| {
        let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
        match hex {
            Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            None => !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
        }
    });
    is_number && host.parse::<Ipv4Addr>().is_err()
}

/// The refusal of such a host: a number can be meant as a port on this machine.
fn abbreviated(host: &str, target: &str) -> UrlError {
    match host.parse::<u16>() {
        Ok(port @ 1..) => UrlError::Number {
            host: host.to_owned(),
            guess: format!("http://localhost:{port}{target}"),
        },
        _ => UrlError::Abbreviated(host.to_owned()),
    }
}

/// The scheme, if there is one, and the part after it.
fn strip_scheme(url: &str) -> Result<(Option<Scheme>, &str), UrlError> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok((None, url));
    };
    // A "://" further back belongs to a path or a query.
    if scheme.contains(['/', '?', '#', '.', ':', '@']) {
        return Ok((None, url));
    }
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok((Some(Scheme::Http), rest)),
        "https" => Ok((Some(Scheme::Https), rest)),
        _ => Err(UrlError::Scheme(scheme.to_owned())),
    }
}

/// The host, and the port that follows it, if any.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), UrlError> {
    let after_brackets = authority.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = authority[after_brackets..].find(':') else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at(after_brackets + colon);
    let port = &port[1..];
    if port.contains(':') {
        return Err(UrlError::Host(authority.to_owned()));
    }
    if port.is_empty() {
        return Ok((host, None));
    }
    let digits_only = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(number) if digits_only && number != 0 => Ok((host, Some(number))),
        _ => Err(UrlError::Port(port.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_as_written() {
        for (url, shown, authority, target) in [
            (
                "http://localhost:8080",
                "http://localhost:8080",
                "localhost:8080",
                "/",
            ),
            ("http://a.b/", "http://a.b", "a.b", "/"),
            ("HTTPS://a:443/x", "https://a/x", "a", "/x"),
            ("https://a:80", "https://a:80", "a:80", "/"),
            ("http://a:443", "http://a:443", "a:443", "/"),
            ("http://a:80/x?y=1#frag", "http://a/x?y=1", "a", "/x?y=1"),
            ("http://a?y", "http://a/?y", "a", "/?y"),
            ("HTTP://a:/%41%zz", "http://a/%41%zz", "a", "/%41%zz"),
            (
                "http://[::1]:8080/x",
                "http://[::1]:8080/x",
                "[::1]:8080",
                "/x",
            ),
            ("http://[0:0::1]", "http://[::1]", "[::1]", "/"),
            (
                "http://a/?to=http://b",
                "http://a/?to=http://b",
                "a",
                "/?to=http://b",
            ),
        ] {
            let parsed = Target::parse(url).expect(url);
            assert_eq!(parsed.to_string(), shown, "{url}");
            assert_eq!(parsed.authority(), authority, "{url}");
            assert_eq!(parsed.request_target(), target, "{url}");
            assert!(!parsed.assumed_http(), "{url}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let parse = |url| Target::parse(url).expect("a URL");
        let one = parse("http://a.b/x?y");
        assert_eq!(one.origin().to_string(), "http://a.b");
        for (url, is_same) in [
            ("http://A.b:80", true),
            ("a.b/z", true),
            ("http://a.b:81/x?y", false),
            ("https://a.b:80/x?y", false),
            ("http://a.bc/x?y", false),
            ("http://[::1]/x?y", false),
        ] {
            assert_eq!(parse(url).has_origin_of(&one), is_same, "{url}");
        }
        assert!(parse("http://[::1]/a").has_origin_of(&parse("http://[0::1]/b")));
    }

    #[test]
    fn a_missing_scheme_is_taken_for_http_and_known() {
        for url in ["localhost:8080", "127.0.0.1:1/a?b=http://c", "[::1]:9"] {
            let parsed = Target::parse(url).expect(url);
            assert!(parsed.assumed_http(), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_dialled_is_refused() {
        for (url, error) in [
            ("ftp://a", UrlError::Scheme("ftp".into())),
            ("http://me:pw@a", UrlError::UserInfo),
            ("http://", UrlError::NoHost),
            ("", UrlError::NoHost),
            ("/path", UrlError::NoHost),
            (
                "http://:81/x",
                UrlError::PortOnly("http://localhost:81/x".into()),
            ),
            (":81", UrlError::PortOnly("http://localhost:81".into())),
            ("http://a:0", UrlError::Port("0".into())),
            ("http://a:65536", UrlError::Port("65536".into())),
            ("http://a:+80", UrlError::Port("+80".into())),
            ("http://a:b", UrlError::Port("b".into())),
            ("http://::1:80", UrlError::Host("::1:80".into())),
            ("http://[::1", UrlError::Host("[::1".into())),
            (
                "http://[fe80::1%25eth0]",
                UrlError::Host("[fe80::1%25eth0]".into()),
            ),
            ("http://[::1]x", UrlError::Host("[::1]x".into())),
            ("http://a<b", UrlError::Host("a<b".into())),
            ("http://a/b c", UrlError::Character(' ')),
            ("http://a/\r\nX: y", UrlError::Character('\r')),
            ("http://ä/", UrlError::Character('ä')),
        ] {
            assert_eq!(Target::parse(url), Err(error), "{url}");
        }
    }

    #[test]
    fn a_number_is_no_host_and_no_address_is_completed() {
        for (url, guess) in [
            ("9103", "http://localhost:9103"),
            ("http://9103/x?y", "http://localhost:9103/x?y"),
        ] {
            let host = "9103".to_owned();
            let guess = guess.to_owned();
            assert_eq!(
                Target::parse(url),
                Err(UrlError::Number { host, guess }),
                "{url}"
            );
        }
        for host in [
            "127.1",
            "10.0.0",
            "0x7f.1",
            "0x7f000001",
            "a.1",
            "1.2.3.4.5",
            "256.0.0.1",
            "70000",
            "127.0.0.1.",
            "0",
        ] {
            let error = UrlError::Abbreviated(host.to_owned());
            assert_eq!(
                Target::parse(&format!("http://{host}:80/x")),
                Err(error),
                "{host}"
            );
        }
        for url in [
            "127.0.0.1",
            "1.example",
            "example.1a",
            "0xy",
            "a-1",
            "9103.local.",
        ] {
            assert!(Target::parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn an_address_resolves_to_itself_once() {
        for (url, address) in [
            ("http://127.0.0.1:81", "127.0.0.1:81"),
            ("http://[::1]:82", "[::1]:82"),
        ] {
            let target = Target::parse(url).expect(url);
            let expected: SocketAddr = address.parse().expect("a literal");
            assert_eq!(target.resolve().expect("no resolver"), [expected], "{url}");
        }
    }
}
