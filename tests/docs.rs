//! The compatibility tables of the README say what the server routes, no more and no less.

use crate::app::app;
use axum::http::{Method, StatusCode};
use parlance_rocketchat::routes::ROUTES;
use std::collections::BTreeSet;

const README: &str = include_str!("../README.md");

/// Rows of the table under this heading: what stands in backquotes in the first column.
fn table(heading: &str) -> BTreeSet<String> {
    let rows = README.lines().skip_while(|line| *line != format!("| {heading} | |"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let name = |line: &str| Some(line.split('`').nth(1)?.to_owned());
    rows.filter_map(name).collect()
}

#[test]
fn the_rocketchat_table_is_the_route_table() {
    let routed: BTreeSet<String> =
        ROUTES.iter().map(|route| format!("{} {}", route.method, route.name)).collect();
    assert_eq!(table("Rocket.Chat"), routed);
}

#[test]
fn every_method_is_named() {
    let text = README.split("knows these methods:").nth(1).unwrap();
    let named: BTreeSet<&str> =
        text.split("\n\n").next().unwrap().split('`').skip(1).step_by(2).collect();
    let known: BTreeSet<&str> =
        parlance_rocketchat::methods::METHODS.iter().map(|method| method.name).collect();
    assert_eq!(named, known);
}

#[tokio::test]
async fn every_row_of_the_meepachat_table_is_routed() {
    let app = app().await;
    let rows = table("MeepaChat");
    assert!(rows.len() >= 12, "{rows:?}");
    for row in rows {
        let (method, path) = row.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let path = path.replace("{channelID}", "x").replace("{id}", "x");
        // Without a session each of them says something else than that it is not there.
        let answer = app.call(method, &path, &[], None).await;
        let unrouted = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
        assert!(!unrouted.contains(&answer.status), "{row}: {}", answer.status);
    }
}
