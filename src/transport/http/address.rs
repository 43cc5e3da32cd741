//! Which addresses lead inside a private network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// True for an address that is not one of the open Internet: of this machine, of a private network,
/// of one link, shared, kept for documents, or for many (IANA special-purpose address registries,
/// RFC 6890 and its successors).
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_private_v4(mapped),
            None => is_private_v6(address),
        },
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    // 2000::/3 is all that is given out; within it, 2001::/23 and 2002::/16 lead elsewhere, and
    // 2001:db8::/32 is for documents.
    let [_, second, ..] = address.segments();
    !(0x2000..0x4000).contains(&first)
        || (first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        || first == 0x2002
}

/// True for a URL that names such an address outright, or no host at all.
pub(super) fn is_private_literal(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() {
        return true;
    }
    host.parse().is_ok_and(is_private)
}

/// Looks names up, and takes only those whose every address is on the open Internet.
pub(super) struct PublicOnly;

#[derive(Debug, thiserror::Error)]
#[error("it leads into a private network")]
struct Inside;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let looked = tokio::task::spawn_blocking(move || {
                (host.as_str(), 0).to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>)
            });
            let found = looked.await??;
            if found.iter().any(|address| is_private(address.ip())) {
                return Err(Inside.into());
            }
            let public: Addrs = Box::new(found.into_iter());
            Ok(public)
        })
    }
}

/// True where a request ended because its name leads inside.
pub(super) fn refused(error: &reqwest::Error) -> bool {
    let mut inner: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = inner {
        if error.is::<Inside>() {
            return true;
        }
        inner = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn each_kind_of_private_address() {
        let inside = [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "2001:db8::1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
        ];
        for address in inside {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
