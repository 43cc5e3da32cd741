//! Invented people: a generator from a seed, the demo's folder, and large files to measure with.
//!
//! Nobody here exists. NHS numbers are from the 999 range, which is never issued, with the right
//! check digit; the same seed gives the same bytes on every machine. Because all of it is made up,
//! these modules hold names and numbers openly, which no other module may.
//!
//! - `activity`: the programme's activities, the milestones of the tracker
//! - `cohort`: the acceptance cohort, 116 people and what is published about them
//! - `life`: what the three systems could know of one person
//! - `world`: everybody at once, from the cohort or from a seed
//! - `dirt`: the small untruths of real systems, at declared rates, each one written down
//! - `render`: each system's own layout
//! - `fault`: what is planted wrong on purpose, and where
//! - `demo`: the demo's folder, its plan, and every token that must never leave it
//! - `load`: large files, streamed

pub mod activity;
pub mod calendar;
pub mod cohort;
pub mod demo;
pub mod dirt;
pub mod fault;
pub mod invent;
pub mod life;
pub mod load;
pub mod plant;
pub mod render;
pub mod seed;
pub mod truth;
pub mod words;
pub mod world;

use std::path::PathBuf;

/// What can go wrong in making files.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// A file could not be written or read.
    #[error("could not use {path}; check that the folder exists and may be written to")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file could not be written while streaming.
    #[error("could not write; check that there is room on the disk")]
    Write(#[source] std::io::Error),
    /// The workbook could not be made.
    #[error("could not make the workbook")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// A text table could not be made or read.
    #[error("could not make or read a text table")]
    Table(#[from] csv::Error),
    /// A JSON text could not be made.
    #[error("could not make a JSON text")]
    Json(#[from] serde_json::Error),
    /// The cohort inside the program is not as it should be.
    #[error("the cohort held in the program is damaged: {file}, line {line}")]
    Cohort {
        /// Which of its files.
        file: &'static str,
        /// Which line.
        line: usize,
    },
}

impl SynthError {
    /// True where trying again may help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::File { .. } | Self::Write(_) => true,
            Self::Workbook(_) | Self::Table(_) | Self::Json(_) | Self::Cohort { .. } => false,
        }
    }
}
