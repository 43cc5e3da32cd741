//! The demo's files, read with the shipped mappings: each planted fault is found at its place, and
//! every other unit is read without a fault.

use std::collections::BTreeMap;
use std::io::Cursor;

use wayleave::base::finding::Severity;
use wayleave::base::origin::Origin;
use wayleave::format::reader;
use wayleave::format::source::MemorySpool;
use wayleave::mapping::Outcome;
use wayleave::mapping::library::Library;
use wayleave::record::schema;
use wayleave::synth::demo::{self, Rendered};
use wayleave::synth::fault::Fault;
use wayleave::synth::world;

/// What came of one unit: the outcome, and the code and column of each fault.
struct Read {
    outcome: &'static str,
    found: Vec<(String, String)>,
}

type Place = (Option<String>, u64);

fn read(rendered: &Rendered, source: &str, feed: &str) -> BTreeMap<Place, Read> {
    let (_, _, name, bytes, _) =
        rendered.files.iter().find(|file| file.0 == source && file.1 == feed).unwrap();
    let mapping = Library::shipped().mapping(&format!("{source}/{feed}")).unwrap();
    let origin = Origin::file(name);
    let opened = reader::open(Box::new(Cursor::new(bytes.clone())), &mapping.settings, &origin, &MemorySpool);
    let mut reader = opened.unwrap_or_else(|_refused| panic!("{feed} is refused"));
    let mut bound = BTreeMap::new();
    for header in reader.headers() {
        let sheet = header.sheet.as_deref().map(str::to_owned);
        let of =
            mapping.bind(Some(header), &origin).unwrap_or_else(|found| panic!("{feed}: {:?}", found.kept()));
        bound.insert(sheet, of);
    }
    if bound.is_empty() {
        bound.insert(None, mapping.bind(None, &origin).unwrap_or_else(|found| panic!("{:?}", found.kept())));
    }
    let mut out = BTreeMap::new();
    while let Some(arrival) = reader.next().unwrap() {
        let place = (arrival.place.sheet.as_deref().map(str::to_owned), arrival.place.line);
        let reading = bound[&place.0].read(&arrival, &origin);
        let mut outcome = match reading.outcome {
            Outcome::Rejected => "rejected",
            Outcome::Quarantined => "quarantined",
            Outcome::Filtered => "filtered",
            Outcome::Records => "records",
        };
        let mut found: Vec<(String, String)> = reading
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| {
                let at = finding.origin.column.clone().or_else(|| finding.origin.path.clone());
                (finding.code.as_str().to_owned(), at.as_deref().unwrap_or_default().to_owned())
            })
            .collect();
        for made in &reading.records {
            for (field, finding) in schema::of(made.kind).faults(&made.draft, &origin) {
                outcome = "rejected";
                found.push((finding.code.as_str().to_owned(), field));
            }
        }
        out.insert(place, Read { outcome, found });
    }
    out
}

#[test]
fn every_planted_fault_is_found_at_its_place_and_nothing_else_is() {
    let rendered = demo::files(&world::demo().unwrap()).unwrap();
    let mut wrong = Vec::new();
    for (source, feed, ..) in &rendered.files {
        let name = format!("{source}/{feed}");
        let mut planted: BTreeMap<Place, &Fault> = rendered
            .faults
            .iter()
            .filter(|fault| fault.feed == name)
            .map(|fault| ((fault.sheet.map(str::to_owned), fault.line), fault))
            .collect();
        for (place, read) in read(&rendered, source, feed) {
            let told = format!("{name} {place:?}: {} {:?}", read.outcome, read.found);
            match planted.remove(&place) {
                None if read.outcome == "records" && read.found.is_empty() => {}
                None => wrong.push(format!("nothing was planted here: {told}")),
                Some(fault) => {
                    let found =
                        fault.code.is_none_or(|code| read.found.iter().any(|(found, _)| found == code));
                    if fault.is_of_batch() {
                        // Whether a unit came before is known to the gateway alone.
                    } else if !found || read.outcome != fault.outcome {
                        wrong.push(format!("planted {fault:?}\n      found {told}"));
                    }
                }
            }
        }
        wrong.extend(planted.values().map(|fault| format!("no unit arrived for {fault:?}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
