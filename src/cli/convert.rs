//! `wayleave convert`: a file through one mapping into records, or on into another layout.
//!
//! Needs no database. Streams, in bounded memory.

mod input;
mod output;
mod tally;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::finding::Findings;
use crate::base::origin::Origin;
use crate::base::private::{Convert, Grant};
use crate::cli::mapping::{Shelf, TemporarySpool};
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::format::settings::FhirForm;
use crate::format::writer::Layout;
use crate::format::{Place, Refused, reader};
use crate::mapping::read::Bound;
use crate::mapping::write::{Keys, Target};
use crate::mapping::{Mapping, Outcome};
use input::Input;
use output::{Lines, Rejects, Unfinished};
use tally::Tally;

/// What `convert` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The mapping to read through: its name, or a .toml file
    #[arg(long, value_name = "MAPPING")]
    mapping: String,
    /// Write this mapping's layout instead of records
    #[arg(long, value_name = "MAPPING")]
    to: Option<String>,
    /// Write FHIR in this form, instead of the one its mapping names
    #[arg(long, value_name = "FORM", requires = "to", value_parser = ["json", "xml"])]
    form: Option<String>,
    /// Write what was found wrong to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// File to read; `-` for standard input
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// File to write; standard output where none is given
    #[arg(value_name = "OUT")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let shelf = Shelf::open(context)?;
    let mapping = shelf.mapping(&args.mapping)?;
    let to = args.to.as_ref().map(|to| shelf.mapping(to)).transpose()?;
    let grant = Grant::<Convert>::begin("cli");
    let ended = convert(args, &mapping, to.as_ref(), context, &grant);
    let receipt = grant.close();
    let tally = ended?;
    if !context.print.is_json {
        context
            .print
            .note(format_args!("identifying values opened: {}, for `{}`", receipt.opened, receipt.purpose));
    }
    tally.tell(context, receipt.opened)?;
    Ok(if tally.is_wrong() { Exit::Findings } else { Exit::Done })
}

/// Where converted units go.
enum Sink {
    Records(Lines),
    Layout { target: Box<Target>, keys: Keys, writer: Box<crate::format::writer::Writer> },
}

fn convert(
    args: &Args,
    mapping: &Mapping,
    to: Option<&Mapping>,
    context: &Context,
    grant: &Grant<Convert>,
) -> Result<Tally, Failure> {
    let input = Input::open(&args.input)?;
    let file = Origin::file(&input.name);
    let mut tally = Tally::default();
    let opened = reader::open(input.source, &mapping.settings, &file, &TemporarySpool);
    let mut units = match opened {
        Ok(units) => units,
        Err(Refused::Machine(error)) => return Err(Failure::new(&error)),
        Err(Refused::File(findings)) => {
            tally.refused(findings);
            return Ok(tally);
        }
    };
    let bounds = match Bounds::of(mapping, units.headers(), &file) {
        Ok(bounds) => bounds,
        Err(findings) => {
            tally.refused(findings);
            return Ok(tally);
        }
    };
    let out = Unfinished::begin(args.output.as_deref())?;
    let mut sink = match to {
        None => Sink::Records(Lines::new(out.writer()?)),
        Some(to) => layout(mapping, to, args.form.as_deref(), &out)?,
    };
    let mut rejects = Rejects::begin(args.rejects.as_deref())?;
    let bar = context.print.progress(0, "units");
    while let Some(arrival) = units.next()? {
        let reading = bounds.of_place(&arrival.place).map(|bound| bound.read(&arrival, &file));
        let Some(reading) = reading else { continue };
        rejects.put(&reading)?;
        tally.take(&reading);
        if reading.outcome == Outcome::Records {
            match &mut sink {
                Sink::Records(lines) => lines.put(&arrival.place, &reading.records, grant)?,
                Sink::Layout { target, keys, writer } => {
                    let written = target.write(&reading.records, *keys, grant);
                    tally.found(written.findings);
                    for row in &written.rows {
                        tally.found(target.put(row, writer)?);
                    }
                }
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    tally.found(units.findings().kept().iter().cloned());
    match sink {
        Sink::Records(lines) => lines.finish()?,
        Sink::Layout { writer, .. } => writer.finish()?,
    }
    rejects.finish()?;
    out.finish()?;
    Ok(tally)
}

fn layout(mapping: &Mapping, to: &Mapping, form: Option<&str>, out: &Unfinished) -> Result<Sink, Failure> {
    let Some(target) = to.target() else {
        return Err(Failure::told(format!("the mapping `{}` is only ever read", to.name))
            .hint("name a mapping without `one_way = true`"));
    };
    let layout = match (to.layout(), form) {
        (Layout::Fhir(_), Some("xml")) => Layout::Fhir(FhirForm::Xml),
        (Layout::Fhir(_), Some(_)) => Layout::Fhir(FhirForm::Json),
        (_, Some(_)) => {
            return Err(Failure::told(format!("the mapping `{}` does not write FHIR", to.name))
                .hint("leave `--form` out: only FHIR has two forms"));
        }
        (layout, None) => layout,
    };
    let writer = crate::format::writer::Writer::new(out.writer()?, &layout)?;
    let keys = if mapping.name == to.name { Keys::Own } else { Keys::Foreign };
    Ok(Sink::Layout { target: Box::new(target), keys, writer: Box::new(writer) })
}

/// The mapping, bound to each sheet or to the one table.
struct Bounds {
    bounds: Vec<(Option<Arc<str>>, Bound)>,
}

impl Bounds {
    fn of(mapping: &Mapping, headers: &[crate::format::Header], file: &Origin) -> Result<Self, Findings> {
        let mut findings = Findings::default();
        let mut bounds = Vec::with_capacity(headers.len().max(1));
        let mut bind = |header: Option<&crate::format::Header>| match mapping.bind(header, file) {
            Ok(bound) => bounds.push((header.and_then(|header| header.sheet.clone()), bound)),
            Err(found) => findings.extend(found),
        };
        if headers.is_empty() {
            bind(None);
        } else {
            for header in headers {
                bind(Some(header));
            }
        }
        if findings.is_empty() { Ok(Self { bounds }) } else { Err(findings) }
    }

    fn of_place(&self, place: &Place) -> Option<&Bound> {
        match self.bounds.as_slice() {
            [(_, bound)] => Some(bound),
            several => several.iter().find(|(sheet, _)| *sheet == place.sheet).map(|(_, bound)| bound),
        }
    }
}

/// What is written, and where to.
type Out = Box<dyn Write + Send>;
