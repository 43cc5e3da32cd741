//! What happened, in about fifteen lines.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::demo::faults::Look;
use crate::cli::demo::{DemoPlan, Standing};
use crate::cli::print::quoted;

/// What the story is told from.
pub(super) struct Story<'s> {
    pub(super) plan: &'s DemoPlan,
    pub(super) dir: &'s Path,
    pub(super) before: &'s Standing,
    pub(super) after: &'s Standing,
    pub(super) found: &'s [Look<'s>],
    pub(super) built: &'s Value,
    /// Where the operational database, the queue and the evaluation database are.
    pub(super) places: Vec<String>,
}

impl Story<'_> {
    /// A sum over the first runs of the feeds.
    fn units(&self, outcome: &str) -> i64 {
        let of = |run: &Value| run.get("units").and_then(|units| units.get(outcome)).and_then(Value::as_i64);
        self.after.runs.iter().filter_map(of).sum()
    }

    fn status(&self, name: &str) -> i64 {
        self.after.status.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    fn people(&self) -> i64 {
        self.built.get("people").and_then(Value::as_i64).unwrap_or_default()
    }

    /// Tables of the extract with their rows.
    fn rows(&self) -> Vec<(String, i64)> {
        let pair = |row: &Value| Some((row.get(0)?.as_str()?.to_owned(), row.get(1)?.as_i64()?));
        self.built.get("rows").and_then(Value::as_array).into_iter().flatten().filter_map(pair).collect()
    }

    fn missed(&self) -> Vec<String> {
        let missed = self.found.iter().filter(|look| !look.is_found);
        missed
            .map(|look| {
                let fault = look.fault;
                let sheet = fault.sheet.map(|sheet| format!(", sheet `{sheet}`")).unwrap_or_default();
                format!("{}{sheet}, line {}: {}", fault.file, fault.line, fault.code.unwrap_or(fault.outcome))
            })
            .collect()
    }

    /// The same as data.
    pub(super) fn json(&self) -> Value {
        json!({
            "dir": self.dir,
            "feeds": self.plan.feeds,
            "units": { "received": self.units("received"), "accepted": self.units("accepted"),
                "unchanged": self.units("unchanged"), "filtered": self.units("filtered"),
                "duplicate": self.units("duplicate"), "quarantined": self.units("quarantined"),
                "rejected": self.units("rejected") },
            "faults": { "planted": self.found.len(), "missed": self.missed() },
            "extract": self.built,
            "changed": !self.after.is_as(self.before),
        })
    }

    /// The story.
    pub(super) fn text(&self) -> String {
        let at = |name: &str| self.dir.join(name).display().to_string();
        let missed = self.missed();
        let found = self.found.len() - missed.len();
        let rows: Vec<String> = self.rows().iter().map(|(table, rows)| format!("{rows} {table}")).collect();
        let files: usize = self.plan.feeds.len();
        let mut lines = vec![
            String::new(),
            if self.after.is_as(self.before) { "All of this was here already, and nothing changed. What the first time did:".to_owned() } else { "What happened:".to_owned() },
            format!("  1. {files} files of three systems were made up: a council, a housing association, an NHS trust."),
            format!("     Nobody in them exists. {}", at("in")),
            format!(
                "  2. {} units were read, and each has one outcome: {} accepted, {} unchanged, {} filtered, {} duplicate, {} set aside, {} rejected.",
                self.units("received"),
                self.units("accepted"),
                self.units("unchanged"),
                self.units("filtered"),
                self.units("duplicate"),
                self.units("quarantined"),
                self.units("rejected"),
            ),
            "     Filtered are, above all, rows about people whom the programme does not know: counted, not kept.".to_owned(),
            format!(
                "  3. {} faults had been planted; {found} were found, each at its place. {}",
                self.found.len(),
                at("faults.json")
            ),
        ];
        lines.extend(missed.iter().map(|missed| format!("     NOT FOUND: {missed}")));
        lines.extend([
            format!(
                "  4. {} people stand in the tracker; what three systems know of them was linked: {} people are known.",
                self.plan.people,
                self.status("known")
            ),
            format!(
                "  5. {} people have agreed to the study. Of the others nothing crossed: not of those who refused, those",
                self.plan.consenting
            ),
            "     never asked, the one who took consent back, and the one whose form may be another's.".to_owned(),
            format!("  6. The extract holds {} people under pseudonyms: {}.", self.people(), rows.join(", ")),
            format!("     {}", at("extract")),
            format!("  Databases and queue: {}", self.places.join(", ")),
            format!("  Who is who in the made-up files: {}", at("truth.json")),
            "What to run next:".to_owned(),
            format!(
                "  wayleave quarantine list --config {}",
                quoted(&self.plan.config_file.display().to_string())
            ),
            "  wayleave guide council | housing | trust | evaluator | governance".to_owned(),
            "  wayleave init FOLDER    for an installation of your own".to_owned(),
        ]);
        lines.join("\n")
    }
}
