//! TLS: a certificate counts for the name it is made for, from an authority that is believed. Those of
//! these tests (`tls/`) are for `tls.example` and hold for a hundred years.

use super::Scene;
use super::web::{OPEN, Web, titled};
use crate::app::START;
use parlance_core::{Clock, Outside, Resolver};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

const AUTHORITY: &[u8] = include_bytes!("tls/authority.der");
const SERVER: &[u8] = include_bytes!("tls/server.der");
const KEY: &[u8] = include_bytes!("tls/server.key.der");

fn acceptor() -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![SERVER.into()], PrivatePkcs8KeyDer::from(KEY).into())
        .unwrap();
    Arc::new(config).into()
}

#[tokio::test]
async fn a_certificate_counts_for_its_name_and_from_who_is_believed() {
    let address = SocketAddr::new(OPEN, 0);
    let web = Web::listen(address, Some(acceptor()), |_| titled("sealed")).await;
    let resolver = Resolver::set(|_| vec![OPEN]);
    let outside = Outside { resolver, authorities: vec![AUTHORITY.to_vec()] };
    let scene = Scene::outside(&web, Clock::set(START), outside).await;
    let url = |host: &str| format!("https://{host}:{}/", web.port);
    for host in ["tls.example", "TLS.example."] {
        assert_eq!(scene.preview(&url(host)).await["meta"]["pageTitle"], "sealed", "{host}");
    }
    for host in ["other.example", "sub.tls.example", "127.0.0.1"] {
        scene.none(&url(host)).await;
    }
    // Without TLS there is no talking to it.
    scene.none(&web.url("tls.example", "/plain")).await;
    let stranger = Scene::new(&web, Clock::set(START)).await;
    stranger.none(&url("tls.example")).await;
    assert_eq!(web.asked().len(), 2);
}
