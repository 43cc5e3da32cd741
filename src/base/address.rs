//! What a database URL means, and what of it may be shown. For the databases of both zones.

use core::net::IpAddr;
use std::fmt;
use std::path::PathBuf;

use crate::base::limit::{DATABASE_CONNECT_WAIT_S, DATABASE_SILENT_S};

/// Why a URL names no database that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The URL is of neither backend.
    #[error("expected a database as `sqlite:FILE` or `postgres://user@host/name`")]
    Form,
    /// Another machine's PostgreSQL, and no TLS in this build.
    #[error(
        "this build reaches PostgreSQL only on this machine, because it has no TLS, and `{host}` is another; use a build made with `--no-default-features --features system-pq`"
    )]
    NoTls {
        /// The host.
        host: String,
    },
    /// Another machine's PostgreSQL, and not everything about it is checked.
    #[error(
        "the PostgreSQL at `{host}` is on another machine, and its URL says `sslmode={sslmode}`, with which somebody in between could pose as it; expected `sslmode=verify-full`, and `sslrootcert=FILE` for the site's own certificate authority"
    )]
    Weak {
        /// The host.
        host: String,
        /// As the URL says, or what goes without saying.
        sslmode: String,
    },
    /// The URL leaves to a file where the database is.
    #[error(
        "a database URL with `service=` leaves to another file where the database is; name its host in the URL"
    )]
    Service,
}

/// Where a database is.
pub enum Address {
    /// A file of this machine.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(Server),
}

/// What is asked of the driver where the URL does not ask for something else: a server that falls silent,
/// as behind a firewall that was changed, is given up in a while.
fn patience() -> [(&'static str, u64); 5] {
    [
        ("connect_timeout", DATABASE_CONNECT_WAIT_S),
        ("keepalives_idle", DATABASE_SILENT_S / 2),
        ("keepalives_interval", DATABASE_SILENT_S / 6),
        ("keepalives_count", 3),
        ("tcp_user_timeout", DATABASE_SILENT_S * 1_000),
    ]
}

/// A PostgreSQL server. Its URL may hold a password, so it is shown only in part.
pub struct Server {
    url: String,
    shown: String,
    secrets: Vec<String>,
}

impl Server {
    /// The whole URL with how long is waited, for the driver alone.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Address {
    /// The address a URL names. `sqlite:FILE` or `postgres://user@host/name`. `host_default` is
    /// where PostgreSQL is looked for if the URL names no host: what `PGHOST` says.
    ///
    /// # Errors
    /// Where it is neither, or names another machine in a build whose PostgreSQL driver has no
    /// TLS.
    pub fn parse(url: &str, host_default: Option<&str>) -> Result<Self, AddressError> {
        if let Some(file) = url.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            return match file {
                "" | ":memory:" => Err(AddressError::Form),
                _ => Ok(Self::Sqlite(PathBuf::from(file))),
            };
        }
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or(AddressError::Form)?;
        let (server, hosts) = server(url, rest, host_default);
        judge(rest, &hosts, cfg!(feature = "system-pq"))?;
        Ok(Self::Postgres(server))
    }

    /// A driver's message without any part of a password.
    #[must_use]
    pub fn without_secrets(&self, message: &str) -> String {
        match self {
            Self::Sqlite(_) => message.to_owned(),
            Self::Postgres(server) => {
                let mut safe = message.replace(&server.url, &server.shown);
                for secret in &server.secrets {
                    safe = safe.replace(secret, "(withheld)");
                }
                safe
            }
        }
    }
}

/// Without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Postgres(server) => f.write_str(&server.shown),
        }
    }
}

/// The server and the hosts it may be reached at.
fn server(url: &str, rest: &str, host_default: Option<&str>) -> (Server, Vec<String>) {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, name) = rest.split_once('/').unwrap_or((rest, ""));
    let (user_info, host_list) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let mut secrets = vec![password.to_owned(), decoded(password)];
    let mut patient = url.to_owned();
    for (key, value) in patience() {
        if !query.split('&').any(|pair| pair.split('=').next() == Some(key)) {
            let mark = if patient.contains('?') { '&' } else { '?' };
            patient.push_str(&format!("{mark}{key}={value}"));
        }
    }
    let mut hosts: Vec<String> = host_list.split(',').map(|host| decoded(without_port(host))).collect();
    let mut shown_query = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            "password" | "sslpassword" | "passfile" => {
                secrets.extend([value.to_owned(), decoded(value)]);
            }
            "host" | "hostaddr" => {
                hosts.retain(|host| !host.is_empty());
                hosts.extend(decoded(value).split(',').map(str::to_owned));
                shown_query.push(pair);
            }
            _ => shown_query.push(pair),
        }
    }
    if hosts.iter().all(String::is_empty)
        && let Some(host) = host_default
    {
        hosts = vec![host.to_owned()];
    }
    secrets.retain(|secret| !secret.is_empty());
    let at = if user.is_empty() { "" } else { "@" };
    let mut shown = format!("postgres://{user}{at}{host_list}/{name}");
    if !shown_query.is_empty() {
        shown = format!("{shown}?{}", shown_query.join("&"));
    }
    (Server { url: patient, shown, secrets }, hosts)
}

/// Refuses a server of another machine to which nothing safe leads.
fn judge(rest: &str, hosts: &[String], has_tls: bool) -> Result<(), AddressError> {
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let pairs = || query.split('&').filter_map(|pair| pair.split_once('='));
    if pairs().any(|(key, _)| key == "service") {
        return Err(AddressError::Service);
    }
    let Some(host) = hosts.iter().find(|host| !is_local(host)) else { return Ok(()) };
    if !has_tls {
        return Err(AddressError::NoTls { host: host.clone() });
    }
    // libpq goes without TLS where the server has none, unless it is told.
    let mut modes: Vec<_> =
        pairs().filter(|(key, _)| *key == "sslmode").map(|(_, mode)| decoded(mode)).collect();
    modes.sort();
    modes.dedup();
    match modes.as_slice() {
        [mode] if mode == "verify-full" => Ok(()),
        modes => {
            let sslmode = modes.iter().find(|mode| *mode != "verify-full").map_or("prefer", String::as_str);
            Err(AddressError::Weak { host: host.clone(), sslmode: sslmode.to_owned() })
        }
    }
}

fn without_port(host: &str) -> &str {
    if let Some(address) = host.strip_prefix('[') {
        return address.split(']').next().unwrap_or(address);
    }
    host.split(':').next().unwrap_or(host)
}

/// Percent-decoded, as libpq does; what does not decode stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_not_text| text.to_owned())
}

/// True for a socket or this machine: no TLS is needed to it.
fn is_local(host: &str) -> bool {
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Address, AddressError};

    fn check(url: &str, shown: &str) {
        let address = Address::parse(url, None).map(|address| address.to_string());
        assert_eq!(address.unwrap(), shown);
    }

    #[test]
    fn a_password_is_never_shown() {
        check("postgres://w:s3cret@localhost/way", "postgres://w@localhost/way");
        check(
            "postgresql://w@[::1]:5433/way?password=s3cret&host=/run/pg",
            "postgres://w@[::1]:5433/way?host=/run/pg",
        );
        check("postgres:///way", "postgres:///way");
        let address = Address::parse("postgres://w:s%33cret@localhost/way", None).unwrap();
        assert_eq!(address.without_secrets("s3cret or s%33cret"), "(withheld) or (withheld)");
    }

    #[test]
    fn a_server_is_waited_for_as_long_as_its_url_says_or_for_a_while() {
        let whole = |url: &str| {
            let rest = url.strip_prefix("postgres://").unwrap();
            super::server(url, rest, None).0.url().to_owned()
        };
        let more = "keepalives_idle=30&keepalives_interval=10&keepalives_count=3&tcp_user_timeout=60000";
        assert_eq!(
            whole("postgres://w@localhost/way"),
            format!("postgres://w@localhost/way?connect_timeout=10&{more}")
        );
        assert_eq!(
            whole("postgres:///way?connect_timeout=3&host=/run/pg"),
            format!("postgres:///way?connect_timeout=3&host=/run/pg&{more}")
        );
    }

    #[test]
    fn with_tls_everything_about_another_machine_is_checked() {
        let judged = |rest: &str| {
            let (_, hosts) = super::server("", rest, None);
            super::judge(rest, &hosts, true)
        };
        assert_eq!(judged("w@db.example/way?sslmode=verify-full&sslrootcert=/a.pem"), Ok(()));
        assert_eq!(judged("w@localhost/way"), Ok(()));
        for (rest, said) in [
            ("w@db.example/way", "prefer"),
            ("w@db.example/way?sslmode=require", "require"),
            ("w@db.example/way?sslmode=verify-ca", "verify-ca"),
            ("w@db.example/way?sslmode=verify-full&sslmode=disable", "disable"),
            ("w@localhost/way?host=db.example", "prefer"),
        ] {
            let host = "db.example".to_owned();
            assert_eq!(judged(rest), Err(AddressError::Weak { host, sslmode: said.to_owned() }), "{rest}");
        }
        assert_eq!(judged("/way?service=elsewhere"), Err(AddressError::Service));
    }

    #[cfg(not(feature = "system-pq"))]
    #[test]
    fn another_machine_needs_tls() {
        for url in [
            "postgres://w@db.example/way",
            "postgres://w@localhost,10.0.0.7/way",
            "postgres:///way?host=10.0.0.7",
        ] {
            assert!(matches!(Address::parse(url, None), Err(AddressError::NoTls { .. })), "{url}");
        }
        assert!(Address::parse("postgres:///way", Some("10.0.0.7")).is_err());
    }

    #[test]
    fn a_file_may_have_blanks_and_drives() {
        check("sqlite:/srv/our data/a.db", "sqlite:/srv/our data/a.db");
        check(r"sqlite:C:\Way leave\a.db", r"sqlite:C:\Way leave\a.db");
        assert!(Address::parse("mysql://x", None).is_err());
    }
}
