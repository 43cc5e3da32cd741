//! The gate: the one place where a message for the evaluation side is made.
//!
//! A record needs a consent [`Proof`] of that person for that study, a [`Protocol`] and a
//! [`StudyKey`], by type. What the protocol does not name is not looked at. Everything that
//! leaves in an open form is scanned for the person's own identifiers; a hit withholds the
//! record.

mod leaving;

use serde_json::{Map, Value};

use crate::base::day::Day;
use crate::base::finding::Finding;
use crate::base::id::{NoticeId, PersonId, RecordId, ReleaseId};
use crate::base::origin::Origin;
use crate::base::private::{Grant, Release};
use crate::base::seal::StudyKey;
use crate::base::tree::hex;
use crate::consent::decide::{Denied, Proof, Verdict};
use crate::consent::directive::{Scope, Statement};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::release::choose::{Said, choose};
use crate::release::door::{
    AggregateData, ClosedData, Closing, ConsentData, Data, DoorMessage, Envelope, RecordData, RetractedData,
    SettingData, SupersededData, Table, WithdrawnData,
};
use crate::release::gate::leaving::{Leaving, left_out};
use crate::release::protocol::codebook::codebook;
use crate::release::protocol::{Protocol, ReleasedKind, Tier};
use crate::release::pseudonym::{Domain, Pseudonym};
use crate::release::scan::Own;
use crate::release::treat::{Around, Treated, treat};

/// Why a reader of a withheld field is told that there was no leave for it.
pub(in crate::release) const NO_CONSENT: &str = "no-consent";

/// The gate of one study, open for one release.
pub struct Gate<'k> {
    protocol: &'k Protocol,
    key: &'k StudyKey,
    domain: Domain,
    source: String,
    envelope: Envelope,
}

/// A record of one person that asks to leave.
pub struct Asking<'r> {
    /// Whose it is.
    pub person: PersonId,
    /// The record.
    pub record: RecordId,
    /// The version.
    pub version: u64,
    /// Its kind.
    pub kind: Kind,
    /// The source that sent it.
    pub source: &'r str,
    /// What it says.
    pub draft: &'r Draft,
}

/// What the gate must know of a person to let anything of theirs through.
pub struct About<'a> {
    /// Their own identifiers, from every source.
    pub own: &'a Own,
    /// Whether a source has marked them as restricted.
    pub is_restricted: bool,
    /// What treatments need.
    pub around: Around<'a>,
}

/// A message, and what was found while making it.
pub struct Made {
    /// The message.
    pub message: DoorMessage,
    /// Fields left out, and disagreements.
    pub findings: Vec<Finding>,
}

/// Why a record may not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withheld {
    /// The proof is another person's, or for another study.
    Proof,
    /// The protocol does not name the kind.
    Kind,
    /// The protocol does not name the source.
    Source,
    /// There is no leave for what the source's records need.
    Consent(Statement, Denied),
    /// The person is restricted, and nothing of theirs goes into a shared tier.
    Restricted,
    /// An identifier of the person's own stands in it.
    Identifier(Box<Finding>),
}

impl Withheld {
    /// The word in counts.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Proof => "proof",
            Self::Kind => "kind-not-in-protocol",
            Self::Source => "source-not-in-protocol",
            Self::Consent(Statement::UseCaseData, _) => "no-leave-use-case-data",
            Self::Consent(Statement::LinkHousing, _) => "no-leave-link-housing",
            Self::Consent(Statement::LinkNhs, _) => "no-leave-link-nhs",
            Self::Consent(Statement::FreeText, _) => "no-leave-free-text",
            Self::Restricted => "restricted",
            Self::Identifier(_) => "identifier",
        }
    }
}

/// Why a record no longer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// The source corrected it away.
    Corrected,
    /// It proved to be another person's.
    Unlinked,
    /// The leave for it has gone.
    Consent,
}

impl Gone {
    /// The word in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Corrected => "corrected",
            Self::Unlinked => "unlinked",
            Self::Consent => "consent",
        }
    }

    /// The reason of that word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        [Self::Corrected, Self::Unlinked, Self::Consent].into_iter().find(|gone| gone.as_str() == word)
    }
}

impl<'k> Gate<'k> {
    /// Opens the gate for one release. `gateway` is the gateway's name.
    #[must_use]
    pub fn new(
        protocol: &'k Protocol,
        key: &'k StudyKey,
        gateway: &str,
        release: ReleaseId,
        incarnation: u64,
    ) -> Self {
        let envelope = Envelope {
            study: protocol.study.clone(),
            recipient: protocol.recipient.clone(),
            epoch: protocol.epoch,
            release,
            incarnation,
        };
        Self { protocol, key, domain: protocol.domain(), source: format!("wayleave/{gateway}"), envelope }
    }

    /// The person's pseudonym here.
    #[must_use]
    pub fn pseudonym(&self, person: PersonId) -> Pseudonym {
        self.domain.person(self.key, person)
    }

    /// A record of any kind but `person` and `setting`.
    ///
    /// # Errors
    /// Why it may not leave.
    pub fn record(
        &self,
        proof: &Proof,
        asking: &Asking<'_>,
        about: &About<'_>,
        sequence: u64,
        grant: &Grant<Release>,
    ) -> Result<Made, Withheld> {
        let kind = self.kind(proof, asking.person, asking.kind)?;
        self.leave(proof, asking.source)?;
        may_be_shared(self.protocol, about.is_restricted)?;
        let place = Origin::default().at_path(&format!("{}/{}", asking.kind, asking.record));
        let mut leaving = Leaving::new(place, about, grant);
        for field in &kind.fields {
            leaving.put(proof, field, asking.draft.find(field.from.name));
        }
        let name = self.domain.record(self.key, asking.kind, asking.record).to_string();
        let object = asking.record.to_string();
        self.message(proof, leaving, asking.person, (asking.kind, name, object), asking.version, sequence)
    }

    /// The one record that says who somebody is, from every source there is leave for.
    ///
    /// # Errors
    /// Why it may not leave.
    pub fn person(
        &self,
        proof: &Proof,
        person: PersonId,
        said: &[(&str, &Draft)],
        about: &About<'_>,
        (version, sequence): (u64, u64),
        grant: &Grant<Release>,
    ) -> Result<Made, Withheld> {
        let kind = self.kind(proof, person, Kind::Person)?;
        may_be_shared(self.protocol, about.is_restricted)?;
        let ranked = |wanted: bool| -> Vec<Said<'_>> {
            said.iter()
                .filter(|(source, _)| self.leave(proof, source).is_ok() == wanted)
                .map(|(source, draft)| Said { source, rank: self.rank(source), draft })
                .collect()
        };
        let (may, may_not) = (ranked(true), ranked(false));
        let place = Origin::default().at_path(&format!("person/{person}"));
        let mut leaving = Leaving::new(place.clone(), about, grant);
        for field in &kind.fields {
            let (chosen, finding) = choose(field.from.name, &may, &place, grant);
            leaving.findings.extend(finding);
            let is_only_there =
                chosen.is_none() && may_not.iter().any(|one| one.draft.find(field.from.name).is_some());
            if is_only_there {
                leaving.missing.insert(field.name.clone(), NO_CONSENT);
            }
            leaving.put(proof, field, chosen.map(|chosen| chosen.value));
        }
        let name = self.domain.person_record(self.key, person).to_string();
        self.message(proof, leaving, person, (Kind::Person, name, person.to_string()), version, sequence)
    }

    fn kind(&self, proof: &Proof, person: PersonId, kind: Kind) -> Result<&ReleasedKind, Withheld> {
        if proof.person() != person || proof.study() != self.protocol.study {
            return Err(Withheld::Proof);
        }
        self.protocol.kind(kind).filter(|released| released.kind != Kind::Setting).ok_or(Withheld::Kind)
    }

    fn leave(&self, proof: &Proof, source: &str) -> Result<(), Withheld> {
        may_leave(self.protocol, proof, source)
    }

    fn rank(&self, source: &str) -> usize {
        self.protocol.sources.iter().position(|named| named.name == source).unwrap_or(usize::MAX)
    }

    fn message(
        &self,
        proof: &Proof,
        leaving: Leaving<'_>,
        person: PersonId,
        (kind, record, object): (Kind, String, String),
        version: u64,
        sequence: u64,
    ) -> Result<Made, Withheld> {
        let evidence = proof.evidence();
        let consent = ConsentData {
            form: evidence.form.clone(),
            form_version: evidence.form_version.clone(),
            decided_on: evidence.decided_on,
        };
        let ready = leaving.finish(self, &consent)?;
        let data = Data::Record(RecordData {
            envelope: self.envelope.clone(),
            protocol_version: self.protocol.version,
            kind: kind.as_str(),
            record,
            version,
            fields: ready.fields,
            missing: ready.missing,
            consent,
            sequence,
        });
        let subject = self.pseudonym(person).to_string();
        Ok(Made { message: self.seal(subject, &object, version, sequence, data), findings: ready.findings })
    }

    /// A care home, landlord or provider that a released record names. No person, so no consent.
    ///
    /// # Errors
    /// Where the protocol releases no settings.
    pub fn setting(
        &self,
        setting: RecordId,
        version: u64,
        draft: &Draft,
        sequence: u64,
        grant: &Grant<Release>,
    ) -> Result<Made, Withheld> {
        let kind = self.protocol.kind(Kind::Setting).ok_or(Withheld::Kind)?;
        let place = Origin::default().at_path(&format!("setting/{setting}"));
        let around = Around { start: None, setting: &|_name| None };
        let (mut fields, mut findings) = (Map::new(), Vec::new());
        for field in &kind.fields {
            let value = match treat(field, draft.find(field.from.name), &around, grant) {
                Ok(Some(Treated::Coded(word))) => Value::String(word),
                Ok(Some(Treated::Truth(truth))) => Value::Bool(truth),
                Ok(Some(Treated::Open(value))) => value,
                Ok(Some(Treated::Setting(_)) | None) => continue,
                Err(why) => {
                    findings.push(left_out(why, field, &place));
                    continue;
                }
            };
            fields.insert(field.name.clone(), value);
        }
        let name = self.domain.record(self.key, Kind::Setting, setting).to_string();
        let data = Data::Setting(SettingData {
            envelope: self.envelope.clone(),
            setting: name.clone(),
            fields,
            sequence,
        });
        let message = self.seal(name, &setting.to_string(), version, sequence, data);
        Ok(Made { message, findings })
    }

    /// A record that no longer stands under a person.
    #[must_use]
    pub fn retracted(
        &self,
        person: PersonId,
        kind: Kind,
        record: &Standing,
        gone: Gone,
        sequence: u64,
    ) -> DoorMessage {
        let (name, object) = match record {
            Standing::Record(record) => (self.domain.record(self.key, kind, *record), record.to_string()),
            Standing::Person(person) => (self.domain.person_record(self.key, *person), person.to_string()),
        };
        let data = Data::Retracted(RetractedData {
            envelope: self.envelope.clone(),
            record: name.to_string(),
            kind: kind.as_str(),
            reason: gone.as_str(),
            sequence,
        });
        self.seal(self.pseudonym(person).to_string(), &object, 0, sequence, data)
    }

    /// A pseudonym that another replaces.
    #[must_use]
    pub fn superseded(&self, old: PersonId, new: PersonId, sequence: u64) -> DoorMessage {
        let new = self.pseudonym(new).to_string();
        let data = Data::Superseded(SupersededData { envelope: self.envelope.clone(), new, sequence });
        self.seal(self.pseudonym(old).to_string(), &old.to_string(), 0, sequence, data)
    }

    /// A withdrawal of consent.
    #[must_use]
    pub fn withdrawn(
        &self,
        person: PersonId,
        notice: NoticeId,
        scope: Scope,
        decided_on: Day,
        sequence: u64,
    ) -> DoorMessage {
        let data = Data::Withdrawn(WithdrawnData {
            envelope: self.envelope.clone(),
            notice,
            scope: scope.as_str(),
            decided_on,
            sequence,
        });
        self.seal(self.pseudonym(person).to_string(), &notice.to_string(), 0, sequence, data)
    }

    /// A whole-cohort table.
    #[must_use]
    pub fn aggregate(&self, table: Table, version: u64) -> DoorMessage {
        let object = table.name.clone();
        let data = Data::Aggregate(AggregateData {
            envelope: self.envelope.clone(),
            protocol_version: self.protocol.version,
            table,
        });
        self.seal(self.protocol.study.clone(), &object, version, 0, data)
    }

    /// The end of the release.
    #[must_use]
    pub fn closed(&self, closing: Closing) -> DoorMessage {
        let object = self.envelope.release.to_string();
        let data = Data::ReleaseClosed(Box::new(ClosedData {
            envelope: self.envelope.clone(),
            protocol_version: self.protocol.version,
            protocol: codebook(self.protocol),
            closing,
        }));
        self.seal(self.protocol.study.clone(), &object, 0, 0, data)
    }

    /// Gives the message its id: equal whenever the same thing is sent again, whichever run of
    /// the job sends it. The release and the incarnation's place in the data are left out of it
    /// but for the incarnation itself: a restored gateway may have to say a thing again.
    fn seal(&self, subject: String, object: &str, version: u64, sequence: u64, data: Data) -> DoorMessage {
        let body = content(&data);
        let numbers = format!("{version}/{}/{}/{sequence}", self.protocol.version, self.envelope.incarnation);
        let kind = data.kind().as_str();
        let code = self.key.code(&[
            b"wayleave/message/v1",
            kind.as_bytes(),
            object.as_bytes(),
            numbers.as_bytes(),
            &body,
        ]);
        let message_id = hex(code.get(..16).unwrap_or_default());
        DoorMessage::new(message_id, self.source.clone(), subject, self.protocol.study.clone(), data)
    }
}

/// What stands on the far side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A record.
    Record(RecordId),
    /// The merged record of a person.
    Person(PersonId),
}

/// Whether anything of a person may go into the tier of the protocol: nothing of a restricted person
/// goes into a shared one.
///
/// # Errors
/// That it may not.
pub fn may_be_shared(protocol: &Protocol, is_restricted: bool) -> Result<(), Withheld> {
    if is_restricted && protocol.tier == Tier::Shared {
        return Err(Withheld::Restricted);
    }
    Ok(())
}

/// Whether a source's records may leave under a proof.
///
/// # Errors
/// Why not.
pub fn may_leave(protocol: &Protocol, proof: &Proof, source: &str) -> Result<(), Withheld> {
    let needs = protocol.needs(source).ok_or(Withheld::Source)?;
    match proof.verdict(needs) {
        Verdict::Permit(_) => Ok(()),
        Verdict::Deny(denied) => Err(Withheld::Consent(needs, *denied)),
    }
}

/// What a message says beside its envelope. `release-closed` is told apart by its release.
fn content(data: &Data) -> Vec<u8> {
    let fields = match data {
        Data::Record(record) => Some(&record.fields),
        Data::Setting(setting) => Some(&setting.fields),
        _ => None,
    };
    fields.and_then(|fields| serde_json::to_vec(fields).ok()).unwrap_or_default()
}
