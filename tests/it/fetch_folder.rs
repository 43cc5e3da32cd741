//! Files from folders: taken when they are complete, moved away once they are kept, never lost.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use wayleave::config::{Complete, Scope};
use wayleave::gateway::GatewayError;
use wayleave::gateway::feed::Feed;
use wayleave::gateway::fetch::Why;
use wayleave::gateway::show;
use wayleave::gateway::sync::Synced;
use wayleave::transport::place::FetchError;

use crate::bad_input::{Site, rows};
use crate::night::{HEADER, Night, goal, mapping, on_every_database};

fn feed(night: &Night, complete: Complete) -> Feed {
    let mut feed =
        night.feed("council/cld", Scope::Everyone, &mapping("council/cld", "incremental", "whole", ""));
    feed.fetch.complete = complete;
    feed.fetch.stable_s = 60;
    feed.fetch.manifest = "*manifest*".to_owned();
    feed
}

fn one(night: &Night, feed: &Feed) -> Synced {
    night.sync(std::slice::from_ref(feed))
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let Ok(found) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = found.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn text(rows: &[String]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

#[test]
fn a_stable_file_is_taken_at_the_second_look_that_finds_it_the_same() {
    on_every_database(|night| {
        let feed = feed(&night, Complete::Stable);
        night.put(&feed, "our export.csv", &[goal("A1", "G1", "overdue", "")]);
        let first = one(&night, &feed);
        assert_eq!((first.runs.len(), first.again_in_s()), (0, Some(60)));
        // It grew in between: it is looked at anew.
        night.put(
            &feed,
            "our export.csv",
            &[goal("A1", "G1", "overdue", ""), goal("A2", "G2", "overdue", "")],
        );
        let second = one(&night, &feed);
        assert!(second.runs.is_empty() && matches!(second.waiting[0].1.why, Why::Look { .. }), "{second:?}");
        assert_eq!(one(&night, &feed).runs[0].accepted, 2);
        assert_eq!(one(&night, &feed).no_news.len(), 1);
    });
}

#[test]
fn two_looks_too_near_to_each_other_are_one() {
    on_every_database(|night| {
        let mut feed = feed(&night, Complete::Stable);
        feed.fetch.stable_s = 5_000;
        night.put(&feed, "1.csv", &[goal("A1", "G1", "overdue", "")]);
        // An hour between nights: 0, 3600, 7200 seconds.
        let taken: Vec<_> = (0..3).map(|_| one(&night, &feed).runs.len()).collect();
        assert_eq!(taken, [0, 0, 1]);
    });
}

#[test]
fn a_file_is_done_when_its_marker_is_there_and_not_older() {
    on_every_database(|night| {
        let feed = feed(&night, Complete::Done);
        for (name, id) in [("a.csv", "A1"), ("b.csv", "A2"), ("c.csv", "A3"), ("d.csv", "A4")] {
            night.put(&feed, name, &[goal(id, id, "overdue", "")]);
        }
        let now = std::fs::metadata(feed.place.join("d.csv")).unwrap().modified().unwrap();
        let before = now - Duration::from_hours(24);
        for (marker, at) in [("a.csv.done", now), ("B.DONE", now), ("c.done", before)] {
            night.put_bytes(&feed, marker, b"");
            File::options().write(true).open(feed.place.join(marker)).unwrap().set_modified(at).unwrap();
        }
        let synced = one(&night, &feed);
        assert_eq!(synced.runs.iter().map(|run| run.accepted).collect::<Vec<_>>(), [1, 1]);
        let waiting: Vec<_> =
            synced.waiting.iter().map(|(_, one)| (one.path.file_name().unwrap(), one.why)).collect();
        assert_eq!(waiting, [("c.csv".as_ref(), Why::Done), ("d.csv".as_ref(), Why::Done)]);
        assert_eq!(synced.no_news.len(), 0, "a marker is no file of the feed");
    });
}

fn line(name: &str, bytes: &[u8], rows: usize) -> String {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!(r#"{{"name":"{name}","sha256":"{digest}","bytes":{},"rows":{rows}}}"#, bytes.len())
}

#[test]
fn a_manifest_says_what_is_complete_and_its_totals_are_held_against_the_file() {
    on_every_database(|night| {
        let mut feed = feed(&night, Complete::Manifest);
        feed.fetch.archive = Some(night.folder.path().join("done"));
        let good = text(&[goal("A1", "G1", "overdue", "")]);
        let short = text(&[goal("A2", "G2", "overdue", "")]);
        let other = text(&[goal("A3", "G3", "overdue", "")]);
        for (name, text) in
            [("good 1.csv", &good), ("short.csv", &short), ("other.csv", &other), ("unnamed.csv", &good)]
        {
            night.put_bytes(&feed, name, text.as_bytes());
        }
        let changed = other.replace("overdue", "expired");
        let lines = [
            line("good 1.csv", good.as_bytes(), 1),
            line("short.csv", short.as_bytes(), 3),
            line("other.csv", changed.as_bytes(), 1),
            line("late.csv", b"x", 1),
        ];
        night.put_bytes(&feed, "manifest.json", format!("{{\"files\":[{}]}}", lines.join(",")).as_bytes());
        night.put_bytes(&feed, "manifest-2.csv", b"name,digest\n");
        let synced = one(&night, &feed);
        let states: Vec<_> = synced.runs.iter().map(|run| (run.state.as_str(), run.accepted)).collect();
        assert_eq!(states, [("finished", 1), ("failed", 0)], "{synced:?}");
        assert_eq!(night.records("goal").len(), 1, "of a file that was cut short nothing is taken");
        let found = show::show_run(&night.gateway, Some(&synced.runs[1].id)).unwrap();
        assert_eq!(found.first[0].code, "file/row-count");
        assert_eq!(found.first[0].expected, "expected 3 rows, as the manifest says, and found 1");
        let failed: Vec<_> = synced.failed.iter().map(|(_, error)| error.to_string()).collect();
        assert_eq!(failed.len(), 2, "{failed:?}");
        assert!(failed[0].contains("manifest-2.csv cannot be used: line 1: expected"), "{failed:?}");
        assert!(
            failed[1].contains("other.csv is not what manifest.json says: expected SHA-256"),
            "{failed:?}"
        );
        let waiting: Vec<_> = synced.waiting.iter().map(|(_, one)| one.why).collect();
        assert_eq!(waiting, [Why::Manifest, Why::Absent]);
        assert_eq!(names(&night.folder.path().join("done")), ["good 1.csv"]);
        // What was promised comes, and what was wrong is put right.
        night.put_bytes(&feed, "other.csv", changed.replace("expired", "overdue").as_bytes());
        let lines = [line("short.csv", short.as_bytes(), 1), line("other.csv", other.as_bytes(), 1)];
        for gone in ["unnamed.csv", "manifest-2.csv"] {
            std::fs::remove_file(feed.place.join(gone)).unwrap();
        }
        night.put_bytes(&feed, "manifest.json", format!("[{}]", lines.join(",")).as_bytes());
        let synced = one(&night, &feed);
        assert!(synced.failed.is_empty() && synced.waiting.is_empty(), "{synced:?}");
        assert_eq!(synced.runs.iter().map(|run| run.accepted).sum::<i64>(), 2, "{synced:?}");
        assert_eq!(names(&feed.place), [""; 0], "the manifest goes with the last of its files");
    });
}

#[test]
fn an_archive_takes_what_is_kept_and_nothing_else() {
    on_every_database(|night| {
        let mut feed = feed(&night, Complete::Done);
        let archive = night.folder.path().join("our archive").join("2025");
        feed.fetch.archive = Some(archive.clone());
        for day in 1..=3 {
            night.put(&feed, "export.csv", &[goal(&format!("A{day}"), "G1", "overdue", "")]);
            night.put_bytes(&feed, "export.done", b"");
            assert_eq!(one(&night, &feed).runs[0].accepted, 1);
            assert_eq!(names(&feed.place), [""; 0]);
        }
        assert_eq!(
            names(&archive),
            ["export-2.csv", "export-2.done", "export-3.csv", "export-3.done", "export.csv", "export.done"]
        );
        let kept = std::fs::read_to_string(archive.join("export-3.csv")).unwrap();
        assert_eq!(kept, text(&[goal("A3", "G1", "overdue", "")]));
        // Yesterday's again: no news, and out of the way. One that is refused stays to be tried again.
        night.put(&feed, "again.csv", &[goal("A3", "G1", "overdue", "")]);
        night.put_bytes(&feed, "again.csv.done", b"");
        night.put_bytes(&feed, "wrong.csv", b"Id,Wrong\nA1,x\n");
        night.put_bytes(&feed, "wrong.done", b"");
        let synced = one(&night, &feed);
        assert_eq!((synced.no_news.len(), synced.runs.len()), (1, 1), "{synced:?}");
        assert_eq!(names(&feed.place), ["wrong.csv", "wrong.done"]);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn an_archive_on_another_file_system_has_a_whole_copy() {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return println!("SKIP: no /dev/shm") };
    let night = Night::new(crate::support::sqlite());
    if other.path().metadata().unwrap().dev() == night.folder.path().metadata().unwrap().dev() {
        return println!("SKIP: /dev/shm is not another file system");
    }
    let mut feed = feed(&night, Complete::AtOnce);
    feed.fetch.archive = Some(other.path().join("done"));
    night.put(&feed, "1.csv", &[goal("A1", "G1", "overdue", "")]);
    one(&night, &feed);
    assert_eq!(names(&feed.place), [""; 0]);
    let kept = std::fs::read_to_string(other.path().join("done/1.csv")).unwrap();
    assert_eq!(kept, text(&[goal("A1", "G1", "overdue", "")]));
}

#[test]
fn what_is_being_written_and_what_is_linked_is_passed_over() {
    on_every_database(|night| {
        let feed = feed(&night, Complete::AtOnce);
        let row = [goal("A1", "G1", "overdue", "")];
        for name in [".1.csv.swp", "~$1.csv", "1.csv.part", "1.csv.filepart", "1.tmp"] {
            night.put(&feed, name, &row);
        }
        std::fs::create_dir(feed.place.join("folder.csv")).unwrap();
        #[cfg(unix)]
        {
            let secret = night.folder.path().join("secret.csv");
            std::fs::write(&secret, text(&row)).unwrap();
            std::os::unix::fs::symlink(&secret, feed.place.join("link.csv")).unwrap();
            std::os::unix::fs::symlink(night.folder.path(), feed.place.join("other.csv")).unwrap();
        }
        let synced = one(&night, &feed);
        assert!(synced.runs.is_empty() && synced.failed.is_empty(), "{synced:?}");
        assert!(night.records("goal").is_empty());
    });
}

#[test]
fn a_file_that_grows_while_it_is_read_is_not_taken() {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicBool, Ordering};
    // On a busy machine whoever writes may be stopped for as long as the file is read: then it did not
    // grow, and is tried with another.
    for _try in 0..50 {
        let night = Night::new(crate::support::sqlite());
        let feed = feed(&night, Complete::AtOnce);
        let path = night.put(&feed, "1.csv", &vec![goal("A1", "G1", "overdue", ""); 50_000]);
        let (is_begun, is_done) = (AtomicBool::new(false), AtomicBool::new(false));
        let synced = std::thread::scope(|scope| {
            let (path, is_begun, is_done) = (&path, &is_begun, &is_done);
            scope.spawn(move || {
                let mut open = File::options().append(true).open(path).unwrap();
                for _ in 0..2_000_000 {
                    if is_done.load(Ordering::Relaxed) {
                        break;
                    }
                    open.write_all(b"A1,,,,,,G1,work,overdue,,\n").unwrap();
                    is_begun.store(true, Ordering::Relaxed);
                }
            });
            while !is_begun.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            let synced = one(&night, &feed);
            is_done.store(true, Ordering::Relaxed);
            synced
        });
        if synced.failed.is_empty() {
            continue;
        }
        assert!(matches!(synced.failed[..], [(_, GatewayError::Changing { .. })]), "{:?}", synced.failed);
        assert!(synced.runs.is_empty() && night.records("goal").is_empty());
        return;
    }
    panic!("a file that grew was never seen to grow");
}

#[test]
fn two_at_once_take_a_file_once_and_lose_none() {
    on_every_database(|night| {
        let mut feed = feed(&night, Complete::AtOnce);
        let archive = night.folder.path().join("done");
        feed.fetch.archive = Some(archive.clone());
        for round in 0..5 {
            for file in 0..4 {
                let id = format!("A{round}{file}");
                night.put(&feed, &format!("{file}.csv"), &[goal(&id, &id, "overdue", "")]);
            }
            let feeds = std::slice::from_ref(&feed);
            std::thread::scope(|scope| {
                let both: Vec<_> = (0..2).map(|_| scope.spawn(|| night.try_sync(feeds))).collect();
                for thread in both {
                    match thread.join().unwrap() {
                        Ok(synced) => assert!(synced.failed.is_empty(), "{synced:?}"),
                        Err(error) => assert!(error.retryable(), "{error}"),
                    }
                }
            });
            night.sync(feeds);
            assert_eq!(names(&feed.place), [""; 0]);
        }
        let runs = show::list_runs(&night.gateway, 1_000).unwrap();
        let took: Vec<_> = runs.iter().filter(|run| run.units.received > 0).collect();
        assert_eq!((took.len(), night.records("goal").len()), (20, 20));
        let kept = names(&archive);
        assert_eq!(kept.len(), 20, "{kept:?}");
        for name in kept {
            assert!(archive.join(&name).metadata().unwrap().len() > 0, "{name} is empty");
        }
    });
}

#[test]
fn a_folder_with_too_many_files_and_one_of_windows_are_refused() {
    let night = Night::new(crate::support::sqlite());
    let mut feed = feed(&night, Complete::AtOnce);
    for file in 0..=10_000 {
        File::create(feed.place.join(format!("{file}.csv"))).unwrap();
    }
    let failed = one(&night, &feed).failed;
    assert!(matches!(failed[..], [(_, GatewayError::Fetch(FetchError::TooMany { .. }))]), "{failed:?}");
    if cfg!(not(windows)) {
        for path in [r"C:\Wayleave\in", r"\\server\share\in"] {
            feed.place = path.into();
            let failed = one(&night, &feed).failed;
            assert!(
                matches!(failed[..], [(_, GatewayError::Fetch(FetchError::Foreign { .. }))]),
                "{failed:?}"
            );
        }
    }
}

/// A site of two feeds, of which the first has no folder.
#[test]
fn the_others_are_taken_where_one_place_is_not_there() {
    let site = Site::new();
    let config = "[gateway]\nmappings = \"mappings\"\n[source.council]\nscope = \"everyone\"\n\
        [source.council.feed.a]\nmapping = \"council/cld\"\nfolder = \"share/in\"\n\
        [source.council.feed.cld]\nfolder = \"in\"\narchive = \"done\"\ncomplete = \"stable\"\nstable_s = 1\n";
    std::fs::write(site.path("wayleave.toml"), config).unwrap();
    site.put("2.csv", &rows(&["A2,,,,,,G2,work,overdue,,"]));
    let mut told = String::new();
    for words in [&["check"][..], &["sync"], &["sync"]] {
        let output = site.run(words);
        told.push_str(&format!("$ wayleave {} [{}]\n", words.join(" "), output.status.code().unwrap()));
        told.push_str(&site.said(&output));
    }
    insta::assert_snapshot!(told);
    assert_eq!(names(&site.path("done")), ["1.csv", "2.csv"]);
}

/// A pipe that nobody writes into stands for a share whose server is gone: whoever opens it waits for ever.
#[cfg(unix)]
#[test]
fn a_folder_that_hangs_is_given_up_and_the_others_are_taken() {
    use std::io::Write as _;
    let site = Site::new();
    std::fs::create_dir(site.path("share")).unwrap();
    for pipe in ["share/hangs", "share/stops"] {
        assert!(std::process::Command::new("mkfifo").arg(site.path(pipe)).status().unwrap().success());
    }
    let config = "[gateway]\nmappings = \"mappings\"\n[source.council]\nscope = \"everyone\"\n\
        [source.council.feed.a]\nmapping = \"council/cld\"\nfolder = \"share/hangs\"\n\
        [source.council.feed.b]\nmapping = \"council/cld\"\nfolder = \"share/stops\"\n\
        [source.council.feed.cld]\nfolder = \"in\"\n";
    std::fs::write(site.path("wayleave.toml"), config).unwrap();
    site.put("2.csv", &rows(&["A2,,,,,,G2,work,overdue,,"]));
    // Of this one the beginning comes, and never the rest.
    let stops = site.path("share/stops");
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let mut pipe = std::fs::OpenOptions::new().write(true).open(stops).unwrap();
        writeln!(pipe, "{HEADER}").unwrap();
        let _waits = is_over.recv();
    });
    let output = site.run(&["sync"]);
    drop(over);
    writer.join().unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(site.said(&output));
}
