//! Which URLs may be followed and which addresses called (CVE-2024-39713). IPv6 is judged by what is
//! let through, the global unicast block, so that every form that carries an IPv4 address inside
//! (mapped, compatible, NAT64) is refused without being named; what lies in that block and is not
//! a host of the open internet is named, as all of it is for IPv4.

use super::{Failed, MOST_URL};
use crate::network::Network;
use crate::setting::{self, Settings};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// What is no host of the open internet: private, local, shared, documentation, test, multicast,
/// reserved; and two that clouds keep metadata under.
const NOT_V4: [([u8; 4], u32); 17] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([100, 100, 100, 200], 32),
    ([127, 0, 0, 0], 8),
    ([168, 63, 129, 16], 32),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];
/// The same within `2000::/3`: protocol assignments with Teredo, documentation (two), 6to4, the 6bone.
const NOT_V6: [([u16; 2], u32); 5] = [
    ([0x2001, 0], 23),
    ([0x2001, 0xdb8], 32),
    ([0x2002, 0], 16),
    ([0x3fff, 0], 20),
    ([0x3ffe, 0], 16),
];

/// Is this an address of the open internet?
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let within = |(base, bits): &([u8; 4], u32)| {
                (Ipv4Addr::from(*base).to_bits() ^ v4.to_bits()).leading_zeros() >= *bits
            };
            !NOT_V4.iter().any(within)
        }
        IpAddr::V6(v6) => {
            let within = |(base, bits): &([u16; 2], u32)| {
                let base = Ipv6Addr::new(base[0], base[1], 0, 0, 0, 0, 0, 0);
                (base.to_bits() ^ v6.to_bits()).leading_zeros() >= *bits
            };
            within(&([0x2000, 0], 3)) && !NOT_V6.iter().any(within)
        }
    }
}

/// What the settings say of where requests may go.
pub(crate) struct Policy {
    ports: Vec<u16>,
    ignored_hosts: Vec<String>,
    ignored: Vec<Network>,
    allowed: Vec<Network>,
}

impl Policy {
    /// Stands for all that the settings say of it.
    pub(crate) fn mark(settings: &Settings) -> u64 {
        let mut hasher = DefaultHasher::new();
        for known in
            [&setting::EMBED_IGNORED_HOSTS, &setting::EMBED_PORTS, &setting::PREVIEW_NETWORKS]
        {
            settings.text(known).hash(&mut hasher);
        }
        hasher.finish()
    }

    pub(crate) fn of(settings: &Settings) -> Self {
        let networks = |known| {
            let all = setting::items(settings.text(known));
            all.filter_map(|one| one.parse().ok()).collect::<Vec<Network>>()
        };
        let hosts = setting::items(settings.text(&setting::EMBED_IGNORED_HOSTS));
        let ports = setting::items(settings.text(&setting::EMBED_PORTS));
        Self {
            ports: ports.filter_map(|port| port.parse().ok()).collect(),
            ignored_hosts: hosts.map(plain).collect(),
            ignored: networks(&setting::EMBED_IGNORED_HOSTS),
            allowed: networks(&setting::PREVIEW_NETWORKS),
        }
    }

    /// The host of a URL that may be followed, as far as that can be said of the text alone.
    pub(super) fn host(&self, url: &Url) -> Result<Host<String>, Failed> {
        if !matches!(url.scheme(), "http" | "https") || url.as_str().len() > MOST_URL {
            return Err(Failed("not a URL to follow"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failed("a URL with a password"));
        }
        if !url.port_or_known_default().is_some_and(|port| self.ports.contains(&port)) {
            return Err(Failed("refused port"));
        }
        match url.host() {
            Some(Host::Domain(name)) if self.ignored_hosts.contains(&plain(name)) => {
                Err(Failed("ignored host"))
            }
            Some(host) => Ok(host.to_owned()),
            None => Err(Failed("no host")),
        }
    }

    /// May this address be called?
    pub(super) fn likes(&self, address: IpAddr) -> bool {
        let among = |networks: &[Network]| networks.iter().any(|net| net.contains(address));
        among(&self.allowed) || (is_public(address) && !among(&self.ignored))
    }
}

/// A host's name as it is compared.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::Policy;
    use crate::setting::Settings;
    use serde_json::json;
    use std::collections::BTreeMap;
    use url::{Host, Url};

    fn policy(changed: &[(&str, &str)]) -> Policy {
        let changed = changed.iter().map(|(id, text)| ((*id).to_owned(), (json!(text), 0)));
        Policy::of(&Settings::new(changed.collect::<BTreeMap<_, _>>(), 0))
    }

    /// May the address that a URL spells be called?
    fn passes(policy: &Policy, url: &str) -> bool {
        let host = Url::parse(url).ok().and_then(|url| policy.host(&url).ok());
        match host {
            Some(Host::Ipv4(address)) => policy.likes(address.into()),
            Some(Host::Ipv6(address)) => policy.likes(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        }
    }

    /// Hosts by the reason for which they are refused.
    const REFUSED: [&str; 8] = [
        // Loopback, spelt in all the ways.
        "127.0.0.1 127.255.255.254 127.1 2130706433 0x7f000001 0177.0.0.1 0x7f.1 017700000001
            127.0.0.1. %31%32%37.0.0.1 \u{ff11}\u{ff12}\u{ff17}.0.0.1 [::1]",
        // Unspecified, private, shared.
        "0.0.0.0 0 0.1.2.3 [::] 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1
            192.168.255.255 100.64.0.1 100.127.255.255 [fc00::1] [fdff::1] [fec0::1]",
        // Link-local and metadata.
        "169.254.0.1 169.254.169.254 0xa9fea9fe 2852039166 100.100.100.200 168.63.129.16
            192.0.0.192 [fe80::1] [fd00:ec2::254]",
        // Documentation, tests, relays.
        "192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1 198.19.255.255 192.88.99.1
            [2001:db8::1] [3fff::1] [3fff:fff::1]",
        // Multicast, reserved, broadcast.
        "224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 [ff02::1] [100::1] [5f00::1]
            [4000::1] [3ffe::1]",
        // An IPv4 address inside: mapped, compatible, translated.
        "[::ffff:127.0.0.1] [::ffff:10.0.0.1] [::ffff:a9fe:a9fe] [::ffff:8.8.8.8] [::127.0.0.1]
            [::7f00:1] [::8.8.8.8] [::ffff:0:127.0.0.1]",
        // NAT64.
        "[64:ff9b::127.0.0.1] [64:ff9b::8.8.8.8] [64:ff9b:1::10.0.0.1]",
        // 6to4, Teredo and the rest of the protocols' own.
        "[2002:7f00:1::] [2002:a9fe:a9fe::1] [2002:808:808::1] [2001::1] [2001:0:808:808::1]
            [2001:10::1] [2001:20::1]",
    ];
    /// Their neighbours, and others.
    const TAKEN: &str = "8.8.8.8 1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0
        126.255.255.255 128.0.0.0 169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.1
        192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 0x08080808
        [2606:4700::1111] [2a00:1450::1] [2001:200::1] [2003::1] [3ffd::1] a.example";

    #[test]
    fn what_is_not_the_open_internet_is_refused() {
        let policy = policy(&[]);
        for host in REFUSED.iter().flat_map(|hosts| hosts.split_whitespace()) {
            assert!(!passes(&policy, &format!("http://{host}/")), "{host}");
        }
        for host in TAKEN.split_whitespace() {
            assert!(passes(&policy, &format!("http://{host}/")), "{host}");
        }
    }

    #[test]
    fn urls_that_are_not_followed() {
        let policy = policy(&[]);
        for url in [
            "ftp://a.example/",
            "file:///etc/passwd",
            "gopher://a.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "//a.example/",
            "http://",
            "http://ann@a.example/",
            "http://ann:secret@a.example/",
            "http://:secret@a.example/",
            "http://a.example:22/",
            "http://a.example:8080/",
            "https://a.example:6379/",
            "http://a.example:0/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://localhost:443/",
        ] {
            assert!(!passes(&policy, url), "{url}");
        }
        assert!(!passes(&policy, &format!("http://a.example/{}", "x".repeat(2048))));
        for url in ["http://a.example", "https://a.example/", "http://a.example:443/x?y#z"] {
            assert!(passes(&policy, url), "{url}");
        }
    }

    #[test]
    fn what_the_settings_add_and_permit() {
        let policy = policy(&[
            ("Parlance_Preview_Allowed_Networks", "10.1.0.0/16, fd00::/8"),
            ("API_EmbedIgnoredHosts", "intern.example, 8.8.0.0/16, 10.0.0.0/8"),
            ("API_EmbedSafePorts", "80, 8443"),
        ]);
        for url in [
            "http://10.2.0.1/",
            "http://8.8.4.4/",
            "http://Intern.Example./",
            "http://127.0.0.1/",
            "https://a.example/",
            "http://[64:ff9b::10.1.0.1]/",
        ] {
            assert!(!passes(&policy, url), "{url}");
        }
        for url in [
            "http://10.1.2.3/",
            "http://[fd00::1]/",
            "http://[::ffff:10.1.2.3]/",
            "https://a.example:8443/",
            "http://8.9.0.1/",
            "http://localhost/",
        ] {
            assert!(passes(&policy, url), "{url}");
        }
    }
}
