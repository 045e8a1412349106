//! The audit from the shell: every change by a command, and every read of other people's messages.

use super::{Place, Server};
use serde_json::{Value, json};

/// A formula, where a spreadsheet sees the id.
const BOSS: &str = "=1+1";

fn rows(place: &Place, more: &[&str]) -> Vec<Value> {
    let done = place.run(&[&["audit", "export"], more].concat());
    done.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn actions(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["action"].as_str().unwrap()).collect()
}

/// Every change once, and some that are refused.
async fn changed(running: bool) -> (Place, Option<Server>) {
    let place = Place::new().await;
    let create = ["user", "create", "--username", "boss", "--id", BOSS, "--role", "admin"];
    place.run_with(&[&create[..], &["--password-stdin"]].concat(), "secret-1").lines();
    let server = running.then(|| place.serve(&[]));
    let commands: [&[&str]; 11] = [
        &["user", "create", "--username", "boss", "--upsert", "--name", "The Boss"],
        &["user", "set-role", "boss", "admin", "user"],
        &["user", "deactivate", "boss"],
        &["user", "activate", "boss"],
        &["user", "revoke-sessions", "boss"],
        &["token", "create", "boss"],
        &["setting", "set", "Site_Name", "Ours"],
        // Refused: nothing happened, so there is nothing to tell.
        &["user", "create", "--username", "boss", "--generate"],
        &["setting", "set", "Message_MaxAllowedSize", "many"],
        &["user", "set-role", "boss", "king"],
        &["user", "deactivate", "nobody"],
    ];
    for (n, command) in commands.iter().enumerate() {
        assert_eq!(place.run(command).code, Some(i32::from(n > 6)), "{command:?}");
    }
    let reset = ["user", "reset-password", "boss", "--password-stdin"];
    place.run_with(&reset, "secret-2").lines();
    (place, server)
}

const CHANGES: [&str; 9] = [
    "user.create",
    "user.update",
    "user.roles",
    "user.deactivate",
    "user.activate",
    "user.sessions",
    "token.create",
    "setting.set",
    "user.password",
];

#[tokio::test]
async fn every_change_leaves_a_row_and_no_refusal_does() {
    for running in [false, true] {
        let (place, _server) = changed(running).await;
        let rows = rows(&place, &[]);
        assert_eq!(actions(&rows), CHANGES);
        for row in &rows {
            assert_eq!((&row["actor"], &row["name"]), (&json!("operator"), &json!("operator")));
            assert!(row["time"].as_str().unwrap().ends_with('Z') && row["room"].is_null());
            assert!(row["action"] == "setting.set" || row["detail"]["user"] == BOSS, "{row}");
        }
        assert_eq!(rows[2]["detail"]["from"], json!(["admin"]));
        assert_eq!(rows[2]["detail"]["to"], json!(["admin", "user"]));
        let setting = json!({"setting": "Site_Name", "from": "Parlance", "to": "Ours"});
        assert_eq!(rows[7]["detail"], setting);
        let all = place.run(&["audit", "export"]).out + &place.run(&["audit", "list"]).out;
        assert!(!all.contains("secret-"), "{all}");
        // Newest first, for people.
        let listed = place.run(&["audit", "list", "--limit", "2"]);
        assert_eq!(listed.lines().len(), 2);
        assert!(listed.lines()[0].contains("  operator  user.password  {"), "{listed:?}");
    }
}

#[tokio::test]
async fn the_filters_pick_rows() {
    let (place, server) = changed(true).await;
    let server = server.unwrap();
    let session = server.session("boss", "secret-2");
    assert_eq!(server.call("GET", "/api/v1/dm.list.everyone", &session, "").0, 200);
    place.run(&["setting", "set", "API_Enable_Direct_Message_History_EndPoint", "true"]).lines();
    let body = json!({"username": "rocket.cat"}).to_string();
    let (_, made) = server.call("POST", "/api/v1/dm.create", &session, &body);
    let room = made["room"]["_id"].as_str().unwrap();
    let path = format!("/api/v1/dm.messages.others?roomId={}", crate::app::encode(room));
    super::until(|| server.call("GET", &path, &session, "").0 == 200);
    let all = rows(&place, &[]);
    assert_eq!(all.len(), CHANGES.len() + 3);
    // By name and by id.
    for actor in ["boss", BOSS] {
        let read = rows(&place, &[&format!("--actor={actor}")]);
        assert_eq!(actions(&read), ["dm.list.everyone", "dm.messages.others"]);
        assert_eq!((&read[0]["actor"], &read[0]["name"]), (&json!(BOSS), &json!("boss")));
        assert!(!read[0]["ip"].as_str().unwrap().is_empty());
    }
    assert_eq!(rows(&place, &["--actor", "operator"]).len(), CHANGES.len() + 1);
    assert_eq!(actions(&rows(&place, &["--room", room])), ["dm.messages.others"]);
    assert_eq!(rows(&place, &["--action", "setting.set"]).len(), 2);
    assert_eq!(rows(&place, &["--action", "setting.set", "--actor", "boss"]).len(), 0);
    let third = all[2]["time"].as_str().unwrap();
    let (since, until) = (rows(&place, &["--since", third]), rows(&place, &["--until", third]));
    assert_eq!(until.len() + since.len(), all.len(), "a time belongs to one side");
    assert!(since.iter().any(|row| row["id"] == all[2]["id"]));
    assert_eq!(rows(&place, &["--since", "2200-01-01"]).len(), 0);
    let wrong = place.run(&["audit", "list", "--since", "yesterday"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("neither a time like"), "{wrong:?}");
}

#[tokio::test]
async fn a_spreadsheet_gets_no_formula() {
    let (place, server) = changed(true).await;
    let server = server.unwrap();
    let session = server.session("boss", "secret-2");
    assert_eq!(server.call("GET", "/api/v1/dm.list.everyone", &session, "").0, 200);
    let done = place.run(&["audit", "export", "--format", "csv", "--actor", "boss"]);
    let [head, row] = done.lines()[..] else { panic!("{done:?}") };
    assert_eq!(head, "time,actor,name,ip,action,room,detail");
    assert!(row.contains(",\"'=1+1\",boss,127.0.0.1,dm.list.everyone,,\"{\"\""), "{row}");
    let json = place.run(&["audit", "export", "--actor", "boss"]);
    assert!(json.lines()[0].contains("\"actor\":\"=1+1\""));
}

#[tokio::test]
async fn an_export_goes_on_over_pages() {
    let place = Place::new().await;
    place.run(&["user", "create", "--username", "ann", "--generate"]).lines();
    let server = place.serve(&[("ADMIN_PASS", "secret")]);
    let session = server.session("admin", "secret");
    // More than one page of rows, many in the same millisecond.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..150 {
                    assert_eq!(server.call("GET", "/api/v1/dm.list.everyone", &session, "").0, 200);
                }
            });
        }
    });
    let read = rows(&place, &["--action", "dm.list.everyone"]);
    let ids: std::collections::BTreeSet<_> = read.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!((read.len(), ids.len()), (600, 600));
    let times: Vec<&str> = read.iter().map(|row| row["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    assert_eq!(place.run(&["audit", "list", "--limit", "550"]).lines().len(), 550);
    assert_eq!(place.run(&["audit", "list"]).lines().len(), 50);
}
