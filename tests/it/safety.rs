//! A start that is unsafe is refused with the reason: secrets in the configuration, files that others
//! may read, connections without TLS. `check` lists it all.

use std::path::Path;
use std::process::{Command, Output};

use crate::bad_input::Site;
use crate::support::server;

#[cfg(unix)]
fn open_to(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
fn mode(file: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().unwrap().permissions().mode() & 0o777
}

fn with(site: &Site, words: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayleave"));
    command.args(words).env("WAYLEAVE_CONFIG", site.path("wayleave.toml"));
    command.envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn a_secret_in_the_configuration_is_refused_and_never_shown() {
    let site = Site::new();
    let good = std::fs::read_to_string(site.path("wayleave.toml")).unwrap();
    let mut told = String::new();
    for (name, text) in [
        (
            "a database's password",
            good.replace("[gateway]", "[gateway]\ndatabase = \"postgres://way:s3cret@127.0.0.1/way\""),
        ),
        (
            "a broker's password",
            good.replace("[gateway]", "[gateway]\nqueue = \"amqps://way:s3cret@mq.example/%2f\""),
        ),
        (
            "a proxy's password",
            format!("{good}[outbound]\nproxy = \"http://way:s3cret@proxy.example:3128\"\n"),
        ),
        (
            "a webhook secret",
            good.replace("folder = \"in\"", "folder = \"in\"\nsecrets = \"whsec_s3cretC2FVsBQIhrscChlQIMV\""),
        ),
        (
            "a key",
            good.replace(
                "[gateway]",
                &format!("[gateway]\nmaster_key = \"{}\"", "5ec7e7".repeat(10) + "abcd"),
            ),
        ),
        (
            "a line that is wrong too",
            good.replace("[gateway]", "[gateway]\ndatabase = \"postgres://way:s3cret@127.0.0.1/way\" x"),
        ),
    ] {
        std::fs::write(site.path("wayleave.toml"), text).unwrap();
        let output = site.run(&["sync"]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        told.push_str(&format!("--- {name}\n{}", site.said(&output)));
    }
    assert!(!told.contains("s3cret") && !told.contains("5ec7e7"), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn a_url_with_a_password_comes_from_the_environment_or_a_file() {
    let site = Site::new();
    let url = format!("sqlite:{}", site.path("elsewhere.db").display());
    std::fs::write(site.path("url"), format!("{url}\n")).unwrap();
    #[cfg(unix)]
    open_to(&site.path("url"), 0o600);
    let named = site.path("url").display().to_string();
    let output = with(&site, &["sync"], &[("WAYLEAVE_GATEWAY_DATABASE_FILE", &named)]);
    assert!(output.status.success(), "{}", site.said(&output));
    assert!(site.path("elsewhere.db").exists());
    let output = with(&site, &["sync"], &[("WAYLEAVE_GATEWAY_DATABASE_FILE", "no such file")]);
    assert!(site.said(&output).contains("no such file"), "{}", site.said(&output));
    #[cfg(unix)]
    {
        open_to(&site.path("url"), 0o644);
        let output = with(&site, &["sync"], &[("WAYLEAVE_GATEWAY_DATABASE_FILE", &named)]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            site.said(&output).contains("can be read by others; run `chmod 600`"),
            "{}",
            site.said(&output)
        );
    }
}

/// Every word of the command line that takes a value, looked through for one that takes a secret.
#[test]
fn the_command_line_takes_no_secret() {
    let mut words: Vec<Vec<&str>> = vec![vec![]];
    let verbs = "check collect consent convert demo extract guide init key mapping quarantine run serve status sync study synth tracker";
    words.extend(verbs.split(' ').map(|verb| vec![verb]));
    for words in words {
        let mut asked = words.clone();
        asked.push("--help");
        let output = Command::new(env!("CARGO_BIN_EXE_wayleave")).args(&asked).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap().to_lowercase();
        assert!(output.status.success() && !help.is_empty(), "{words:?}");
        for flag in ["--password", "--passphrase", "--secret", "--token", "--database", "--url"] {
            assert!(!help.contains(flag), "{words:?} takes {flag}");
        }
    }
}

#[cfg(unix)]
#[test]
fn files_that_others_may_read_are_refused_at_the_start() {
    let site = Site::new();
    for file in ["operational.db", "keys/master.key", "keys/evaluation.key"] {
        assert_eq!(mode(&site.path(file)), 0o600, "{file} is made for its owner alone");
    }
    let config = std::fs::read_to_string(site.path("wayleave.toml")).unwrap();
    let config = config.replace("folder = \"in\"", "folder = \"in\"\nsecrets = \"keys/hooks\"")
        + "sftp = { host = \"127.0.0.1\", user = \"w\", passphrase = \"keys/words\" }\n\
           [web]\ncertificate = \"keys/tls.pem\"\ncertificate_key = \"keys/tls.key\"\n[study.a]\nkey = \"keys/a.key\"\n";
    std::fs::write(site.path("wayleave.toml"), config).unwrap();
    let secrets = ["keys/hooks", "keys/words", "keys/sftp.key", "keys/tls.key", "keys/a.key"];
    for file in secrets {
        std::fs::write(site.path(file), "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n").unwrap();
        open_to(&site.path(file), 0o600);
    }
    let all = ["keys/master.key", "keys/index.key", "keys/release.key", "keys/signing.key", "operational.db"];
    let mut told = String::new();
    for file in all.iter().chain(&secrets) {
        open_to(&site.path(file), 0o640);
        let output = site.run(&["serve"]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        told.push_str(&site.said(&output));
        open_to(&site.path(file), 0o600);
    }
    open_to(&site.path("keys/evaluation.key"), 0o604);
    let output = site.run(&["collect"]);
    assert_eq!(output.status.code(), Some(2));
    told.push_str(&site.said(&output));
    open_to(&site.path("operational.db"), 0o644);
    let output = site.run(&["check"]);
    assert_eq!(output.status.code(), Some(1));
    told.extend(
        site.said(&output).lines().filter(|line| line.contains("others")).map(|line| format!("{line}\n")),
    );
    insta::assert_snapshot!(told);
}

/// The reference of settings as a site would have it that sets everything: each example a setting.
fn whole_reference() -> String {
    wayleave::config::DEFAULT_TOML
        .lines()
        .filter(|line| *line != "[source]" && *line != "[study]")
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || rest.contains(" = \"") => format!("{rest}\n"),
            Some(_) => "\n".to_owned(),
            None => format!("{line}\n"),
        })
        .collect()
}

/// The settings of a table whose names say that they name a secret, whatever their type.
fn named_like_secrets(path: &str, value: &toml::Value, found: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                let dot = if path.is_empty() { "" } else { "." };
                named_like_secrets(&format!("{path}{dot}{name}"), value, found);
            }
        }
        _ => {
            let name = path.rsplit('.').next().unwrap();
            let words: Vec<&str> = name.split('_').collect();
            let is_secret = ["key", "secret", "secrets", "password", "passphrase", "token"]
                .iter()
                .any(|word| words.contains(word));
            // The one that is public, and is named by whose it is.
            if is_secret && name != "evaluation_key" {
                found.push(path.to_owned());
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn every_setting_of_the_reference_that_names_a_secret_is_looked_at() {
    // Every file of a secret that the reference has, with a name where it is empty.
    let mut reference: toml::Table = whole_reference().parse().unwrap();
    let mut settings = Vec::new();
    named_like_secrets("", &toml::Value::Table(reference.clone()), &mut settings);
    for setting in &settings {
        let (table, name) = setting.rsplit_once('.').unwrap();
        let table = table.split('.').fold(&mut reference, |table, part| {
            table.get_mut(part).and_then(toml::Value::as_table_mut).unwrap()
        });
        table.insert(name.to_owned(), format!("keys/{setting}").into());
    }
    assert!(settings.len() >= 18, "{settings:?}");
    let site = Site::new();
    std::fs::write(site.path("wayleave.toml"), toml::to_string(&reference).unwrap()).unwrap();
    let config = wayleave::config::Config::read(&site.path("wayleave.toml"), &|_name| None).unwrap();
    let found: Vec<String> = config.secret_files().into_keys().collect();
    for setting in &settings {
        assert!(found.contains(setting), "`{setting}` names a secret and is no `SecretFile`");
    }
    for setting in &found {
        std::fs::write(site.path(&format!("keys/{setting}")), "").unwrap();
        open_to(&site.path(&format!("keys/{setting}")), 0o600);
    }
    for setting in &found {
        let file = site.path(&format!("keys/{setting}"));
        open_to(&file, 0o640);
        let side = if setting.starts_with("evaluation.") { "collect" } else { "serve" };
        let output = site.run(&[side]);
        let said = site.said(&output);
        assert_eq!(output.status.code(), Some(2), "{setting}: {said}");
        assert!(said.contains(&format!("the file of `{setting}`")), "{setting}: {said}");
        assert!(said.contains("chmod 600"), "{said}");
        open_to(&file, 0o600);
    }
}

#[test]
fn a_certificate_stands_with_its_key() {
    let site = Site::new();
    let good = std::fs::read_to_string(site.path("wayleave.toml")).unwrap();
    let receiver = "[mllp.engine]\nto = \"127.0.0.1:2575\"\ntls = true\n";
    for (text, set, other) in [
        (format!("{good}[web]\ncertificate = \"w.pem\"\n"), "web.certificate", "web.certificate_key"),
        (format!("{good}[mesh]\ncertificate_key = \"m.key\"\n"), "mesh.certificate_key", "mesh.certificate"),
        (
            format!("{good}{receiver}certificate = \"e.pem\"\n"),
            "mllp.engine.certificate",
            "mllp.engine.certificate_key",
        ),
        (format!("{good}[alert]\nrelay_user = \"way\"\n"), "alert.relay_user", "alert.relay_secret"),
    ] {
        std::fs::write(site.path("wayleave.toml"), text).unwrap();
        let output = with(&site, &["sync"], &[]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(&format!("`{set}` is set and `{other}` is not")), "{told}");
    }
}

#[test]
fn connections_without_tls_are_refused() {
    let site = Site::new();
    let mut told = String::new();
    for (name, words, variables) in [
        (
            "a database",
            &["sync"][..],
            &[("WAYLEAVE_GATEWAY_DATABASE", "postgres://way:s3cret@db.example/way")][..],
        ),
        ("its service", &["sync"], &[("WAYLEAVE_GATEWAY_DATABASE", "postgres:///way?service=elsewhere")]),
        ("where it leads", &["sync"], &[("PGHOSTADDR", "10.0.0.7")]),
        (
            "the evaluation database",
            &["extract", "list"],
            &[("WAYLEAVE_EVALUATION_DATABASE", "postgres://way:s3cret@10.0.0.7/way")],
        ),
    ] {
        let output = with(&site, words, variables);
        assert_eq!(output.status.code(), Some(2), "{name}");
        told.push_str(&format!("--- {name}\n{}", site.said(&output)));
    }
    let config = std::fs::read_to_string(site.path("wayleave.toml")).unwrap();
    std::fs::write(site.path("wayleave.toml"), format!("{config}[web]\nlisten = \"0.0.0.0:0\"\n")).unwrap();
    told.push_str(&format!("--- the web\n{}", site.said(&site.run(&["serve"]))));
    let broker = [("WAYLEAVE_GATEWAY_QUEUE", "amqp://way:s3cret@mq.example/%2f")];
    let output = with(&site, &["check"], &broker);
    assert_eq!(output.status.code(), Some(1));
    told.push_str("--- check\n");
    told.push_str(&site.said(&output));
    assert!(!told.contains("s3cret"), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn postgresql_of_another_machine_is_reached_only_by_the_certificate_that_is_expected() {
    let Some(program) = server("WAYLEAVE_TEST_SYSTEM_PQ", "build with system-pq") else { return };
    let Some(base) = server("WAYLEAVE_TEST_POSTGRES", "PostgreSQL") else { return };
    let Some(right) = server("WAYLEAVE_TEST_POSTGRES_AUTHORITY", "PostgreSQL's authority") else { return };
    let Some(wrong) = server("WAYLEAVE_TEST_AUTHORITY", "certificate authority") else { return };
    let database = crate::support::postgres().expect("the server is there");
    let site = Site::new();
    let name = database.name().expect("it has a name").to_owned();
    let port = base.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    // Its certificate's name, which no server of names knows: where it is stands beside.
    let url = |host: &str, rest: &str| {
        format!("postgres://wayleave@{host}:{port}/{name}?hostaddr=127.0.0.1&{rest}")
    };
    let run = |url: String| {
        let output = Command::new(&program)
            .arg("sync")
            .env("WAYLEAVE_CONFIG", site.path("wayleave.toml"))
            .env("WAYLEAVE_GATEWAY_DATABASE", url)
            .output()
            .unwrap();
        (output.status.code().unwrap(), site.said(&output))
    };
    let host = "db.wayleave.test";
    for mode in ["", "sslmode=require", "sslmode=verify-ca"] {
        let (exit, said) = run(url(host, mode));
        assert!(exit == 2 && said.contains("expected `sslmode=verify-full`"), "{mode}: {said}");
    }
    let (exit, said) = run(url(host, &format!("sslmode=verify-full&sslrootcert={wrong}")));
    assert!(exit == 2 && said.contains("certificate verify failed"), "{said}");
    let (exit, said) = run(url("other.wayleave.test", &format!("sslmode=verify-full&sslrootcert={right}")));
    assert!(exit == 2 && said.contains("does not match host name"), "{said}");
    let (exit, said) = run(url(host, &format!("sslmode=verify-full&sslrootcert={right}")));
    assert!(exit == 0 && said.contains("1 accepted"), "{said}");
    assert_eq!(crate::dump::number(&database.url, "SELECT count(*) FROM record WHERE kind = 'goal'"), 1);
}
