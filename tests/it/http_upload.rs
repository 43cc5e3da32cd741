//! Files over HTTP: the tracker comes in with a receipt, what is wrong in it goes back to its sender in
//! their own words, and a later file closes it.

use std::io::Cursor;

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
    for _ in 0..600 {
        let answer = get(service, url, key);
        match answer.status {
            200 => return answer.json(),
            202 => std::thread::sleep(std::time::Duration::from_millis(100)),
            _ => panic!("{answer:?}"),
        }
    }
    panic!("{url} is not processed");
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
