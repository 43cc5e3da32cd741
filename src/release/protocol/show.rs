//! A protocol in words, for whoever signs it.

use std::fmt::Write as _;

use crate::release::protocol::codebook::codes;
use crate::release::protocol::{Protocol, ReleasedField, Treatment};

/// The protocol as an information governance lead reads it. Everything that leaves is listed;
/// what is not listed does not leave.
#[must_use]
pub fn show(protocol: &Protocol) -> String {
    let mut out = String::new();
    // Writing to memory does not fail.
    let _written = write_head(&mut out, protocol).and_then(|()| write_kinds(&mut out, protocol));
    out
}

fn write_head(out: &mut String, protocol: &Protocol) -> std::fmt::Result {
    writeln!(out, "{}", protocol.title)?;
    writeln!(out, "study {}, protocol version {}", protocol.study, protocol.version)?;
    writeln!(out)?;
    writeln!(out, "for            {}", protocol.recipient)?;
    writeln!(out, "tier           {}", protocol.tier.as_str())?;
    if let Some(purpose) = &protocol.purpose {
        writeln!(out, "purpose        {purpose}")?;
    }
    if let Some(contact) = &protocol.contact {
        writeln!(out, "contact        {contact}")?;
    }
    if let Some(day) = protocol.destroy_by {
        writeln!(out, "destroy by     {day}")?;
    }
    writeln!(out, "pseudonyms     {}-…, epoch {}", protocol.prefix, protocol.epoch)?;
    writeln!(out)?;
    writeln!(out, "Every record needs the person's leave to use case data (use_case_data), and:")?;
    for source in &protocol.sources {
        writeln!(out, "  from {:<12} {}", source.name, source.needs.as_str())?;
    }
    writeln!(out, "Any other source releases nothing.")
}

fn write_kinds(out: &mut String, protocol: &Protocol) -> std::fmt::Result {
    for kind in &protocol.kinds {
        writeln!(out)?;
        writeln!(out, "{}: {}", kind.kind, kind.description)?;
        for field in &kind.fields {
            let name = if field.name == field.from.name {
                field.name.clone()
            } else {
                format!("{} (from {})", field.name, field.from.name)
            };
            let marks = field.from.privacy.as_str();
            writeln!(out, "  {name:<32} {:<10} {}", marks, treatment(field))?;
        }
    }
    writeln!(out)?;
    writeln!(out, "Nothing else leaves.")
}

fn treatment(field: &ReleasedField) -> String {
    let labels = || codes(field).into_iter().map(|(_, label)| label).collect::<Vec<_>>().join("; ");
    let needs = field.needs.map(|needs| format!(" (needs {})", needs.as_str())).unwrap_or_default();
    let told = match &field.treatment {
        Treatment::Keep => "as it is".to_owned(),
        Treatment::Code => "as it is, codes only".to_owned(),
        Treatment::Group(_) => format!("grouped: {}", labels()),
        Treatment::Band(_) => format!("in bands: {}", labels()),
        Treatment::AgeBandAtStart(_) => format!("age at start in bands: {}", labels()),
        Treatment::PseudonymiseSetting => "as the setting's pseudonym".to_owned(),
        Treatment::District => "the outward part only".to_owned(),
        Treatment::Year => "the year only".to_owned(),
        Treatment::Month => "the year and month only".to_owned(),
        Treatment::Round(to) => format!("rounded to the nearest {to}"),
    };
    told + &needs
}
