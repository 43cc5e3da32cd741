//! A look at everybody: what may be told of each is laid again, so that what time alone changes
//! (a consent that has run out, a new protocol) is seen too.

use std::collections::BTreeMap;

use crate::base::limit::RELEASE_PEOPLE_MAX;
use crate::consent::decide::Denied;
use crate::gateway::release::lay::{Laid, lay_person};
use crate::gateway::release::settings::Settings;
use crate::gateway::{Gateway, GatewayError};
use crate::release::protocol::Protocol;
use crate::store::{link, person};

/// How everybody stands to one study.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// People.
    pub people: u64,
    /// People of whom nothing may be told, by reason.
    pub denied: BTreeMap<Denied, u64>,
    /// Subjects that belong to a person.
    pub subjects: u64,
    /// Links by tier.
    pub links: BTreeMap<String, u64>,
    /// Doubts by reason.
    pub doubts: BTreeMap<String, u64>,
}

impl Census {
    /// People of whom something may be told.
    #[must_use]
    pub fn permitted(&self) -> u64 {
        self.people.saturating_sub(self.denied.values().sum())
    }
}

/// Looks at everybody.
///
/// # Errors
/// Where the store fails.
pub fn take(gateway: &Gateway, protocol: &Protocol) -> Result<Census, GatewayError> {
    let mut laid = Laid::default();
    let mut people = 0;
    let mut after = String::new();
    loop {
        let page = gateway.store.write(|tx| {
            let ids = person::list_after(tx, &after, RELEASE_PEOPLE_MAX)?;
            let settings = Settings::load(tx)?;
            let mut one = Laid::default();
            for id in &ids {
                lay_person(tx, gateway, protocol, &settings, id, &mut one)?;
            }
            Ok::<_, GatewayError>((ids, one))
        })?;
        let (ids, one) = page;
        let Some(last) = ids.last() else { break };
        people += u64::try_from(ids.len()).unwrap_or_default();
        after.clone_from(last);
        for (reason, count) in one.denied {
            *laid.denied.entry(reason).or_default() += count;
        }
    }
    let counts = gateway.store.read(|tx| Ok::<_, GatewayError>(link::counts(tx)?))?;
    let whole = |counts: BTreeMap<String, i64>| {
        counts.into_iter().map(|(name, count)| (name, u64::try_from(count).unwrap_or_default())).collect()
    };
    Ok(Census {
        people,
        denied: laid.denied.into_iter().map(|((_, denied), count)| (denied, count)).collect(),
        subjects: u64::try_from(counts.subjects).unwrap_or_default(),
        links: whole(counts.edges),
        doubts: whole(counts.doubts),
    })
}
