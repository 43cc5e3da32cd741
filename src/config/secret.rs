//! Secrets that stand where they must not: in the configuration itself, which is copied, mailed and
//! kept under version control. They belong in files of their own or in the environment.

use std::path::Path;

use crate::config::ConfigError;

/// Refuses a configuration that holds a secret. Nothing of the value is told.
pub(super) fn check(file: &Path, text: &str) -> Result<(), ConfigError> {
    // What is no TOML is told by whoever reads it next.
    let Ok(table) = text.parse::<toml::Table>() else { return Ok(()) };
    let mut found = None;
    for (name, value) in &table {
        look(name, value, &mut found);
    }
    match found {
        None => Ok(()),
        Some((setting, what, value)) => {
            let line = text.lines().position(|line| line.contains(&value)).map_or(0, |index| index + 1);
            let remedy = remedy(&setting, what);
            Err(ConfigError::Secret { file: file.to_owned(), line, setting, what: what.as_str(), remedy })
        }
    }
}

/// True for a line that must not be shown, whatever else is wrong with it.
pub(super) fn is_in(line: &str) -> bool {
    What::of(line).is_some() || line.split(['"', '\'']).any(|part| What::of(part).is_some())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Password,
    Webhook,
    Key,
}

impl What {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "a password",
            Self::Webhook => "a webhook secret",
            Self::Key => "a key",
        }
    }

    /// What a value is, if it is a secret itself and not where one is.
    fn of(value: &str) -> Option<Self> {
        if has_password(value) {
            return Some(Self::Password);
        }
        if value.contains("whsec_") {
            return Some(Self::Webhook);
        }
        let is_key = value.trim().len() == 64 && value.trim().bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_key || value.contains("PRIVATE KEY-----")).then_some(Self::Key)
    }
}

fn look(path: &str, value: &toml::Value, found: &mut Option<(String, What, String)>) {
    match value {
        toml::Value::String(text) => {
            if let (Some(what), None) = (What::of(text), &found) {
                *found = Some((path.to_owned(), what, text.clone()));
            }
        }
        toml::Value::Array(values) => values.iter().for_each(|value| look(path, value, found)),
        toml::Value::Table(table) => {
            table.iter().for_each(|(name, value)| look(&format!("{path}.{name}"), value, found));
        }
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => {}
    }
}

/// A URL with a password before its host, or in its query.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = rest.split('/').next().unwrap_or(rest);
    let user_info = authority.rsplit_once('@').map_or("", |(user_info, _)| user_info);
    let of_user = user_info.split_once(':').is_some_and(|(_, password)| !password.is_empty());
    let of_query = query.split('&').filter_map(|pair| pair.split_once('='));
    of_user
        || of_query
            .into_iter()
            .any(|(key, value)| matches!(key, "password" | "sslpassword") && !value.is_empty())
}

/// The settings that the environment may hold, each with its variable.
pub(super) const VARIABLES: [(&str, &str); 5] = [
    ("gateway.database", "WAYLEAVE_GATEWAY_DATABASE"),
    ("gateway.queue", "WAYLEAVE_GATEWAY_QUEUE"),
    ("evaluation.database", "WAYLEAVE_EVALUATION_DATABASE"),
    ("evaluation.queue", "WAYLEAVE_EVALUATION_QUEUE"),
    ("outbound.proxy", "WAYLEAVE_OUTBOUND_PROXY"),
];

fn remedy(setting: &str, what: What) -> String {
    let variable = VARIABLES.iter().find(|(name, _)| *name == setting).map(|(_, variable)| *variable);
    match (what, variable) {
        (What::Password, Some(variable)) => format!(
            "leave the setting without it, and set {variable} to the whole URL, or {variable}_FILE to the name of a file that holds it"
        ),
        (What::Webhook, _) => {
            "put it into a file that only this account may read, one a line, and name the file here"
                .to_owned()
        }
        _ => "put it into a file that only this account may read, and name the file here".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{check, has_password, is_in};

    #[test]
    fn a_password_in_a_url_is_seen_wherever_it_stands() {
        for url in [
            "postgres://w:s3cret@db.example/way",
            "amqps://w:s%33cret@mq.example/%2f?prefix=a",
            "postgres://w@db.example/way?password=s3cret",
            "http://a:b@proxy.example:3128",
        ] {
            assert!(has_password(url), "{url}");
        }
        for url in [
            "postgres://w@db.example/way",
            "postgres://w:@localhost/w",
            "sqlite:C:/a@b.db",
            "a:b@c",
            "https://x/a:b@c",
        ] {
            assert!(!has_password(url), "{url}");
        }
    }

    #[test]
    fn a_secret_is_named_by_its_setting_and_never_shown() {
        let hex = "0123456789abcdef".repeat(4);
        for (text, setting) in [
            ("[gateway]\ndatabase = \"postgres://w:s3cret@h/w\"".to_owned(), "gateway.database"),
            ("[source.a.feed.b]\nsecrets = \"whsec_s3cret\"".to_owned(), "source.a.feed.b.secrets"),
            (format!("[study.a]\nkey = \"{hex}\""), "study.a.key"),
            (
                "[source.a.feed.b]\nsftp = { key = \"-----BEGIN PRIVATE KEY-----s3cret\" }".to_owned(),
                "source.a.feed.b.sftp.key",
            ),
        ] {
            let told = check("x.toml".as_ref(), &text).unwrap_err().to_string();
            assert!(told.contains(setting) && told.contains("x.toml:2"), "{told}");
            assert!(!told.contains("s3cret") && !told.contains(&hex), "{told}");
        }
        assert!(check("x.toml".as_ref(), crate::config::DEFAULT_TOML).is_ok());
    }

    #[test]
    fn a_line_with_a_secret_is_not_shown() {
        assert!(is_in("database = \"postgres://w:s3cret@h/w\" x"));
        assert!(is_in("secrets = 'whsec_abc'"));
        assert!(!is_in("database = \"postgres://w@h/w\""));
    }
}
