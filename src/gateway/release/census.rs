//! A look at everybody: what may be told of each is laid again, so that what time alone changes
//! (a consent that has run out, a new protocol) is seen too.

use std::collections::BTreeMap;

use crate::base::finding::{Code, Finding, Findings};
use crate::base::limit::RELEASE_PEOPLE_MAX;
use crate::base::origin::Origin;
use crate::consent::decide::{Denied, When};
use crate::consent::directive;
use crate::gateway::release::file::Wishes;
use crate::gateway::release::lay::{Laid, lay_people};
use crate::gateway::release::settings::Settings;
use crate::gateway::restricted::{self, Restricted};
use crate::gateway::{Gateway, GatewayError};
use crate::person::compare::Reason;
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
            lay_people(tx, gateway, protocol, &settings, &ids, &mut one)?;
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
    Ok(Census {
        people,
        denied: laid.denied.into_iter().map(|((_, denied), count)| (denied, count)).collect(),
        subjects: u64::try_from(counts.subjects).unwrap_or_default(),
        links: whole(counts.edges),
        doubts: whole(counts.doubts),
    })
}

/// One decision on record, and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Decided {
    /// The consent record.
    pub record: String,
    /// The source it stands in.
    pub source: String,
    /// The person, by id; none before linking.
    pub person: Option<String>,
    /// given, refused, withdrawn.
    pub decision: &'static str,
    /// The day of it.
    pub decided_on: String,
    /// The form's version.
    pub form_version: Option<String>,
    /// Whether a second person has checked the form.
    pub is_checked: bool,
    /// `permit`, or why not.
    pub verdict: &'static str,
}

/// Decisions, but for those of restricted people, and how many those are. Whoever may see them is named.
///
/// # Errors
/// Where the store fails.
pub fn seen_by(
    gateway: &Gateway,
    decided: Vec<Decided>,
    study: &str,
    restricted_by: Option<&str>,
) -> Result<(Vec<Decided>, usize), GatewayError> {
    let who = gateway.store.read(Restricted::read)?;
    let is_of = |one: &Decided| one.person.as_deref().is_some_and(|person| who.is(person));
    let count = decided.iter().filter(|one| is_of(one)).count();
    match restricted_by {
        _ if count == 0 => Ok((decided, 0)),
        Some(by) => {
            restricted::note_seen(gateway, by, &format!("consents of {study}"), count)?;
            Ok((decided, 0))
        }
        None => Ok((decided.into_iter().filter(|one| !is_of(one)).collect(), count)),
    }
}

/// How everybody stands to one study, read without changing anything, and every decision.
///
/// # Errors
/// Where the store fails.
pub fn look(gateway: &Gateway, protocol: &Protocol) -> Result<(Census, Vec<Decided>), GatewayError> {
    let now = gateway.edge.now();
    let when = When { at: now.london_day(), known_at: now };
    let (mut census, mut decided) = (Census::default(), Vec::new());
    let mut after = String::new();
    gateway.store.read(|tx| {
        loop {
            let ids = person::list_after(tx, &after, RELEASE_PEOPLE_MAX)?;
            let Some(last) = ids.last() else { break };
            after.clone_from(last);
            census.people += u64::try_from(ids.len()).unwrap_or_default();
            for wishes in Wishes::list(tx, &ids)? {
                let verdict = match wishes.proof(&protocol.study, when) {
                    Ok(_) => "permit",
                    Err(denied) => {
                        *census.denied.entry(denied).or_default() += 1;
                        denied.as_str()
                    }
                };
                decided.extend(decisions(&wishes, &protocol.study, verdict));
            }
        }
        let counts = link::counts(tx)?;
        census.subjects = u64::try_from(counts.subjects).unwrap_or_default();
        census.links = whole(counts.edges);
        census.doubts = whole(counts.doubts);
        Ok::<_, GatewayError>(())
    })?;
    Ok((census, decided))
}

fn decisions(wishes: &Wishes, study: &str, verdict: &'static str) -> Vec<Decided> {
    let source = |record: &str| {
        let found = wishes.consents.iter().find(|one| one.id == record);
        found.map(|one| one.source.clone()).unwrap_or_default()
    };
    wishes
        .directives
        .iter()
        .filter(|directive| directive.study == study)
        .map(|directive| Decided {
            record: directive.record.to_string(),
            source: source(&directive.record.to_string()),
            person: Some(wishes.person.to_string()),
            decision: match directive.decided {
                directive::Decided::Given => "given",
                directive::Decided::Refused => "refused",
                directive::Decided::Withdrawn(_) => "withdrawn",
            },
            decided_on: directive.decided_on.to_string(),
            form_version: directive.form_version.clone(),
            is_checked: directive.is_checked,
            verdict,
        })
        .collect()
}

/// Every doubt about who is who, each a finding. Nobody is named.
///
/// # Errors
/// Where the store fails.
pub fn doubts(gateway: &Gateway) -> Result<Findings, GatewayError> {
    let rows = gateway.store.read(link::list_all_doubts)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let is_block = row.reason == Reason::TooMany.as_str();
            let code = if is_block { Code::LinkBlockTooLarge } else { Code::LinkInDoubt };
            let pair = if row.subject_a == row.subject_b {
                row.subject_a
            } else {
                format!("{} and {}", row.subject_a, row.subject_b)
            };
            Finding::new(code, Origin::default().at_path(&pair), format!("not linked: {}", row.reason))
        })
        .collect())
}

/// Consents that are given and cannot be tied to a person with certainty, each a finding.
#[must_use]
pub fn unlinked(decided: &[Decided]) -> Findings {
    decided
        .iter()
        .filter(|one| one.decision == "given" && one.verdict == Denied::IdentityInDoubt.as_str())
        .map(|one| {
            let place = Origin::default().at_path(&format!("consent/{}", one.record));
            let told = format!("a consent of {} from `{}` releases nothing", one.decided_on, one.source);
            Finding::new(Code::ConsentUnlinked, place, told)
        })
        .collect()
}

fn whole(counts: BTreeMap<String, i64>) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(name, count)| (name, u64::try_from(count).unwrap_or_default())).collect()
}
