//! `parlance import`.

use super::Place;

const FILE: &str = r#"{"collection":"users","document":{"_id":"anna1","username":"ann","roles":["admin"]}}
{"collection":"rooms","document":{"_id":"anna1anna1","t":"d","uids":["anna1"],"usernames":["ann"],"ts":{"$date":1640995200000}}}

{"collection":"messages","document":{"_id":"m1","rid":"anna1anna1","msg":"hi","ts":{"$date":1640995201000},"u":{"_id":"anna1","username":"ann"}}}
"#;

#[tokio::test]
async fn a_file_is_imported_and_then_known() {
    let place = Place::new().await;
    std::fs::create_dir_all(&place.dir).unwrap();
    let path = place.dir.join("history.ndjson");
    std::fs::write(&path, FILE).unwrap();
    let path = path.to_str().unwrap();
    let first = place.run(&["import", path]);
    assert_eq!(first.err, "");
    assert_eq!(
        first.lines(),
        [
            "users: 1 imported, 0 already here, 0 refused",
            "rooms: 1 imported, 0 already here, 0 refused",
            "subscriptions: 0 imported, 0 already here, 0 refused",
            "messages: 1 imported, 0 already here, 0 refused",
        ]
    );
    let second = place.run(&["import", path]);
    assert_eq!(second.lines()[3], "messages: 0 imported, 1 already here, 0 refused");
}

#[tokio::test]
async fn refused_lines_are_named_and_the_rest_is_taken() {
    let place = Place::new().await;
    let long = format!("{{\"x\":\"{}\"}}\n", "y".repeat(17 * 1024 * 1024));
    let file = format!("nonsense\n{FILE}{long}{{\"collection\":\"rooms\",\"document\":{{}}}}\nend");
    let done = place.run_with(&["import", "-"], &file);
    assert_eq!(done.code, Some(1));
    let lines: Vec<&str> = done.err.lines().collect();
    assert!(lines[0].starts_with("line 1: not JSON: "), "{lines:?}");
    assert_eq!(lines[1], "line 6: the line is longer than 16 MiB");
    assert_eq!(lines[2], "line 7: _id is missing");
    assert!(lines[3].starts_with("line 8: not JSON: ") && lines.len() == 4, "{lines:?}");
    let counts: Vec<&str> = done.out.lines().collect();
    assert_eq!(counts[1], "rooms: 1 imported, 0 already here, 1 refused");
    assert_eq!(counts[4], "other: 0 imported, 0 already here, 3 refused");
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let place = Place::embedded();
    let done = place.run(&["import", "/nowhere/at/all"]);
    assert_eq!(done.code, Some(1));
    assert!(done.err.starts_with("parlance: /nowhere/at/all: "), "{done:?}");
}
