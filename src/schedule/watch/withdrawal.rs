//! Withdrawals that the evaluation side has not answered in time: that the notice came, and that the
//! person was removed.

use super::keep;
use crate::base::edge::Instant;
use crate::base::limit::{NOTICE_ACKNOWLEDGED_S, NOTICE_REMOVED_S};
use crate::gateway::alert::{AlertShown, Kind, Trouble};
use crate::gateway::watched::{self, NoticeOwed};
use crate::gateway::{Gateway, GatewayError};

/// An answer that is owed to every notice.
struct Owed {
    about: &'static str,
    after_s: i64,
    is_open: fn(&NoticeOwed) -> bool,
    text: &'static str,
    to_do: &'static str,
}

/// Seconds of a day.
const DAY_S: i64 = 86_400;

const OWED: [Owed; 2] = [
    Owed {
        about: "acknowledgement",
        after_s: NOTICE_ACKNOWLEDGED_S,
        is_open: |notice| notice.acknowledgement,
        text: "the evaluation side has not said that the notice came",
        to_do: "ask the evaluators whether `wayleave collect` runs; `wayleave study release --resend` sends the notices again",
    },
    Owed {
        about: "removal",
        after_s: NOTICE_REMOVED_S,
        is_open: |notice| notice.removal,
        text: "the evaluation side has not certified that the person was removed",
        to_do: "ask the evaluators to run `wayleave collect`, and to delete extracts that were built before",
    },
];

/// Looks at the notices of one study. Told again when more are overdue.
///
/// # Errors
/// Where the store fails.
pub(super) fn look(gateway: &Gateway, study: &str) -> Result<(), GatewayError> {
    let notices = watched::list_owed(gateway, study)?;
    let now = gateway.edge.now();
    let counts = OWED.iter().map(|owed| (owed, overdue(&notices, owed, now)));
    let standing = counts.filter(|(_, count)| *count > 0).map(|(owed, count)| Trouble {
        kind: Kind::WithdrawalOverdue,
        feed: study.to_owned(),
        about: owed.about.to_owned(),
        count,
        text: format!(
            "{study}: {count} withdrawals, more than {} days old: {}",
            owed.after_s / DAY_S,
            owed.text
        ),
        to_do: owed.to_do.to_owned(),
    });
    let is_ours = |open: &AlertShown| open.feed == study;
    keep(gateway, Kind::WithdrawalOverdue, &is_ours, &standing.collect::<Vec<_>>())
}

fn overdue(notices: &[NoticeOwed], owed: &Owed, now: Instant) -> i64 {
    let is_overdue =
        |notice: &&NoticeOwed| (owed.is_open)(notice) && notice.laid_at.plus_s(owed.after_s) < now;
    i64::try_from(notices.iter().filter(is_overdue).count()).unwrap_or(i64::MAX)
}
