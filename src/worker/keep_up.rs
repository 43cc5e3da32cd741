//! What a role of the service does when a fault of the program stops it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::base::limit::ROLE_AGAIN_S;
use crate::telemetry::{Figures, RoleLabels};
use crate::worker::Stop;

/// Runs a role until it ends by itself, or has been told to stop. One that a fault of the program stops
/// begins again after a pause: the other roles go on, and what it had not committed it finds again. The
/// log and the figures tell.
pub fn keep_up(role: &'static str, stop: &Stop, figures: &Figures, work: impl FnMut()) {
    keep_up_after(Duration::from_secs(ROLE_AGAIN_S), role, stop, figures, work);
}

fn keep_up_after(
    pause: Duration,
    role: &'static str,
    stop: &Stop,
    figures: &Figures,
    mut work: impl FnMut(),
) {
    // What a role holds between its rounds is looked up again; what is kept is changed by whole
    // transactions alone.
    while catch_unwind(AssertUnwindSafe(&mut work)).is_err() {
        figures.role_failures.get_or_create(&RoleLabels { role }).inc();
        tracing::error!(
            role,
            pause_s = pause.as_secs(),
            "the {role} was stopped by a fault of the program, and begins again after a pause; report it"
        );
        stop.wait(pause);
        if stop.is_asked() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::keep_up_after;
    use crate::telemetry::{Figures, RoleLabels};
    use crate::worker::Stop;

    #[test]
    fn a_role_that_a_fault_stops_begins_again_until_it_is_told_to_stop() {
        let (figures, stop) = (Figures::new(), Stop::default());
        let mut begun = 0;
        keep_up_after(Duration::ZERO, "worker", &stop, &figures, || {
            begun += 1;
            assert!(begun == 3, "a fault of the program");
        });
        let failures = || figures.role_failures.get_or_create(&RoleLabels { role: "worker" }).get();
        assert_eq!((begun, failures()), (3, 2));
        keep_up_after(Duration::ZERO, "worker", &stop, &figures, || {
            stop.now();
            panic!("a fault of the program");
        });
        assert_eq!(failures(), 3);
    }
}
