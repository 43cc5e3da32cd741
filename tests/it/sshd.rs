//! A throwaway OpenSSH server on a free port of this machine: the real one, with keys of its own.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{free_port, server};

/// A server that is stopped when this is dropped.
pub(crate) struct Sshd {
    program: String,
    folder: TempDir,
    pub(crate) port: u16,
    child: Option<Child>,
    options: String,
}

/// Where `sshd` is: where Debian puts it, or where a variable says.
fn program() -> Option<String> {
    let usual = "/usr/sbin/sshd";
    if Path::new(usual).exists() {
        return Some(usual.to_owned());
    }
    server("WAYLEAVE_TEST_SSHD", "OpenSSH server")
}

impl Sshd {
    /// Starts one; `sftp` is how its files are served, such as `-R` for read-only. `kinds` are
    /// the kinds of its own keys.
    pub(crate) fn start(sftp: &str, kinds: &[&str]) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::Builder::new().prefix("wl-sshd").tempdir().unwrap();
        let mut sshd = Self { program, folder, port: free_port(), child: None, options: String::new() };
        for kind in kinds {
            keygen(&["-t", kind], &sshd.path(&format!("host_{kind}")));
            sshd.options.push_str(&format!("HostKey {}\n", sshd.path(&format!("host_{kind}")).display()));
        }
        keygen(&["-t", "ed25519"], &sshd.path("user"));
        std::fs::copy(sshd.path("user.pub"), sshd.path("authorized")).unwrap();
        std::fs::create_dir(sshd.path("out")).unwrap();
        // What it is asked for is written down: the server's own words, beside the connection.
        let serve = "exec /usr/lib/openssh/sftp-server";
        let text = format!("#!/bin/sh\n{serve} -e -l INFO \"$@\" 2>>{}\n", sshd.path("asked").display());
        std::fs::write(sshd.path("sftp"), text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(sshd.path("sftp"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        sshd.options.push_str(&format!(
            "ListenAddress 127.0.0.1\nPort {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PermitRootLogin yes\nPasswordAuthentication no\nLogLevel VERBOSE\n\
             Subsystem sftp {} {sftp}\n",
            sshd.port,
            sshd.path("authorized").display(),
            sshd.path("sftp").display(),
        ));
        sshd.begin();
        Some(sshd)
    }

    /// Starts it, or starts it again on the same port.
    pub(crate) fn begin(&mut self) {
        // As root it wants a folder to shut itself into.
        if let Err(error) = std::fs::create_dir_all("/run/sshd") {
            assert!(Path::new("/run").exists(), "{error}");
        }
        std::fs::write(self.path("config"), &self.options).unwrap();
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let child = Command::new(&self.program)
            .args(["-D", "-e", "-f", self.path("config").to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        for _ in 0..2_400 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("sshd did not start: {}", self.log());
    }

    /// Stops it and whatever it is doing.
    pub(crate) fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            cut(child.id());
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Its process id, from which those that serve connections descend.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// How often a file was opened.
    pub(crate) fn opened(&self, name: &str) -> usize {
        let asked = std::fs::read_to_string(self.path("asked")).unwrap_or_default();
        asked.lines().filter(|line| line.contains("open \"") && line.contains(name)).count()
    }

    /// The line of the file of known hosts for a key of its own.
    pub(crate) fn known(&self, kind: &str) -> String {
        let public = std::fs::read_to_string(self.path(&format!("host_{kind}.pub"))).unwrap();
        format!("[127.0.0.1]:{} {public}", self.port)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.end();
    }
}

/// Makes a key without a passphrase, unless `words` name one.
pub(crate) fn keygen(words: &[&str], file: &Path) {
    let passphrase = if words.contains(&"-N") { &[][..] } else { &["-N", ""] };
    let mut making = Command::new("ssh-keygen");
    let made =
        making.args(["-q", "-f", file.to_str().unwrap()]).args(passphrase).args(words).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Kills every process that descends from one, by its id.
pub(crate) fn cut(ancestor: u32) {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name in round brackets may hold anything.
            let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut doomed = vec![ancestor];
    let mut at = 0;
    while let Some(of) = doomed.get(at).copied() {
        doomed.extend(parents.iter().filter(|(_, parent)| *parent == of).map(|(pid, _)| *pid));
        at += 1;
    }
    for pid in &doomed[1..] {
        let _gone = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
    }
}

/// Stands between a client and a server, and lets `cut` happen once, after so many bytes.
pub(crate) fn between(server: u16, after: usize, cut: impl Fn() + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (passed, cut) = (Arc::new(AtomicUsize::new(0)), Arc::new(cut));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(behind)) = (client, TcpStream::connect(("127.0.0.1", server))) else {
                continue;
            };
            let (mut up, mut down) = (client.try_clone().unwrap(), behind.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ended = std::io::copy(&mut up, &mut down);
                let _shut = down.shutdown(Shutdown::Both);
            });
            let (passed, cut) = (passed.clone(), cut.clone());
            std::thread::spawn(move || {
                let (mut from, mut to) = (behind, client);
                let mut bytes = vec![0; 16 * 1024];
                while let Ok(n @ 1..) = from.read(&mut bytes) {
                    let before = passed.fetch_add(n, Ordering::Relaxed);
                    if before < after && before + n >= after {
                        cut();
                    }
                    if to.write_all(&bytes[..n]).is_err() {
                        break;
                    }
                }
                let _shut = to.shutdown(Shutdown::Both);
            });
        }
    });
    port
}

/// Writes a file that its owner alone may read.
pub(crate) fn secret(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}
