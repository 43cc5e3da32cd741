//! Files over HTTP: the tracker comes in with a receipt, what is wrong in it goes back to its sender in
//! their own words, and a later file closes it.

use std::io::Cursor;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use calamine::{Data, Reader as _, Xlsx};
use serde_json::Value;

use crate::service::{Answer, Client, Service, Site, on_every_database};

const FILES: &str = "/v1/sources/housing/feeds/tracker/files";

fn upload(client: &mut Client, key: &str, part: &str, bytes: &[u8]) -> Answer {
    let mut body = format!(
        "--x\r\ncontent-disposition: form-data; name=\"{part}\"; filename=\"Canary tracker.xlsx\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let headers = [("authorization", key), ("content-type", "multipart/form-data; boundary=x")];
    client.send("POST", FILES, &headers, &body)
}

/// A tracker of invented people, with faults planted in it.
fn tracker(site: &Site, seed: &str) -> Vec<u8> {
    let folder = site.path().join(format!("made {seed}"));
    site.must(&["synth", "--seed", seed, "--people", "20", "--dir", folder.to_str().unwrap()]);
    let inner = folder.join("in/housing/tracker");
    let file = std::fs::read_dir(inner).unwrap().next().unwrap().unwrap().path();
    std::fs::read(file).unwrap()
}

fn get(service: &Service, path: &str, key: &str) -> Answer {
    service.connect().send("GET", path, &[("authorization", key)], b"")
}

fn processed(service: &Service, url: &str, key: &str) -> Value {
    for _ in 0..1_800 {
        let answer = get(service, url, key);
        match answer.status {
            200 => return answer.json(),
            202 => std::thread::sleep(std::time::Duration::from_millis(100)),
            _ => panic!("{answer:?}"),
        }
    }
    panic!("{url} is not processed");
}

/// Has an officer mark the first client whose row was taken.
fn restrict_somebody(site: &Site, tracker: &mut Xlsx<Cursor<Vec<u8>>>) {
    let clients = tracker.worksheet_range("Clients").unwrap();
    let header = clients.rows().position(|row| row.iter().any(|cell| *cell == "Client Ref")).unwrap();
    let column = clients.rows().nth(header).unwrap().iter().position(|cell| *cell == "Client Ref").unwrap();
    let marked = clients.rows().skip(header + 1).any(|row| {
        let reference = row[column].to_string();
        let who = ["--source", "housing", "--ref", &reference, "--decided-on", "2025-01-01"];
        let output = site.command(&[&["exchange", "restrict"], who.as_slice()].concat()).output().unwrap();
        output.status.success()
    });
    assert!(marked, "a client of the tracker is known");
}

#[test]
fn an_uploaded_tracker_is_explained_to_its_sender_and_a_later_one_closes_the_list() {
    on_every_database(|site| {
        let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
        site.configure(
            &config.replace("events = \"events\"", "events = \"events\"\nuploads = [\"tracker\"]"),
        );
        let key = |words: &[&str]| {
            let made = site.must(&[&["--json", "key", "create", "--role", "send"], words].concat());
            let made: Value = serde_json::from_str(&made).unwrap();
            format!("Bearer {}", made["key"].as_str().unwrap())
        };
        let sender = key(&["--source", "housing"]);
        let first = tracker(site, "7");
        let service = site.serve(&[]);
        let kept = upload(&mut service.connect(), &sender, "file", &first);
        assert_eq!(kept.status, 202, "{kept:?}");
        let again = upload(&mut service.connect(), &sender, "file", &first);
        assert_eq!(again.body, kept.body, "a retry gets the same answer");
        let kept = kept.json();
        let url = kept["url"].as_str().unwrap();
        let receipt = processed(&service, url, &sender);
        let units = &receipt["file"]["units"];
        assert!(units["accepted"].as_i64().unwrap() > 50, "{receipt:#}");
        assert_eq!((&receipt["received"], &receipt["sent_again"]), (&units["received"], &1.into()));
        // The list: JSON, a page, CSV, and the sender's own workbook with the cells marked.
        let fixes = kept["fixes"].as_str().unwrap();
        let list = get(&service, &format!("{fixes}.json"), &sender).json();
        let items = list["items"].as_array().unwrap();
        assert!(!items.is_empty(), "{list:#}");
        assert_eq!((&list["state"], &list["closed_by"]), (&"processed".into(), &Value::Null));
        let cell = items.iter().find(|item| item["column"].is_string() && item["row"].is_i64()).unwrap();
        assert!(cell["sheet"].is_string() && !cell["to_do"].as_str().unwrap().is_empty(), "{cell:#}");
        let page = String::from_utf8(get(&service, fixes, &sender).body).unwrap();
        let table = String::from_utf8(get(&service, &format!("{fixes}.csv"), &sender).body).unwrap();
        assert!(table.starts_with("\u{feff}Sheet,Row,Column,"), "{table}");
        assert_eq!(table.lines().count(), items.len() + 1);
        assert!(
            page.contains(cell["column"].as_str().unwrap()) && page.contains("right click")
                || page.contains("To do")
        );
        let book = get(&service, &format!("{fixes}.xlsx"), &sender);
        assert_eq!(book.status, 200, "{}", String::from_utf8_lossy(&book.body));
        let (mut sent, mut marked) =
            (Xlsx::new(Cursor::new(first.clone())).unwrap(), Xlsx::new(Cursor::new(book.body)).unwrap());
        let (sheet, row) = (cell["sheet"].as_str().unwrap(), cell["row"].as_u64().unwrap());
        let at = |book: &mut Xlsx<Cursor<Vec<u8>>>| {
            let range = book.worksheet_range(sheet).unwrap();
            let texts =
                (0..3).map(|column| range.get_value((u32::try_from(row).unwrap() - 1, column)).cloned());
            texts.map(|cell| cell.unwrap_or(Data::Empty).to_string()).collect::<Vec<_>>()
        };
        assert_eq!(at(&mut sent), at(&mut marked), "a row stands where it stood");
        // Nobody else sees any of it.
        let other = key(&["--source", "housing"]);
        assert_eq!(get(&service, fixes, &other).status, 200);
        // Once somebody of the tracker is restricted, the file itself is the sender's, and a named role's.
        let named = key(&["--source", "housing", "--restricted"]);
        restrict_somebody(site, &mut sent);
        let file = format!("{fixes}.xlsx");
        for (who, status) in [(&sender, 200), (&other, 403), (&named, 200)] {
            assert_eq!(get(&service, &file, who).status, status);
            assert_eq!(get(&service, &format!("{fixes}.csv"), who).status, 200, "the list names nobody");
        }
        for path in [url.to_owned(), fixes.to_owned(), format!("{fixes}.xlsx")] {
            assert_eq!(service.connect().send("GET", &path, &[], b"").status, 401);
            assert_eq!(get(&service, &path, "Bearer wlk_x").status, 401);
        }
        // What cannot be taken.
        assert_eq!(upload(&mut service.connect(), &sender, "elsewhere", b"x").problem(), "malformed");
        assert_eq!(upload(&mut service.connect(), &sender, "file", b"").problem(), "malformed");
        let nowhere = "/v1/sources/housing/feeds/events/files";
        let answer = service.connect().send("POST", nowhere, &[("authorization", &sender)], b"");
        assert_eq!(answer.problem(), "unknown-source");
        let broken = upload(&mut service.connect(), &sender, "file", b"this is no workbook");
        assert_eq!(broken.status, 202);
        let broken = broken.json();
        processed(&service, broken["url"].as_str().unwrap(), &sender);
        let refused = get(&service, &format!("{}.json", broken["fixes"].as_str().unwrap()), &sender).json();
        assert_eq!(refused["state"], "refused", "{refused:#}");
        assert!(!refused["items"].as_array().unwrap().is_empty());
        // A later file closes the list of the first.
        let next = upload(&mut service.connect(), &sender, "file", &tracker(site, "8")).json();
        processed(&service, next["url"].as_str().unwrap(), &sender);
        let closed = get(&service, &format!("{fixes}.json"), &sender).json();
        assert_eq!(closed["closed_by"], next["receipt"]);
        let log = service.stop();
        assert!(!log.iter().any(|line| line.contains("Canary")), "{log:#?}");
    });
}

/// A site whose council uploads a small table.
pub(crate) fn council(site: &Site) -> String {
    let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
    std::fs::create_dir_all(site.path().join("mappings/council")).unwrap();
    let mapping = crate::night::mapping("council/cld", "full", "whole", "");
    std::fs::write(site.path().join("mappings/council/cld.toml"), mapping).unwrap();
    let source = "[source.council]\nscope = \"everyone\"\n[source.council.feed.cld]\n[source.council.web]\nuploads = [\"cld\"]\n";
    site.configure(&format!("[gateway]\nmappings = \"mappings\"\n{config}\n{source}"));
    let made = site.must(&["--json", "key", "create", "--role", "send", "--source", "council"]);
    serde_json::from_str::<Value>(&made).unwrap()["key"].as_str().unwrap().to_owned()
}

pub(crate) fn upload_rows(service: &Service, key: &str, rows: &[&str]) -> Value {
    let file = crate::bad_input::rows(rows);
    let mut body =
        b"--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"cld.csv\"\r\n\r\n".to_vec();
    body.extend_from_slice(&file);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    let kept = service.connect().send(
        "POST",
        "/v1/sources/council/feeds/cld/files",
        &[("authorization", key), ("content-type", "multipart/form-data; boundary=edge")],
        &body,
    );
    assert_eq!(kept.status, 202, "{kept:?}");
    let kept = kept.json();
    processed(service, kept["url"].as_str().unwrap(), key);
    kept
}

#[test]
fn a_corrected_file_closes_what_it_corrects_wherever_the_row_stands() {
    on_every_database(|site| {
        let key = format!("Bearer {}", council(site));
        let service = site.serve(&[]);
        let first = upload_rows(
            &service,
            &key,
            &["A3,,,,,,G3,,overdue,,", "A4,,,,,,G4,,overdue,,", "A5,,,,,,G5,work,overdue,,"],
        );
        let fixes =
            |kept: &Value| get(&service, &format!("{}.json", kept["fixes"].as_str().unwrap()), &key).json();
        let list = fixes(&first);
        assert_eq!((&list["open"], list["items"].as_array().unwrap().len()), (&2.into(), 2), "{list:#}");
        // A row is put in above, one is mended, and one is not.
        let second = upload_rows(
            &service,
            &key,
            &[
                "A9,,,,,,G9,work,overdue,,",
                "A4,,,,,,G4,,overdue,,",
                "A3,,,,,,G3,work,overdue,,",
                "A5,,,,,,G5,work,overdue,,",
            ],
        );
        let list = fixes(&first);
        let closed: Vec<(i64, bool)> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["row"].as_i64().unwrap(), item["is_closed"].as_bool().unwrap()))
            .collect();
        assert_eq!(closed, [(2, true), (3, false)], "{list:#}");
        assert_eq!((&list["open"], &list["closed_by"]), (&1.into(), &second["receipt"]));
        assert_eq!(fixes(&second)["open"], 1);
        let table = get(&service, &format!("{}.csv", first["fixes"].as_str().unwrap()), &key).body;
        let table = String::from_utf8(table).unwrap();
        assert!(table.lines().nth(1).unwrap().ends_with(",closed"), "{table}");
        assert!(table.lines().nth(2).unwrap().ends_with(",open"), "{table}");
        service.stop();
    });
}

#[test]
fn a_browser_signs_in_once_and_sees_its_pages() {
    let site = Site::new(crate::support::sqlite(), "");
    let key = council(&site);
    let service = site.serve(&[]);
    let kept = upload_rows(&service, &format!("Bearer {key}"), &["A3,,,,,,G3,,overdue,,"]);
    let fixes = kept["fixes"].as_str().unwrap();
    let browser = ("accept", "text/html,*/*;q=0.8");
    let sent = service.connect().send("GET", fixes, &[browser], b"");
    assert_eq!(
        (sent.status, sent.headers["location"].as_str()),
        (303, &*format!("/v1/sign-in?next={fixes}"))
    );
    let form = service.connect().send("GET", &sent.headers["location"], &[browser], b"");
    let text = String::from_utf8(form.body).unwrap();
    assert!(form.status == 200 && text.contains(&format!("value=\"{fixes}\"")), "{text}");
    assert!(form.headers["content-security-policy"].contains("form-action 'self'"));
    // Whatever an address says beside it, a person is shown the form, and none of it.
    let odd =
        service.connect().send("GET", "/v1/sign-in?next=Canary&next=Canary&Canary=%ff", &[browser], b"");
    let text = String::from_utf8(odd.body).unwrap();
    assert!(odd.status == 200 && text.contains("<form ") && !text.contains("Canary"), "{text}");
    let post = |key: &str, next: &str| {
        let body = format!("key={key}&next={}", next.replace('/', "%2F"));
        let kind = ("content-type", "application/x-www-form-urlencoded");
        service.connect().send("POST", "/v1/sign-in", &[browser, kind], body.as_bytes())
    };
    let wrong = post("wlk_nobody", fixes);
    assert!(!wrong.headers.contains_key("set-cookie"));
    assert!(String::from_utf8(wrong.body).unwrap().contains("not known"));
    assert_eq!(post(&key, "//evil.example/v1/receipts/x/fixes").headers["location"], "/v1/docs");
    let let_in = post(&key, fixes);
    assert_eq!((let_in.status, let_in.headers["location"].as_str()), (303, fixes));
    let set = &let_in.headers["set-cookie"];
    for part in ["__Host-wayleave=", "Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=3600"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains(&key));
    let cookie = set.split(';').next().unwrap().to_owned();
    let with = |path: &str, cookie: &str| {
        service.connect().send("GET", path, &[browser, ("cookie", &format!("theme=dark; {cookie}"))], b"")
    };
    let page = with(fixes, &cookie);
    assert_eq!((page.status, page.headers["cache-control"].as_str()), (200, "no-store"));
    assert_eq!(with(&format!("{fixes}.csv"), &cookie).status, 200);
    // It opens pages alone: nothing is sent with it, and nothing else seen.
    assert_eq!(with("/v1/runs", &cookie).status, 401);
    let posted =
        service.connect().send("POST", "/v1/sources/council/feeds/cld/files", &[("cookie", &cookie)], b"");
    assert_eq!(posted.status, 401);
    // A pass that somebody made up, and one whose key was taken back.
    let mut forged = cookie.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'B' } else { 'A' });
    assert_eq!(with(fixes, &forged).status, 303);
    let keys: Value = serde_json::from_str(&site.must(&["--json", "key", "list"])).unwrap();
    site.must(&["key", "revoke", keys[0]["id"].as_str().unwrap()]);
    assert_eq!(with(fixes, &cookie).status, 303);
    let log = service.stop();
    assert!(!log.iter().any(|line| line.contains("wlk_") || line.contains(cookie.as_str())), "{log:#?}");
}

/// What a process has open among the files of a folder, those without a name too.
#[cfg(target_os = "linux")]
fn open_files(pid: u32, folder: &std::path::Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let is_there = |file: &PathBuf| std::fs::read_link(file).is_ok_and(|place| place.starts_with(folder));
    entries.map_while(Result::ok).map(|entry| entry.path()).filter(is_there).collect()
}

/// What is sent lies nowhere in the clear, not even while it comes, and no file of it has a name that a
/// service which is killed would leave behind.
#[cfg(target_os = "linux")]
#[test]
fn half_a_file_lies_sealed_while_the_rest_is_waited_for() {
    let site = Site::new(crate::support::sqlite(), "uploads = [\"tracker\"]");
    let aside = site.path().join("aside");
    std::fs::create_dir(&aside).unwrap();
    let aside = aside.canonicalize().unwrap();
    let service = site.serve_with(&["web"], &[("TMPDIR", aside.as_path())]);
    let made = site.must(&["--json", "key", "create", "--role", "send", "--source", "housing"]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let key = format!("Bearer {}", made["key"].as_str().unwrap());
    let mut client = service.connect();
    let head = format!(
        "POST {FILES} HTTP/1.1\r\nhost: x\r\nauthorization: {key}\r\ncontent-length: 9000000\r\ncontent-type: multipart/form-data; boundary=x\r\n\r\n--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n"
    );
    client.send_raw(head.as_bytes()).unwrap();
    client.send_raw(&b"Canary,of,a,row\n".repeat(200_000)).unwrap();
    let until = Instant::now() + Duration::from_mins(3);
    let bytes = |file: &PathBuf| std::fs::metadata(file).map_or(0, |data| data.len());
    while open_files(service.pid(), &aside).iter().map(bytes).max().unwrap_or(0) < 1_000_000 {
        assert!(Instant::now() < until, "what comes is put aside");
        std::thread::sleep(Duration::from_millis(20));
    }
    for file in open_files(service.pid(), &aside) {
        let held = std::fs::read(&file).unwrap();
        assert!(!held.windows(6).any(|six| six == b"Canary"), "{file:?} holds it in the clear");
    }
    assert_eq!(std::fs::read_dir(&aside).unwrap().count(), 0, "no file of it has a name");
}
