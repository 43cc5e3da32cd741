//! The file of known hosts, as OpenSSH writes it (the format is in sshd(8)): names
//! plain or hashed, with `[host]:port` for another port than 22, patterns, and keys called back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// What the file says of the key that a host shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the host's.
    Known,
    /// It is called back.
    Revoked,
    /// The host has another of that kind, in this line.
    Changed(usize),
    /// Nothing.
    Unknown,
}

/// The lines of the file that are about one host.
pub(super) struct OfHost(Vec<Line>);

struct Line {
    /// From 1.
    number: usize,
    is_revoked: bool,
    algorithm: String,
    key: Vec<u8>,
}

impl OfHost {
    /// Reads the file for one host. Lines that cannot be read are passed over: they know nobody.
    pub(super) fn read(text: &str, host: &str, port: u16) -> Self {
        let host = host.to_lowercase();
        let name = if port == 22 { host.clone() } else { format!("[{host}]:{port}") };
        let lines = text.lines().enumerate().filter_map(|(index, line)| {
            let mut words = line.split_whitespace().peekable();
            let marker = words.next_if(|word| word.starts_with('@'));
            let (hosts, algorithm, key) = (words.next()?, words.next()?, words.next()?);
            // Authorities' certificates are not asked for.
            if hosts.starts_with('#') || marker == Some("@cert-authority") || !is_of(hosts, &name) {
                return None;
            }
            Some(Line {
                number: index + 1,
                is_revoked: marker.is_some(),
                algorithm: algorithm.to_owned(),
                key: STANDARD.decode(key).ok()?,
            })
        });
        Self(lines.collect())
    }

    /// The kinds of key that are known of the host.
    pub(super) fn algorithms(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|line| !line.is_revoked).map(|line| line.algorithm.as_str())
    }

    /// How a key that the host shows stands.
    pub(super) fn standing(&self, algorithm: &str, key: &[u8]) -> Standing {
        let same = || self.0.iter().filter(|line| line.key == key);
        if same().any(|line| line.is_revoked) {
            return Standing::Revoked;
        }
        if same().next().is_some() {
            return Standing::Known;
        }
        match self.0.iter().find(|line| !line.is_revoked && line.algorithm == algorithm) {
            Some(line) => Standing::Changed(line.number),
            None => Standing::Unknown,
        }
    }
}

/// Whether a list of names takes in a host: one of them does, and none after a `!`.
fn is_of(list: &str, name: &str) -> bool {
    let mut is_named = false;
    for one in list.split(',') {
        match one.strip_prefix('!') {
            Some(not) if is_like(&not.to_lowercase(), name) => return false,
            Some(_) => {}
            None if one.starts_with("|1|") => is_named |= is_hash_of(one, name),
            None => is_named |= is_like(&one.to_lowercase(), name),
        }
    }
    is_named
}

/// `|1|salt|hash`: HMAC-SHA-1 of the name under the salt.
fn is_hash_of(hashed: &str, name: &str) -> bool {
    let mut parts = hashed.split('|').skip(2).map(|part| STANDARD.decode(part));
    let (Some(Ok(salt)), Some(Ok(hash))) = (parts.next(), parts.next()) else { return false };
    let Ok(mac) = Hmac::<Sha1>::new_from_slice(&salt) else { return false };
    mac.chain_update(name.as_bytes()).verify_slice(&hash).is_ok()
}

/// Whether a name fits a pattern in which `*` stands for any characters and `?` for one.
fn is_like(pattern: &str, name: &str) -> bool {
    // The places of the pattern at which one may be, after each character: bounded by its length.
    let pattern: Vec<char> = pattern.chars().collect();
    let past_stars = |mut at: usize, places: &mut Vec<usize>| {
        loop {
            if !places.contains(&at) {
                places.push(at);
            }
            if pattern.get(at) != Some(&'*') {
                return;
            }
            at += 1;
        }
    };
    let mut places = Vec::new();
    past_stars(0, &mut places);
    for letter in name.chars() {
        let mut next = Vec::new();
        for at in places {
            match pattern.get(at) {
                Some('*') => past_stars(at, &mut next),
                Some('?') => past_stars(at + 1, &mut next),
                Some(same) if *same == letter => past_stars(at + 1, &mut next),
                _ => {}
            }
        }
        places = next;
    }
    places.contains(&pattern.len())
}

#[cfg(test)]
mod tests {
    use super::{OfHost, Standing, is_like};

    const A: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const B: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

    fn standing(file: &str, host: &str, port: u16, key: &str) -> Standing {
        use base64::Engine as _;
        let key = base64::engine::general_purpose::STANDARD.decode(key).unwrap();
        OfHost::read(file, host, port).standing("ssh-ed25519", &key)
    }

    #[test]
    fn a_host_is_known_by_name_port_and_kind() {
        let file = format!(
            "# ours\n\nfiles.example,10.0.0.7 ssh-ed25519 {A} comment\n[files.example]:2222 ssh-ed25519 {B}\n"
        );
        assert_eq!(standing(&file, "files.example", 22, A), Standing::Known);
        assert_eq!(standing(&file, "FILES.example", 22, A), Standing::Known);
        assert_eq!(standing(&file, "10.0.0.7", 22, A), Standing::Known);
        assert_eq!(standing(&file, "files.example", 22, B), Standing::Changed(3));
        assert_eq!(standing(&file, "files.example", 2222, B), Standing::Known);
        assert_eq!(standing(&file, "files.example", 2222, A), Standing::Changed(4));
        assert_eq!(standing(&file, "other.example", 22, A), Standing::Unknown);
        assert_eq!(standing("", "files.example", 22, A), Standing::Unknown);
    }

    #[test]
    fn a_key_that_is_called_back_is_nobodys() {
        let file = format!("files.example ssh-ed25519 {A}\n@revoked * ssh-ed25519 {A}\n");
        assert_eq!(standing(&file, "files.example", 22, A), Standing::Revoked);
        let authority = format!("@cert-authority * ssh-ed25519 {A}\n");
        assert_eq!(standing(&authority, "files.example", 22, A), Standing::Unknown);
    }

    #[test]
    fn patterns_and_what_they_leave_out() {
        let file = format!("*.example,!old.example ssh-ed25519 {A}\n");
        assert_eq!(standing(&file, "new.example", 22, A), Standing::Known);
        assert_eq!(standing(&file, "old.example", 22, A), Standing::Unknown);
        for (pattern, name, fits) in [
            ("*", "", true),
            ("10.0.0.?", "10.0.0.7", true),
            ("10.0.0.?", "10.0.0.77", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "acb", false),
            ("***a", "bba", true),
        ] {
            assert_eq!(is_like(pattern, name), fits, "{pattern} {name}");
        }
    }
}
