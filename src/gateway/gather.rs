//! Requests that wait become a batch and a run over it, in one transaction: from there they go
//! the way of every file.

use zeroize::Zeroizing;

use crate::base::id::BatchId;
use crate::base::limit::{GATHER_BYTES_MAX, GATHER_DELIVERIES_MAX, KEPT_PIECE_BYTES, WORKER_LEASE_S};
use crate::base::private::Private;
use crate::base::seal::{DataKey, Sealed};
use crate::format::hl7v2::Letters;
use crate::format::settings::FormatKind;
use crate::gateway::feed::Feed;
use crate::gateway::{Gateway, GatewayError, deliver, kept, receive};
use crate::store::batch::{self, Batch};
use crate::store::delivery::{self, Delivery, Shape};
use crate::store::run::{self, Run};
use crate::store::{Store, StoreError, Tx, lease};

/// Puts the requests of a feed that wait into a batch; `None` where none waits.
///
/// # Errors
/// Where the store fails, or a key does not open what it sealed.
pub fn gather(gateway: &Gateway, feed: &Feed) -> Result<Option<Run>, GatewayError> {
    let seal = gateway.own_key()?;
    gateway.store.write(|tx| {
        let waiting = delivery::claim(tx, &feed.source, &feed.name, GATHER_DELIVERIES_MAX)?;
        if waiting.is_empty() {
            return Ok(None);
        }
        let id = BatchId::mint(&gateway.edge).to_string();
        let mut text = Zeroizing::new(Vec::new());
        let mut placed = Vec::with_capacity(waiting.len());
        let mut next_unit = 1;
        let mut letters = None;
        for one in &waiting {
            let lines = unseal(&seal, one)?;
            if !text.is_empty() && text.len() + lines.inspect().len() > GATHER_BYTES_MAX {
                break;
            }
            if one.shape == Shape::Message.as_str() {
                // One file, one character set.
                let its = Letters::of(lines.inspect());
                let Some(both) = letters.map_or(Some(its), |before: Letters| before.with(its)) else { break };
                letters = Some(both);
            }
            text.extend_from_slice(lines.inspect());
            placed.push((one, next_unit));
            next_unit += one.units;
        }
        keep(tx, gateway, feed, &id, &text)?;
        for (one, first_unit) in placed {
            delivery::gathered(tx, &one.id, &id, first_unit)?;
        }
        let begun = receive::new_run(tx, gateway, feed, &id, "")?;
        run::create(tx, &begun)?;
        Ok(Some(begun))
    })
}

fn unseal(seal: &DataKey, one: &Delivery) -> Result<Private<Vec<u8>>, GatewayError> {
    let sealed = one.sealed.clone().ok_or(StoreError::Unreadable { what: "delivery" })?;
    Ok(seal.unseal(&deliver::label(&one.id), &Sealed::from_bytes(sealed))?)
}

fn keep(tx: &mut Tx, gateway: &Gateway, feed: &Feed, id: &str, text: &[u8]) -> Result<(), GatewayError> {
    let (edge, hasher) = (&gateway.edge, gateway.keys.index.hasher("content"));
    let key = DataKey::generate(edge);
    let pieces: Vec<&[u8]> = text.chunks(KEPT_PIECE_BYTES).collect();
    let hashes: Vec<_> = pieces.iter().map(|piece| hasher.hash([*piece])).collect();
    let is_message = matches!(&feed.mapping.settings.format, FormatKind::Hl7v2(_));
    let name = Private::new(if is_message { b"messages".to_vec() } else { b"events".to_vec() });
    batch::create(
        tx,
        &Batch {
            id: id.to_owned(),
            source: feed.source.clone(),
            feed: feed.name.clone(),
            content_hash: kept::content_hash(gateway, &hashes).as_bytes().to_vec(),
            name_sealed: key.seal(edge, &format!("{id}/name"), &name).as_bytes().to_vec(),
            size_bytes: i64::try_from(text.len()).unwrap_or(i64::MAX),
            wrapped_key: Some(gateway.keys.master.wrap(edge, id, &key).as_bytes().to_vec()),
            received_at: edge.now().to_string(),
            rows_expected: None,
        },
    )?;
    for (position, piece) in (0_i64..).zip(pieces) {
        let label = kept::piece_label(id, position.unsigned_abs());
        let sealed = key.seal(edge, &label, &Private::new(piece.to_vec()));
        batch::keep_piece(tx, id, position, &sealed)?;
    }
    Ok(())
}

/// The name under which a worker has a feed to itself.
pub(super) fn lease_name(source: &str, feed: &str) -> String {
    format!("worker/{source}/{feed}")
}

/// Takes a feed for this worker, or renews that it has it; false where another has it.
///
/// # Errors
/// Where the store fails.
pub fn take_lease(gateway: &Gateway, feed: &Feed, holder: &str) -> Result<bool, GatewayError> {
    let name = lease_name(&feed.source, &feed.name);
    gateway.store.write(|tx| Ok(lease::take(tx, &name, holder, gateway.edge.now(), WORKER_LEASE_S)?))
}

/// Lets go of a feed.
///
/// # Errors
/// Where the store fails.
pub fn give_back_lease(gateway: &Gateway, feed: &Feed, holder: &str) -> Result<(), GatewayError> {
    let name = lease_name(&feed.source, &feed.name);
    gateway.store.write(|tx| Ok(lease::give_back(tx, &name, holder)?))
}

/// True if a worker is at a run now, so that a sync leaves it alone.
///
/// # Errors
/// Where the store fails.
pub(super) fn is_a_worker_at(gateway: &Gateway, run: &Run) -> Result<bool, GatewayError> {
    let name = lease_name(&run.source, &run.feed);
    gateway.store.read(|tx| Ok(lease::find_other(tx, &name, "", gateway.edge.now())?))
}

/// True if a request of this feed waits to be read.
///
/// # Errors
/// Where the store fails.
pub fn is_waiting(gateway: &Gateway, feed: &Feed) -> Result<bool, GatewayError> {
    gateway.store.read(|tx| Ok(delivery::is_waiting(tx, &feed.source, &feed.name)?))
}

/// The runs that are a worker's to go on with, whose second step has not ended: those over what came
/// in by HTTP, and replays.
///
/// # Errors
/// Where the store fails.
pub fn list_open(store: &Store) -> Result<Vec<Run>, GatewayError> {
    store.read(|tx| {
        let mut open = delivery::list_open_runs(tx)?;
        open.extend(run::list_open_replays(tx)?);
        Ok(open)
    })
}
