//! What is queued for those who take HL7 v2 messages over MLLP: sent one at a time, in order a
//! person, each until it is answered.
//!
//! A message is the caller's, as a mapping wrote it. What makes it this one's, its control id, is made
//! of our own id of it and the same at every try, so that a receiver which has it already says so.

use crate::base::id::SentId;
use crate::config::{Config, Receiver};
use crate::format::hl7v2::answer::{Answered, Verdict, time};
use crate::format::hl7v2::with_head;
use crate::gateway::exchange::last_look::LastLook;
use crate::gateway::outgoing::{How, Outbox, Transport, Turn};
use crate::gateway::{Gateway, GatewayError};
use crate::store::lease;
use crate::store::sent::{self, Sent};
use crate::transport::mllp::{Sender, SenderSettings};

/// One receiver, with the connection to it.
pub struct MllpPost {
    name: String,
    of: Receiver,
    sender: Sender,
    last_look: LastLook,
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Round {
    /// Messages that the receiver took.
    pub acknowledged: u64,
    /// Messages that it will not take.
    pub undelivered: u64,
    /// Messages that it could not take yet.
    pub waiting: u64,
    /// Messages that were queued and may no longer go.
    pub withheld: u64,
}

impl MllpPost {
    /// Every receiver of a configuration. None is connected to yet.
    ///
    /// # Errors
    /// Where a certificate or key cannot be used, or others could listen in.
    pub fn open_all(config: &Config) -> Result<Vec<Self>, GatewayError> {
        let named = |path: &str| (!path.is_empty()).then(|| config.path(path));
        let mut posts = Vec::new();
        for (name, of) in &config.mllp {
            if !of.tls && !of.behind_proxy && !is_this_machine(&of.to) {
                return Err(GatewayError::BareReceiver { name: name.clone(), to: of.to.clone() });
            }
            let identity = named(&of.certificate).zip(named(&of.certificate_key));
            let settings = SenderSettings {
                to: of.to.clone(),
                is_tls: of.tls,
                authority: named(&config.outbound.authority),
                identity,
            };
            let (sender, last_look) = (Sender::new(settings)?, LastLook::new(config));
            posts.push(Self { name: name.clone(), of: of.clone(), sender, last_look });
        }
        Ok(posts)
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends what is queued for it. One process at a time; none where another is at it.
    ///
    /// # Errors
    /// Where the receiver cannot be reached, or the store fails. What is done stays done.
    pub fn round(
        &mut self,
        gateway: &Gateway,
        holder: &str,
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<Option<Round>, GatewayError> {
        let waiting = gateway.store.read(|tx| sent::list_waiting(tx, Transport::Mllp, Some(&self.name)))?;
        if waiting.is_empty() || !self.take_lease(gateway, holder)? {
            return Ok(None);
        }
        let mut round = Round::default();
        let ended = self.send_all(gateway, holder, waiting, is_stopping, &mut round);
        gateway.store.write(|tx| Ok::<_, GatewayError>(lease::give_back(tx, &self.lease_name(), holder)?))?;
        ended.map(|()| Some(round))
    }

    fn send_all(
        &mut self,
        gateway: &Gateway,
        holder: &str,
        waiting: Vec<Sent>,
        is_stopping: &dyn Fn() -> bool,
        round: &mut Round,
    ) -> Result<(), GatewayError> {
        self.last_look.begin();
        let (outbox, mut turn) = (Outbox::open(gateway)?, Turn::at(gateway.edge.now()));
        for row in waiting {
            if !turn.has(&row) {
                continue;
            }
            if is_stopping() || !self.take_lease(gateway, holder)? {
                return Ok(());
            }
            if !self.last_look.may_go(gateway, &outbox, &row)? {
                round.withheld += 1;
                continue;
            }
            outbox.change(&row, &How::Sending)?;
            let tried = Sent { tries: row.tries + 1, state: sent::State::Sending.as_str().to_owned(), ..row };
            let content = outbox.content(&tried)?;
            // The bytes go to the receiver that they were queued for, and nowhere else.
            let Some((message, control_id)) = self.made(&tried, content.inspect()) else {
                round.undelivered += 1;
                outbox.change(&tried, &How::Undelivered("no-message"))?;
                continue;
            };
            let is_its = |answer: &[u8]| Answered::of(answer).is_some_and(|said| said.about == control_id);
            let answered = self.sender.send(&message, &is_its);
            let said = match answered.as_deref().map(Answered::of) {
                Ok(said) => said,
                Err(_error) => {
                    turn.hold(&tried);
                    round.waiting += 1;
                    outbox.change(&tried, &How::NotYet("no-answer"))?;
                    // Nobody is there, so the others wait as well.
                    return answered.map(|_answer| ()).map_err(GatewayError::from);
                }
            };
            let code = said.as_ref().and_then(|said| said.codes.first()).map(String::as_str);
            match said.as_ref().map(|said| said.verdict) {
                Some(Verdict::Accepted) => {
                    round.acknowledged += 1;
                    outbox.change(&tried, &How::Acknowledged)?;
                }
                Some(Verdict::Wrong) => {
                    round.undelivered += 1;
                    outbox.change(&tried, &How::Undelivered(code.unwrap_or("AE")))?;
                    tracing::warn!(
                        sent.id = tried.id,
                        "message {} was answered as wrong by {}",
                        tried.id,
                        self.name
                    );
                }
                Some(Verdict::Refused) | None => {
                    turn.hold(&tried);
                    round.waiting += 1;
                    outbox.change(&tried, &How::NotYet(code.unwrap_or("AR")))?;
                }
            }
        }
        Ok(())
    }

    /// The message as it is sent, and its control id; none where it is no message.
    fn made(&self, row: &Sent, message: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let id: SentId = row.id.parse().ok()?;
        // As long as a control id may be (HL7 v2.4: MSH-10 has 20 characters).
        let control_id: Vec<u8> = format!("{:032x}", id.bits()).into_bytes().split_off(12);
        let at = row.queued_at.parse().map(time).ok()?;
        let fields: [(usize, &[u8], bool); 6] = [
            (3, self.of.sending_application.as_bytes(), false),
            (4, self.of.sending_facility.as_bytes(), false),
            (5, self.of.receiving_application.as_bytes(), false),
            (6, self.of.receiving_facility.as_bytes(), false),
            (7, at.as_bytes(), false),
            (10, &control_id, true),
        ];
        with_head(message, &fields).map(|message| (message, control_id))
    }

    fn lease_name(&self) -> String {
        format!("mllp/{}", self.name)
    }

    fn take_lease(&self, gateway: &Gateway, holder: &str) -> Result<bool, GatewayError> {
        let name = self.lease_name();
        let seconds = crate::base::limit::MLLP_LEASE_S;
        gateway.store.write(|tx| Ok(lease::take(tx, &name, holder, gateway.edge.now(), seconds)?))
    }
}

/// Whether a receiver is on this machine, by the name it has in the configuration.
fn is_this_machine(to: &str) -> bool {
    let host = to.rsplit_once(':').map_or(to, |(host, _port)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
