//! Every example of every operation, run.

use super::argument::Argument;
use super::value::Value;
use super::{Inputs, Op, REFERENCE, WayBack};
use crate::format::Cell;
use crate::mapping::diagnostic::Source;
use crate::mapping::file::node::{Node, Placed, parse};

/// A cell as an example writes it: `#12` is a number cell.
fn cell(text: &'static str) -> Value<'static> {
    let cell = match text.strip_prefix('#') {
        Some(number) => Cell::Number(number.parse().unwrap()),
        None if text.is_empty() => Cell::Absent,
        None => Cell::Text(text),
    };
    Value::of_cell(cell).unwrap()
}

fn argument(toml: &str) -> Option<Placed<Node>> {
    if toml.is_empty() {
        return None;
    }
    let root = parse(&Source::new("example", &format!("x = {toml}"))).unwrap();
    let Node::Table(mut entries) = root.value else { panic!() };
    entries.pop().map(|(_, value)| value)
}

fn read(op: &Op, cells: &[&'static str]) -> super::Outcome<'static> {
    let mut values: Vec<_> = cells.iter().map(|text| cell(text)).collect();
    match op.doc().inputs {
        Inputs::One | Inputs::OneOrBlank => op.read(values.pop().unwrap()),
        Inputs::Several | Inputs::Exactly(_) => op.gather(values),
    }
}

#[test]
fn every_example_is_true() {
    for doc in REFERENCE {
        assert!(!doc.examples.is_empty(), "{} has no example", doc.name);
        for example in doc.examples {
            let at = format!("{} {} {:?}", doc.name, example.argument, example.cells);
            let argument = argument(example.argument);
            let op = Op::build(doc.name, &Argument(argument.as_ref()))
                .unwrap()
                .unwrap_or_else(|e| panic!("{at}: {e:?}"));
            let found = read(&op, example.cells);
            match (&found, example.read) {
                (Ok(value), Ok(expected)) => assert_eq!(value.clone().plain(), expected, "{at}"),
                (Err(refusal), Err(code)) => assert_eq!(refusal.code, code, "{at}"),
                (Ok(_), Err(_)) => panic!("{at}: was not refused"),
                (Err(refusal), Ok(_)) => panic!("{at}: {refusal:?}"),
            }
            let Ok(value) = found else { continue };
            match doc.way_back {
                WayBack::Lost => assert_eq!(example.written, "", "{at}"),
                WayBack::Written => {
                    let written = op.write(value.clone()).unwrap();
                    assert_eq!(written.clone().plain(), example.written, "{at}");
                    let again = op.read(written.clone()).unwrap();
                    assert!(again == value, "{at}: what was written reads otherwise");
                    assert!(op.write(again).unwrap() == written, "{at}: no fixed point");
                }
            }
        }
    }
}

#[test]
fn names_are_told_apart() {
    let mut names: Vec<_> = REFERENCE.iter().map(|doc| doc.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), REFERENCE.len());
}
