//! The client's address: the peer of the connection, or what a trusted proxy says it is. A header of
//! anybody else is ignored, so that nobody can choose the address in the audit.

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
pub use parlance_core::network::Network;
use std::net::{IpAddr, SocketAddr};

/// Who calls: the peer, or the address a trusted proxy names (`X-Forwarded-For` from the right, past
/// further trusted ones; else `X-Real-IP`). `unknown` without a connection, as in a test.
pub fn client(headers: &HeaderMap, extensions: &Extensions, trusted: &[Network]) -> String {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let Some(peer) = peer else {
        return "unknown".to_owned();
    };
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(*address));
    if !is_trusted(&peer) {
        return peer.to_canonical().to_string();
    }
    // A proxy may append to the line of its client or add one of its own: the last line is nearest.
    let lines = headers.get_all("x-forwarded-for").into_iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    let mut hops = hops.map_while(|hop| hop.trim().parse::<IpAddr>().ok());
    let real = headers.get_all("x-real-ip").into_iter().next_back();
    let real = || real?.to_str().ok()?.trim().parse::<IpAddr>().ok();
    let address = hops.find(|hop| !is_trusted(hop)).or_else(real).unwrap_or(peer);
    address.to_canonical().to_string()
}

#[cfg(test)]
mod tests {
    use super::{Network, client};
    use axum::extract::ConnectInfo;
    use axum::http::{Extensions, HeaderMap, HeaderValue};
    use std::net::SocketAddr;

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 9.9.9.9, 10.0.0.2"));
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 80))));
        let nets = ["10.0.0.0/8".parse::<Network>().expect("a network")];
        assert_eq!(client(&headers, &extensions, &nets), "9.9.9.9");
        assert_eq!(client(&headers, &extensions, &[]), "10.0.0.1");
        headers.append("x-forwarded-for", HeaderValue::from_static("8.8.8.8"));
        assert_eq!(client(&headers, &extensions, &nets), "8.8.8.8");
        assert!("10.0.0.0/33".parse::<Network>().is_err());
    }
}
