//! Which addresses may be connected to where data names them. An address is judged after its name
//! was resolved, and the connection then goes to that very address.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Addresses that may be connected to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allowed {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    host: Host,
    /// `None` for every port.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Name(String),
    Network { base: IpAddr, bits: u32 },
}

/// An entry of a policy or of settings that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an address to allow; they look like \"localhost:*\", \"10.1.0.0/16:443\", \"[fd00::/8]:80\" or \
     \"pacs.trust.example:8080\""
)]
pub struct BadAddress(String);

impl Allowed {
    /// Reads the entries of a policy or of settings.
    pub fn parse(entries: &[String]) -> Result<Allowed, BadAddress> {
        let parsed = entries.iter().map(|text| entry(text).ok_or_else(|| BadAddress(text.clone())));
        Ok(Allowed { entries: parsed.collect::<Result<_, _>>()? })
    }

    /// Whether `host`, which was resolved to `address`, may be connected to.
    ///
    /// An entry with an address or network allows what lies in it, under whatever name. An entry with
    /// a name allows public addresses of that name, and loopback for `localhost`: a name that comes
    /// to mean a private address leads nowhere.
    pub fn allows(&self, host: &str, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.entries.iter().filter(|entry| entry.port.is_none_or(|port| port == address.port())).any(|entry| {
            match &entry.host {
                Host::Network { base, bits } => contains(*base, *bits, ip),
                Host::Name(name) => {
                    name.eq_ignore_ascii_case(host)
                        && (is_public(ip) || (name.eq_ignore_ascii_case("localhost") && ip.is_loopback()))
                }
            }
        })
    }
}

fn entry(text: &str) -> Option<Entry> {
    let (host, port) = text.rsplit_once(':')?;
    let port = if port == "*" { None } else { Some(port.parse().ok()?) };
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host = match network(bare.unwrap_or(host)) {
        Some(network) => network,
        None if bare.is_none() && is_name(host) => Host::Name(host.to_owned()),
        None => return None,
    };
    Some(Entry { host, port })
}

fn network(text: &str) -> Option<Host> {
    let (base, bits) = match text.split_once('/') {
        Some((base, bits)) => (base, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let base: IpAddr = base.parse().ok()?;
    let width = if base.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(width);
    (bits <= width).then_some(Host::Network { base, bits })
}

fn is_name(host: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    host.split('.').all(is_part) && !host.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn contains(base: IpAddr, bits: u32, ip: IpAddr) -> bool {
    match (base, ip) {
        (IpAddr::V4(base), IpAddr::V4(ip)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            base.to_bits() & mask == ip.to_bits() & mask
        }
        (IpAddr::V6(base), IpAddr::V6(ip)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            base.to_bits() & mask == ip.to_bits() & mask
        }
        _ => false,
    }
}

/// The address under which a caller's requests are counted: of IPv6 the network of 64 bits, since whoever has
/// one address of it has them all.
pub fn counted_as(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
    }
}

/// Whether an address is one of the public internet: none of a private network, of this machine, or
/// of a range that IANA keeps for special purposes.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// All but the ranges that IANA keeps for special purposes.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = a == 192 && b == 0 && c == 0;
    let relay = a == 192 && b == 88 && c == 99;
    let benchmarks = a == 198 && (18..20).contains(&b);
    let special = shared || protocols || relay || benchmarks;
    let this_network_or_reserved = a == 0 || a >= 224;
    !(special
        || this_network_or_reserved
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation())
}

/// Only global unicast (2000::/3), and not what is written inside it as another kind of address.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    let global_unicast = first & 0xe000 == 0x2000;
    let documentation = first == 0x2001 && second == 0x0db8;
    let protocols = first == 0x2001 && second < 0x0200;
    let six_to_four = first == 0x2002;
    global_unicast && !documentation && !protocols && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entries: &[&str]) -> Allowed {
        Allowed::parse(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>()).unwrap()
    }
    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_allow_addresses_under_any_name() {
        let policy = allowed(&["10.1.0.0/16:443", "127.0.0.1:*", "[fd00::/8]:80", "0.0.0.0/0:9"]);
        assert!(policy.allows("pacs", at("10.1.2.3:443")));
        assert!(!policy.allows("pacs", at("10.1.2.3:80")));
        assert!(!policy.allows("pacs", at("10.2.2.3:443")));
        assert!(policy.allows("x", at("127.0.0.1:7")));
        assert!(policy.allows("x", at("[::ffff:127.0.0.1]:7")));
        assert!(policy.allows("x", at("[fd12::1]:80")) && !policy.allows("x", at("[fe12::1]:80")));
        assert!(policy.allows("x", at("192.168.0.1:9")));
    }

    #[test]
    fn names_allow_public_addresses_only() {
        let policy = allowed(&["api.example:443", "localhost:*"]);
        assert!(policy.allows("API.example", at("93.184.216.34:443")));
        assert!(policy.allows("api.example", at("[2606:2800:220:1::1]:443")));
        for private in ["10.0.0.1:443", "169.254.169.254:443", "127.0.0.1:443", "[::1]:443", "100.64.0.1:443"] {
            assert!(!policy.allows("api.example", at(private)), "{private}");
        }
        assert!(!policy.allows("other.example", at("93.184.216.34:443")));
        assert!(policy.allows("localhost", at("[::1]:80")) && !policy.allows("localhost", at("10.0.0.1:80")));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "localhost", "localhost:http", "10.0.0.0/33:1", "1.2.3:80", "a b:80", "[name]:80", "*:80"] {
            assert!(Allowed::parse(&[text.to_owned()]).is_err(), "{text}");
        }
    }

    #[test]
    fn a_network_of_one_holder_counts_as_one_caller() {
        for (address, counted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
        ] {
            assert_eq!(counted_as(address.parse().unwrap()), counted.parse::<IpAddr>().unwrap(), "{address}");
        }
    }
}
