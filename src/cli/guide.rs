//! `wayleave guide`: two pages for each of the people who work with it.

use crate::cli::print::Failure;
use crate::cli::{Context, Exit};

/// What `guide` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Whom it is for
    reader: Reader,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Reader {
    /// Whoever holds the council's case system
    Council,
    /// Whoever runs the programme and its tracker
    Housing,
    /// Whoever holds the trust's patient system
    Trust,
    /// Whoever receives the data and works with it
    Evaluator,
    /// Whoever answers for what flows where
    Governance,
}

impl Reader {
    const fn page(self) -> &'static str {
        match self {
            Self::Council => include_str!("guide/council.md"),
            Self::Housing => include_str!("guide/housing.md"),
            Self::Trust => include_str!("guide/trust.md"),
            Self::Evaluator => include_str!("guide/evaluator.md"),
            Self::Governance => include_str!("guide/governance.md"),
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    context.print.data(args.reader.page().trim_end())?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::Reader;

    #[test]
    fn every_guide_has_its_three_parts_and_is_about_two_pages() {
        for reader in Reader::value_variants() {
            let page = reader.page();
            for part in ["\n## Day one\n", "\n## Week one\n", "\n## First incident\n"] {
                assert!(page.contains(part), "{reader:?} lacks {part:?}");
            }
            let words = page.split_whitespace().count();
            assert!((600..=1200).contains(&words), "{reader:?} has {words} words");
        }
    }
}
