//! Figures of what goes and comes by MESH, and goes by MLLP.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Messages by what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PostLabels {
    /// `mesh` or `mllp`.
    pub transport: String,
    /// `collected`, `reports`, `failed`, `sent`, `acknowledged`, `undelivered`, `withheld`, or `round-failed`.
    pub what: String,
}

/// The figures of one process.
#[derive(Default)]
pub struct PostFigures {
    messages: Family<PostLabels, Counter>,
    left: Gauge,
}

impl PostFigures {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("post", "Messages by MESH and MLLP, by what became of them", self.messages.clone());
        registry.register(
            "mailbox_left_messages",
            "Messages that stay in the mailbox because no route takes them, or they are too large",
            self.left.clone(),
        );
    }

    /// Counts what happened.
    pub fn count(&self, transport: &str, told: &[(&str, u64)]) {
        for (what, n) in told {
            let labels = PostLabels { transport: transport.to_owned(), what: (*what).to_owned() };
            self.messages.get_or_create(&labels).inc_by(*n);
        }
    }

    /// Notes how many messages stay in the mailbox.
    pub fn note_left(&self, n: u64) {
        self.left.set(i64::try_from(n).unwrap_or(i64::MAX));
    }
}
