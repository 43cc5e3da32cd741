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
    /// Whoever signs sharing agreements, and answers for what goes to partners
    Partners,
    /// One page for whoever writes a trust's plain tables
    TrustFiles,
}

impl Reader {
    const fn page(self) -> &'static str {
        match self {
            Self::Council => include_str!("guide/council.md"),
            Self::Housing => include_str!("guide/housing.md"),
            Self::Trust => include_str!("guide/trust.md"),
            Self::Evaluator => include_str!("guide/evaluator.md"),
            Self::Governance => include_str!("guide/governance.md"),
            Self::Partners => include_str!("guide/partners.md"),
            Self::TrustFiles => include_str!("guide/trust-files.md"),
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
        let is_guide = |reader: &&Reader| !matches!(reader, Reader::TrustFiles);
        for reader in Reader::value_variants().iter().filter(is_guide) {
            let page = reader.page();
            for part in ["\n## Day one\n", "\n## Week one\n", "\n## First incident\n"] {
                assert!(page.contains(part), "{reader:?} lacks {part:?}");
            }
            // Two printed pages of 66 lines hold about so many; `tests/it/guide` counts the lines.
            let words = page.split_whitespace().count();
            assert!((600..=1350).contains(&words), "{reader:?} has {words} words");
        }
    }

    /// The page names the columns that the mappings read, and no others.
    #[test]
    fn the_page_of_plain_tables_is_what_the_mappings_read() {
        let library = crate::mapping::library::Library::shipped();
        let page = Reader::TrustFiles.page();
        for (name, heading) in [("trust/contacts", "## contacts.csv"), ("trust/stays", "## stays.csv")] {
            let mapping = library.mapping(name).unwrap();
            let table = page.split(heading).nth(1).unwrap().split("\n\n").nth(1).unwrap();
            let cell = |row: &str, at: usize| row.split('|').nth(at).unwrap_or_default().trim().to_owned();
            let columns: Vec<String> = table.lines().skip(2).map(|row| cell(row, 1)).collect();
            assert_eq!(columns, mapping.columns[0].1, "{name}");
        }
    }
}
