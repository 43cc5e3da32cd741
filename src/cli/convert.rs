//! `wayleave convert`: a file through one mapping into records, or on into another layout.
//!
//! Needs no database. Streams, in bounded memory; into another system's layout it gathers what is
//! known of each person first, up to a bound.

mod gather;
mod lossy;
mod output;
mod tally;

use std::io::Write;
use std::path::PathBuf;

use crate::base::finding::{Code, Finding};
use crate::base::limit::CONVERT_RECORDS_MAX;
use crate::base::origin::Origin;
use crate::base::private::{Convert, Grant};
use crate::cli::input::{Bounds, Input};
use crate::cli::mapping::{Shelf, TemporarySpool};
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::format::settings::FhirForm;
use crate::format::writer::Layout;
use crate::format::{Refused, reader};
use crate::mapping::write::{Keys, Named, Target};
use crate::mapping::{Made, Mapping, Outcome};
use gather::Gather;
use lossy::Lossy;
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
    /// Records that are held at once, to join what is known of one person in another layout
    #[arg(long, value_name = "N", default_value_t = CONVERT_RECORDS_MAX)]
    held: usize,
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
    Layout(Writing),
}

/// Another layout, and what waits to be written in it.
struct Writing {
    target: Box<Target>,
    keys: Keys,
    writer: Box<crate::format::writer::Writer>,
    /// What is known of each person, where the layout is another than the one that is read.
    gather: Option<Gather>,
    /// What has been written beside the rows that name it.
    named: Named,
    /// Records that may wait.
    held: usize,
}

impl Writing {
    fn take(&mut self, records: Vec<Made>, tally: &mut Tally, grant: &Grant<Convert>) -> Result<(), Failure> {
        let Some(gather) = &mut self.gather else { return self.write(&records, tally, grant) };
        for made in records {
            gather.take(made, grant);
        }
        if gather.is_full(self.held) {
            let expected = format!("expected at most {} records at once", self.held);
            tally.found([Finding::new(Code::MapSplit, Origin::default(), expected)]);
            self.write_gathered(tally, grant)?;
        }
        Ok(())
    }

    fn write_gathered(&mut self, tally: &mut Tally, grant: &Grant<Convert>) -> Result<(), Failure> {
        for records in self.gather.as_mut().map(Gather::drain).unwrap_or_default() {
            self.write(&records, tally, grant)?;
        }
        Ok(())
    }

    fn write(&mut self, records: &[Made], tally: &mut Tally, grant: &Grant<Convert>) -> Result<(), Failure> {
        let written = self.target.write(records, self.keys, grant);
        tally.found(written.findings);
        tally.lost(written.lost);
        for row in written.rows.iter().chain(self.named.fresh(&written.beside)) {
            tally.wrote(self.target.put(row, &mut self.writer)?);
        }
        Ok(())
    }
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
        Some(to) => layout(mapping, to, args, &out)?,
    };
    let mut rejects = Rejects::begin(args.rejects.as_deref())?;
    let bar = context.print.progress(0, "units");
    let mut lossy = Lossy::of(mapping);
    while let Some(arrival) = units.next()? {
        let bound = bounds.of_place(&arrival.place);
        let reading = bound.map(|bound| bound.read_watched(&arrival, &file, &mut lossy));
        let Some(reading) = reading else { continue };
        rejects.put(&reading)?;
        tally.take(&reading);
        if reading.outcome == Outcome::Records {
            match &mut sink {
                Sink::Records(lines) => lines.put(&arrival.place, &reading.records, grant)?,
                Sink::Layout(layout) => layout.take(reading.records, &mut tally, grant)?,
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    tally.found(units.findings().kept().iter().cloned());
    tally.lossy(lossy.counted());
    match sink {
        Sink::Records(lines) => lines.finish()?,
        Sink::Layout(mut layout) => {
            layout.write_gathered(&mut tally, grant)?;
            layout.writer.finish()?;
        }
    }
    rejects.finish()?;
    out.finish()?;
    Ok(tally)
}

fn layout(mapping: &Mapping, to: &Mapping, args: &Args, out: &Unfinished) -> Result<Sink, Failure> {
    let Some(target) = to.target() else {
        return Err(Failure::told(format!("the mapping `{}` is only ever read", to.name))
            .hint("name a mapping without `one_way = true`"));
    };
    let layout = match (to.layout(), args.form.as_deref()) {
        (Layout::Fhir(_), Some("xml")) => Layout::Fhir(FhirForm::Xml),
        (Layout::Fhir(_), Some(_)) => Layout::Fhir(FhirForm::Json),
        (_, Some(_)) => {
            return Err(Failure::told(format!("the mapping `{}` does not write FHIR", to.name))
                .hint("leave `--form` out: only FHIR has two forms"));
        }
        (layout, None) => layout,
    };
    let writer = crate::format::writer::Writer::spooled(out.writer()?, &layout, &TemporarySpool)?;
    let keys = match (mapping.name == to.name, mapping.source() == to.source()) {
        (true, _) => Keys::Own,
        (false, true) => Keys::Shared,
        (false, false) => Keys::Carried,
    };
    let gather = (keys != Keys::Own).then(Gather::default);
    Ok(Sink::Layout(Writing {
        target: Box::new(target),
        keys,
        writer: Box::new(writer),
        gather,
        named: Named::default(),
        held: args.held,
    }))
}

/// What is written, and where to.
type Out = Box<dyn Write + Send>;
