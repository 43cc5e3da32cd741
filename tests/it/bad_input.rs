//! Whatever is wrong with what comes in, the message says where, what was expected and what to
//! do, the exit code is of the right kind, and what was there is untouched.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::night::HEADER;
use crate::support::{folder, postgres};

/// A site of one feed, on SQLite, with one goal in it.
pub(crate) struct Site {
    folder: TempDir,
}

const GOOD: &str = "A1,,,,,,G1,work,overdue,,";

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self { folder: folder() };
        site.ok(&["init", site.path("").to_str().unwrap()]);
        std::fs::create_dir_all(site.path("mappings/council")).unwrap();
        site.mapping(&crate::night::mapping("council/cld", "incremental", "whole", ""));
        site.config("");
        site.put("1.csv", format!("{HEADER}\n{GOOD}\n").as_bytes());
        site.ok(&["sync"]);
        site
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn mapping(&self, text: &str) {
        std::fs::write(self.path("mappings/council/cld.toml"), text).unwrap();
    }

    pub(crate) fn config(&self, gateway: &str) {
        let text = format!(
            "[gateway]\nmappings = \"mappings\"\n{gateway}\n\
             [source.council]\nscope = \"everyone\"\n[source.council.feed.cld]\nfolder = \"in\"\n"
        );
        std::fs::write(self.path("wayleave.toml"), text).unwrap();
    }

    pub(crate) fn put(&self, file: &str, bytes: &[u8]) {
        std::fs::create_dir_all(self.path("in")).unwrap();
        std::fs::write(self.path("in").join(file), bytes).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayleave"));
        command.args(words).env("WAYLEAVE_CONFIG", self.path("wayleave.toml"));
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    pub(crate) fn ok(&self, words: &[&str]) {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", self.said(&output));
    }

    /// Everything it said, without what differs from run to run.
    pub(crate) fn said(&self, output: &Output) -> String {
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let here = self.folder.path().display().to_string();
        let mut said = String::new();
        for line in text.replace(&here, "SITE").lines() {
            said.push_str(&without_ids(line));
            said.push('\n');
        }
        said
    }

    /// The records there are, for holding before against after.
    fn records(&self) -> String {
        let output = self.run(&["--json", "status"]);
        let standing: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        standing["records"].to_string()
    }

    /// Syncs a file that is refused or rejected: its messages.
    fn refused(&self, bytes: &[u8], exit: i32) -> String {
        let before = self.records();
        self.put("2.csv", bytes);
        let output = self.run(&["sync"]);
        assert_eq!(output.status.code(), Some(exit), "{}", self.said(&output));
        assert_eq!(self.records(), before);
        self.said(&output)
    }
}

/// Short run ids, eight hexadecimal digits in round brackets or after `show`.
fn without_ids(line: &str) -> String {
    let words: Vec<String> = line
        .split(' ')
        .map(|word| {
            let core: String = word.chars().filter(char::is_ascii_hexdigit).collect();
            let is_id = core.len() == 8 && word.trim_matches(['(', ')', ':', '`']).len() == 8;
            if is_id { word.replace(&core, "RUN") } else { word.to_owned() }
        })
        .collect();
    words.join(" ")
}

pub(crate) fn rows(rows: &[&str]) -> Vec<u8> {
    format!("{HEADER}\n{}\n", rows.join("\n")).into_bytes()
}

#[test]
fn a_file_that_is_no_table_of_the_mapping() {
    let cases: [(&str, Vec<u8>); 6] = [
        ("empty", Vec::new()),
        ("binary", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0".to_vec()),
        ("wrongly encoded", [HEADER.as_bytes(), b"\nA2,,Ren\xe9e,,,,,,,,\n"].concat()),
        ("wrongly separated", rows(&["A2,,,,,,G2,work,overdue,,"]).iter().map(|b| if *b == b',' { b';' } else { *b }).collect()),
        ("mis-headed", b"Id,NHS,Surname,Given,Born,Postcode,Goal,Area,Status,Wording,Changed\nA2,,,,,,G2,work,overdue,,\n".to_vec()),
        ("without header", b"A2,,,,,,G2,work,overdue,,\nA3,,,,,,G3,work,overdue,,\n".to_vec()),
    ];
    let mut told = String::new();
    for (name, bytes) in cases {
        told.push_str(&format!("--- {name}\n{}", Site::new().refused(&bytes, 1)));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_file_cut_off_in_the_middle_takes_the_whole_rows() {
    let site = Site::new();
    site.put("2.csv", format!("{HEADER}\nA2,,,,,,G2,work,overdue,,\nA3,,,,,,G3,\"wo").as_bytes());
    let output = site.run(&["sync"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(
        site.said(&output)
            + &site
                .said(&site.run(&["run", "show"]))
                .lines()
                .skip(5)
                .map(|line| format!("{line}\n"))
                .collect::<String>()
    );
}

#[test]
fn what_sqlcmd_adds_is_left_out() {
    let site = Site::new();
    let dashes = HEADER.split(',').map(|_| "---").collect::<Vec<_>>().join(",");
    site.put(
        "2.csv",
        format!(
            "{HEADER}\n{dashes}\nA2,NULL,NULL,NULL,NULL,NULL,G2,work,overdue,NULL,NULL\n\n(1 rows affected)\n"
        )
        .as_bytes(),
    );
    let output = site.run(&["sync"]);
    assert_eq!(output.status.code(), Some(0), "{}", site.said(&output));
    assert!(site.said(&output).contains("1 units: 1 accepted"), "{}", site.said(&output));
}

#[test]
fn a_file_without_header_is_read_by_the_names_of_the_mapping() {
    let site = Site::new();
    let names: Vec<String> = HEADER.split(',').map(|name| format!("\"{name}\"")).collect();
    let text = crate::night::mapping("council/cld", "incremental", "whole", "");
    site.mapping(
        &text.replace("header = \"exact\"", &format!("header = \"named\"\ncolumns = [{}]", names.join(", "))),
    );
    std::fs::remove_file(site.path("in/1.csv")).unwrap();
    site.put("2.csv", b"A2,,,,,,G2,work,overdue,,\n");
    let output = site.run(&["sync"]);
    assert!(site.said(&output).contains("1 units: 1 accepted"), "{}", site.said(&output));
}

#[test]
fn one_file_in_a_zip_or_gzip_is_unpacked() {
    use std::io::Write as _;
    let site = Site::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&rows(&["A2,,,,,,G2,work,overdue,,"])).unwrap();
    site.put("2.csv.gz", &gzip.finish().unwrap());
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("3.csv", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&rows(&["A3,,,,,,G3,work,overdue,,"])).unwrap();
    site.put("3.zip", &zip.finish().unwrap().into_inner());
    let output = site.run(&["sync"]);
    let said = site.said(&output);
    assert_eq!(said.matches("1 units: 1 accepted").count(), 2, "{said}");
}

#[cfg(not(feature = "system-pq"))]
#[test]
fn a_fault_of_the_site_stops_before_anything_is_taken() {
    let site = Site::new();
    let before = site.records();
    let mut told = String::new();
    let database = std::cell::Cell::new("");
    let mut check = |name: &str, words: &[&str]| {
        let mut command = site.command(words);
        if !database.get().is_empty() {
            command.env("WAYLEAVE_GATEWAY_DATABASE", database.get());
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {}", site.said(&output));
        told.push_str(&format!("--- {name}\n{}", site.said(&output)));
    };
    check("a file that is not there", &["sync", "council/cld", "--file", "no such.csv"]);
    check("an unknown feed", &["sync", "council/cdl"]);
    let good = std::fs::read_to_string(site.path("mappings/council/cld.toml")).unwrap();
    site.mapping(&good.replace("kind = \"goal\"", "kind = \"gaol\""));
    check("a mapping with an error", &["sync"]);
    site.mapping(&good);
    site.config("databse = \"sqlite:x.db\"");
    check("a config with an unknown key", &["sync"]);
    site.config("");
    database.set("postgres://way:s3cret@db.example/way");
    check("a server without TLS", &["sync"]);
    database.set("postgres://way:s3cret@127.0.0.1:1/way");
    check("a database that is down", &["sync"]);
    database.set("");
    site.config("database = \"sqlite:none/x.db\"");
    check("a folder that is not there", &["sync"]);
    crate::sshd::secret(&site.path("text.db"), "this is no database, but a text of some length");
    site.config("database = \"sqlite:text.db\"");
    check("a database that is none", &["sync"]);
    site.config("database = \"sqlite:absent.db\"");
    check("no database yet", &["status"]);
    site.config("");
    let moved = site.path("index.key.away");
    std::fs::rename(site.path("keys/index.key"), &moved).unwrap();
    check("a key that is not there", &["sync"]);
    std::fs::rename(moved, site.path("keys/index.key")).unwrap();
    assert_eq!(site.records(), before);
    assert!(!told.contains("s3cret"));
    insta::with_settings!({filters => vec![
        (r"connection to server at[^\n]*\n(\s+Is the server[^\n]*)?", "(as the driver says it)\n"),
    ]}, { insta::assert_snapshot!(told) });
}

#[test]
fn check_says_what_is_down() {
    let site = Site::new();
    let output = site.run(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", site.said(&output));
    insta::assert_snapshot!("check_is_well", site.said(&output));
    let output = site
        .command(&["check"])
        .env("WAYLEAVE_GATEWAY_QUEUE", "amqp://guest:s3cret@127.0.0.1:1/%2f")
        .env("WAYLEAVE_GATEWAY_DATABASE", "postgres://w:s3cret@127.0.0.1:1/w")
        .output()
        .unwrap();
    let said = site.said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let to_do: Vec<_> = said.lines().filter(|line| line.starts_with("TO DO")).collect();
    assert_eq!(to_do.len(), 2, "{said}");
    assert!(to_do[0].contains("database") && to_do[1].contains("queue"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

/// A server that takes the connection and says nothing, as behind a firewall that was changed, is given up
/// in a while, and said.
#[test]
fn a_database_that_says_nothing_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://w:s3cret@{}/w", silent.local_addr().unwrap());
    let site = Site::new();
    for (words, variable) in
        [("sync", "WAYLEAVE_GATEWAY_DATABASE"), ("collect", "WAYLEAVE_EVALUATION_DATABASE")]
    {
        let mut waits = site.command(&[words]);
        let mut waits = waits.env(variable, &url).stderr(Stdio::piped()).spawn().unwrap();
        let until = Instant::now() + Duration::from_mins(3);
        while waits.try_wait().unwrap().is_none() {
            if Instant::now() > until {
                waits.kill().unwrap();
                panic!("{words} waits for ever");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let output = waits.wait_with_output().unwrap();
        let said = site.said(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("database postgres://w@127.0.0.1:"), "{words}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn a_newer_database_is_left_alone() {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection as _;
    let site = Site::new();
    let file = site.path("operational.db");
    let mut connection = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    connection.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')").unwrap();
    let output = site.run(&["sync"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(site.said(&output).contains("was made by a newer version"), "{}", site.said(&output));
}

#[cfg(unix)]
#[test]
fn a_full_disk_says_so_and_the_run_goes_on_when_there_is_room() {
    let site = Site::new();
    let many: Vec<String> =
        (0..3_000).map(|n| format!("B{n},,,,,,H{n},work,overdue,{},", "words ".repeat(40))).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    site.put("2.csv", &rows(&many));
    let binary = env!("CARGO_BIN_EXE_wayleave");
    // Files may not grow beyond about a megabyte and a half; the signal that says so is ignored,
    // so that writing fails as it does on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f 3000; exec '{binary}' sync");
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("WAYLEAVE_CONFIG", site.path("wayleave.toml"))
        .output()
        .unwrap();
    let said = site.said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("disk"), "{said}");
    let output = site.run(&["sync"]);
    let said = site.said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("3000 units: 3000 accepted"), "{said}");
}

#[test]
fn a_database_that_is_locked_says_so() {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection as _;
    let Some(database) = postgres() else { return };
    let site = Site::new();
    site.config(&format!("database = \"{}\"", database.url));
    site.ok(&["sync"]);
    site.put("2.csv", &rows(&["A2,,,,,,G2,work,overdue,,"]));
    let mut other = diesel::PgConnection::establish(&database.url).unwrap();
    other.batch_execute("BEGIN; LOCK TABLE run IN ACCESS EXCLUSIVE MODE").unwrap();
    let output = site.command(&["sync"]).env("PGOPTIONS", "-c lock_timeout=1s").output().unwrap();
    let said = site.said(&output);
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("locked by another process"), "{said}");
    assert!(site.run(&["sync"]).status.success());
}

#[test]
fn a_path_of_windows_in_double_quotes_says_how_it_is_written() {
    let site = Site::new();
    let mut told = String::new();
    for path in [r"C:\data\in", r"C:\Users\in", r"C:\new\temp", r"\\server\share"] {
        let feed = format!("[source.a]\n[source.a.feed.b]\nmapping = \"a/b\"\nfolder = \"{path}\"\n");
        std::fs::write(site.path("wayleave.toml"), feed).unwrap();
        let output = site.run(&["check"]);
        assert_eq!(output.status.code(), Some(2), "{}", site.said(&output));
        told.push_str(&format!("--- {path}\n{}", site.said(&output)));
    }
    insta::assert_snapshot!(told);
}
