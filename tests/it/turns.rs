//! One process at a time: at the files of a feed, at telling partners; and a replay that is killed.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use wayleave::config::Scope;
use wayleave::gateway::GatewayError;
use wayleave::gateway::quarantine::Asked;
use wayleave::gateway::replay::replay;
use wayleave::gateway::turn::Turn;

use crate::dump::{self, Eye};
use crate::night::{HEADER, mapping, on_every_database, person};
use crate::partners::{ANN, BOB};
use crate::replay::lenient;
use crate::service::Site;
use crate::support::databases;

/// Seconds that anything here is waited for.
const WAIT_S: u64 = 180;

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(WAIT_S);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_sync_and_a_replay_of_one_feed_take_turns() {
    on_every_database(|night| {
        let strict = mapping("council/cld", "incremental", "whole", "");
        let mut feed = night.feed("council/cld", Scope::Everyone, &strict);
        feed.lease_s = 1;
        let other = night.feed(
            "council/other",
            Scope::Everyone,
            &mapping("council/other", "incremental", "whole", ""),
        );
        night.take(&feed, "a.csv", &[person("A2", "9990000019", "Jones", "1961-02-03")]);
        let everything = Asked { feed: Some("council".to_owned()), ..Asked::default() };
        // Another process reads the feed, and goes on doing so.
        // Its lease is longer than the hour by which the clock moves on.
        let theirs = wayleave::gateway::feed::Feed { lease_s: 100_000, ..feed.clone() };
        let turn = Turn::at_once(&night.replica(), &theirs).unwrap();
        let feeds = std::slice::from_ref(&feed);
        let refused = replay(&night.gateway, feeds, &everything, false);
        assert!(matches!(refused, Err(GatewayError::Elsewhere { .. })), "{refused:?}");
        night.put(&feed, "b.csv", &[person("A3", "9990000018", "Gray", "1961-02-03")]);
        night.put(&other, "b.csv", &[person("A4", "9990000026", "Hill", "1961-02-03")]);
        let synced = night.sync(&[feed.clone(), other]);
        assert_eq!(synced.runs.len(), 1, "the other feed is read all the same");
        let [(name, error)] = synced.failed.as_slice() else { panic!("{:?}", synced.failed) };
        assert!(name == "council/cld" && matches!(error, GatewayError::Elsewhere { .. }), "{error}");
        assert!(turn.is_mine());
        drop(turn);
        assert_eq!(night.sync(feeds).runs.len(), 1);
        assert_eq!(replay(&night.gateway, feeds, &everything, false).unwrap().units.len(), 1);
    });
}

/// Times that a replay is killed until it is killed half-way.
const TRIES_MAX: usize = 5;

/// Rows that are set aside: more than one transaction takes.
const ROWS: usize = 6_000;

/// A family name that nobody else here has, in letters.
fn family(n: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    [n / 676, n / 26, n].into_iter().map(letter).collect::<String>() + "field"
}

/// A site whose one file was set aside, and whose mapping has been put right since.
fn set_aside(site: &Site) {
    let folder = site.path().join("mappings/council");
    std::fs::create_dir_all(&folder).unwrap();
    let strict = mapping("council/cld", "incremental", "whole", "");
    std::fs::write(folder.join("cld.toml"), strict).unwrap();
    std::fs::create_dir_all(site.path().join("in")).unwrap();
    site.configure(
        "[gateway]\nmappings = \"mappings\"\n[limits]\nlease_s = 2\n[source.council]\nscope = \"everyone\"\n\
         [source.council.feed.cld]\nfolder = \"in\"\nstop = { failed_share = 1.0, vanished_share = 1.0 }\n",
    );
    let mut text = format!("{HEADER}\n");
    for n in 0..ROWS {
        // The check digit is wrong.
        let born = format!("19{:02}-{:02}-{:02}", 40 + n % 50, 1 + n % 12, 1 + n % 28);
        writeln!(text, "{}", person(&format!("A{n}"), "9990000019", &family(n), &born)).unwrap();
    }
    std::fs::write(site.path().join("in/a.csv"), text).unwrap();
    site.must(&["sync"]);
    assert_eq!(open_units(site), i64::try_from(ROWS).unwrap());
    std::fs::write(folder.join("cld.toml"), lenient()).unwrap();
}

fn open_units(site: &Site) -> i64 {
    dump::number(&site.database.url, "SELECT COUNT(*) FROM quarantine WHERE closed_at IS NULL")
}

#[test]
fn a_replay_that_is_killed_is_gone_on_with_and_nothing_is_there_twice() {
    for database in databases() {
        let is_shown = (0..TRIES_MAX).any(|_try| kill_a_replay(&Site::new(database.beside(), "")));
        assert!(is_shown, "the replay was never killed half-way");
    }
}

/// False where the replay was at its end before it could be killed: the machine was busy with something
/// else at the wrong moment.
fn kill_a_replay(site: &Site) -> bool {
    set_aside(site);
    let url = &site.database.url;
    let mut eye = Eye::on(url);
    let done = "(SELECT COALESCE(SUM(received), 0) FROM run WHERE note LIKE 'replay%')";
    let mut child = site
        .command(&["quarantine", "replay", "--feed", "council/cld"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait("the replay begins", || eye.number(done) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    let (halfway, whole) = (eye.number(done), i64::try_from(ROWS).unwrap());
    if halfway >= whole {
        return false;
    }
    println!("killed at {halfway} of {whole}");
    assert_eq!(open_units(site), whole - halfway);
    // The next sync goes on with it, once whoever had the turn is known to be dead.
    site.must(&["sync"]);
    assert_eq!(open_units(site), 0);
    let balance = "SELECT COUNT(*) FROM run WHERE state <> 'finished' OR received <> rejected + quarantined + duplicate + filtered + accepted + unchanged";
    assert_eq!(dump::number(url, balance), 0);
    let replayed =
        "SELECT COUNT(*) FROM run WHERE note LIKE 'replay%' AND received = accepted AND received =";
    assert_eq!(dump::number(url, &format!("{replayed} {ROWS}")), 1);
    assert_eq!(dump::number(url, "SELECT COUNT(*) FROM record WHERE kind = 'person'"), whole);
    assert_eq!(dump::number(url, "SELECT COUNT(*) FROM version"), whole, "none twice");
    // Killed, and asked for again by hand: there is nothing left.
    let again = site.command(&["quarantine", "replay", "--feed", "council/cld"]).output().unwrap();
    assert!(!again.status.success());
    true
}

#[test]
fn of_several_replicas_one_tells_partners_and_is_followed_when_it_dies() {
    crate::partners::on_every_database(|partners| {
        let serve = || {
            let mut command = partners.command(&["serve", "--role", "exchange"]);
            let null = (Stdio::null(), Stdio::null());
            command.stdout(null.0).stderr(null.1).spawn().unwrap()
        };
        let mut replicas = vec![serve(), serve(), serve()];
        let mut eye = Eye::on(&partners.database);
        let has_turn = "(SELECT COUNT(*) FROM lease WHERE name = 'exchange')";
        wait("one has the turn", || eye.number(has_turn) == 1);
        for person in [ANN, BOB] {
            partners.tenant(person);
        }
        partners.story.steps();
        let sent = "(SELECT COUNT(*) FROM dispatch WHERE state = 'sent')";
        wait("partners are told", || eye.number(sent) == 2);
        let posts = partners.receiver.take();
        assert_eq!(posts.len(), 2, "each once");
        // All but one die without a word, among them the one that has the turn or not; the last goes on.
        for replica in replicas.drain(..2) {
            let mut replica = replica;
            replica.kill().unwrap();
            replica.wait().unwrap();
        }
        partners.tenant("tracker_ref=TR-CY family_name=Cyan given_name=Cy birth_date=1950-01-01");
        partners.story.steps();
        wait("another follows", || eye.number(sent) == 3);
        assert_eq!(partners.receiver.take().len(), 1);
        for mut replica in replicas {
            replica.kill().unwrap();
            replica.wait().unwrap();
        }
    });
}
