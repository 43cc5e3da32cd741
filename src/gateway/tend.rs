//! A worker's round: what came in over HTTP goes through the steps that are left.

use std::ops::ControlFlow;

use crate::gateway::feed::Feed;
use crate::gateway::gather::{self, gather};
use crate::gateway::process::process;
use crate::gateway::receive::begin_again;
use crate::gateway::sync::last_steps;
use crate::gateway::{Gateway, GatewayError, live_mapping};
use crate::release::protocol::Protocol;
use crate::store::batch;
use crate::store::run::Run;

/// What a round did.
#[derive(Debug, Default)]
pub struct Tended {
    /// The runs whose second step it ended.
    pub runs: Vec<Run>,
    /// The runs that it finished.
    pub finished: Vec<Run>,
}

/// Does what waits, feed by feed, until nothing waits or `is_stopping` says so. A feed that another
/// worker has is left to it.
///
/// # Errors
/// Where the store or a key fails. What is committed stays, and the next round goes on from there.
pub fn tend(
    gateway: &Gateway,
    feeds: &[Feed],
    protocols: &[Protocol],
    holder: &str,
    is_stopping: &dyn Fn() -> bool,
) -> Result<Tended, GatewayError> {
    let mut tended = Tended::default();
    let open = gather::list_open(&gateway.store)?;
    for feed in feeds {
        let begun: Vec<Run> = open.iter().filter(|run| is_of(run, feed)).cloned().collect();
        if begun.is_empty() && !gather::is_waiting(gateway, feed)? {
            continue;
        }
        if !gather::take_lease(gateway, feed, holder)? {
            continue;
        }
        let result = live_mapping::one(gateway, feed)
            .and_then(|feed| tend_feed(gateway, &feed, begun, holder, is_stopping, &mut tended));
        gather::give_back_lease(gateway, feed, holder)?;
        result?;
    }
    tended.finished = last_steps(gateway, protocols, &mut |_told| {})?;
    Ok(tended)
}

fn is_of(run: &Run, feed: &Feed) -> bool {
    run.source == feed.source && run.feed == feed.name
}

fn tend_feed(
    gateway: &Gateway,
    feed: &Feed,
    begun: Vec<Run>,
    holder: &str,
    is_stopping: &dyn Fn() -> bool,
    tended: &mut Tended,
) -> Result<(), GatewayError> {
    for run in begun {
        tended.runs.push(to_the_end(gateway, feed, run, holder)?);
    }
    while !is_stopping() && gather::take_lease(gateway, feed, holder)? {
        let Some(run) = gather(gateway, feed)? else { break };
        tended.runs.push(to_the_end(gateway, feed, run, holder)?);
    }
    Ok(())
}

/// The second step of a run, and once more where its own units made somebody known whose earlier
/// ones were passed over.
fn to_the_end(gateway: &Gateway, feed: &Feed, begun: Run, holder: &str) -> Result<Run, GatewayError> {
    let renew = |_done: u64| {
        // Without the lease the run's own position still keeps two workers apart.
        let _renewed = gather::take_lease(gateway, feed, holder);
        ControlFlow::Continue(())
    };
    let first = process(gateway, feed, begun, &renew)?;
    if first.is_again {
        let batch = gateway.store.read(|tx| batch::find(tx, &first.run.batch_id))?;
        let note = "read again: people became known by later rows of the same file";
        process(gateway, feed, begin_again(gateway, feed, &batch, note)?, &renew)?;
    }
    Ok(first.run)
}
