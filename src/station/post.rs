//! The role that looks into the mailbox of the message exchange, and sends what is queued by MESH and
//! MLLP: round after round, until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use crate::base::limit::POST_PAUSE_S_MAX;
use crate::config::Config;
use crate::gateway::mesh::MeshPost;
use crate::gateway::mllp::MllpPost;
use crate::gateway::{Gateway, GatewayError};
use crate::telemetry::Figures;
use crate::worker::Stop;

/// The role, with what it works with.
pub struct Post {
    gateway: Gateway,
    mesh: Option<MeshPost>,
    receivers: Vec<MllpPost>,
    figures: Arc<Figures>,
    every: Duration,
}

impl Post {
    /// The role of a configuration.
    ///
    /// # Errors
    /// Where a secret, a certificate or a route cannot be used.
    pub fn open(
        gateway: &Gateway,
        config: &Config,
        figures: &Arc<Figures>,
        stop: &Stop,
    ) -> Result<Self, GatewayError> {
        let stop = stop.clone();
        Ok(Self {
            mesh: MeshPost::open(gateway, config, move |pause| stop.wait(pause))?,
            receivers: MllpPost::open_all(config)?,
            gateway: gateway.clone(),
            figures: figures.clone(),
            every: Duration::from_secs(config.mesh.every_s.max(1)),
        })
    }

    /// True where there is neither a mailbox nor a receiver.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.mesh.is_none() && self.receivers.is_empty()
    }

    /// Works until told to stop. A round that fails is told to the log and to the health page, and
    /// tried again after a pause that grows.
    pub fn run(&mut self, stop: &Stop) {
        let random: [u8; 8] = self.gateway.edge.bytes();
        let holder = format!("post-{:016x}", u64::from_be_bytes(random));
        let mut pause = self.every;
        while !stop.is_asked() {
            let is_well = self.mesh_round(&holder, stop) & self.mllp_rounds(&holder, stop);
            let grown = (pause * 2).min(Duration::from_secs(POST_PAUSE_S_MAX)).max(self.every);
            pause = if is_well { self.every } else { grown };
            stop.wait(pause);
        }
    }

    fn mesh_round(&self, holder: &str, stop: &Stop) -> bool {
        let Some(mesh) = &self.mesh else { return true };
        match mesh.round(&self.gateway, holder, &|| stop.is_asked()) {
            Ok(None) => {}
            Ok(Some(round)) => {
                let told = [
                    ("collected", round.collected),
                    ("reports", round.reports),
                    ("failed", round.failed),
                    ("sent", round.sent),
                    ("acknowledged", round.acknowledged),
                    ("undelivered", round.undelivered),
                    ("withheld", round.withheld),
                ];
                self.figures.post.count("mesh", &told);
                self.figures.post.note_left(round.left);
                if told.iter().any(|(_, n)| *n > 0) {
                    tracing::info!(
                        collected = round.collected,
                        sent = round.sent,
                        reports = round.reports,
                        "the mailbox: {} taken, {} sent, {} reports",
                        round.collected,
                        round.sent,
                        round.reports
                    );
                }
            }
            Err(error) => return self.failed("mesh", &error),
        }
        true
    }

    fn mllp_rounds(&mut self, holder: &str, stop: &Stop) -> bool {
        let mut is_well = true;
        for receiver in &mut self.receivers {
            match receiver.round(&self.gateway, holder, &|| stop.is_asked()) {
                Ok(None) => {}
                Ok(Some(round)) => {
                    let told = [
                        ("acknowledged", round.acknowledged),
                        ("undelivered", round.undelivered),
                        ("withheld", round.withheld),
                    ];
                    self.figures.post.count("mllp", &told);
                }
                Err(error) => {
                    self.figures.post.count("mllp", &[("round-failed", 1)]);
                    tracing::error!(error = %error, "{}: {error}", receiver.name());
                    is_well = false;
                }
            }
        }
        is_well
    }

    fn failed(&self, transport: &str, error: &GatewayError) -> bool {
        self.figures.post.count(transport, &[("round-failed", 1)]);
        tracing::error!(error = %error, "a round of the mailbox failed, and is tried again: {error}");
        false
    }
}
