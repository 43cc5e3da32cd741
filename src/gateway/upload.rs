//! Files that a source uploads: kept as every file is, with a receipt.

use crate::base::id::ReceiptId;
use crate::base::seal::KeyedHash;
use crate::gateway::feed::Feed;
use crate::gateway::receive::receive_sent;
pub use crate::gateway::spool::Filling;
use crate::gateway::{Gateway, GatewayError, live_mapping};
use crate::store::delivery::{self, Delivery, Shape};
use crate::store::{audit, batch};

/// What the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The receipt's id.
    pub receipt: String,
    /// When the file arrived first.
    pub received_at: String,
}

/// Takes a file that has come whole. The same file again, where none came after it, has the receipt that
/// it had. `credential` says how it came: `key/` and the key's id, or `mesh/` and the mailbox that sent it.
///
/// # Errors
/// Where another is being taken for the same feed, or the store fails.
pub fn upload(
    gateway: &Gateway,
    feed: &Feed,
    file: Filling,
    credential: &str,
) -> Result<Uploaded, GatewayError> {
    let feed = &live_mapping::one(gateway, feed)?;
    let spool = file.end()?;
    let content = gateway.keys.index.hasher("delivery-file").hash([spool.sha256.as_slice()]);
    let last = gateway.store.read(|tx| delivery::find_last_file(tx, &feed.source, &feed.name))?;
    if let Some(last) = last.filter(|last| last.content_hash == content.as_bytes()) {
        gateway.store.write(|tx| {
            Ok::<_, GatewayError>(delivery::count_repeats(tx, std::slice::from_ref(&last.id))?)
        })?;
        return Ok(Uploaded { receipt: last.id, received_at: last.received_at });
    }
    // One that is kept already, by a night's sync or by an upload that was cut off, needs only its
    // receipt.
    let _new_or_known = receive_sent(gateway, feed, &spool)?;
    let row = gateway.store.write(|tx| {
        let last = batch::find_last(tx, &feed.source, &feed.name)?;
        let row = a_delivery(gateway, feed, &content, credential, last.map(|batch| batch.id));
        delivery::put(tx, &[&row])?;
        audit::append_act(tx, credential, "receive", "not signed", &row.id, 1, gateway.edge.now())?;
        Ok::<_, GatewayError>(row)
    })?;
    Ok(Uploaded { receipt: row.id, received_at: row.received_at })
}

fn a_delivery(
    gateway: &Gateway,
    feed: &Feed,
    content: &KeyedHash,
    credential: &str,
    batch_id: Option<String>,
) -> Delivery {
    let id = ReceiptId::mint(&gateway.edge).to_string();
    let ids = gateway.keys.index.hasher(&format!("delivery/{}", feed.source));
    Delivery {
        source: feed.source.clone(),
        feed: feed.name.clone(),
        // The sender gives a file no id: the receipt's own stands for it.
        id_hash: ids.hash([b"file".as_slice(), id.as_bytes()]).as_bytes().to_vec(),
        content_hash: content.as_bytes().to_vec(),
        credential: credential.to_owned(),
        shape: Shape::File.as_str().to_owned(),
        units: 0,
        sealed: None,
        received_at: gateway.edge.now().to_string(),
        repeats: 0,
        batch_id,
        first_unit: Some(1),
        id,
    }
}
