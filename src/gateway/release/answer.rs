//! What comes back from the evaluation side: that messages have been taken, that a notice has
//! arrived, or that somebody has been removed. It counts only with that side's own signature.

use std::collections::BTreeSet;

use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;

use crate::base::finding::{Code, Finding, Findings};
use crate::base::limit::{ANSWERS_CLAIMED_MAX, MESSAGES_ANSWERED_MAX};
use crate::base::origin::Origin;
use crate::gateway::GatewayError;
use crate::gateway::release::job::Job;
use crate::queue::{Delivery, QueueName};
use crate::store::{intent, release};

/// What is signed begins with this (`schemas/door/acknowledgement.json`).
const SIGNED_AS: &str = "wayleave/acknowledgement/v1";

/// What an answer says. It names a notice, or messages by the ids that this side gave them, and
/// nothing else.
enum Answer {
    Notice { notice: String, is_removed: bool },
    Taken { messages: Vec<String> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    notice: Option<String>,
    messages: Option<Vec<String>>,
    kind: Said,
    signature: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Said {
    Acknowledged,
    Removed,
    Taken,
}

impl Answer {
    /// The answer in a body, if that key signed it.
    fn read(body: &[u8], key: &VerifyingKey) -> Option<Self> {
        let Body { notice, messages, kind, signature } = serde_json::from_slice(body).ok()?;
        let (answer, named, said) = match (kind, notice, messages) {
            (Said::Taken, None, Some(messages)) if messages.len() <= MESSAGES_ANSWERED_MAX => {
                let named = messages.join(",");
                (Self::Taken { messages }, named, "taken")
            }
            (Said::Acknowledged, Some(notice), None) => {
                (Self::Notice { notice: notice.clone(), is_removed: false }, notice, "acknowledged")
            }
            (Said::Removed, Some(notice), None) => {
                (Self::Notice { notice: notice.clone(), is_removed: true }, notice, "removed")
            }
            _ => return None,
        };
        let signed = format!("{SIGNED_AS}\n{named}\n{said}");
        let signature = Signature::from_bytes(&digits(&signature)?);
        key.verify_strict(signed.as_bytes(), &signature).ok()?;
        Some(answer)
    }
}

fn digits(text: &str) -> Option<[u8; 64]> {
    let mut bytes = [0; 64];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

impl Job<'_> {
    /// Reads what came back, and marks the notices and messages it names; gives how many answers there
    /// were to notices. What the evaluation side did not sign
    /// is refused: it ends among the dead letters. Without that side's key everything stays in
    /// the queue.
    pub(super) fn read_answers(&self, findings: &mut Findings) -> Result<u64, GatewayError> {
        let study = &self.protocol.study;
        let back = QueueName::back(study);
        let Some(key) = &self.keys.evaluation else {
            if self.queue.counts(&back)?.waiting > 0 {
                let expected =
                    "the evaluation side's public key, where `evaluation_key` of the study names it";
                findings.push(Finding::new(Code::AnswerUnchecked, Origin::default(), expected));
            }
            return Ok(0);
        };
        let mut answers = 0;
        let mut refused = BTreeSet::new();
        loop {
            let deliveries = self.queue.claim(&back, ANSWERS_CLAIMED_MAX)?;
            if deliveries.is_empty() {
                break;
            }
            let at = self.gateway.edge.now().to_string();
            let read = |delivery: &Delivery| Answer::read(&delivery.body, key);
            let said: Vec<Answer> = deliveries.iter().filter_map(read).collect();
            self.gateway.store.write(|tx| {
                for answer in &said {
                    match answer {
                        Answer::Notice { notice, is_removed } => {
                            release::mark_notice_answered(tx, notice, *is_removed, &at)?;
                        }
                        Answer::Taken { messages } => {
                            intent::settle(tx, study, messages, &at)?;
                            release::settle(tx, study, messages, &at)?;
                        }
                    }
                }
                Ok::<_, GatewayError>(())
            })?;
            let (good, bad): (Vec<Delivery>, Vec<Delivery>) =
                deliveries.into_iter().partition(|delivery| read(delivery).is_some());
            self.queue.acknowledge(&good)?;
            let to_notices = said.iter().filter(|answer| matches!(answer, Answer::Notice { .. })).count();
            answers += u64::try_from(to_notices).unwrap_or_default();
            // Each is offered again until it is a dead letter, and told once.
            refused.extend(bad.iter().map(|delivery| delivery.message_id.clone()));
            self.queue.give_back(&bad)?;
        }
        for _message in refused {
            let expected = "an answer that the evaluation side has signed with its own key";
            findings.push(Finding::new(Code::AnswerRefused, Origin::default(), expected));
        }
        Ok(answers)
    }
}
