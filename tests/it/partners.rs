//! A gateway with partners: the story of a few people, agreements and flows in files, and a partner's
//! real endpoint.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use wayleave::config::Config;
use wayleave::gateway::exchange::lay::lay;
use wayleave::gateway::exchange::overview::{Overview, overview};
use wayleave::gateway::exchange::plan::Plan;
use wayleave::gateway::exchange::send::{Sent, send};
use wayleave::record::kind::Kind;

use crate::receiver::Receiver;
use crate::service::secret_file;
use crate::story::Story;
use crate::support::{Database, databases, embedded, folder};

/// The two live secrets of the council's endpoint.
pub(crate) const SECRETS: [&str; 2] = [crate::service::SECRET, crate::service::NEXT_SECRET];

pub(crate) const ANN: &str =
    "family_name=Gray given_name=Ann birth_date=1960-02-03 nhs_number=9995899604 tracker_ref=TR-ANN";
pub(crate) const BOB: &str =
    "family_name=Marsh given_name=Bob birth_date=1971-08-09 nhs_number=9990000018 tracker_ref=TR-BOB";
pub(crate) const TENANCY: &str = "type=tenant-social started_on=2025-03-03 landlord=Yew_Homes \
    tenancy_type=assured-shorthold postcode=LE1_3AB is_move=true";

/// An agreement file; `more` are further lines before its kinds.
pub(crate) fn agreement(name: &str, partner: &str, ends: &str, kinds: &str) -> String {
    format!(
        r#"
name = "{name}"
version = 3
partner = "{partner}"
purpose = "Care and support follow the person."
legal_basis = "Care Act 2014, sections 3, 6 and 7"
sources = ["housing"]
starts = "2020-01-01"
ends = "{ends}"
[[signatory]]
name = "Signatory Canary"
office = "Director of Adult Social Care"
[[signatory]]
name = "Other Canary"
office = "Director of Housing"
{kinds}
"#
    )
}

pub(crate) const KINDS: &str = r#"
[[kind]]
kind = "person"
fields = ["tracker_ref"]
[[kind]]
kind = "accommodation"
fields = ["type", "started_on", "landlord", "tenancy_type"]
"#;

/// A gateway with partners.
pub(crate) struct Partners {
    pub(crate) story: Story,
    pub(crate) receiver: Receiver,
    pub(crate) folder: TempDir,
    pub(crate) database: String,
}

/// Runs a test on each database there is.
pub(crate) fn on_every_database(test: impl Fn(&Partners)) {
    for database in databases() {
        test(&Partners::new(&database));
    }
}

impl Partners {
    pub(crate) fn new(database: &Database) -> Self {
        let story = Story::new(database, &embedded());
        story.gateway.check_keys().unwrap();
        let partners =
            Self { story, receiver: Receiver::start(), folder: folder(), database: database.url.clone() };
        let top = partners.folder.path();
        for (name, byte) in [("master", "01"), ("index", "02")] {
            std::fs::create_dir_all(top.join("keys")).unwrap();
            secret_file(&top.join(format!("keys/{name}.key")), &byte.repeat(32));
        }
        secret_file(&top.join("council.whsec"), &SECRETS.join("\n"));
        partners.write("tenancies.toml", &agreement("tenancies", "council", "2099-12-31", KINDS));
        let only_number = "[[kind]]\nkind = \"person\"\nfields = [\"nhs_number\"]";
        partners.write("cohort.toml", &agreement("cohort", "trust", "2099-12-31", only_number));
        partners.configure("");
        partners
    }

    /// The council's section with another URL, and whatever else a test adds.
    pub(crate) fn configure(&self, more: &str) {
        let address = self.receiver.address;
        self.write(
            "wayleave.toml",
            &format!(
                r#"
[source.housing]
[source.council]
[source.trust]
scope = "requested"
[study.promoting-independence]
[partner.council]
webhook = "http://{address}/hook"
secrets = "council.whsec"
private_addresses = true
[partner.trust]
folder = "out trust"
[agreement.tenancies]
file = "tenancies.toml"
[agreement.cohort]
file = "cohort.toml"
[flow.tenancy-starts]
when = {{ kind = "accommodation", event = "started", field = {{ type = ["tenant-social", "tenant-private"] }} }}
tell = [{{ agreement = "tenancies", mapping = "housing/events" }}]
{more}
"#
            ),
        );
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub(crate) fn plan(&self) -> Plan {
        let config = Config::read(&self.folder.path().join("wayleave.toml"), &|_name| None).unwrap();
        Plan::load(&config).unwrap()
    }

    /// The last steps of a sync, and what is due sent.
    pub(crate) fn round(&self) -> Sent {
        self.story.steps();
        lay(&self.story.gateway, &self.plan()).unwrap();
        self.send()
    }

    pub(crate) fn send(&self) -> Sent {
        send(&self.story.gateway, &self.plan(), &|| false).unwrap()
    }

    pub(crate) fn overview(&self) -> Overview {
        overview(&self.story.gateway).unwrap()
    }

    /// `state reason`, counted, in order.
    pub(crate) fn stands(&self) -> Vec<String> {
        let shown = self.overview();
        let mut counts: Vec<String> = shown
            .dispatches
            .iter()
            .map(|one| format!("{} {} {}", one.count, one.state, one.reason).trim_end().to_owned())
            .collect();
        counts.sort();
        counts
    }

    /// A tenancy of somebody new whom housing knows.
    pub(crate) fn tenant(&self, person: &str) -> String {
        let subject = self.story.subject("housing", person);
        self.tenancy(&subject, TENANCY);
        subject
    }

    pub(crate) fn tenancy(&self, subject: &str, fields: &str) -> String {
        self.story.record("housing", subject, Kind::Accommodation, "tenancy", fields)
    }

    /// The files in the trust's folder, in order of name.
    pub(crate) fn files(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("out trust")) else { return Vec::new() };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    pub(crate) fn clear_files(&self) {
        let _gone = std::fs::remove_dir_all(self.folder.path().join("out trust"));
    }

    /// The program itself, over the same database.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_wayleave")));
        command
            .args(words)
            .arg("--config")
            .arg(self.folder.path().join("wayleave.toml"))
            .env("WAYLEAVE_GATEWAY_DATABASE", &self.database)
            .env("WAYLEAVE_LOG", "wayleave=debug")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command line: its exit code, what it printed, what it told.
    pub(crate) fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let output = self.command(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}
