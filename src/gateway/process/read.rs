//! The reading thread: bytes to units, units to records with their hashes, a chunk at a time.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher as _};
use std::sync::mpsc::SyncSender;

use crate::base::edge::Instant;
use crate::base::finding::{Finding, Findings};
use crate::base::limit::PROCESS_UNITS_MAX;
use crate::base::origin::Origin;
use crate::base::seal::{Hasher, KeyedHash, Sealed};
use crate::config::Scope;
use crate::format::reader::{Reader, open};
use crate::format::{Arrival, Place, Refused, Unit};
use crate::gateway::GatewayError;
use crate::gateway::kept::{DiskSpool, KeptFile};
use crate::gateway::process::Work;
use crate::gateway::process::event::{Envelopes, Event, Trust};
use crate::mapping::read::Bound;
use crate::mapping::{Made, Outcome, Reading, Update};
use crate::record::draft::Draft;
use crate::record::kind::Kind;

/// What the reading thread hands over.
pub(super) enum Chunk {
    /// Units, in order.
    Units(Vec<UnitRead>),
    /// What was found about the file as a whole.
    Findings(Findings),
    /// The file is at fault, and nothing of it is taken.
    Refused(Findings),
}

/// One unit, read.
pub(super) struct UnitRead {
    /// Its ordinal in the file, from 1.
    pub(super) ordinal: i64,
    /// Where it stands.
    pub(super) place: Place,
    /// Equal for equal units, in this process only.
    pub(super) fingerprint: u128,
    /// What it holds.
    pub(super) content: Content,
    /// What was found.
    pub(super) findings: Vec<Finding>,
    /// The id of the signed event that brought it.
    pub(super) event: Option<KeyedHash>,
}

/// What a unit holds.
pub(super) enum Content {
    /// Nothing that can be used; what could be made out of it says whom it is about.
    Refused(Vec<RecordRead>),
    /// Something somebody must look at.
    SetAside {
        /// The unit itself.
        sealed: Sealed,
        /// What could be made out of it.
        about: Vec<RecordRead>,
    },
    /// Nothing that a record takes.
    Nothing,
    /// Records.
    Records(Vec<RecordRead>),
}

/// One record of a unit.
pub(super) struct RecordRead {
    pub(super) kind: Kind,
    pub(super) subject: Option<KeyedHash>,
    pub(super) key: KeyedHash,
    pub(super) draft: Draft,
    pub(super) update: Update,
    pub(super) source_time: Option<Instant>,
    /// Of the draft as it stands.
    pub(super) hash: KeyedHash,
    /// Of a person, where whoever is known is asked for by them.
    pub(super) blocks: Vec<(&'static str, KeyedHash)>,
}

/// Reads and maps one file.
pub(super) struct Mapper<'w> {
    work: &'w Work<'w>,
    file: Origin,
    subject: Hasher,
    keys: Vec<(Kind, Hasher)>,
    content: Hasher,
    fingerprints: [RandomState; 2],
}

/// The mapping, bound to each header of the file.
struct BoundSheets(Vec<(Option<std::sync::Arc<str>>, Bound)>);

impl<'w> Mapper<'w> {
    pub(super) fn new(work: &'w Work<'w>) -> Self {
        let (index, source) = (&work.gateway.keys.index, &work.feed.source);
        Self {
            work,
            file: Origin::default(),
            subject: index.hasher(&format!("subject/{source}")),
            keys: Kind::ALL
                .iter()
                .map(|kind| (*kind, index.hasher(&format!("record/{source}/{kind}"))))
                .collect(),
            content: index.hasher("record-content"),
            fingerprints: [RandomState::new(), RandomState::new()],
        }
    }

    /// Reads to the end, or until nobody listens.
    pub(super) fn run(&self, sender: &SyncSender<Chunk>) -> Result<(), GatewayError> {
        let source = || KeptFile::new(&self.work.gateway.store, &self.work.batch_key, &self.work.batch);
        let settings = &self.work.feed.mapping.settings;
        let mut reader = match open(Box::new(source()), settings, &self.file, &DiskSpool) {
            Ok(reader) => reader,
            Err(Refused::File(findings)) => {
                let _nobody_listens = sender.send(Chunk::Refused(findings));
                return Ok(());
            }
            Err(Refused::Machine(error)) => return Err(error.into()),
        };
        let about_file = reader.findings();
        let bound = match self.bind(&reader) {
            Ok(bound) => bound,
            Err(mut findings) => {
                findings.extend(about_file);
                let _nobody_listens = sender.send(Chunk::Refused(findings));
                return Ok(());
            }
        };
        if sender.send(Chunk::Findings(about_file)).is_err() {
            return Ok(());
        }
        let trust = match (&self.work.feed.secrets, self.work.is_posted) {
            (_, true) => Some(Trust::Posted),
            (Some(secrets), false) => Some(Trust::Signed(secrets.clone())),
            (None, false) => None,
        };
        let mut envelopes = trust.map(|trust| {
            Envelopes::new(source(), trust, &self.work.gateway.keys.index, &self.work.feed.source)
        });
        self.units(&mut reader, &bound, envelopes.as_mut(), sender)?;
        let _nobody_listens = sender.send(Chunk::Findings(reader.findings()));
        Ok(())
    }

    fn bind(&self, reader: &Reader) -> Result<BoundSheets, Findings> {
        let mapping = &self.work.feed.mapping;
        if reader.headers().is_empty() {
            return Ok(BoundSheets(vec![(None, mapping.bind(None, &self.file)?)]));
        }
        let mut bound = Vec::new();
        let mut faults = Findings::default();
        for header in reader.headers() {
            match mapping.bind(Some(header), &self.file) {
                Ok(sheet) => bound.push((header.sheet.clone(), sheet)),
                Err(findings) => faults.extend(findings),
            }
        }
        if faults.is_empty() { Ok(BoundSheets(bound)) } else { Err(faults) }
    }

    fn units(
        &self,
        reader: &mut Reader,
        bound: &BoundSheets,
        mut envelopes: Option<&mut Envelopes>,
        sender: &SyncSender<Chunk>,
    ) -> Result<(), GatewayError> {
        let mut ordinal = 0;
        let mut units = Vec::with_capacity(PROCESS_UNITS_MAX);
        while let Some(arrival) = reader.next()? {
            ordinal += 1;
            let event = match (&mut envelopes, &arrival.unit) {
                (Some(envelopes), Ok(_)) => Some(envelopes.event(arrival.place.line)?),
                _ => None,
            };
            units.push(self.unit(ordinal, &arrival, bound, event));
            if units.len() == PROCESS_UNITS_MAX {
                let full = std::mem::replace(&mut units, Vec::with_capacity(PROCESS_UNITS_MAX));
                if sender.send(Chunk::Units(full)).is_err() {
                    return Ok(());
                }
            }
        }
        if !units.is_empty() {
            let _nobody_listens = sender.send(Chunk::Units(units));
        }
        Ok(())
    }

    fn unit(
        &self,
        ordinal: i64,
        arrival: &Arrival<'_>,
        bound: &BoundSheets,
        event: Option<Event>,
    ) -> UnitRead {
        let place = arrival.place.clone();
        let mut read = UnitRead {
            ordinal,
            place,
            fingerprint: u128::from(ordinal.unsigned_abs()),
            content: Content::Refused(Vec::new()),
            findings: Vec::new(),
            event: None,
        };
        let unit = match (&arrival.unit, event) {
            (Err(finding), _) => {
                read.findings.push(finding.clone());
                return read;
            }
            (Ok(_), Some(Event::Refused(code))) => {
                let origin = arrival.place.origin(&self.file);
                read.findings.push(Finding::new(code, origin, code.meaning()));
                return read;
            }
            (Ok(unit), Some(Event::Signed(id))) => {
                read.event = Some(id);
                unit
            }
            (Ok(unit), None) => unit,
        };
        let Some(sheet) = bound.find(arrival.place.sheet.as_deref()) else {
            read.content = Content::Nothing;
            return read;
        };
        let reading = sheet.read(arrival, &self.file);
        if reading.outcome != Outcome::Rejected {
            read.fingerprint = self.fingerprint(unit, read.event);
        }
        let Reading { outcome, records, about, findings } = reading;
        read.content = self.content(unit, ordinal, outcome, if records.is_empty() { about } else { records });
        read.findings = findings;
        read
    }

    fn content(&self, unit: &Unit<'_>, ordinal: i64, outcome: Outcome, made: Vec<Made>) -> Content {
        let records = made.into_iter().map(|made| self.record(made)).collect();
        match outcome {
            Outcome::Rejected => Content::Refused(records),
            Outcome::Filtered => Content::Nothing,
            Outcome::Records => Content::Records(records),
            Outcome::Quarantined => {
                let label = format!("{}/unit/{ordinal}", self.work.batch.id);
                let sealed = self.work.batch_key.seal(&self.work.gateway.edge, &label, &unit.raw());
                Content::SetAside { sealed, about: records }
            }
        }
    }

    fn record(&self, made: Made) -> RecordRead {
        let Made { kind, subject, key, mut draft, update, source_time } = made;
        let hasher = self.keys.iter().find(|(of, _)| *of == kind).map_or(&self.content, |(_, hasher)| hasher);
        if update == Update::Whole {
            draft.settle();
        }
        RecordRead {
            kind,
            subject: subject.as_ref().map(|subject| self.subject.private([subject])),
            key: hasher.private([&key]),
            hash: draft.keyed_hash(&self.content),
            blocks: match (kind, self.work.feed.scope) {
                (Kind::Person, Scope::Known) => self.work.blocker.blocks(&draft),
                _ => Vec::new(),
            },
            draft,
            update,
            source_time,
        }
    }

    /// Tells equal units from different ones within this process; nothing of it is stored.
    fn fingerprint(&self, unit: &Unit<'_>, event: Option<KeyedHash>) -> u128 {
        let [high, low] = self.fingerprints.each_ref().map(|state| {
            let mut hasher = state.build_hasher();
            match unit {
                Unit::Row(row) => row.iter().for_each(|cell| cell.hash(&mut hasher)),
                other => other.raw().inspect().hash(&mut hasher),
            }
            event.hash(&mut hasher);
            hasher.finish()
        });
        u128::from(high) << 64 | u128::from(low)
    }
}

impl BoundSheets {
    fn find(&self, sheet: Option<&str>) -> Option<&Bound> {
        self.0.iter().find(|(name, _)| name.as_deref() == sheet).map(|(_, bound)| bound)
    }
}
