//! What was queued for the post under an agreement and has not gone yet is held against it once more
//! before it goes, at the health service's own sandbox of MESH and over MLLP.

use wayleave::store::objection::{self, ObjectionRow};
use wayleave::store::requested;
use wayleave::store::restriction::{self, RestrictionRow};

use crate::dump;
use crate::exchange_cohort::{REQUEST, consent};
use crate::mesh_sandbox::Sandbox;
use crate::mllp_send::receiver;
use crate::partners::{ANN, BOB, KINDS, Partners, agreement, on_every_database};
use crate::service::secret_file;
use crate::support::python;

const CY: &str =
    "tracker_ref=TR-CY family_name=Cyan given_name=Cy birth_date=1950-01-01 nhs_number=9990000026";
const DI: &str =
    "tracker_ref=TR-DI family_name=Dove given_name=Di birth_date=1951-01-01 nhs_number=9990000034";

/// Partners who are reached by this sandbox's mailboxes.
fn by_mesh(partners: &Partners, sandbox: &Sandbox) {
    let mesh =
        format!("{REQUEST}[mesh]\nurl = \"{}\"\nmailbox = \"X26ABC1\"\ntrack_every_s = 0\n", sandbox.url);
    partners.configure(&mesh);
    let file = partners.folder.path().join("wayleave.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    let at = text.find("webhook = ").unwrap();
    let end = text.find("[partner.trust]").unwrap();
    text.replace_range(at..end, "mailbox = \"X26ABC2\"\nworkflow = \"WL_TENANCY\"\n");
    let trust = "mailbox = \"X26ABC3\"\nworkflow = \"WL_COHORT\"";
    std::fs::write(&file, text.replace("folder = \"out trust\"", trust)).unwrap();
    secret_file(&partners.folder.path().join("keys/mesh.password"), "password\n");
    secret_file(&partners.folder.path().join("keys/mesh.shared"), "TestKey\n");
}

/// One round of the post: what it printed.
fn post(partners: &Partners) -> String {
    let (code, shown, told) = partners.run(&["post", "collect"]);
    assert!(matches!(code, Some(0 | 1)), "{shown}{told}");
    for canary in ["TR-", "Gray", "9995899604", "9990000018", "Yew"] {
        assert!(!shown.contains(canary) && !told.contains(canary), "{canary} in {shown}{told}");
    }
    shown
}

fn objects(partners: &Partners, subject: &str, decision: &str, on: &str) {
    let row = ObjectionRow {
        id: format!("obj_{decision}_{on}"),
        subject_id: subject.to_owned(),
        agreement: "tenancies".to_owned(),
        decision: decision.to_owned(),
        decided_on: on.to_owned(),
        entered_at: partners.story.gateway.edge.now().to_string(),
    };
    partners.story.gateway.store.write(|tx| objection::add(tx, &row)).unwrap();
}

fn references(sandbox: &Sandbox) -> Vec<String> {
    let all = sandbox.contents("X26ABC2");
    all.iter().map(|message| message["client_ref"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_lies_in_the_outbox_is_stopped_by_what_was_said_since() {
    on_every_database(|partners| {
        let Some(sandbox) = Sandbox::start(None) else { return };
        by_mesh(partners, &sandbox);
        let ann = partners.tenant(ANN);
        partners.tenant(BOB);
        assert_eq!(partners.round().sent, 2, "queued");
        objects(partners, &ann, "objected", "2025-03-31");
        assert!(post(partners).contains("1 sent"), "Bob's");
        assert_eq!(references(&sandbox), ["TR-BOB"]);
        assert_eq!(partners.stands(), ["1 refused objected", "1 sent"]);
        let (_, list, _) = partners.run(&["post", "list"]);
        assert!(list.contains("withheld     mesh X26ABC2  WL_TENANCY  (objected)"), "{list}");
        let kept = "SELECT COUNT(*) FROM sent WHERE state = 'withheld' AND sealed IS NULL";
        assert_eq!(dump::number(&partners.database, kept), 1, "what it said is forgotten");
        // Lifted, it may be sent again, and is no old news.
        objects(partners, &ann, "lifted", "2025-04-01");
        let (code, shown, told) = partners.run(&["exchange", "resend"]);
        assert_eq!(code, Some(0), "{shown}{told}");
        let (_, shown, told) = partners.run(&["exchange", "send"]);
        assert!(shown.starts_with("1 sent"), "{shown}{told}");
        post(partners);
        assert_eq!(references(&sandbox), ["TR-BOB", "TR-ANN"]);

        // Restricted since: it goes without what is withheld of a restricted person.
        let cy = partners.tenant(CY);
        assert_eq!(partners.round().sent, 1);
        let row = RestrictionRow {
            id: "rst_1".to_owned(),
            subject_id: cy,
            decision: "restricted".to_owned(),
            decided_on: "2025-03-31".to_owned(),
            entered_at: partners.story.gateway.edge.now().to_string(),
        };
        partners.story.gateway.store.write(|tx| restriction::add(tx, &row)).unwrap();
        assert!(post(partners).contains("0 sent"));
        let (_, shown, _) = partners.run(&["exchange", "send"]);
        assert!(shown.starts_with("1 sent"), "{shown}");
        assert!(post(partners).contains("1 sent"));
        let all = sandbox.contents("X26ABC2");
        let of_cy: Vec<_> = all.iter().filter(|message| message["client_ref"] == "TR-CY").collect();
        assert_eq!(of_cy.len(), 1);
        assert!(!of_cy[0].to_string().contains("Yew"), "{}", of_cy[0]);

        // The agreement has ended since.
        partners.tenant(DI);
        assert_eq!(partners.round().sent, 1);
        partners.write("tenancies.toml", &agreement("tenancies", "council", "2025-03-30", KINDS));
        assert!(post(partners).contains("1 kept back"));
        assert_eq!(sandbox.contents("X26ABC2").len(), 3);
        assert!(partners.stands().contains(&"1 refused ended".to_owned()), "{:?}", partners.stands());
    });
}

/// The same over MLLP: who objected while their message waited for the engine is not named to it.
#[test]
fn what_waits_for_an_engine_is_stopped_by_what_was_said_since() {
    let Some(python) = python() else { return };
    on_every_database(|partners| {
        let (mut engine, port, lines) = receiver(&python);
        let of_people = "[flow.people]\nwhen = { kind = \"person\", event = \"changed\" }\n\
            tell = [{ agreement = \"tenancies\", mapping = \"trust/adt\" }]";
        partners.configure(&format!("{of_people}\n[mllp.engine]\nto = \"127.0.0.1:{port}\"\n"));
        let file = partners.folder.path().join("wayleave.toml");
        let mut text = std::fs::read_to_string(&file).unwrap();
        let (at, end) = (text.find("webhook = ").unwrap(), text.find("[partner.trust]").unwrap());
        text.replace_range(at..end, "mllp = \"engine\"\n");
        std::fs::write(&file, text).unwrap();
        let fields = "[[kind]]\nkind = \"person\"\nfields = [\"trust_id\", \"nhs_number\", \"family_name\", \"birth_date\"]";
        partners.write("tenancies.toml", &agreement("tenancies", "council", "2099-12-31", fields));
        let ann = partners.story.subject("housing", &format!("{ANN} trust_id=T1"));
        partners.story.subject("housing", &format!("{BOB} trust_id=T2"));
        assert_eq!(partners.round().sent, 2, "queued: {:?}", partners.stands());
        objects(partners, &ann, "objected", "2025-03-31");
        let shown = post(partners);
        assert!(shown.contains("1 kept back"), "{shown}");
        assert_eq!(partners.stands(), ["1 refused objected", "1 sent"]);
        engine.kill().unwrap();
        engine.wait().unwrap();
        let taken: Vec<String> = lines.map_while(Result::ok).collect();
        assert_eq!(taken, ["9990000018"], "Bob's, and not Ann's");
    });
}

#[test]
fn who_withdraws_while_a_request_lies_in_the_outbox_is_never_named() {
    on_every_database(|partners| {
        let Some(sandbox) = Sandbox::start(None) else { return };
        by_mesh(partners, &sandbox);
        let states = || {
            let counts = partners.story.gateway.store.read(requested::count).unwrap();
            counts.into_iter().map(|(_, state, count)| format!("{count} {state}")).collect::<Vec<_>>()
        };
        let ann = partners.story.subject("housing", ANN);
        let bob = partners.story.subject("housing", BOB);
        for subject in [&ann, &bob] {
            consent(partners, subject, "yes", "2025-01-01");
        }
        assert_eq!(partners.round().sent, 1);
        assert_eq!(states(), ["2 listed"]);
        partners.story.consent(&ann, "withdrawn", "2025-03-31");
        partners.story.steps();
        assert!(post(partners).contains("1 kept back"));
        assert!(sandbox.inbox("X26ABC3").is_empty());
        assert_eq!(states(), ["1 removed", "1 to-add"], "Ann was never told of, and Bob is still to be");
        assert_eq!(partners.send().sent, 1);
        assert!(post(partners).contains("1 sent"));
        assert_eq!(sandbox.contents("X26ABC3"), ["change,nhs_number\r\nadd,9990000018\r\n"]);
        assert_eq!(states(), ["1 listed", "1 removed"]);
        // Gone, it can be taken back only by another message.
        partners.story.consent(&bob, "withdrawn", "2025-03-31");
        partners.story.steps();
        assert_eq!(partners.send().sent, 1);
        assert!(post(partners).contains("1 sent"));
        assert_eq!(sandbox.contents("X26ABC3").len(), 2);
    });
}
