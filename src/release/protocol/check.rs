//! What a protocol may ask for.

use std::collections::BTreeSet;

use crate::consent::directive::Statement;
use crate::record::kind::Kind;
use crate::record::schema::{Field, Holds, Privacy};
use crate::release::protocol::{
    Band, Group, Protocol, ProtocolError, RawField, RawKind, RawProtocol, ReleasedField, ReleasedKind,
    Source, Treatment, schema_field,
};

/// Checks the whole.
pub(super) fn check(raw: RawProtocol, name: &str) -> Result<Protocol, ProtocolError> {
    let fault = |place: &str, fault: String| ProtocolError::Fault {
        name: name.to_owned(),
        place: place.to_owned(),
        fault,
    };
    for (place, text) in [("study", &raw.study), ("recipient", &raw.recipient)] {
        if !is_slug(text) {
            let told = "expected small letters, digits and hyphens, a letter first";
            return Err(fault(place, told.to_owned()));
        }
    }
    if !is_prefix(&raw.prefix) {
        return Err(fault("prefix", "expected `S` and two to four digits, such as `S01`".to_owned()));
    }
    if raw.version == 0 {
        return Err(fault("version", "versions count from 1".to_owned()));
    }
    let mut sources = Vec::new();
    for source in raw.source {
        let needs = Statement::find(&source.needs).ok_or_else(|| {
            fault(
                &format!("source `{}`", source.name),
                format!(
                    "no statement is called `{}`; there are use_case_data, link_housing and link_nhs",
                    source.needs
                ),
            )
        })?;
        sources.push(Source { name: source.name, needs });
    }
    let mut kinds: Vec<ReleasedKind> = Vec::new();
    for raw_kind in raw.kind {
        let place = format!("kind `{}`", raw_kind.kind);
        let kind = check_kind(raw_kind).map_err(|(inner, text)| fault(&format!("{place}{inner}"), text))?;
        if kinds.iter().any(|earlier| earlier.kind == kind.kind) {
            return Err(fault(&place, "is named twice".to_owned()));
        }
        kinds.push(kind);
    }
    let has_setting = kinds.iter().any(|kind| kind.kind == Kind::Setting);
    let names_setting = kinds
        .iter()
        .flat_map(|kind| &kind.fields)
        .any(|field| field.treatment == Treatment::PseudonymiseSetting);
    if names_setting && !has_setting {
        let told = "a field is released as a setting's pseudonym, so the kind `setting` must be named too";
        return Err(fault("kind", told.to_owned()));
    }
    Ok(Protocol {
        study: raw.study,
        version: raw.version,
        title: raw.title,
        tier: raw.tier,
        recipient: raw.recipient,
        epoch: raw.epoch,
        prefix: raw.prefix,
        contact: raw.contact,
        purpose: raw.purpose,
        destroy_by: raw.destroy_by,
        sources,
        kinds,
    })
}

/// Where within the kind, and what is wrong there.
type Fault = (String, String);

fn check_kind(raw: RawKind) -> Result<ReleasedKind, Fault> {
    let here = |text: &str| (String::new(), text.to_owned());
    let kind: Kind = raw.kind.parse().map_err(|_unknown| here("there is no such kind of record"))?;
    if kind == Kind::Consent {
        return Err(here("consents are never released; each record carries the consent it stands on"));
    }
    let mut names = BTreeSet::new();
    let mut fields = Vec::new();
    for raw_field in raw.field {
        let place = format!(", field `{}`", raw_field.name);
        if !names.insert(raw_field.name.clone()) {
            return Err((place, "is named twice".to_owned()));
        }
        fields.push(check_field(kind, raw_field).map_err(|text| (place, text))?);
    }
    let description = raw.description.unwrap_or_else(|| crate::record::schema::of(kind).description.clone());
    Ok(ReleasedKind { kind, description, fields })
}

fn check_field(kind: Kind, raw: RawField) -> Result<ReleasedField, String> {
    let from_name = raw.from.as_deref().unwrap_or(&raw.name);
    let from = schema_field(kind, from_name)
        .ok_or_else(|| format!("the kind `{kind}` has no field `{from_name}`"))?;
    if !is_field_name(&raw.name) {
        return Err("expected a name of small letters, digits and low lines".to_owned());
    }
    if raw.label.trim().is_empty() {
        return Err("has no label; the codebook needs one".to_owned());
    }
    let needs = match &raw.needs {
        None => None,
        Some(word) => Some(Statement::find(word).ok_or_else(|| format!("no statement is called `{word}`"))?),
    };
    let treatment = treatment(&raw)?;
    allowed(kind, from, &treatment)?;
    if let Treatment::Group(groups) = &treatment {
        check_groups(from, groups)?;
    }
    if let Treatment::Band(bands) | Treatment::AgeBandAtStart(bands) = &treatment {
        check_bands(bands)?;
    }
    Ok(ReleasedField {
        name: raw.name,
        from,
        treatment,
        label: raw.label,
        unit: raw.unit,
        labels: raw.labels,
        needs,
    })
}

fn treatment(raw: &RawField) -> Result<Treatment, String> {
    let bands = || raw.band.clone().ok_or("this treatment needs a list `band`".to_owned());
    let treatment = match raw.treatment.as_str() {
        "keep" => Treatment::Keep,
        "code" => Treatment::Code,
        "group" => Treatment::Group(raw.group.clone().ok_or("this treatment needs a list `group`")?),
        "band" => Treatment::Band(bands()?),
        "age-band-at-start" => Treatment::AgeBandAtStart(bands()?),
        "pseudonymise-setting" => Treatment::PseudonymiseSetting,
        "district" => Treatment::District,
        "year" => Treatment::Year,
        "month" => Treatment::Month,
        "round" => Treatment::Round(raw.to.filter(|to| *to > 0).ok_or("this treatment needs `to`, above 0")?),
        other => {
            return Err(format!(
                "no treatment is called `{other}`; there are keep, code, group, band, age-band-at-start, \
                 pseudonymise-setting, district, year, month and round"
            ));
        }
    };
    let extra = [
        (raw.group.is_some() && !matches!(treatment, Treatment::Group(_)), "group"),
        (
            raw.band.is_some() && !matches!(treatment, Treatment::Band(_) | Treatment::AgeBandAtStart(_)),
            "band",
        ),
        (raw.to.is_some() && !matches!(treatment, Treatment::Round(_)), "to"),
    ];
    match extra.iter().find(|(is_extra, _)| *is_extra) {
        Some((_, key)) => Err(format!("the treatment `{}` takes no `{key}`", treatment.as_str())),
        None => Ok(treatment),
    }
}

/// Which treatment suits which field. For an identifier only those that leave nothing of it that
/// names anybody; for free text none.
fn allowed(kind: Kind, from: &Field, treatment: &Treatment) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("the treatment `{}` {why}", treatment.as_str()));
    if from.privacy == Privacy::FreeText {
        return refuse("cannot make written notes safe; nothing can yet, so leave the field out");
    }
    let makes_safe = match treatment {
        Treatment::AgeBandAtStart(_) => kind == Kind::Person && from.name == "birth_date",
        Treatment::District => from.name == "postcode",
        _ => false,
    };
    if from.privacy == Privacy::Identifier && !makes_safe {
        return refuse(&format!("does not make the identifier `{}` safe", from.name));
    }
    let suits = match (treatment, &from.holds) {
        (Treatment::AgeBandAtStart(_) | Treatment::District, _) => makes_safe,
        (Treatment::Keep, Holds::Word(_) | Holds::Day | Holds::Integer | Holds::Number | Holds::Truth)
        | (Treatment::Group(_), Holds::Word(_))
        | (Treatment::Band(_) | Treatment::Round(_), Holds::Integer | Holds::Number)
        | (Treatment::Code | Treatment::Group(_) | Treatment::PseudonymiseSetting, Holds::Text)
        | (Treatment::Year | Treatment::Month, Holds::Day) => true,
        _ => false,
    };
    if suits { Ok(()) } else { refuse(&format!("does not suit the field `{}`", from.name)) }
}

fn check_groups(from: &Field, groups: &[Group]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for word in groups.iter().flat_map(|group| &group.of) {
        if !seen.insert(word) {
            return Err(format!("`{word}` is in two groups"));
        }
        if let Holds::Word(words) = &from.holds
            && !words.contains(word)
        {
            return Err(format!("`{}` is never `{word}`", from.name));
        }
    }
    match &from.holds {
        Holds::Word(words) => match words.iter().find(|word| !seen.contains(word)) {
            Some(word) => Err(format!("`{word}` is in no group")),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Bands follow one another without gap or overlap, open at both ends.
fn check_bands(bands: &[Band]) -> Result<(), String> {
    let ends_open = bands.first().is_some_and(|band| band.from.is_none())
        && bands.last().is_some_and(|band| band.to.is_none());
    let joined = bands.windows(2).all(|pair| match pair {
        [one, two] => one.to.and_then(|to| to.checked_add(1)) == two.from && two.from.is_some(),
        _ => false,
    });
    if ends_open && joined {
        Ok(())
    } else {
        Err("bands must follow one another without gap or overlap, the first without `from` and the last without `to`".to_owned())
    }
}

fn is_slug(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_field_name(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_prefix(text: &str) -> bool {
    text.strip_prefix('S')
        .is_some_and(|digits| (2..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}
