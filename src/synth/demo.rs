//! The demo's folder: six files of three systems, the plan of what is wrong in them, and every
//! token that must never leave.

mod token;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::synth::SynthError;
use crate::synth::activity::ACTIVITIES;
use crate::synth::fault::Fault;
use crate::synth::render::{adt, cld, costs, events, fhir, table, tracker};
use crate::synth::world::{self, World};
use crate::synth::{plant, truth};

pub use token::{Token, TokenKind, identifying_tokens};

/// The configuration that stands beside the files.
pub const CONFIG: &str = include_str!("demo/wayleave.toml");

/// What was rendered, and where.
#[derive(Debug, Clone, Serialize)]
pub struct DemoPlan {
    /// The feeds and their files.
    pub feeds: Vec<FeedFile>,
    /// The configuration.
    pub config_file: PathBuf,
    /// The file that holds the webhook secret.
    pub secret_file: PathBuf,
    /// The file with the planted faults.
    pub faults_file: PathBuf,
    /// The file that says who is who.
    pub truth_file: PathBuf,
    /// The planted faults.
    pub faults: Vec<Fault>,
    /// People in the tracker.
    pub people: usize,
    /// People whose data may be released.
    pub consenting: usize,
    /// Files that were written; the rest stood there already, the same to the byte.
    pub written: usize,
}

/// One feed's file.
#[derive(Debug, Clone, Serialize)]
pub struct FeedFile {
    /// Source.
    pub source: &'static str,
    /// Feed of the source.
    pub feed: &'static str,
    /// The folder to take files from.
    pub folder: PathBuf,
    /// The file.
    pub file: PathBuf,
    /// Units in it, the faulty ones counted.
    pub units: usize,
}

/// The files of a world before they are written: source, feed, file name, bytes, units.
pub struct Rendered {
    /// Source, feed, file name, bytes, units.
    pub files: Vec<(&'static str, &'static str, &'static str, Vec<u8>, usize)>,
    /// The planted faults.
    pub faults: Vec<Fault>,
    /// The webhook secret.
    pub secret: String,
}

/// Renders the demo into a folder. Nothing is written that stands there already.
pub fn render(dir: &Path) -> Result<DemoPlan, SynthError> {
    write(&world::demo()?, dir)
}

/// Renders a world into a folder, with its plan and its truth.
pub fn write(world: &World, dir: &Path) -> Result<DemoPlan, SynthError> {
    let rendered = files(world)?;
    let mut written = 0;
    let mut feeds = Vec::new();
    for (source, feed, name, bytes, units) in &rendered.files {
        let folder = dir.join("in").join(source).join(feed);
        let file = folder.join(name);
        written += usize::from(put(&file, bytes)?);
        feeds.push(FeedFile { source, feed, folder, file, units: *units });
    }
    let config_file = dir.join("wayleave.toml");
    written += usize::from(put(&config_file, CONFIG.as_bytes())?);
    let secret_file = dir.join("keys").join("housing-webhook.secret");
    written += usize::from(put_secret(&secret_file, format!("{}\n", rendered.secret).as_bytes())?);
    let faults_file = dir.join("faults.json");
    let mut faults = serde_json::to_vec_pretty(&rendered.faults)?;
    faults.push(b'\n');
    written += usize::from(put(&faults_file, &faults)?);
    let truth_file = dir.join("truth.json");
    written += usize::from(put(&truth_file, &truth::json(world, &rendered.faults)?)?);
    let gave = |life: &&crate::synth::life::Life| {
        life.consents.last().is_some_and(|said| said.decision == "Given") && life.who.key != "PI120"
    };
    Ok(DemoPlan {
        feeds,
        config_file,
        secret_file,
        faults_file,
        truth_file,
        faults: rendered.faults,
        people: world.lives.len(),
        consenting: world.lives.iter().filter(gave).count(),
        written,
    })
}

/// The six files of a world, with faults planted in them.
pub fn files(world: &World) -> Result<Rendered, SynthError> {
    let seed = world.seed.fork("faults");
    // Somebody of whom nothing is stated: the person never asked, or whoever comes last.
    let nobody = world.lives.iter().find(|life| life.who.key == "PI118").or(world.lives.last());
    let id = |view: Option<&crate::synth::life::View>| view.map(|view| view.id.clone()).unwrap_or_default();
    let council = id(nobody.and_then(|life| life.council.as_ref()));
    let housing = id(nobody.and_then(|life| life.housing.as_ref()));
    let trust = id(nobody.and_then(|life| life.trust.as_ref()));
    let ids: BTreeSet<&str> =
        world.lives.iter().filter_map(|life| life.council.as_ref().map(|view| view.id.as_str())).collect();
    let known = |found: &str| ids.contains(found);
    let mut cld = cld::table(world);
    plant::cld(&mut cld, &known, &mut seed.fork("cld"));
    if let Some(rates) = world.rows {
        cld.sprinkle(rates, ("Event Outcome", "Event Start Date"), &mut seed.fork("cld rows"));
    }
    let mut costs = costs::table(world);
    plant::costs(&mut costs, &council, &mut seed.fork("costs"));
    let mut sheets = tracker::tables(world);
    plant::tracker(&mut sheets, &housing, &mut seed.fork("tracker"));
    if let Some(rates) = world.rows {
        for sheet in &mut sheets {
            let Some(name) = sheet.sheet else { continue };
            let columns = match name {
                "Stars" => ("Occasion", "Date Completed"),
                _ if ACTIVITIES.iter().any(|activity| activity.sheet == name) => ("Outcome", "Planned"),
                _ => continue,
            };
            sheet.sprinkle(rates, columns, &mut seed.fork(name));
        }
    }
    let secret = events::Secret::of(&world.seed);
    let mut writer = events::Writer::new(&secret, &world.seed);
    let mut lines = events::lines(world, &mut writer);
    plant::events(&mut lines, &housing, &mut writer, &mut seed.fork("events"));
    let mut entries = fhir::entries(world);
    plant::fhir(&mut entries, &trust, &mut seed.fork("fhir"));
    let mut messages = adt::messages(world);
    plant::adt(&mut messages, &trust, &mut seed.fork("adt"));

    let mut faults = cld.faults();
    faults.extend(costs.faults());
    faults.extend(sheets.iter().flat_map(table::Table::faults));
    faults.extend(events::faults(&lines));
    faults.extend(fhir::faults(&entries));
    faults.extend(adt::faults(&messages));
    let mut cld_bytes = Vec::new();
    table::windows_1252(&cld.csv(b',')?, &mut cld_bytes)?;
    // The byte order mark that spreadsheets put before UTF-8.
    let mut costs_bytes = vec![0xef, 0xbb, 0xbf];
    costs_bytes.extend(costs.csv(b';')?);
    let rows = sheets.iter().map(|sheet| sheet.rows.len()).sum();
    Ok(Rendered {
        files: vec![
            ("council", "cld", cld::FILE, cld_bytes, cld.rows.len()),
            ("council", "costs", costs::FILE, costs_bytes, costs.rows.len()),
            ("housing", "tracker", tracker::FILE, tracker::workbook(&sheets)?, rows),
            ("housing", "events", events::FILE, events::ndjson(&lines), lines.len()),
            ("trust", "fhir", fhir::FILE, fhir::bundle(&entries)?, entries.len()),
            ("trust", "adt", adt::FILE, adt::file(&messages), messages.len()),
        ],
        faults,
        secret: secret.text(),
    })
}

/// Writes a file whole, or not at all where the same bytes stand there; says whether it wrote.
fn put(path: &Path, bytes: &[u8]) -> Result<bool, SynthError> {
    let failed = |source| SynthError::File { path: path.to_owned(), source };
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)?;
    Ok(true)
}

/// The same for a secret, which is nobody else's to read.
fn put_secret(path: &Path, bytes: &[u8]) -> Result<bool, SynthError> {
    let is_written = put(path, bytes)?;
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(|source| SynthError::File { path: path.to_owned(), source })?;
    Ok(is_written)
}
