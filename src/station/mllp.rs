//! The role that listens for HL7 v2 messages over MLLP.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::config::{Config, Mllp};
use crate::gateway::deliver::Kept;
use crate::gateway::feed::Feed;
use crate::gateway::live_mapping::Lookout;
use crate::gateway::message::{Answer, Inlet, Looked};
use crate::gateway::{Gateway, GatewayError, feed, live_mapping};
use crate::telemetry::{AnswerLabels, FeedLabels, Figures, GivenUpLabels};
use crate::transport::mllp::{Listener, ListenerSettings, MllpError, Noticed, Taker};
use crate::transport::tls::ListenerTls;
use crate::web::journal::Journal;
use crate::worker::Stop;

/// Why the role does not start.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// A listener cannot be opened.
    #[error(transparent)]
    Mllp(#[from] MllpError),
    /// The gateway cannot be used.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

impl StationError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Mllp(error) => error.retryable(),
            Self::Gateway(error) => error.retryable(),
        }
    }
}

/// The listeners of a configuration, opened and not yet listened to.
pub struct Station {
    gateway: Gateway,
    figures: Arc<Figures>,
    posts: Vec<(Listener, LiveInlet)>,
}

/// The way in of one feed's messages, made anew when another mapping is promoted.
struct LiveInlet {
    gateway: Gateway,
    /// The feed, as configured.
    feed: Feed,
    settings: Mllp,
    inlet: RwLock<Arc<Inlet>>,
    lookout: Lookout,
}

impl LiveInlet {
    fn open(gateway: &Gateway, feed: Feed, settings: &Mllp) -> Result<Self, GatewayError> {
        let live = live_mapping::one(gateway, &feed)?;
        Ok(Self {
            inlet: RwLock::new(Arc::new(Inlet::open(gateway, &live, settings)?)),
            lookout: Lookout::new(gateway),
            gateway: gateway.clone(),
            feed,
            settings: settings.clone(),
        })
    }

    /// The way in through the mapping that is live now.
    fn now(&self) -> Arc<Inlet> {
        if self.lookout.is_time()
            && let Err(error) = self.look()
        {
            // Messages go on through the mapping they had.
            tracing::warn!(error = %error, "which mapping is live could not be looked up: {error}");
        }
        self.inlet.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn look(&self) -> Result<(), GatewayError> {
        let live = live_mapping::one(&self.gateway, &self.feed)?;
        let mut inlet = self.inlet.write().unwrap_or_else(PoisonError::into_inner);
        if !inlet.is_through(&live) {
            *inlet = Arc::new(Inlet::open(&self.gateway, &live, &self.settings)?);
        }
        Ok(())
    }
}

/// The listeners at work. They end when the service is told to stop.
pub struct Manned {
    listeners: Vec<JoinHandle<()>>,
    journal: Option<JoinHandle<()>>,
}

impl Station {
    /// Opens the port of each feed that has one.
    ///
    /// # Errors
    /// Where a port, a certificate or a feed cannot be used.
    pub fn open(gateway: &Gateway, config: &Config, figures: &Arc<Figures>) -> Result<Self, StationError> {
        let mut posts = Vec::new();
        for (source, of_source) in &config.source {
            for (name, of_feed) in &of_source.feed {
                if of_feed.mllp.listen.is_empty() {
                    continue;
                }
                let full_name = format!("{source}/{name}");
                let listener = Listener::open(settings(config, &full_name, &of_feed.mllp)?)?;
                let mut found = None;
                for feed in feed::feeds(config, Some(&full_name))? {
                    found = Some(LiveInlet::open(gateway, feed, &of_feed.mllp)?);
                }
                posts.extend(found.map(|inlet| (listener, inlet)));
            }
        }
        Ok(Self { gateway: gateway.clone(), figures: figures.clone(), posts })
    }

    /// True where no feed is listened for.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.posts.is_empty()
    }

    /// Which feed is listened for where.
    #[must_use]
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        self.posts.iter().map(|(listener, inlet)| (inlet.feed.full_name(), listener.address())).collect()
    }

    /// Listens, each port in a thread of its own.
    #[must_use]
    pub fn man(self, stop: &Stop) -> Manned {
        let (journal, thread) = Journal::start(self.gateway, self.figures.clone());
        let listeners = self.posts.into_iter().map(|(listener, inlet)| {
            let name = inlet.feed.full_name();
            let post = Post {
                inlet,
                journal: journal.clone(),
                figures: self.figures.clone(),
                stop: stop.clone(),
                name,
            };
            std::thread::spawn(move || {
                post.figures.mllp.note_listening(&post.name, true);
                listener.run(&post);
                post.figures.mllp.note_listening(&post.name, false);
            })
        });
        Manned { listeners: listeners.collect(), journal: Some(thread) }
    }
}

impl Manned {
    /// Waits until every message that was taken is answered.
    pub fn join(self) {
        // A thread that panicked took nothing more; what it had not answered is sent again.
        for listener in self.listeners {
            let _ended = listener.join();
        }
        if let Some(journal) = self.journal {
            let _ended = journal.join();
        }
    }
}

fn settings(config: &Config, feed: &str, of: &Mllp) -> Result<ListenerSettings, StationError> {
    let setting = format!("{feed}: mllp.listen");
    let address = of.listen.to_socket_addrs().ok().and_then(|mut found| found.next());
    let address =
        address.ok_or_else(|| MllpError::Address { setting: setting.clone(), address: of.listen.clone() })?;
    let tls = (!of.certificate.is_empty() || !of.certificate_key.is_empty()).then(|| ListenerTls {
        certificate: config.path(&of.certificate),
        key: config.path(&of.certificate_key),
        client_authority: (!of.client_authority.is_empty()).then(|| config.path(&of.client_authority)),
    });
    Ok(ListenerSettings {
        setting,
        address,
        tls,
        is_protected: of.behind_proxy,
        connections_max: of.connections_max,
        message_bytes_max: of.message_bytes_max,
        idle: Duration::from_secs(of.idle_s),
    })
}

/// One feed's place at its port.
struct Post {
    inlet: LiveInlet,
    journal: Journal,
    figures: Arc<Figures>,
    stop: Stop,
    name: String,
}

impl Post {
    fn count(&self, answer: &str) {
        let labels = AnswerLabels { feed: self.name.clone(), answer: answer.to_owned() };
        self.figures.mllp.messages.get_or_create(&labels).inc();
    }

    fn given_up(&self, reason: &str) {
        let labels = GivenUpLabels { feed: self.name.clone(), reason: reason.to_owned() };
        self.figures.mllp.given_up.get_or_create(&labels).inc();
        tracing::warn!(mllp.feed = self.name, reason, "a connection of {} was given up: {reason}", self.name);
    }

    /// Counts an answer, and says in the log that a message was not taken: by codes, never by what
    /// it holds.
    fn told(&self, answer: Answer, word: &str) -> Option<Vec<u8>> {
        self.count(word);
        if word == "wrong" || word == "refused" {
            tracing::warn!(
                mllp.feed = self.name,
                answer = word,
                "a message of {} was answered: {word}",
                self.name
            );
        }
        answer.bytes
    }
}

impl Taker for Post {
    fn take(&self, message: Vec<u8>) -> Option<Vec<u8>> {
        let (ready, reply) = match self.inlet.now().look(message) {
            Looked::Ready(ready, reply) => (ready, reply),
            Looked::Refused(answer) => {
                let word = answer.word();
                return self.told(answer, word);
            }
        };
        match self.journal.keep_and_wait(*ready) {
            Ok(Kept::Yes(kept)) if kept.is_again => self.told(reply.accept(), "again"),
            Ok(Kept::Yes(_new)) => self.told(reply.accept(), "accepted"),
            Ok(Kept::Other) => self.told(reply.id_reused(), "wrong"),
            Err(_not_kept) => self.told(reply.not_ready(), "refused"),
        }
    }

    fn too_large(&self) -> Option<Vec<u8>> {
        self.told(self.inlet.now().too_large(), "wrong")
    }

    fn notice(&self, what: Noticed) {
        let connections =
            || self.figures.mllp.connections.get_or_create_owned(&FeedLabels { feed: self.name.clone() });
        match what {
            Noticed::Connected => {
                connections().inc();
            }
            Noticed::Ended => {
                connections().dec();
            }
            Noticed::TooMany => self.given_up("too-many"),
            Noticed::TooSlow => self.given_up("too-slow"),
            Noticed::Garbage => self.given_up("garbage"),
            Noticed::CutOff => self.given_up("cut-off"),
            Noticed::Handshake => self.given_up("handshake"),
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.is_asked()
    }
}
