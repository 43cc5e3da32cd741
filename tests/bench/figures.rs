//! What a process costs: CPU seconds, wall seconds and peak memory. Linux only: read from `/proc`.

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Clock ticks a second in `/proc/PID/stat`: fixed at 100 on Linux.
const TICKS_A_SECOND: f64 = 100.0;
/// Between two looks at a process: short beside what it takes.
const PAUSE: Duration = Duration::from_millis(5);

/// What a process cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// User and system time of all its threads.
    pub(crate) cpu_s: f64,
    /// From start to end.
    pub(crate) wall_s: f64,
    /// The most it held.
    pub(crate) memory_mb: f64,
}

/// Runs a process to its end.
pub(crate) fn of(command: &mut Command) -> (Figures, Output) {
    let before_s = cpu_s("self", 13).unwrap();
    let begun = Instant::now();
    let child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (ending, ended) = std::sync::mpsc::channel();
    // Read by another thread, so that a child that says much is not held up.
    let waiting = std::thread::spawn(move || {
        let output = child.wait_with_output().unwrap();
        ending.send(()).unwrap();
        output
    });
    let mut memory_kb = 0.0_f64;
    while ended.recv_timeout(PAUSE).is_err() {
        memory_kb = memory_kb.max(peak_kb(&status).unwrap_or_default());
    }
    let wall_s = begun.elapsed().as_secs_f64();
    let output = waiting.join().unwrap();
    // What children that have ended took.
    let cpu_s = cpu_s("self", 13).unwrap() - before_s;
    (Figures { cpu_s, wall_s, memory_mb: memory_kb / 1024.0 }, output)
}

/// CPU seconds of a process, from the given field of `/proc/PID/stat` (counted after its name) and
/// the next: 11 for its own, 13 for those of its children that have ended.
pub(crate) fn cpu_s(pid: &str, field: usize) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit(')').next()?;
    let ticks = after_name.split_whitespace().skip(field).take(2).map(str::parse::<f64>);
    Some(ticks.sum::<Result<f64, _>>().ok()? / TICKS_A_SECOND)
}

/// The most memory a process has held, in kilobytes.
fn peak_kb(status: &str) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
