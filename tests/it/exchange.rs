//! What goes to partners under agreements and what does not, at a real endpoint, over every database.

use wayleave::base::day::Day;
use wayleave::base::limit::WEBHOOK_TRIES_S;
use wayleave::gateway::exchange::send::go_on;
use wayleave::record::kind::Kind;
use wayleave::release::protocol::Tier;
use wayleave::store::{audit, dispatch, objection};

use crate::partners::{ANN, BOB, KINDS, Partners, SECRETS, TENANCY, agreement, on_every_database};
use crate::support::databases;

#[test]
fn a_tenancy_that_starts_is_told_once_and_holds_what_is_listed() {
    on_every_database(|partners| {
        let story = &partners.story;
        let ann = partners.tenant(ANN);
        let bob = story.subject("housing", BOB);
        story.record("housing", &bob, Kind::Accommodation, "home", "type=care-home started_on=2025-03-01");
        assert_eq!(partners.round().sent, 1);
        let posts = partners.receiver.take();
        assert_eq!(posts.len(), 1);
        assert_eq!(posts[0].path, "/hook");
        assert_eq!(posts[0].headers["content-type"], "application/json");
        for secret in SECRETS {
            assert!(posts[0].is_signed_by(secret));
        }
        assert_eq!(
            posts[0].json(),
            serde_json::json!({
                "type": "tenancy_started", "client_ref": "TR-ANN", "accommodation_type": "tenant-social",
                "started_on": "2025-03-03", "landlord": "Yew Homes", "tenancy_type": "assured-shorthold",
            })
        );
        // Once a version, and only where it says something else.
        assert_eq!(partners.round().sent, 0);
        partners.tenancy(&ann, &TENANCY.replace("LE1_3AB", "LE2_2AA"));
        let again = partners.round();
        assert_eq!((again.sent, again.unchanged), (0, 1));
        partners.tenancy(&ann, &TENANCY.replace("Yew", "Elm"));
        assert_eq!(partners.round().sent, 1);
        let later = partners.receiver.take();
        assert_eq!(later[0].json()["landlord"], "Elm Homes");
        assert_ne!(later[0].id(), posts[0].id());
        assert_eq!(partners.stands(), ["1 unchanged", "2 sent"]);
        let opened = story.gateway.store.read(|tx| audit::list_after(tx, 0, 1_000)).unwrap();
        assert!(opened.iter().any(|entry| entry.purpose == "exchange" && entry.count > 0));
    });
}

#[test]
fn each_refusal_is_on_record_and_nothing_goes() {
    on_every_database(|partners| {
        let story = &partners.story;
        let ended = agreement("ended", "council", "2025-03-30", KINDS);
        partners.write("ended.toml", &ended);
        partners
            .write("not-yet.toml", &ended.replace("ended", "not-yet").replace("2020-01-01", "2025-03-30"));
        partners.write(
            "not-yet.toml",
            &agreement("not-yet", "council", "2099-01-01", KINDS).replace("2020-01-01", "2025-04-01"),
        );
        partners.write(
            "no-kind.toml",
            &agreement(
                "no-kind",
                "council",
                "2099-01-01",
                "[[kind]]\nkind = \"person\"\nfields = [\"tracker_ref\"]",
            ),
        );
        let without_type = KINDS.replace("\"type\", ", "");
        partners.write("no-type.toml", &agreement("no-type", "council", "2099-01-01", &without_type));
        let by_number = KINDS.replace("tracker_ref", "council_id");
        partners.write("no-name.toml", &agreement("no-name", "council", "2099-01-01", &by_number));
        partners.write("objected.toml", &agreement("objected", "council", "2099-01-01", KINDS));
        let mut more = String::new();
        for name in ["ended", "not-yet", "no-kind", "no-type", "no-name", "objected"] {
            more.push_str(&format!("[agreement.{name}]\nfile = \"{name}.toml\"\n"));
        }
        more.push_str("[flow.others]\nwhen = { kind = \"accommodation\", event = \"started\", field = { type = \"tenant-social\" } }\n");
        more.push_str("tell = [");
        for name in ["ended", "not-yet", "no-kind", "no-type", "no-name", "objected", "missing"] {
            more.push_str(&format!("{{ agreement = \"{name}\", mapping = \"housing/events\" }}, "));
        }
        more.push_str("{ agreement = \"tenancies\", mapping = \"trust/adt\" }]\n");
        partners.configure(&more);
        let ann = partners.tenant(ANN);
        // Of a source that no agreement lists.
        let council = story.subject("council", &BOB.replace("tracker_ref=TR-BOB", "council_id=C1"));
        story.record("council", &council, Kind::Accommodation, "tenancy", TENANCY);
        story.steps();
        let row = objection::ObjectionRow {
            id: "obj_1".to_owned(),
            subject_id: ann,
            agreement: "objected".to_owned(),
            decision: "objected".to_owned(),
            decided_on: "2025-03-01".to_owned(),
            entered_at: story.gateway.edge.now().to_string(),
        };
        story.gateway.store.write(|tx| objection::add(tx, &row)).unwrap();
        let sent = partners.round();
        assert_eq!(sent.sent, 1);
        assert_eq!(partners.receiver.take().len(), 1);
        let ann_alone: Vec<String> = partners
            .overview()
            .dispatches
            .iter()
            .map(|one| format!("{} {} {}", one.agreement, one.state, one.reason))
            .collect();
        assert_eq!(
            ann_alone,
            [
                "ended refused ended",
                "missing refused no-agreement",
                "no-kind refused kind-not-listed",
                "no-name refused not-named",
                "no-type refused occasion-not-listed",
                "not-yet refused not-yet",
                "objected refused objected",
                "tenancies refused no-place",
                "tenancies sent ",
            ]
        );
        // What the council sent is no news to the council, and nothing of it goes.
        partners.write("other.toml", &agreement("other", "trust", "2099-01-01", KINDS));
        partners.configure(
            "[agreement.other]\nfile = \"other.toml\"\n[flow.other]\nwhen = { kind = \"accommodation\", event = \"started\" }\ntell = [{ agreement = \"other\", mapping = \"housing/events\" }]",
        );
        story.record("council", &council, Kind::Accommodation, "tenancy", &TENANCY.replace("Yew", "Oak"));
        partners.round();
        assert!(partners.overview().dispatches.iter().any(|one| one.reason == "source-not-listed"));
        assert!(partners.files().iter().all(|file| !file.contains("Oak")));
    });
}

#[test]
fn the_specification_s_schedule_is_kept_to_its_end() {
    on_every_database(|partners| {
        partners.receiver.answer(&["503"; 10]);
        partners.tenant(ANN);
        assert_eq!(partners.round().later, 1);
        for wait_s in &WEBHOOK_TRIES_S[1..] {
            partners.story.clock.advance_s(wait_s - 1);
            assert_eq!(partners.send().later, 0, "not before {wait_s} s");
            // A tenth more at most.
            partners.story.clock.advance_s(wait_s / 10 + 2);
            partners.send();
        }
        let posts = partners.receiver.take();
        assert_eq!(posts.len(), 10);
        assert!(posts.iter().all(|post| post.id() == posts[0].id() && post.is_signed_by(SECRETS[0])));
        assert_eq!(partners.stands(), ["1 undelivered answered-503"]);
        assert!(partners.overview().is_wrong());
        partners.story.clock.advance_s(1_000_000);
        partners.send();
        assert!(partners.receiver.take().is_empty());
    });
}

#[test]
fn a_receiver_is_left_alone_as_long_as_it_asks_within_a_bound() {
    on_every_database(|partners| {
        partners
            .receiver
            .answer(&["429|retry-after: 7200", "503|retry-after: Mon, 31 Mar 2025 15:00:00 GMT"]);
        partners.tenant(ANN);
        partners.round();
        partners.story.clock.advance_s(7_199);
        partners.send();
        assert_eq!(partners.receiver.take().len(), 1);
        partners.story.clock.advance_s(722);
        partners.send();
        assert_eq!(partners.receiver.take().len(), 1);
        // 15:00 has not come: it is 11:12.
        partners.story.clock.advance_s(3 * 3_600);
        partners.send();
        assert!(partners.receiver.take().is_empty());
        partners.story.clock.advance_s(3_600 + 1_800);
        assert_eq!(partners.send().sent, 1);
        partners.receiver.answer(&["503|retry-after: 99999999"]);
        partners.tenant(BOB);
        partners.round();
        partners.receiver.take();
        partners.story.clock.advance_s(86_400 + 8_640);
        assert_eq!(partners.send().sent, 1);
    });
}

#[test]
fn who_is_gone_is_halted_and_who_refuses_is_not_asked_again() {
    on_every_database(|partners| {
        partners.receiver.answer(&["410"]);
        partners.tenant(ANN);
        partners.tenant(BOB);
        assert_eq!(partners.round().halted, ["council"]);
        partners.story.clock.advance_s(100_000);
        partners.send();
        assert_eq!(partners.receiver.take().len(), 1, "nothing more is posted");
        let shown = partners.overview();
        assert_eq!((shown.halted[0].partner.as_str(), shown.is_wrong()), ("council", true));
        assert!(go_on(&partners.story.gateway, "council").unwrap());
        partners.story.clock.advance_s(100_000);
        partners.receiver.answer(&["400", "302|location: /elsewhere"]);
        assert_eq!(partners.send().undelivered, 2);
        assert!(partners.receiver.take().iter().all(|post| post.path == "/hook"));
        assert_eq!(partners.stands(), ["1 undelivered answered-302", "1 undelivered answered-400"]);
    });
}

#[test]
fn a_private_address_is_refused_unless_it_is_allowed() {
    on_every_database(|partners| {
        partners.configure("");
        let file = partners.folder.path().join("wayleave.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace("http://127", "https://127").replace("private_addresses = true", "");
        std::fs::write(&file, text).unwrap();
        partners.tenant(ANN);
        assert_eq!(partners.round().undelivered, 1);
        assert_eq!(partners.stands(), ["1 undelivered private-address"]);
    });
}

#[test]
fn a_partner_hears_of_one_person_in_order() {
    on_every_database(|partners| {
        partners.receiver.answer(&["503", "204", "204"]);
        let ann = partners.tenant(ANN);
        partners.story.record(
            "housing",
            &ann,
            Kind::Accommodation,
            "second",
            &TENANCY.replace("2025-03-03", "2025-03-20"),
        );
        partners.round();
        partners.tenant(BOB);
        partners.round();
        let told: Vec<String> =
            partners.receiver.take().iter().map(|post| post.json()["client_ref"].to_string()).collect();
        assert_eq!(told, ["\"TR-ANN\"", "\"TR-BOB\""], "the second of Ann's waits for the first");
        partners.story.clock.advance_s(6);
        assert_eq!(partners.send().sent, 2);
        // News does not wait for what it takes the place of.
        partners.receiver.take();
        partners.receiver.answer(&["503"]);
        partners.tenancy(&ann, &TENANCY.replace("Yew", "Elm"));
        assert_eq!(partners.round().later, 1);
        partners.tenancy(&ann, &TENANCY.replace("Yew", "Ash"));
        assert_eq!(partners.round().sent, 1);
        assert_eq!(partners.receiver.take()[1].json()["landlord"], "Ash Homes");
    });
}

#[test]
fn a_spell_that_starts_later_is_told_on_its_day() {
    on_every_database(|partners| {
        let ann = partners.story.subject("housing", ANN);
        partners.tenancy(&ann, &TENANCY.replace("2025-03-03", "2025-04-02"));
        assert_eq!(partners.round().sent, 0);
        partners.story.clock.advance_s(86_400);
        assert_eq!(partners.round().sent, 0);
        // Midnight in London is 23:00 UTC by then.
        partners.story.clock.advance_s(14 * 3_600 + 1);
        assert_eq!(partners.send().sent, 1);
    });
}

#[test]
fn of_a_restricted_person_no_address_landlord_or_worker_goes() {
    on_every_database(|partners| {
        let story = &partners.story;
        let kinds = "[[kind]]\nkind = \"person\"\nfields = [\"tracker_ref\", \"postcode\", \"address_line_1\"]\n\
             [[kind]]\nkind = \"accommodation\"\nfields = [\"type\", \"started_on\", \"landlord\", \"provider\", \"postcode\", \"tenancy_type\"]";
        partners.write("tenancies.toml", &agreement("tenancies", "council", "2099-12-31", kinds));
        partners.tenant(&format!("{ANN} postcode=LE1_3AB address_line_1=1_Canary_Lane"));
        // Another source says it, and it holds for all.
        story.subject(
            "council",
            &format!("{} restricted=true", ANN.replace("tracker_ref=TR-ANN", "council_id=C1")),
        );
        partners.tenant(BOB);
        assert_eq!(partners.round().sent, 2);
        let posts = partners.receiver.take();
        let of = |reference: &str| posts.iter().find(|post| post.json()["client_ref"] == reference).unwrap();
        for withheld in ["LE1", "Canary", "Yew", "landlord", "postcode"] {
            assert!(!of("TR-ANN").text().contains(withheld), "{withheld}");
        }
        assert_eq!(of("TR-ANN").json()["started_on"], "2025-03-03");
        assert_eq!(of("TR-BOB").json()["landlord"], "Yew Homes");
    });
}

#[test]
fn an_agreement_that_ends_or_an_objection_stops_what_waits() {
    on_every_database(|partners| {
        partners.receiver.answer(&["503", "503"]);
        let ann = partners.tenant(ANN);
        partners.tenant(BOB);
        assert_eq!(partners.round().later, 2);
        partners.receiver.take();
        let row = objection::ObjectionRow {
            id: "obj_1".to_owned(),
            subject_id: ann,
            agreement: "tenancies".to_owned(),
            decision: "objected".to_owned(),
            decided_on: "2025-03-31".to_owned(),
            entered_at: partners.story.gateway.edge.now().to_string(),
        };
        partners.story.gateway.store.write(|tx| objection::add(tx, &row)).unwrap();
        partners.story.clock.advance_s(10);
        let sent = partners.send();
        assert_eq!((sent.sent, sent.refused), (1, 1));
        assert_eq!(partners.receiver.take()[0].json()["client_ref"], "TR-BOB");
        assert_eq!(partners.stands(), ["1 refused objected", "1 sent"]);
        let today = partners.story.gateway.edge.now().london_day();
        assert_eq!(Some(today), Day::new(2025, 3, 31));
        partners.write("tenancies.toml", &agreement("tenancies", "council", "2025-03-30", KINDS));
        partners.tenancy(
            &partners
                .story
                .subject("housing", "tracker_ref=TR-CY family_name=Cy birth_date=1950-01-01 given_name=Cy"),
            TENANCY,
        );
        assert_eq!(partners.round().refused, 1);
        assert!(partners.receiver.take().is_empty());
    });
}

#[test]
fn killed_in_mid_send_it_is_sent_again_under_the_same_id() {
    on_every_database(|partners| {
        partners.tenant(ANN);
        partners.story.steps();
        partners.receiver.be_silent(true);
        let mut child = partners.command(&["exchange", "send"]).spawn().unwrap();
        partners.receiver.wait();
        child.kill().unwrap();
        child.wait().unwrap();
        partners.receiver.be_silent(false);
        let first = partners.receiver.take();
        let (code, _, _) = partners.run(&["exchange", "send"]);
        assert_eq!(code, Some(0));
        assert!(partners.receiver.take().is_empty(), "the lease of the one that was killed still runs");
        partners.story.gateway.store.write(|tx| dispatch::let_go(tx, "council")).unwrap();
        let (code, shown, told) = partners.run(&["exchange", "send"]);
        assert_eq!(code, Some(0), "{told}");
        assert!(shown.starts_with("1 sent"), "{shown}");
        let second = partners.receiver.take();
        assert_eq!((first.len(), second.len()), (1, 1));
        assert_eq!((first[0].id(), &first[0].body), (second[0].id(), &second[0].body));
        for log in [shown, told] {
            for canary in ["TR-ANN", "Gray", "Yew", "9995899604", "Canary", "1960"] {
                assert!(!log.contains(canary), "{canary} in {log}");
            }
        }
    });
}

#[test]
fn nothing_of_a_restricted_person_goes_into_a_shared_tier() {
    for database in databases() {
        let mut partners = Partners::new(&database);
        let restricted = partners.story.subject("housing", &format!("{ANN} restricted=true"));
        let other = partners.story.subject("housing", BOB);
        for subject in [&restricted, &other] {
            partners.story.consent(subject, "given", "2020-01-01");
            partners.story.record("housing", subject, Kind::Star, "1", "edition=RS3 completed_on=2020-02-01");
        }
        partners.story.release();
        let secure = partners.story.told();
        assert_eq!(secure.iter().filter(|told| *told == "record star").count(), 2);
        // The same study, its tier shared by a version of the protocol.
        partners.story.protocol.tier = Tier::Shared;
        partners.story.protocol.version += 1;
        for subject in [&restricted, &other] {
            partners.story.record("housing", subject, Kind::Star, "1", "edition=RS3 completed_on=2020-02-02");
        }
        partners.story.release();
        let told = partners.story.told();
        assert_eq!(told.iter().filter(|told| *told == "record star").count(), 1, "{told:?}");
        assert!(
            told.contains(&"retracted star corrected".to_owned()),
            "what was told is taken back: {told:?}"
        );
    }
}
