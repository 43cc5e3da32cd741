//! Where a value of a record that is kept comes from: what was received is opened again, whichever way
//! it came (a file, events, a message over MLLP or out of a mailbox), and read through the mapping that
//! made the version, with somebody looking on.

use crate::base::finding::Finding;
use crate::base::origin::Origin;
use crate::format::reader::open;
use crate::format::{Place, Refused};
use crate::gateway::kept::{self, DiskSpool, KeptFile};
use crate::gateway::{Gateway, GatewayError, live_mapping, restricted};
use crate::mapping::explain::Explained;
use crate::mapping::{Mapping, Outcome};
use crate::record::kind::Kind;
use crate::store::{StoreError, batch, mapping_version, record, subject, version};

/// A version, explained.
pub struct Kept {
    /// The feed it came by, as `trust/adt`.
    pub feed: String,
    /// The batch it came in.
    pub batch: String,
    /// The mapping that made it.
    pub mapping: Mapping,
    /// Its kind.
    pub kind: Kind,
    /// Where its unit stands in the batch.
    pub place: Place,
    /// What became of the unit.
    pub outcome: Outcome,
    /// What was found in it.
    pub findings: Vec<Finding>,
    /// How the field was filled.
    pub explained: Vec<Explained>,
}

/// How the current version of a record, or the one of that number, has its field. A record of a restricted
/// person is there only for whoever may see it.
///
/// # Errors
/// Where there is no such record, what it was read from is no longer kept, or the store fails.
pub fn explain(
    gateway: &Gateway,
    id: &str,
    number: Option<i64>,
    field: &str,
    restricted_by: Option<&str>,
) -> Result<Kept, GatewayError> {
    let no_record = || GatewayError::NoRecord { id: id.to_owned() };
    let (found, is_restricted) = gateway.store.read(|tx| {
        let current = record::find_current(tx, &[id.to_owned()])?.into_iter().next();
        Ok::<_, GatewayError>((current, restricted::is_record(tx, id)?))
    })?;
    let current = found.ok_or_else(no_record)?;
    match restricted_by {
        None if is_restricted => return Err(GatewayError::OfRestricted { id: id.to_owned() }),
        Some(by) if is_restricted => restricted::note_seen(gateway, by, id, 0)?,
        _ => {}
    }
    let number = number.unwrap_or(current.number);
    // A unit may be about several people: what it says of the others is not this record's.
    let (row, of, kept, has_pieces, whose) = gateway.store.read(|tx| {
        let row = version::find(tx, id, number)?.ok_or_else(no_record)?;
        let of = batch::find(tx, &row.batch_id)?;
        let kept = mapping_version::find(tx, &row.mapping_hash)?;
        let has_pieces = batch::has_pieces(tx, &row.batch_id)?;
        let whose = subject::find(tx, current.subject_id.as_slice())?.pop();
        Ok::<_, GatewayError>((row, of, kept, has_pieces, whose))
    })?;
    if of.wrapped_key.is_none() || !has_pieces {
        return Err(GatewayError::NotKept { id: id.to_owned(), batch: of.id });
    }
    let kind: Kind = current.kind.parse().map_err(|_kind| StoreError::Unreadable { what: "kind" })?;
    let mapping = live_mapping::compile(&kept)?;
    let key = kept::data_key(gateway, &of)?;
    let file = KeptFile::new(&gateway.store, &key, &of);
    let origin = Origin::default();
    let unreadable = || StoreError::Unreadable { what: "file: its mapping no longer reads it" };
    let mut units = match open(Box::new(file), &mapping.settings, &origin, &DiskSpool) {
        Ok(units) => units,
        Err(Refused::Machine(error)) => return Err(error.into()),
        Err(Refused::File(_)) => return Err(unreadable().into()),
    };
    let headers: Vec<_> =
        units.headers().iter().map(|header| (header.sheet.clone(), header.clone())).collect();
    let mut ordinal = 0;
    while let Some(arrival) = units.next()? {
        ordinal += 1;
        if ordinal != row.unit {
            continue;
        }
        let sheet = arrival.place.sheet.as_deref();
        let header = headers.iter().find(|(name, _)| name.as_deref() == sheet).map(|(_, header)| header);
        let bound = mapping.bind(header, &origin).map_err(|_findings| unreadable())?;
        let (mut explained, reading) = mapping.explain_unit(&bound, &arrival, &origin, Some(kind), field);
        if let Some(whose) = &whose {
            let subjects = gateway.keys.index.hasher(&format!("subject/{}", current.source));
            explained.retain(|one| {
                let hash = one.subject.as_ref().map(|subject| subjects.private([subject]));
                hash.is_none_or(|hash| hash.as_bytes().as_slice() == whose.key_hash)
            });
        }
        return Ok(Kept {
            feed: format!("{}/{}", current.source, row.feed),
            batch: of.id,
            kind,
            place: arrival.place.clone(),
            outcome: reading.outcome,
            findings: reading.findings,
            explained,
            mapping,
        });
    }
    Err(unreadable().into())
}
