//! From linked subjects to messages and back: what is told, what is not, and what is taken back,
//! over every database and broker that is there.

use serde_json::Value;
use wayleave::base::finding::{Code, Findings};
use wayleave::base::private::WITHHELD;
use wayleave::evaluation::collect::answer::{Answer, Signer};
use wayleave::gateway::release::census;
use wayleave::gateway::release::job::{Job, Report};
use wayleave::gateway::release::keys::{KeyFiles, ReleaseKeys};
use wayleave::queue::{BackMessage, Outcome, QueueName};
use wayleave::record::kind::Kind;
use wayleave::release::pseudonym::is_pseudonym;
use wayleave::store::{audit, intent, link, person, release, standing, subject};

use crate::contract_queue::settle;
use crate::story::{STUDY, Story, kind, signer};
use crate::support::grid;

const ANN: &str = "family_name=Gray given_name=Ann birth_date=1960-02-03 postcode=LE1_3AB";

fn everywhere(test: impl Fn(&Story)) {
    for (database, broker) in grid() {
        test(&Story::new(&database, &broker));
    }
}

/// Ann as housing and the council know her, with a consent, a star, a service and an episode.
fn ann(story: &Story) -> (String, String) {
    story.record("housing", "", Kind::Setting, "Home A", "name=Home_A kind=care-home beds=12");
    let housing = story.subject("housing", &format!("{ANN} sex=female ethnicity=white-irish"));
    let council = story.subject("council", &format!("{ANN} nhs_number=9995899604 ethnicity=not-known"));
    story.consent(&housing, "given", "2020-01-01");
    story.record("housing", &housing, Kind::Star, "1", "edition=RS3 completed_on=2020-02-01 work=4");
    story.record("housing", &housing, Kind::Episode, "1", "started_on=2020-01-15 care_home=HOME_A");
    story.record("council", &council, Kind::Service, "1", "weekly_cost=1501.79 started_on=2020-01-15");
    (housing, council)
}

fn person_of(story: &Story, subject: &str) -> String {
    let row = story.gateway.store.read(|tx| subject::find(tx, &[subject.to_owned()])).unwrap();
    row[0].person_id.clone().unwrap()
}

#[test]
fn what_was_consented_to_is_told_once() {
    everywhere(|story| {
        let (housing, council) = ann(story);
        let report = story.release();
        assert_eq!(person_of(story, &housing), person_of(story, &council));
        let out = story.out();
        let mut told: Vec<String> = out.iter().map(kind).collect();
        told.sort();
        assert_eq!(
            told,
            ["record episode", "record person", "record service", "record star", "release-closed", "setting"]
        );
        let subject = out[0]["subject"].as_str().unwrap();
        let about: Vec<&str> = out
            .iter()
            .filter(|m| kind(m).starts_with("record"))
            .map(|m| m["subject"].as_str().unwrap())
            .collect();
        assert!(
            about.iter().all(|one| is_pseudonym(one)) && about.iter().all(|one| *one == about[0]),
            "{subject}"
        );
        let person = out.iter().find(|m| kind(m) == "record person").unwrap();
        assert_eq!(
            person["data"]["fields"],
            serde_json::json!({"age_at_start": "51-60", "sex": "female", "ethnicity": "white-other"})
        );
        let episode = out.iter().find(|m| kind(m) == "record episode").unwrap();
        let setting = out.iter().find(|m| kind(m) == "setting").unwrap();
        assert_eq!(episode["data"]["fields"]["care_home"], setting["subject"]);
        assert_eq!(setting["data"]["fields"], serde_json::json!({"kind": "care-home", "beds": "11-20"}));
        let closed = out.iter().find(|m| kind(m) == "release-closed").unwrap();
        assert_eq!(closed["data"]["totals"]["people"], 1);
        assert_eq!(closed["data"]["totals"]["star"], 1);
        assert_eq!(closed["data"]["counts"]["record"], 4);
        assert_eq!(report.census.permitted(), 1);
        let text = serde_json::to_string(&out).unwrap();
        for canary in [
            "Gray",
            "Ann\"",
            "1960",
            "9995899604",
            "LE1 3AB",
            "Home A",
            "HOME A",
            "sub_",
            "per_",
            "rec_",
            WITHHELD,
        ] {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
        // Nothing new: nothing is told.
        let again = story.release();
        assert_eq!((again.release, story.told()), (None, Vec::new()));
    });
}

#[test]
fn every_message_fits_its_schema() {
    everywhere(|story| {
        let (housing, _) = ann(story);
        story.release();
        story.clock.advance_s(60);
        story.consent(&housing, "withdrawn", "2025-03-31");
        story.release();
        for message in story.out() {
            let word = kind(&message).split(' ').next().unwrap().to_owned();
            let path = format!("{}/schemas/door/{word}.json", env!("CARGO_MANIFEST_DIR"));
            let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            let faults: Vec<String> = jsonschema::validator_for(&schema)
                .unwrap()
                .iter_errors(&message)
                .map(|fault| format!("{}: {fault}", fault.instance_path().as_str()))
                .collect();
            assert_eq!(faults, Vec::<String>::new(), "{word}");
        }
    });
}

#[test]
fn nobody_without_a_whole_consent_is_told_of() {
    everywhere(|story| {
        let refused = story.subject("housing", "family_name=One given_name=Al birth_date=1950-01-02");
        story.consent(&refused, "refused", "2020-01-01");
        let never = story.subject("housing", "family_name=Two given_name=Bo birth_date=1951-01-02");
        story.record("housing", &never, Kind::Star, "1", "edition=RS3 completed_on=2020-02-01");
        // A consent of somebody of whom too little is known to tell who it is.
        let nobody = story.subject("housing", "sex=male");
        story.consent(&nobody, "given", "2020-01-01");
        story.record("housing", &nobody, Kind::Star, "1", "edition=RS3 completed_on=2020-02-01");
        // Two of one source who look like one.
        for _ in 0..2 {
            let double = story.subject("housing", "family_name=Four given_name=Di birth_date=1953-01-02");
            story.consent(&double, "given", "2020-01-01");
        }
        let report = story.release();
        assert_eq!(story.told(), ["release-closed"]);
        let denied: Vec<(&str, u64)> =
            report.census.denied.iter().map(|(why, count)| (why.as_str(), *count)).collect();
        assert_eq!(denied, [("no-consent", 1), ("refused", 1), ("identity-in-doubt", 3)]);
        let codes = |findings: &Findings| {
            findings.counts().map(|(code, _, count)| (code.as_str(), count)).collect::<Vec<_>>()
        };
        assert_eq!(codes(&report.findings), [("consent/unlinked", 3)]);
        assert_eq!(codes(&census::doubts(&story.gateway).unwrap()), [("link/in-doubt", 2)]);
    });
}

#[test]
fn a_withdrawal_stops_what_is_unsent_and_is_told() {
    everywhere(|story| {
        let (housing, _) = ann(story);
        story.release();
        story.out();
        story.clock.advance_s(60);
        story.record("housing", &housing, Kind::Star, "2", "edition=RS3 completed_on=2021-02-01 work=5");
        story.steps();
        story.consent(&housing, "withdrawn", "2025-03-31");
        let (_, laid) = story.steps();
        assert_eq!((laid.dropped, laid.notices), (1, 1), "the star that waited is taken back");
        story.job().run(&|_| {}).unwrap();
        let out = story.out();
        assert_eq!(out.iter().map(kind).collect::<Vec<_>>(), ["withdrawn", "release-closed"]);
        assert_eq!(out[0]["data"]["scope"], "no-further-use");
        assert_eq!(out[0]["data"]["decided_on"], "2025-03-31");
        assert_eq!(out[1]["data"]["totals"], serde_json::json!({"people": 0, "setting": 1}));
        let notices = story.gateway.store.read(|tx| release::list_notices(tx, STUDY)).unwrap();
        assert!(notices.len() == 1 && notices[0].sent_at.is_some() && notices[0].acknowledged_at.is_none());
        // Told once; the far side's answers are written down.
        story.clock.advance_s(60);
        answer(story, &notices[0].id, &signer().answer(&notices[0].id, Answer::Removed));
        let report = story.release();
        assert_eq!((report.answers, report.release, story.told()), (1, None, Vec::new()));
        let notices = story.gateway.store.read(|tx| release::list_notices(tx, STUDY)).unwrap();
        assert!(notices[0].removed_at.is_some());
        // Signed earlier, entered later: it does not revive anybody. Signed later, it does.
        story.consent(&housing, "given", "2025-03-30");
        assert_eq!(story.release().release, None);
        story.clock.advance_s(86_400);
        story.consent(&housing, "given", "2025-04-01");
        story.release();
        assert_eq!(story.told().iter().filter(|told| told.starts_with("record")).count(), 5);
    });
}

/// Puts an answer, with its id, on the queue back.
fn answer(story: &Story, notice: &str, (message_id, body): &(String, Vec<u8>)) {
    let back = BackMessage { message_id, subject: notice, body };
    assert_eq!(story.queue.send_back(STUDY, &[back]).unwrap(), [Outcome::Sent]);
}

#[test]
fn an_answer_counts_only_with_the_evaluation_sides_own_signature() {
    everywhere(|story| {
        let (housing, _) = ann(story);
        story.release();
        story.clock.advance_s(60);
        story.consent(&housing, "withdrawn", "2025-03-31");
        story.release();
        let notice = || story.gateway.store.read(|tx| release::list_notices(tx, STUDY)).unwrap().remove(0);
        let id = notice().id;
        let codes = |report: &Report| {
            report.findings.counts().map(|(code, _, count)| (code, count)).collect::<Vec<_>>()
        };

        // Without the key nobody knows whose an answer is: it stays where it is, and that is said.
        let files = KeyFiles { evaluation: "nowhere.pub".into(), ..story.files.clone() };
        let keys = ReleaseKeys::open(&files, &story.protocol, false, &story.gateway.edge).unwrap();
        answer(story, &id, &signer().answer(&id, Answer::Acknowledged));
        let waits = || story.queue.counts(&QueueName::back(STUDY)).unwrap().waiting > 0;
        settle(waits);
        let report = Job { keys: &keys, ..story.job() }.run(&|_| {}).unwrap();
        assert_eq!((report.answers, codes(&report)), (0, vec![(Code::AnswerUnchecked, 1)]));
        assert_eq!(notice().acknowledged_at, None);
        let report = story.release();
        assert_eq!((report.answers, codes(&report)), (1, Vec::new()));
        assert!(notice().acknowledged_at.is_some() && notice().removed_at.is_none());

        // Unsigned, signed by somebody else, signed for something else, and no answer at all.
        let unsigned = format!(r#"{{"notice":"{id}","kind":"removed","signature":"{}"}}"#, "0".repeat(128));
        let (_, other) = Signer::from_seed(&[8; 32]).answer(&id, Answer::Removed);
        let (_, lesser) = signer().answer(&id, Answer::Acknowledged);
        let changed = String::from_utf8(lesser).unwrap().replace("acknowledged", "removed");
        let bodies = [unsigned.into_bytes(), other, changed.into_bytes(), b"removed".to_vec()];
        for (n, body) in bodies.into_iter().enumerate() {
            answer(story, &format!("n{n}"), &(format!("forged{n}"), body));
        }
        let report = story.release();
        assert_eq!((report.answers, codes(&report)), (0, vec![(Code::AnswerRefused, 4)]));
        assert_eq!(notice().removed_at, None);
        settle(|| story.queue.list_dead(&QueueName::back(STUDY), 9).unwrap().len() == 4);

        answer(story, &id, &signer().answer(&id, Answer::Removed));
        let report = story.release();
        assert_eq!((report.answers, codes(&report)), (1, Vec::new()));
        assert!(notice().removed_at.is_some());
    });
}

#[test]
fn leaving_the_programme_is_no_withdrawal() {
    everywhere(|story| {
        let (housing, _) = ann(story);
        story.release();
        story.out();
        story.record(
            "housing",
            &housing,
            Kind::Episode,
            "1",
            "started_on=2020-01-15 ended_on=2021-01-15 ending=withdrew care_home=Home_A",
        );
        story.release();
        assert_eq!(story.told(), ["record episode", "release-closed"]);
    });
}

#[test]
fn what_is_corrected_away_or_no_longer_agreed_to_is_taken_back() {
    everywhere(|story| {
        let (housing, council) = ann(story);
        let goal = story.record("housing", &housing, Kind::Goal, "1", "area=work status=overdue");
        story.release();
        story.out();
        story.absent(&housing, &goal);
        story.release();
        assert_eq!(story.told(), ["release-closed", "retracted goal corrected"]);
        // Leave for the housing records goes: theirs are taken back, the council's stay.
        story.clock.advance_s(86_400);
        let fields = format!(
            "study={STUDY} form_code=PI-CF form_version=3 decision=given decided_on=2025-04-01 \
             use_case_data=yes link_housing=no link_nhs=no checked=true"
        );
        story.record("housing", &housing, Kind::Consent, "third", &fields);
        story.release();
        assert_eq!(
            story.told(),
            [
                "record person",
                "record service",
                "release-closed",
                "retracted episode consent",
                "retracted star consent"
            ]
        );
        let person = person_of(story, &council);
        let stands =
            story.gateway.store.read(|tx| standing::list_of_people(tx, STUDY, &[person.clone()])).unwrap();
        assert_eq!(stands.len(), 2);
    });
}

#[test]
fn a_consent_that_runs_out_takes_back_by_time_alone() {
    everywhere(|story| {
        let housing = story.subject("housing", ANN);
        let fields = format!(
            "study={STUDY} form_code=PI-CF form_version=2 decision=given decided_on=2020-01-01 \
             valid_to=2025-03-31 use_case_data=yes link_housing=yes link_nhs=no checked=true"
        );
        story.record("housing", &housing, Kind::Consent, "1", &fields);
        story.release();
        assert_eq!(story.told(), ["record person", "release-closed"]);
        story.clock.advance_s(2 * 86_400);
        story.job().run(&|_| {}).unwrap();
        assert_eq!(story.told(), ["release-closed", "retracted person consent"]);
    });
}

#[test]
fn two_people_who_prove_to_be_one_keep_the_older_pseudonym() {
    everywhere(|story| {
        let one = story.subject("housing", ANN);
        story.consent(&one, "given", "2020-01-01");
        story.record("housing", &one, Kind::Star, "1", "edition=RS3 completed_on=2020-02-01");
        story.steps();
        story.clock.advance_s(60);
        let other = story.subject("council", "family_name=Grey given_name=Ann birth_date=1960-02-03");
        let fields = format!(
            "study={STUDY} form_code=PI-CF form_version=2 decision=given decided_on=2020-01-01 \
             use_case_data=yes link_housing=yes link_nhs=no checked=true"
        );
        story.record("council", &other, Kind::Consent, "1", &fields);
        story.record("council", &other, Kind::Service, "1", "weekly_cost=10");
        story.release();
        let before = story.out();
        assert_ne!(person_of(story, &one), person_of(story, &other));
        let older = before.iter().find(|m| kind(m) == "record star").unwrap()["subject"].clone();
        let younger = before.iter().find(|m| kind(m) == "record service").unwrap()["subject"].clone();
        // The council corrects the name.
        story.clock.advance_s(60);
        story.record("council", &other, Kind::Person, "person", ANN);
        let (linked, _) = story.steps();
        assert_eq!(linked.merged, 1);
        assert_eq!(person_of(story, &one), person_of(story, &other));
        story.job().run(&|_| {}).unwrap();
        let out = story.out();
        let superseded = out.iter().find(|m| kind(m) == "superseded").unwrap();
        assert_eq!((&superseded["subject"], &superseded["data"]["new"]), (&younger, &older));
        let rest: Vec<&Value> =
            out.iter().filter(|m| kind(m) != "superseded" && kind(m) != "release-closed").collect();
        assert!(rest.iter().all(|m| m["subject"] == older), "all else is of the one who stands");
        assert!(rest.iter().any(|m| kind(m) == "retracted person unlinked"), "one record says who they are");
        // And apart again: the council corrects it back.
        story.clock.advance_s(60);
        story.record(
            "council",
            &other,
            Kind::Person,
            "person",
            "family_name=Grey given_name=Ann birth_date=1971-02-03",
        );
        let (linked, _) = story.steps();
        assert_eq!(linked.split, 1);
        story.job().run(&|_| {}).unwrap();
        let out = story.out();
        let retracted = out.iter().find(|m| kind(m) == "retracted service unlinked").unwrap();
        assert_eq!(retracted["subject"], older);
        let again = out.iter().find(|m| kind(m) == "record service").unwrap();
        assert!(again["subject"] != older && again["subject"] != younger);
        let events = story.gateway.store.read(|tx| person::list_events(tx, &person_of(story, &one))).unwrap();
        let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        assert!(kinds.contains(&"merged") && kinds.contains(&"split"), "{kinds:?}");
    });
}

#[test]
fn what_was_published_and_not_marked_is_told_again_under_the_same_id() {
    everywhere(|story| {
        ann(story);
        story.steps();
        story.job().run(&|_| {}).unwrap();
        let first = story.out();
        // As if the job had been killed before it marked anything.
        story
            .gateway
            .store
            .write(|tx| {
                let row = release::find_last(tx, STUDY)?.unwrap();
                release::set_state(tx, &row.id, "open", "", None)?;
                intent::forget_sent(tx, &row.id)
            })
            .unwrap();
        story.clock.advance_s(5);
        story.job().run(&|_| {}).unwrap();
        let ids = |out: &[Value]| {
            let mut ids: Vec<String> = out.iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&first), ids(&story.out()));
    });
}

#[test]
fn an_identifier_in_a_record_withholds_it_and_is_found() {
    everywhere(|story| {
        let (housing, _) = ann(story);
        story.record("housing", &housing, Kind::Milestone, "1", "activity=action-plan barrier=gray");
        let report = story.release();
        assert!(!story.told().contains(&"record milestone".to_owned()));
        assert_eq!(report.withheld.get("identifier"), Some(&1));
        assert!(report.findings.kept().iter().any(|finding| finding.code.as_str() == "release/identifier"));
    });
}

#[test]
fn links_and_doubts_are_written_down() {
    everywhere(|story| {
        ann(story);
        let trust = story
            .subject("trust", "family_name=Gray given_name=Ann birth_date=1960-02-03 nhs_number=9992788739");
        story.steps();
        let counts = story.gateway.store.read(link::counts).unwrap();
        assert_eq!(counts.subjects, 3);
        assert_eq!(counts.edges.values().sum::<i64>(), 0, "two numbers, and one who fits both");
        assert!(counts.doubts.contains_key("nhs-conflict") && counts.doubts.contains_key("cluster-conflict"));
        let too_many = link::DoubtRow {
            subject_a: trust.clone(),
            subject_b: trust.clone(),
            reason: "too-many".to_owned(),
            at: story.gateway.edge.now().to_string(),
        };
        story
            .gateway
            .store
            .write(|tx| link::replace(tx, &[trust.clone()], &[], &[too_many.clone()]))
            .unwrap();
        let findings = census::doubts(&story.gateway).unwrap();
        assert!(
            findings.counts().any(|(code, _, count)| (code.as_str(), count) == ("link/block-too-large", 1))
        );
    });
}

#[test]
fn whoever_is_like_nobody_is_not_opened() {
    everywhere(|story| {
        let opened = || -> Vec<String> {
            let entries = story.gateway.store.read(|tx| audit::list_after(tx, 0, 100)).unwrap();
            entries.into_iter().filter(|entry| entry.action == "link").map(|entry| entry.object).collect()
        };
        story.subject("council", "family_name=Gray given_name=Al birth_date=1950-01-02");
        let (linked, _) = story.steps();
        assert_eq!((linked.formed, opened()), (1, Vec::new()));
        story.subject("trust", "family_name=Gray");
        let (linked, _) = story.steps();
        assert_eq!((linked.formed, opened()), (1, vec!["1 subjects".to_owned()]), "too little is known");
        story.subject("housing", "family_name=GRAY given_name=Al birth_date=1950-01-02 postcode=LE1_3AB");
        let (linked, _) = story.steps();
        assert_eq!((linked.formed, linked.joined), (0, 1));
        assert_eq!(opened(), ["1 subjects", "2 subjects"]);
    });
}

#[test]
fn one_reference_links_whenever_it_comes() {
    everywhere(|story| {
        for field in ["council_id", "tracker_ref", "trust_id"] {
            story.subject("housing", &format!("{field}=AB12 given_name=Ann birth_date=1960-02-03"));
            story.steps();
            story.subject("trust", &format!("{field}=ab12 given_name=Joan birth_date=1960-02-03"));
            let (linked, _) = story.steps();
            assert_eq!((linked.formed, linked.joined), (0, 1), "{field}");
        }
        let counts = story.gateway.store.read(link::counts).unwrap();
        assert_eq!(counts.edges.get("same-key"), Some(&3));
    });
}
