//! A whole file, looked at unit by unit.

use std::path::Path;

use super::{Shelf, TemporarySpool};
use crate::base::finding::Findings;
use crate::base::limit::GUESS_UNITS_MAX;
use crate::base::origin::Origin;
use crate::cli::Context;
use crate::cli::input::{Bounds, Input};
use crate::cli::print::Failure;
use crate::format::reader::{self, Reader};
use crate::format::settings::Settings;
use crate::format::source::Source;
use crate::format::{Header, Refused};
use crate::mapping::profile::Profile;
use crate::mapping::{Mapping, Outcome};

/// Why a file cannot be looked at, in words.
pub(super) fn refused(findings: &Findings, hint: &str) -> Failure {
    let told: Vec<String> = findings.kept().iter().map(ToString::to_string).collect();
    Failure::told(told.join("\n")).hint(hint)
}

/// Opens a file by name.
pub(super) fn open(path: &Path, settings: &Settings, hint: &str) -> Result<Reader, Failure> {
    let input = Input::open(path)?;
    open_source(input.source, &input.name, settings, hint)
}

/// Opens what is already at hand.
pub(super) fn open_source(
    source: Box<dyn Source>,
    name: &str,
    settings: &Settings,
    hint: &str,
) -> Result<Reader, Failure> {
    reader::open(source, settings, &Origin::file(name), &TemporarySpool).map_err(|why| match why {
        Refused::File(findings) => refused(&findings, hint),
        Refused::Machine(error) => Failure::new(&error),
    })
}

/// Takes every unit, or the first so many, into a profile.
pub(super) fn profile(
    units: &mut Reader,
    profile: &mut Profile<'_>,
    units_max: u64,
    context: &Context,
) -> Result<(), Failure> {
    let headers: Vec<Header> = units.headers().to_vec();
    for header in &headers {
        profile.take_header(header);
    }
    let bar = context.print.progress(0, "units");
    let mut taken = 0;
    while let Some(arrival) = units.next()? {
        let header = match headers.as_slice() {
            [one] => Some(one),
            several => several.iter().find(|header| header.sheet == arrival.place.sheet),
        };
        profile.take(&arrival, header);
        bar.inc(1);
        taken += 1;
        if taken >= units_max {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// The mappings at hand that take the most of a file's first units: one, if it can be told.
pub(super) fn best(shelf: &Shelf, path: &Path) -> Result<Vec<Mapping>, Failure> {
    let (mut best, mut most) = (Vec::new(), 1);
    for name in shelf.names() {
        let mapping = shelf.mapping(&name)?;
        let taken = taken(&mapping, path)?;
        if taken > most {
            best.clear();
            most = taken;
        }
        if taken == most {
            best.push(mapping);
        }
    }
    Ok(best)
}

/// How many of a file's first units a mapping makes records of; none where it cannot read the file.
fn taken(mapping: &Mapping, path: &Path) -> Result<usize, Failure> {
    let Ok(mut units) = open(path, &mapping.settings, "") else { return Ok(0) };
    let file = Origin::default();
    let Ok(bounds) = Bounds::of(mapping, units.headers(), &file) else { return Ok(0) };
    let mut taken = 0;
    for _unit in 0..GUESS_UNITS_MAX {
        let Some(arrival) = units.next()? else { break };
        let Some(bound) = bounds.of_place(&arrival.place) else { continue };
        taken += usize::from(bound.read(&arrival, &file).outcome == Outcome::Records);
    }
    Ok(taken)
}
