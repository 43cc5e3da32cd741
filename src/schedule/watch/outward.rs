//! What does not reach others: messages in the mailbox that nobody takes, messages that came back,
//! partners who want no more.

use super::keep;
use crate::base::limit::UNDELIVERED_TOLD_S;
use crate::gateway::alert::{AlertShown, Kind, Trouble};
use crate::gateway::{Gateway, GatewayError, exchange, mesh, outgoing};

const MAILBOX: &str = "mailbox";
const POST: &str = "post/";
const PARTNER: &str = "partner/";

/// Looks at the mailbox, the post and the partners. Told again when more of the same has come.
///
/// # Errors
/// Where the store fails.
pub(super) fn look(gateway: &Gateway) -> Result<(), GatewayError> {
    let is_ours = |open: &AlertShown| {
        let about = open.about.as_str();
        about == MAILBOX || about.starts_with(POST) || about.starts_with(PARTNER)
    };
    keep(gateway, Kind::Undelivered, &is_ours, &stuck(gateway)?)
}

fn stuck(gateway: &Gateway) -> Result<Vec<Trouble>, GatewayError> {
    let mut stuck = Vec::new();
    let mut add = |about: String, count: i64, text: String, to_do: &str| {
        let (kind, feed, to_do) = (Kind::Undelivered, String::new(), to_do.to_owned());
        stuck.push(Trouble { kind, feed, about, count, text, to_do });
    };
    let doubts = i64::try_from(mesh::standing(gateway)?.doubts.len()).unwrap_or(i64::MAX);
    if doubts > 0 {
        let text = format!("{doubts} messages in the mailbox are not taken, or report a failure");
        let to_do =
            "`wayleave post list` shows them; give their workflow a route in [mesh], or ask the sender";
        add(MAILBOX.to_owned(), doubts, text, to_do);
    }
    let since = gateway.edge.now().plus_s(-UNDELIVERED_TOLD_S);
    for (transport, count) in outgoing::count_undelivered(gateway, since)? {
        let text = format!("{count} messages by {transport} were not delivered in the last week");
        let to_do = "`wayleave post list` says which and why";
        add(format!("{POST}{transport}"), count, text, to_do);
    }
    for (partner, count) in exchange::overview::count_undelivered(gateway, since)? {
        let text = format!("{partner}: {count} messages were given up in the last week");
        let to_do = "`wayleave exchange list` says why; `wayleave exchange resend` sends them again";
        add(format!("{PARTNER}{partner}"), count, text, to_do);
    }
    for halted in exchange::overview::overview(gateway)?.halted {
        let text = format!("{}: nothing more is sent, since the partner wants no more", halted.partner);
        let to_do = "ask the partner; `wayleave exchange resume` goes on";
        add(format!("{PARTNER}{}/halted", halted.partner), 1, text, to_do);
    }
    Ok(stuck)
}
