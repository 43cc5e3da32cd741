//! Marking a person as restricted by hand, or no longer: what a housing officer knows and no system has.

use crate::base::day::Day;
use crate::base::id::RestrictionId;
use crate::gateway::record_consent::{Whose, find};
use crate::gateway::{Gateway, GatewayError};
use crate::store::restriction::{self, RestrictionRow};
use crate::store::work::{self, Step};
use crate::store::{audit, subject};

/// What an officer says of a person.
pub struct Mark {
    /// Whom it is about.
    pub whose: Whose,
    /// True where they are restricted no longer.
    pub is_lifted: bool,
    /// From which day.
    pub decided_on: Day,
}

/// Writes it down, and has the person looked at again by every step that goes out.
///
/// # Errors
/// Where a lifting is dated later than today, the source knows nobody by that reference, or the store
/// fails.
pub fn record(gateway: &Gateway, mark: &Mark) -> Result<String, GatewayError> {
    let at = gateway.edge.now();
    if mark.is_lifted && mark.decided_on > at.london_day() {
        return Err(GatewayError::Plan {
            place: "--decided-on".to_owned(),
            fault: "a restriction is lifted on the day, not beforehand".to_owned(),
        });
    }
    gateway.store.write(|tx| {
        let found = find(tx, gateway, &mark.whose)?;
        let decision = if mark.is_lifted { "lifted" } else { "restricted" };
        let row = RestrictionRow {
            id: RestrictionId::mint(&gateway.edge).to_string(),
            subject_id: found.id.clone(),
            decision: decision.to_owned(),
            decided_on: mark.decided_on.to_string(),
            entered_at: at.to_string(),
        };
        restriction::add(tx, &row)?;
        audit::append_act(tx, &gateway.actor, &format!("restriction-{decision}"), "", &row.id, 0, at)?;
        let person = subject::find(tx, &[found.id])?.pop().and_then(|row| row.person_id);
        for step in [Step::Release, Step::Exchange] {
            work::push(tx, step, person.as_slice(), "", &at.to_string())?;
        }
        Ok(row.id)
    })
}
