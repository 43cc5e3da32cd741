//! The reading thread: bytes to units, units to records with their hashes, a chunk at a time.

mod shared;

pub(super) use shared::SharedRead;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher as _};
use std::sync::mpsc::SyncSender;

use crate::base::edge::Instant;
use crate::base::finding::{Code, Finding, Findings};
use crate::base::limit::PROCESS_UNITS_MAX;
use crate::base::origin::Origin;
use crate::base::private::Private;
use crate::base::seal::{Hasher, KeyedHash, Sealed};
use crate::config::Scope;
use crate::format::reader::{Reader, open};
use crate::format::settings::FormatKind;
use crate::format::{Arrival, Place, Refused, Unit};
use crate::gateway::GatewayError;
use crate::gateway::kept::{DiskSpool, KeptFile};
use crate::gateway::process::Work;
use crate::gateway::process::event::{Envelopes, Event, Trust};
use crate::gateway::process::shadow::{self, Differs};
use crate::mapping::read::Bound;
use crate::mapping::{Made, Mapping, Outcome, Reading, Snapshot, Update};
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
    /// The unit itself, where it may turn out that somebody has to say which record it speaks of.
    pub(super) sealed: Option<Sealed>,
    /// What a mapping makes of it differently that is tried beside this one; none where none is.
    pub(super) shadow: Option<Vec<Differs>>,
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
    /// Of one that other feeds of the source tell too.
    pub(super) shared: Option<Box<SharedRead>>,
}

/// How much of a unit is worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Whether it can be read, and which records it is about: what a look at a file asks. What they
    /// say is left out, and nothing is sealed.
    Look,
    /// Everything.
    Whole,
}

/// Reads and maps one file.
pub(super) struct Mapper<'w> {
    work: &'w Work<'w>,
    depth: Depth,
    file: Origin,
    subject: Hasher,
    keys: Vec<(Kind, Hasher)>,
    content: Hasher,
    shared: shared::Hashers,
    fingerprints: [RandomState; 2],
}

/// The mapping, bound to each header of the file.
struct BoundSheets(Vec<(Option<std::sync::Arc<str>>, Bound)>);

/// A mapping that is tried: bound, or unable to read the file.
enum Tried {
    Bound(BoundSheets),
    Unable,
}

impl Tried {
    fn find(&self, sheet: Option<&str>) -> Option<&Bound> {
        match self {
            Self::Bound(sheets) => sheets.find(sheet),
            Self::Unable => None,
        }
    }
}

/// The mappings that read the file.
struct Bounds {
    live: BoundSheets,
    /// The one that is tried beside the live one, where one is.
    tried: Option<Tried>,
}

impl<'w> Mapper<'w> {
    pub(super) fn new(work: &'w Work<'w>, depth: Depth) -> Self {
        let (index, source) = (&work.gateway.keys.index, &work.feed.source);
        Self {
            work,
            depth,
            file: Origin::default(),
            subject: index.hasher(&format!("subject/{source}")),
            keys: Kind::ALL
                .iter()
                .map(|kind| (*kind, index.hasher(&format!("record/{source}/{kind}"))))
                .collect(),
            content: index.hasher("record-content"),
            shared: shared::Hashers::new(index, source),
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
        if let Some(refused) = self.other_count(&source)? {
            let _nobody_listens = sender.send(Chunk::Refused(Findings::from_iter([refused])));
            return Ok(());
        }
        let tried = self
            .work
            .shadow
            .as_ref()
            .filter(|_| self.depth == Depth::Whole)
            .map(|shadow| self.bind(shadow.mapping(), &reader).map_or(Tried::Unable, Tried::Bound));
        let bounds = match self.bind(&self.work.feed.mapping, &reader) {
            Ok(live) => Bounds { live, tried },
            Err(mut findings) => {
                findings.extend(about_file);
                let _nobody_listens = sender.send(Chunk::Refused(findings));
                return Ok(());
            }
        };
        if sender.send(Chunk::Findings(about_file)).is_err() {
            return Ok(());
        }
        // Messages stand in no envelope: whoever sent them was known when they came.
        let is_message = matches!(self.work.feed.mapping.settings.format, FormatKind::Hl7v2(_));
        let trust = match (&self.work.feed.secrets, self.work.is_posted && !is_message) {
            (_, true) => Some(Trust::Posted),
            (Some(secrets), false) => Some(Trust::Signed(secrets.clone())),
            (None, false) => None,
        };
        let mut envelopes = trust.map(|trust| {
            Envelopes::new(source(), trust, &self.work.gateway.keys.index, &self.work.feed.source)
        });
        self.units(&mut reader, &bounds, envelopes.as_mut(), sender)?;
        let _nobody_listens = sender.send(Chunk::Findings(reader.findings()));
        Ok(())
    }

    /// Counts the units first where a manifest promised how many there are: nothing of a file that
    /// was cut short may be taken.
    fn other_count(&self, source: &dyn Fn() -> KeptFile) -> Result<Option<Finding>, GatewayError> {
        let Some(expected) = self.work.batch.rows_expected else { return Ok(None) };
        let settings = &self.work.feed.mapping.settings;
        let mut found = 0_i64;
        // What cannot be opened was refused before this.
        if let Ok(mut reader) = open(Box::new(source()), settings, &self.file, &DiskSpool) {
            while reader.next()?.is_some() {
                found += 1;
            }
        }
        let told = format!("expected {expected} rows, as the manifest says, and found {found}");
        Ok((found != expected).then(|| Finding::new(Code::FileRowCount, self.file.clone(), told)))
    }

    fn bind(&self, mapping: &Mapping, reader: &Reader) -> Result<BoundSheets, Findings> {
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
        bounds: &Bounds,
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
            units.push(self.unit(ordinal, &arrival, bounds, event));
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

    fn unit(&self, ordinal: i64, arrival: &Arrival<'_>, bounds: &Bounds, event: Option<Event>) -> UnitRead {
        let place = arrival.place.clone();
        let mut read = UnitRead {
            ordinal,
            place,
            fingerprint: u128::from(ordinal.unsigned_abs()),
            content: Content::Refused(Vec::new()),
            findings: Vec::new(),
            event: None,
            sealed: None,
            shadow: None,
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
        let Some(sheet) = bounds.live.find(arrival.place.sheet.as_deref()) else {
            read.content = Content::Nothing;
            return read;
        };
        let reading = sheet.read(arrival, &self.file);
        read.shadow = bounds.tried.as_ref().map(|tried| {
            let tried = tried.find(arrival.place.sheet.as_deref());
            let tried = tried.map(|tried| tried.read(arrival, &self.file));
            self.differences(&reading, tried.as_ref())
        });
        if reading.outcome != Outcome::Rejected && self.depth == Depth::Whole {
            read.fingerprint = self.fingerprint(unit, read.event);
        }
        let Reading { outcome, records, about, findings } = reading;
        read.content = self.content(unit, ordinal, outcome, if records.is_empty() { about } else { records });
        if let Content::Records(records) = &read.content
            && records.iter().any(|record| record.shared.as_ref().is_some_and(|shared| shared.may_be_asked()))
        {
            read.sealed = Some(self.seal(unit, ordinal));
        }
        read.findings = findings;
        read
    }

    fn seal(&self, unit: &Unit<'_>, ordinal: i64) -> Sealed {
        let label = format!("{}/unit/{ordinal}", self.work.batch.id);
        self.work.batch_key.seal(&self.work.gateway.edge, &label, &unit.raw())
    }

    fn content(&self, unit: &Unit<'_>, ordinal: i64, outcome: Outcome, made: Vec<Made>) -> Content {
        if self.depth == Depth::Look {
            return self.glance(outcome, made);
        }
        let records = made.into_iter().map(|made| self.record(made)).collect();
        match outcome {
            Outcome::Rejected => Content::Refused(records),
            Outcome::Filtered => Content::Nothing,
            Outcome::Records => Content::Records(records),
            Outcome::Quarantined => Content::SetAside { sealed: self.seal(unit, ordinal), about: records },
        }
    }

    /// What a look asks of a unit: which records it is about, where that matters.
    fn glance(&self, outcome: Outcome, made: Vec<Made>) -> Content {
        let is_full = self.work.feed.mapping.snapshot == Snapshot::Full;
        match outcome {
            Outcome::Rejected | Outcome::Quarantined => {
                Content::Refused(made.into_iter().map(|made| self.named(made)).collect())
            }
            // Only a full file tells what is gone.
            Outcome::Records if is_full => {
                Content::Records(made.into_iter().map(|made| self.named(made)).collect())
            }
            Outcome::Records | Outcome::Filtered => Content::Nothing,
        }
    }

    /// A record as far as a look asks: which it is and whose. Nobody asks for what it says.
    fn named(&self, made: Made) -> RecordRead {
        let Made { kind, subject, key, draft, update, source_time, .. } = made;
        let key = self.key(kind, &key);
        let subject = subject.as_ref().map(|subject| self.subject.private([subject]));
        let (hash, blocks, shared) = (key, Vec::new(), None);
        RecordRead { kind, subject, key, draft, update, source_time, hash, blocks, shared }
    }

    fn key(&self, kind: Kind, key: &Private<String>) -> KeyedHash {
        let hasher = self.keys.iter().find(|(of, _)| *of == kind).map_or(&self.content, |(_, hasher)| hasher);
        hasher.private([key])
    }

    fn record(&self, made: Made) -> RecordRead {
        let Made { kind, subject, key, mut draft, update, source_time, same } = made;
        if update == Update::Whole {
            draft.settle();
        }
        let about = subject.as_ref().map(|subject| self.subject.private([subject]));
        RecordRead {
            kind,
            subject: about,
            key: self.key(kind, &key),
            shared: same.zip(about).map(|(same, about)| {
                let plain_key = same.plain_key.as_ref().map(|key| self.key(kind, key));
                Box::new(self.shared.read(kind, about, &same, plain_key, &draft))
            }),
            hash: draft.keyed_hash(&self.content),
            blocks: match (kind, self.work.feed.scope) {
                (Kind::Person, Scope::Known | Scope::Requested) => self.work.blocker.blocks(&draft),
                _ => Vec::new(),
            },
            draft,
            update,
            source_time,
        }
    }

    /// What two mappings make differently of one unit.
    fn differences(&self, live: &Reading, tried: Option<&Reading>) -> Vec<Differs> {
        let by_key = |reading: &Reading| {
            let keyed = reading.records.iter().map(|made| {
                let key = self.key(made.kind, &made.key);
                let subject = made.subject.as_ref().map(|subject| self.subject.private([subject]));
                ((made.kind, subject, key), made.draft.clone())
            });
            keyed.collect::<Vec<_>>()
        };
        match tried {
            Some(tried) => shadow::compare(
                (live.outcome, &by_key(live), &live.findings),
                (tried.outcome, &by_key(tried), &tried.findings),
                &self.content,
            ),
            None => vec![Differs::unread(live.outcome)],
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
