//! Files over SFTP, from a real OpenSSH server: only from the server that is known, read-only where
//! that is all there is, and whole or not at all.

use std::io::Write as _;
use std::process::{Command, Output};

use crate::bad_input::{Site, rows};
use crate::night::HEADER;
use crate::sshd::{Sshd, between, cut, keygen};

/// A site whose feed comes from a server, beside one that comes from a folder.
struct Far {
    site: Site,
    sshd: Sshd,
}

impl Far {
    fn start(sftp: &str) -> Option<Self> {
        Self::with(sftp, &["ed25519"])
    }

    fn with(sftp: &str, kinds: &[&str]) -> Option<Self> {
        let sshd = Sshd::start(sftp, kinds)?;
        let far = Self { site: Site::new(), sshd };
        far.key("user");
        far.know(&far.sshd.known(kinds[0]));
        far.config(far.sshd.port, "out", "");
        Some(far)
    }

    /// Lays a key of the server's folder where the feed looks for its own.
    fn key(&self, name: &str) {
        let key = self.site.path("keys/sftp.key");
        let _none = std::fs::remove_file(&key);
        std::fs::copy(self.sshd.path(name), &key).unwrap();
    }

    fn know(&self, lines: &str) {
        std::fs::write(self.site.path("keys/known_hosts"), lines).unwrap();
    }

    fn config(&self, port: u16, folder: &str, more: &str) {
        let user = Command::new("id").arg("-un").output().unwrap();
        let user = String::from_utf8(user.stdout).unwrap();
        let folder = self.sshd.path(folder).display().to_string();
        let text = format!(
            "[gateway]\nmappings = \"mappings\"\n[source.council]\nscope = \"everyone\"\n\
             [source.council.feed.cld]\n{more}\nsftp = {{ host = \"127.0.0.1\", port = {port}, user = \"{}\", \
             folder = \"{folder}\" }}\n\
             [source.council.feed.near]\nmapping = \"council/cld\"\nfolder = \"in\"\n",
            user.trim()
        );
        std::fs::write(self.site.path("wayleave.toml"), text).unwrap();
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.sshd.path("out").join(name), bytes).unwrap();
    }

    fn sync(&self) -> (i32, String) {
        self.told(&self.site.run(&["sync"]))
    }

    fn told(&self, output: &Output) -> (i32, String) {
        let said = self.site.said(output);
        let port = self.sshd.port.to_string();
        let server = self.sshd.path("").display().to_string();
        let said = said.replace(server.trim_end_matches('/'), "SERVER").replace(&port, "PORT");
        (output.status.code().unwrap(), said)
    }

    /// How many goals are known.
    fn goals(&self) -> u64 {
        let output = self.site.run(&["--json", "status"]);
        let standing: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let kinds = standing["records"].as_array().unwrap();
        kinds.iter().filter(|kind| kind[0] == "goal").filter_map(|kind| kind[1].as_u64()).sum()
    }
}

fn row(n: usize) -> Vec<u8> {
    rows(&[&format!("A{n},,,,,,G{n},work,overdue,,")])
}

/// Some megabytes.
fn large() -> Vec<u8> {
    let words = "word ".repeat(400);
    let lines: Vec<String> =
        (1_000..2_500).map(|n| format!("A{n},,,,,,G{n},work,overdue,{words},")).collect();
    format!("{HEADER}\n{}\n", lines.join("\n")).into_bytes()
}

#[test]
fn a_read_only_account_suffices_and_nothing_is_fetched_twice() {
    let Some(far) = Far::start("-R") else { return };
    far.put("our export.csv", &row(2));
    // What was changed in this very second is looked at again; this is yesterday's.
    let file = std::fs::File::options().write(true).open(far.sshd.path("out/our export.csv")).unwrap();
    let day = std::time::Duration::from_hours(24);
    file.set_modified(file.metadata().unwrap().modified().unwrap() - day).unwrap();
    let (exit, said) = far.told(&far.site.run(&["check"]));
    assert!(exit == 0 && said.contains("1 files at 127.0.0.1, whose key is known"), "{said}");
    let (exit, said) = far.sync();
    assert!(exit == 0 && said.contains("1 accepted"), "{said}");
    assert_eq!(far.sshd.opened("our export.csv"), 1, "{}", far.sshd.log());
    // The same file the next night: seen, not fetched, and no news.
    let (exit, said) = far.sync();
    assert!(exit == 0 && said.contains("council/cld: no news"), "{said}");
    assert_eq!(far.sshd.opened("our export.csv"), 1, "{}", far.sshd.log());
    // Delivered again with another time, or under another name: content decides.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    far.put("our export.csv", &row(2));
    far.put("another.csv", &row(2));
    let (exit, said) = far.sync();
    assert!(exit == 0 && said.contains("council/cld: no news; 2 files"), "{said}");
    assert_eq!((far.sshd.opened("our export.csv"), far.sshd.opened("another.csv")), (2, 1));
    // An archive is asked for that the account may not use: said, and nothing is lost.
    far.config(far.sshd.port, "out", &format!("archive = \"{}\"", far.sshd.path("out/done").display()));
    far.put("third.csv", &row(3));
    let (exit, said) = far.sync();
    assert!(exit == 0 && said.contains("third.csv stays where it is: the account may not move it"), "{said}");
    assert_eq!(far.goals(), 3);
}

#[test]
fn an_account_that_may_write_has_its_archive_on_the_server() {
    let Some(far) = Far::start("") else { return };
    let done = far.sshd.path("out/our done");
    far.config(far.sshd.port, "out", &format!("archive = \"{}\"\ncomplete = \"done\"", done.display()));
    for n in 2..4 {
        far.put("export.csv", &row(n));
        far.put("part.csv.filepart", &row(9));
        assert!(far.sync().1.contains("export.csv is not taken yet"));
        far.put("export.csv.done", b"");
        let (exit, said) = far.sync();
        assert!(exit == 0 && said.contains("1 accepted"), "{said}");
    }
    let mut names: Vec<_> = std::fs::read_dir(&done)
        .unwrap()
        .map(|one| one.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["export-2.csv", "export.csv", "export.csv-2.done", "export.csv.done"]);
    assert_eq!(std::fs::read(done.join("export-2.csv")).unwrap(), row(3));
    assert_eq!(far.goals(), 3);
}

#[test]
fn whatever_is_not_as_it_was_agreed_is_refused_and_said() {
    let Some(mut far) = Far::with("", &["ed25519", "rsa"]) else { return };
    far.put("1.csv", &row(2));
    far.site.put("near.csv", &row(3));
    keygen(&["-t", "ed25519"], &far.sshd.path("other"));
    keygen(&["-t", "rsa", "-b", "2048"], &far.sshd.path("rsa"));
    keygen(&["-t", "ed25519", "-N", "s3cret words"], &far.sshd.path("locked"));
    let other = std::fs::read_to_string(far.sshd.path("other.pub")).unwrap();
    let (good, port) = (far.sshd.known("ed25519"), far.sshd.port);
    let (rsa, changed) = (far.sshd.known("rsa"), format!("# ours\n[127.0.0.1]:{port} {other}"));
    let revoked = format!("{good}@revoked {good}");
    let mut told = String::new();
    let mut check = |name: &str, far: &Far| {
        let (exit, said) = far.sync();
        assert_eq!(exit, 2, "{name}: {said}");
        let error: String =
            said.lines().filter(|line| line.starts_with("error")).map(|line| format!("{line}\n")).collect();
        told.push_str(&format!("--- {name}\n{error}"));
    };
    far.know("");
    check("a server that nobody knows", &far);
    far.know(&changed);
    check("a server with another key", &far);
    far.know(&revoked);
    check("a server whose key was called back", &far);
    far.know(&rsa);
    check("a server known by RSA alone", &far);
    std::fs::remove_file(far.site.path("keys/known_hosts")).unwrap();
    check("no file of known hosts", &far);
    far.know(&good);
    far.key("other");
    check("a key that the server does not take", &far);
    far.key("rsa");
    check("an RSA key", &far);
    far.key("locked");
    check("a key whose passphrase is not given", &far);
    far.key("user.pub");
    #[cfg(unix)]
    std::fs::set_permissions(
        far.site.path("keys/sftp.key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    check("a file that is no key", &far);
    far.key("user");
    #[cfg(unix)]
    std::fs::set_permissions(
        far.site.path("keys/sftp.key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .unwrap();
    check("a key that others may read", &far);
    far.key("user");
    far.config(port, "none", "");
    check("no such folder", &far);
    far.config(port, "out", "");
    far.sshd.end();
    check("a server that is gone", &far);
    let health = || {
        let url = format!("sqlite:{}", far.site.path("operational.db").display());
        let places = crate::outage::look(&url, "sqlite:none.db").into_iter().find(|one| one.name == "places");
        places.map(|one| one.told)
    };
    let said = health().expect("the health page says so");
    assert!(said.contains("council/cld") && !said.contains("127.0.0.1"), "{said}");
    assert!(!told.contains("s3cret"));
    insta::with_settings!({filters => vec![(r"SHA256:[A-Za-z0-9+/]{43}", "SHA256:FINGERPRINT"), (r"`[a-z0-9_-]+` in with", "`USER` in with")]},
        { insta::assert_snapshot!(told) });
    assert_eq!(far.goals(), 2, "the folder beside it was taken all the while");
    // It comes back, and so does what it holds.
    far.sshd.begin();
    let (exit, said) = far.sync();
    assert!(exit == 0 && said.contains("1 accepted"), "{said}");
    assert_eq!(far.goals(), 3);
    assert_eq!(health(), None);
}

#[test]
fn a_server_is_known_by_a_hashed_line_and_a_key_opens_with_its_passphrase() {
    let Some(far) = Far::with("", &["ecdsa", "ed25519"]) else { return };
    far.put("1.csv", &row(2));
    // Known by its second key alone, so that is the one it is asked for; and only as a hash.
    far.know(&far.sshd.known("ed25519"));
    let hosts = far.site.path("keys/known_hosts");
    let hashed = Command::new("ssh-keygen").args(["-H", "-f", hosts.to_str().unwrap()]).output().unwrap();
    assert!(hashed.status.success());
    assert!(std::fs::read_to_string(&hosts).unwrap().starts_with("|1|"));
    keygen(&["-t", "ed25519", "-N", "s3cret words"], &far.sshd.path("locked"));
    let mut authorized = std::fs::File::options().append(true).open(far.sshd.path("authorized")).unwrap();
    authorized.write_all(&std::fs::read(far.sshd.path("locked.pub")).unwrap()).unwrap();
    far.key("locked");
    let given = Command::new(env!("CARGO_BIN_EXE_wayleave"))
        .arg("sync")
        .env("WAYLEAVE_CONFIG", far.site.path("wayleave.toml"))
        .env("WAYLEAVE_COUNCIL_CLD_PASSPHRASE", "s3cret words")
        .output()
        .unwrap();
    let (exit, said) = far.told(&given);
    assert!(exit == 0 && said.contains("1 accepted"), "{said}");
    // By ECDSA too, and with the passphrase in a file.
    far.know(&far.sshd.known("ecdsa"));
    far.put("2.csv", &row(3));
    crate::sshd::secret(&far.site.path("keys/passphrase"), "s3cret words\n");
    let text = std::fs::read_to_string(far.site.path("wayleave.toml")).unwrap();
    let text = text.replace("sftp = {", "sftp = { passphrase = \"keys/passphrase\",");
    std::fs::write(far.site.path("wayleave.toml"), text).unwrap();
    let (exit, said) = far.sync();
    assert!(exit == 0 && said.contains("1 accepted"), "{said}");
}

#[test]
fn a_server_that_has_only_rsa_is_said_to() {
    let Some(far) = Far::with("", &["rsa"]) else { return };
    far.know("");
    let (exit, said) = far.sync();
    assert!(exit == 2 && said.contains("an RSA key alone, which is not used here"), "{said}");
}

#[test]
fn a_connection_cut_in_the_middle_is_made_again_and_the_file_is_whole() {
    let Some(far) = Far::start("-R") else { return };
    far.put("large.csv", &large());
    let pid = far.sshd.pid();
    // The server's own processes are killed when a megabyte has passed.
    let port = between(far.sshd.port, 1_000_000, move || cut(pid));
    far.know(&far.sshd.known("ed25519").replace(&far.sshd.port.to_string(), &port.to_string()));
    far.config(port, "out", "");
    let (exit, said) = far.sync();
    assert!(exit == 0 && said.contains("1500 accepted"), "{said}");
    assert_eq!(far.sshd.opened("large.csv"), 2, "{}", far.sshd.log());
    assert_eq!(far.goals(), 1_501);
}

#[test]
fn a_file_that_grows_while_it_is_fetched_is_not_taken() {
    let Some(far) = Far::start("-R") else { return };
    far.put("large.csv", &large());
    let path = far.sshd.path("out/large.csv");
    // It grows when half a megabyte of it has passed.
    let port = between(far.sshd.port, 500_000, move || {
        let mut open = std::fs::File::options().append(true).open(&path).unwrap();
        open.write_all(b"A2,,,,,,G2,work,overdue,,\n").unwrap();
    });
    far.know(&far.sshd.known("ed25519").replace(&far.sshd.port.to_string(), &port.to_string()));
    far.config(port, "out", "");
    let (exit, said) = far.sync();
    assert!(exit == 2 && said.contains("large.csv is still being written"), "{said}");
    assert_eq!(far.goals(), 1);
    let (exit, said) = far.sync();
    assert!(exit == 0 && said.contains("1501 accepted"), "{said}");
}
