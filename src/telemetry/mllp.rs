//! Figures of the listeners for HL7 v2 messages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A feed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FeedLabels {
    /// Its name, as `trust/adt`.
    pub feed: String,
}

/// Messages of a feed by how they were answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AnswerLabels {
    /// The feed, as `trust/adt`.
    pub feed: String,
    /// `accepted`, `again` (accepted before), `wrong` or `refused`.
    pub answer: String,
}

/// Connections that were given up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct GivenUpLabels {
    /// The feed, as `trust/adt`.
    pub feed: String,
    /// Why: `too-many`, `too-slow`, `garbage`, `cut-off` or `handshake`.
    pub reason: String,
}

/// The figures of one process.
#[derive(Default)]
pub struct MllpFigures {
    /// Messages answered.
    pub messages: Family<AnswerLabels, Counter>,
    /// Connections that are open.
    pub connections: Family<FeedLabels, Gauge>,
    /// Connections that were given up, and messages that were cut off.
    pub given_up: Family<GivenUpLabels, Counter>,
    /// 1 while a feed is listened for.
    pub listening: Family<FeedLabels, Gauge>,
    /// Which feeds that is said of.
    feeds: Mutex<BTreeSet<String>>,
}

impl MllpFigures {
    /// Notes that a feed is listened for, or no more.
    pub fn note_listening(&self, feed: &str, is_listening: bool) {
        let labels = FeedLabels { feed: feed.to_owned() };
        self.listening.get_or_create(&labels).set(i64::from(is_listening));
        if let Ok(mut feeds) = self.feeds.lock() {
            feeds.insert(feed.to_owned());
        }
    }

    /// The feeds that this process listens for, or did.
    #[must_use]
    pub fn listeners(&self) -> BTreeMap<String, String> {
        let Ok(feeds) = self.feeds.lock() else { return BTreeMap::new() };
        let word = |feed: &String| {
            let is_listening = self.listening.get_or_create(&FeedLabels { feed: feed.clone() }).get() == 1;
            if is_listening { "listening" } else { "stopped" }.to_owned()
        };
        feeds.iter().map(|feed| (feed.clone(), word(feed))).collect()
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("mllp_messages", "HL7 v2 messages answered, by answer", self.messages.clone());
        registry.register("mllp_connections", "MLLP connections that are open", self.connections.clone());
        registry.register(
            "mllp_given_up",
            "MLLP connections that were given up, by reason",
            self.given_up.clone(),
        );
        registry.register("mllp_listening", "Whether a feed is listened for", self.listening.clone());
    }
}
