//! The command line in, the exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    wayleave::cli::run(std::env::args_os())
}
