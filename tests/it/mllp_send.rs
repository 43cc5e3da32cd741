//! HL7 v2 messages sent over MLLP: to a receiver of another programme, and to another gateway.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command};
use std::time::{Duration, Instant};

use crate::dump;
use crate::mllp::{Line, drained, message, msa, port, site};
use crate::support::{databases, python, sqlite};

/// Seconds that anything here is waited for.
const WAIT_S: u64 = 180;

/// A receiver of the Python library `hl7`, which answers by the family name: it takes everybody, but for `Wrong`,
/// and `Later` at the first try. It prints its port, and then each control id that it takes.
const RECEIVER: &str = r#"
import asyncio, hl7, sys
from hl7.mllp import start_hl7_server
seen = set()
async def serve(reader, writer):
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            family, control = str(message.segment("PID")[5][0][0]), str(message.segment("MSH")[10])
            code = "AA"
            if family == "Wrong":
                code = "AE"
            if family == "Later" and control not in seen:
                seen.add(control)
                code = "AR"
            if code == "AA":
                print(str(message.segment("PID")[3][0][0]), flush=True)
            writer.writemessage(message.create_ack(code))
            await writer.drain()
    except asyncio.IncompleteReadError:
        pass
async def main():
    async with await start_hl7_server(serve, host="127.0.0.1", port=0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()
asyncio.run(main())
"#;

/// A receiver that runs, its port, and the lines that it prints.
pub(crate) fn receiver(python: &str) -> (Child, String, Lines<BufReader<ChildStdout>>) {
    let mut receiver = Command::new(python)
        .args(["-W", "ignore", "-c", RECEIVER])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(receiver.stdout.take().unwrap()).lines();
    let port = lines.next().unwrap().unwrap();
    (receiver, port, lines)
}

#[test]
fn messages_are_sent_and_their_answers_are_heeded() {
    let Some(python) = python() else { return };
    for database in databases() {
        let (mut receiver, port, lines) = receiver(&python);
        let site = site(database, "");
        let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
        site.configure(&format!(
            "{config}\n[mllp.engine]\nto = \"127.0.0.1:{port}\"\nsending_application = \"WAYLEAVE\"\n"
        ));
        let send = |family: &str, about: &str| {
            let file = site.path().join("one.hl7");
            std::fs::write(&file, message("1", about, family, "")).unwrap();
            site.must(&["post", "send", "--mllp", "engine", file.to_str().unwrap()])
        };
        assert_eq!(send("Fell", "T1"), "engine: 1 taken by it, 0 not delivered, 0 wait\n");
        assert_eq!(send("Wrong", "T2"), "engine: 0 taken by it, 1 not delivered, 0 wait\n");
        assert_eq!(send("Later", "T3"), "engine: 0 taken by it, 0 not delivered, 1 wait\n");
        let number = |sql: &str| dump::number(&site.database.url, sql);
        let until = Instant::now() + Duration::from_secs(WAIT_S);
        while number("SELECT COUNT(*) FROM sent WHERE state = 'acknowledged'") < 2 {
            assert!(Instant::now() < until, "{}", site.must(&["post", "list"]));
            site.must(&["post", "collect"]);
            std::thread::sleep(Duration::from_millis(300));
        }
        let told = site.must(&["post", "list"]);
        assert_eq!(told.matches("  acknowledged mllp engine").count(), 2, "{told}");
        assert!(told.contains("undelivered  mllp engine  (AE)"), "{told}");
        // Nobody is there: it waits, and is not lost.
        receiver.kill().unwrap();
        receiver.wait().unwrap();
        let taken: Vec<String> = lines.map_while(Result::ok).collect();
        assert_eq!(taken, ["T1", "T3"], "each once");
        let file = site.path().join("one.hl7");
        let words = ["post", "send", "--mllp", "engine", file.to_str().unwrap()];
        let output = site.command(&words).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains("cannot be reached over MLLP"));
        assert_eq!(number("SELECT COUNT(*) FROM sent WHERE state = 'sending' AND sealed IS NOT NULL"), 1);
    }
}

#[test]
fn one_gateway_sends_to_another() {
    let there = site(sqlite(), "application = \"THERE\"");
    let service = there.serve(&["mllp", "worker"]);
    let here = site(sqlite(), "");
    let config = std::fs::read_to_string(here.path().join("wayleave.toml")).unwrap();
    let to = port(&service);
    here.configure(&format!("{config}\n[mllp.there]\nto = \"{to}\"\nreceiving_application = \"THERE\"\n"));
    let file = here.path().join("one.hl7");
    let bare = String::from_utf8(message("1", "T1", "Fell", "")).unwrap().replace("|WAYLEAVE|WL|", "|||");
    std::fs::write(&file, bare).unwrap();
    let words = ["post", "send", "--mllp", "there", file.to_str().unwrap()];
    assert_eq!(here.must(&words), "there: 1 taken by it, 0 not delivered, 0 wait\n");
    // Typed again it is another message, under a control id of its own.
    assert_eq!(here.must(&words), "there: 1 taken by it, 0 not delivered, 0 wait\n");
    assert_eq!(drained(&there).0, 2);
    let far = here.path().join("wayleave.toml");
    std::fs::write(&far, format!("{config}\n[mllp.there]\nto = \"engine.example:2575\"\n")).unwrap();
    let refused = here.command(&words).output().unwrap();
    assert!(String::from_utf8(refused.stderr).unwrap().contains("on another machine, and there is no TLS"));
}

/// A mapping that is promoted under a running listener is the one by which messages are judged, soon and
/// after a restart; and so is the one that is gone back to.
#[test]
fn messages_are_judged_by_the_mapping_that_is_live() {
    for database in databases() {
        let site = site(database, "");
        let town = "{ to = \"town\", from = \"PID-11.3\" }";
        let shipped = include_str!("../../mappings/trust/adt.toml");
        let strict = shipped.replacen(town, &town.replace(" }", ", blank = \"reject\" }"), 1);
        let strict = strict.replacen("version = 3", "version = 4", 1);
        assert_eq!(strict.len(), shipped.len() + ", blank = \"reject\"".len());
        let file = site.path().join("adt.toml");
        std::fs::write(&file, strict).unwrap();
        let until = Instant::now() + Duration::from_secs(WAIT_S);
        let mut n = 0;
        let mut comes_to = |line: &mut Line, wanted: &str| {
            loop {
                n += 1;
                let id = format!("M{n}");
                let (verdict, about) = msa(&line.send(&message(&id, "T1", "Fell", "")));
                assert_eq!(about, id);
                if verdict == wanted {
                    return;
                }
                assert!(Instant::now() < until, "{wanted} never comes");
                std::thread::sleep(Duration::from_millis(100));
            }
        };
        let service = site.serve(&["mllp"]);
        let mut line = Line::to(port(&service));
        comes_to(&mut line, "AA");
        site.must(&["mapping", "promote", "trust/adt", file.to_str().unwrap()]);
        comes_to(&mut line, "AE");
        drop(service);
        let service = site.serve(&["mllp"]);
        let mut line = Line::to(port(&service));
        let first = msa(&line.send(&message("R1", "T1", "Fell", "")));
        assert_eq!(first, ("AE".to_owned(), "R1".to_owned()), "from the first message on");
        site.must(&["mapping", "rollback", "trust/adt"]);
        comes_to(&mut line, "AA");
    }
}
