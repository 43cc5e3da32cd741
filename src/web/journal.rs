//! Keeps requests, those of many connections in one transaction: a commit that has to reach the
//! disk costs the same for one as for a hundred.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::base::limit::{JOURNAL_GROUP_MAX, JOURNAL_WAITING_MAX};
use crate::gateway::Gateway;
use crate::gateway::deliver::{self, Kept, Ready};
use crate::telemetry::Figures;
use crate::web::problem::{Kind, Problem};

struct Asked {
    delivery: Ready,
    answer: oneshot::Sender<Result<Kept, Kind>>,
}

/// The way to the one thread that keeps requests.
#[derive(Clone)]
pub struct Journal(mpsc::Sender<Asked>);

impl Journal {
    /// Starts the thread. It ends when every copy of the journal is gone and what waited is kept.
    #[must_use]
    pub fn start(gateway: Gateway, figures: Arc<Figures>) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(JOURNAL_WAITING_MAX);
        let thread = std::thread::spawn(move || run(&gateway, &figures, receiver));
        (Self(sender), thread)
    }

    /// Keeps a request; answers once it is committed.
    ///
    /// # Errors
    /// Where too many wait, or the store fails. Nothing was then kept.
    pub async fn keep(&self, delivery: Ready) -> Result<Kept, Problem> {
        let (answer, answered) = oneshot::channel();
        self.0
            .try_send(Asked { delivery, answer })
            .map_err(|_full| Kind::NotReady.told("too many requests wait to be kept"))?;
        let kept = answered.await.map_err(|_stopped| Kind::NotReady.told("the service is stopping"))?;
        Ok(kept?)
    }

    /// The same, for a thread that may wait.
    ///
    /// # Errors
    /// Where too many wait, or the store fails. Nothing was then kept.
    pub fn keep_and_wait(&self, delivery: Ready) -> Result<Kept, Kind> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Asked { delivery, answer }).map_err(|_full| Kind::NotReady)?;
        answered.blocking_recv().map_err(|_stopped| Kind::NotReady)?
    }
}

fn run(gateway: &Gateway, figures: &Figures, mut receiver: mpsc::Receiver<Asked>) {
    while let Some(first) = receiver.blocking_recv() {
        let (mut deliveries, mut answers) = (vec![first.delivery], vec![first.answer]);
        while deliveries.len() < JOURNAL_GROUP_MAX {
            let Ok(next) = receiver.try_recv() else { break };
            deliveries.push(next.delivery);
            answers.push(next.answer);
        }
        figures.group_requests.observe(u32::try_from(deliveries.len()).unwrap_or(u32::MAX).into());
        // A fault of the program ends one transaction, in which nothing was kept, and not all that is to come.
        match catch_unwind(AssertUnwindSafe(|| deliver::keep(gateway, &deliveries))) {
            Err(_panic) => {
                for answer in answers {
                    let _told = answer.send(Err(Kind::Internal));
                }
            }
            Ok(Ok(kept)) => {
                for (answer, kept) in answers.into_iter().zip(kept) {
                    // Whoever hung up asks again, and gets the same answer.
                    let _told = answer.send(Ok(kept));
                }
            }
            Ok(Err(error)) => {
                tracing::error!(error = %error, "requests could not be kept: {error}");
                let kind = if error.retryable() { Kind::NotReady } else { Kind::Internal };
                for answer in answers {
                    let _told = answer.send(Err(kind));
                }
            }
        }
    }
}
