//! The people of the demo link as they are: each one of the programme to all three systems, the
//! one in doubt to nobody, and no stranger to anybody.

use std::collections::{BTreeMap, BTreeSet};

use wayleave::base::id::SubjectId;
use wayleave::base::private::{Grant, Link};
use wayleave::person::decide::decide;
use wayleave::person::features::{Features, Head, Subjects};
use wayleave::person::normalise;
use wayleave::synth::life::View;
use wayleave::synth::world::{self, World};

fn features(view: &View, council_id: Option<String>) -> Features {
    Features {
        nhs_number: view.number.clone(),
        council_id,
        family: normalise::name(&view.family),
        given: normalise::name(&view.given),
        birth: Some(view.born),
        postcode: normalise::postcode(&view.home.post),
        ..Features::default()
    }
}

/// Every subject: its key in the truth, its source, and what linkage knows.
fn subjects(world: &World) -> Vec<(String, &'static str, Features)> {
    let mut out = Vec::new();
    for life in world.lives.iter().chain(&world.others) {
        let key = &life.who.key;
        let council = life.council.as_ref().map(|view| (features(view, Some(view.id.clone())), "council"));
        let housing = life.housing.as_ref().map(|view| (features(view, view.other_id.clone()), "housing"));
        let trust = life.trust.as_ref().map(|view| (features(view, None), "trust"));
        out.extend(
            [council, housing, trust].into_iter().flatten().map(|(one, source)| (key.clone(), source, one)),
        );
    }
    out
}

#[test]
fn everyone_of_the_demo_is_linked_and_only_the_one_in_doubt_is_not() {
    let world = world::demo().unwrap();
    let subjects = subjects(&world);
    let names: BTreeMap<u128, String> =
        (1..).zip(&subjects).map(|(id, (key, source, _))| (id, format!("{key} {source}"))).collect();
    let batch = (1_u128..)
        .zip(subjects)
        .map(|(id, (_, source, features))| {
            (Head { id: SubjectId::from_bits(id), source: source.into() }, features)
        })
        .collect();
    let grant = Grant::<Link>::begin("test");
    let decision = decide(&Subjects::new(batch), &grant);
    let _receipt = grant.close();
    let person = |id: &SubjectId| names[&id.bits()].split(' ').next().unwrap().to_owned();
    let mut sizes = BTreeMap::new();
    for cluster in &decision.clusters {
        let people: BTreeSet<String> = cluster.iter().map(person).collect();
        assert_eq!(people.len(), 1, "two people in one: {people:?}");
        sizes.entry(people.into_iter().next().unwrap()).or_insert_with(Vec::new).push(cluster.len());
    }
    let mut wrong = Vec::new();
    for life in &world.lives {
        let expected: &[usize] = if life.who.key == "PI120" { &[1, 2] } else { &[3] };
        let mut found = sizes[&life.who.key].clone();
        found.sort_unstable();
        if found != expected {
            wrong.push(format!("{} in clusters of {found:?}", life.who.key));
        }
    }
    let doubts: BTreeSet<String> =
        decision.doubts.iter().flat_map(|doubt| [person(&doubt.a), person(&doubt.b)]).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(doubts, BTreeSet::from(["PI120".to_owned()]));
}
