//! Health and metrics.

use super::Place;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// `/metrics` of the server whose log this is.
fn metrics(log: &str) -> String {
    let (_, rest) = log.split_once("metrics on http://").unwrap();
    let (address, _) = rest.split_once("/metrics").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("openmetrics-text"), "{answer}");
    answer
}

/// The number of the line that begins so.
fn number(text: &str, series: &str) -> i64 {
    let line = text
        .lines()
        .find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("no {series} in {text}"));
    line[series.len() + 1..].parse().unwrap()
}

const WATCHED: (&str, &str) = ("PARLANCE_METRICS_ADDR", "127.0.0.1:0");

#[tokio::test]
async fn health_is_asked_in_four_ways() {
    let place = Place::new().await;
    let server = place.serve(&[]);
    for path in ["/livez", "/healthz", "/readyz"] {
        let answer = server.ask("GET", path, "", "");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nok\n"), "{answer}");
    }
    let (status, health) = server.call("GET", "/api/health", "", "");
    assert_eq!((status, health), (200, serde_json::json!({"status": "ok"})));
    let addressed = ["healthcheck", "--http-addr", &server.address];
    assert_eq!(
        (place.run(&addressed).lines().len(), place.run(&addressed).err),
        (0, String::new())
    );
    // A server that listens everywhere is asked on this machine.
    let port = server.address.rsplit_once(':').unwrap().1;
    let everywhere = format!("0.0.0.0:{port}");
    assert_eq!(place.run(&["healthcheck", "--http-addr", &everywhere]).code, Some(0));
    let address = server.address.clone();
    assert_eq!(server.stop().0, Some(0));
    let gone = place.run(&["healthcheck", "--http-addr", &address]);
    assert_eq!((gone.code, &*gone.out), (Some(1), ""));
    assert!(gone.err.starts_with(&format!("parlance: {address}: ")), "{gone:?}");
}

#[test]
fn a_store_that_takes_no_writes_is_told_and_nothing_else() {
    let place = Place::embedded();
    let server = place.serve(&[]);
    // Somebody else holds the database: a write gives up after the store's own patience.
    let raw = rusqlite::Connection::open(place.dir.join("parlance.db")).unwrap();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (status, health) = server.call("GET", "/api/health", "", "");
    assert_eq!((status, &health["status"]), (503, &serde_json::json!("unavailable")));
    assert_eq!(health["reason"], "the store does not take writes");
    assert_eq!(server.call("GET", "/livez", "", "").0, 200, "alive all the same");
    let not_ready = server.ask("GET", "/readyz", "", "");
    assert!(not_ready.starts_with("HTTP/1.1 503"), "{not_ready}");
    assert!(not_ready.ends_with("\r\n\r\nthe store does not take writes\n"), "{not_ready}");
    let check = place.run(&["healthcheck", "--http-addr", &server.address]);
    assert_eq!((check.code, check.err), (Some(1), format!("parlance: {}: 503\n", server.address)));
    raw.execute_batch("ROLLBACK").unwrap();
    // What was seen counts for a second.
    super::until(|| place.run(&["healthcheck", "--http-addr", &server.address]).code == Some(0));
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status() {
    let place = Place::new().await;
    let server = place.serve(&[WATCHED, ("ADMIN_PASS", "secret")]);
    let session = server.session("admin", "secret");
    for path in ["/api/v1/im.list", "/api/v1/dm.list", "/api/v1/settings/Site_Name"] {
        assert_eq!(server.call("GET", path, &session, "").0, 200);
    }
    assert_eq!(server.call("GET", "/api/v1/me", "", "").0, 401);
    assert_eq!(server.call("GET", "/api/dms/made-up/messages?secret=1", "", "").0, 401);
    for n in 0..40 {
        server.ask("GET", &format!("/made/up/{n}"), "", "");
        server.ask("GET", &format!("/api/v1/made.up{n}"), "", "");
    }
    let text = metrics(&server.log);
    let count = |face: &str, route: &str, status: &str| {
        let series = "parlance_request_duration_seconds_count";
        let labels = format!("{{face=\"{face}\",route=\"{route}\",status=\"{status}\"}}");
        number(&text, &format!("{series}{labels}"))
    };
    assert_eq!(count("rocketchat", "login", "2xx"), 1);
    assert_eq!(count("rocketchat", "dm.list", "2xx"), 2, "the alias is the same route");
    assert_eq!(count("rocketchat", "settings/", "2xx"), 1);
    assert_eq!(count("rocketchat", "me", "4xx"), 1);
    assert_eq!(count("meepachat", "/api/dms/{channel}/messages", "4xx"), 1);
    assert_eq!(count("none", "none", "4xx"), 80);
    for raw in ["made/up", "made.up", "made-up", "secret", "Site_Name", "admin"] {
        assert!(!text.contains(raw), "{raw} in {text}");
    }
    assert!(number(&text, "parlance_event_log_position") > 0);
    assert!(number(&text, "parlance_event_log_lag") >= 0);
    assert_eq!(number(&text, "parlance_sessions"), 1);
    assert_eq!(number(&text, "parlance_sockets"), 0);
    assert_eq!(number(&text, "parlance_store_changes_waiting"), 0);
    if place.url.is_none() {
        let made = number(&text, "parlance_store_changes_total");
        assert!(made >= number(&text, "parlance_store_groups_total") && made > 1);
    }
    assert!(number(&text, "process_resident_memory_bytes") > 1_000_000);
    assert!(number(&text, "process_start_time_seconds") > 1_700_000_000);
    let head = text.split_once("\r\n\r\n").unwrap().0.to_lowercase();
    assert!(!head.contains("access-control"), "no other page may read it: {head}");
    // Not where strangers are.
    assert_eq!(server.call("GET", "/metrics", "", "").0, 404);
}

#[tokio::test]
async fn open_connections_are_counted() {
    let place = Place::new().await;
    let server = place.serve(&[WATCHED]);
    let open: Vec<TcpStream> = (0..3)
        .map(|_| {
            let mut stream = TcpStream::connect(&server.address).unwrap();
            stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut head = [0; 12];
            stream.read_exact(&mut head).unwrap();
            stream
        })
        .collect();
    assert_eq!(number(&metrics(&server.log), "parlance_connections"), 3);
    drop(open);
    super::until(|| number(&metrics(&server.log), "parlance_connections") == 0);
}

#[tokio::test]
async fn an_address_that_is_taken_stops_the_start_only_if_it_was_chosen() {
    let place = Place::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = place.command(&["serve", "--http-addr", "127.0.0.1:0"]);
    command.env("PARLANCE_METRICS_ADDR", &address);
    let done = super::finish(command, "");
    assert_eq!(done.code, Some(1));
    assert!(done.err.starts_with(&format!("parlance: cannot listen on {address}: ")), "{done:?}");
    // Whether the default is free on this machine or taken, by us if by nobody else.
    let _taken = std::net::TcpListener::bind("127.0.0.1:9464");
    let (code, log) = place.serve(&[("PARLANCE_METRICS_ADDR", "127.0.0.1:9464")]).stop();
    assert!(code == Some(0) && log.contains("there are no metrics: cannot listen on"), "{log}");
}
