//! What the operator's commands do, with a running server and without one.

use super::{Place, Server, session, until};
use serde_json::json;

const PASSWORD: &str = "typed by hand";

/// A store with ann in it, and a server on it if the command is to meet one.
async fn place(running: bool) -> (Place, Option<Server>) {
    let place = Place::new().await;
    let create = ["user", "create", "--username", "ann", "--id", "anna1", "--password-stdin"];
    assert_eq!(place.run_with(&create, PASSWORD).lines(), ["anna1"]);
    let server = running.then(|| place.serve(&[]));
    (place, server)
}

impl Place {
    /// The server that is there, or one that is started now to see what the command did.
    fn look(&self, server: Option<Server>) -> Server {
        server.unwrap_or_else(|| self.serve(&[]))
    }
}

#[tokio::test]
async fn an_account_is_switched_off_and_on() {
    for running in [false, true] {
        let (place, server) = place(running).await;
        let off = place.run(&["user", "deactivate", "anna1"]);
        assert_eq!(off.lines(), ["ann: switched off, user"]);
        let listed = place.run(&["user", "list", "--inactive"]);
        assert!(listed.lines()[1].contains("ann ") && listed.lines().len() == 2, "{listed:?}");
        let server = place.look(server);
        until(|| !server.logs_in("ann", PASSWORD));
        assert_eq!(place.run(&["user", "activate", "ann"]).lines(), ["ann: active, user"]);
        until(|| server.logs_in("ann", PASSWORD));
    }
}

#[tokio::test]
async fn a_password_is_given_and_the_sessions_end() {
    for running in [false, true] {
        let (place, server) = place(running).await;
        let old = server.as_ref().map(|server| server.session("ann", PASSWORD));
        let reset = ["user", "reset-password", "ann"];
        let typed = place.run_with(&[&reset[..], &["--password-stdin"]].concat(), "another one");
        assert_eq!((typed.lines().len(), &*typed.err), (0, ""));
        let server = place.look(server);
        if let Some(old) = old {
            until(|| server.call("GET", "/api/v1/me", &old, "").0 == 401);
        }
        assert!(server.logs_in("ann", "another one") && !server.logs_in("ann", PASSWORD));
        let made = place.run(&[&reset[..], &["--generate"]].concat());
        assert!(server.logs_in("ann", made.lines()[0]) && made.lines().len() == 1);
        let none = place.run(&reset);
        assert_eq!(none.err, "parlance: --password-stdin or --generate is needed\n");
    }
}

#[tokio::test]
async fn sessions_are_ended() {
    let (place, server) = place(true).await;
    let server = place.look(server);
    let sessions = [server.session("ann", PASSWORD), server.session("ann", PASSWORD)];
    let done = place.run(&["user", "revoke-sessions", "ann"]);
    assert_eq!(done.lines(), ["ann: 2 sessions ended"]);
    for session in sessions {
        until(|| server.call("GET", "/api/v1/me", &session, "").0 == 401);
    }
    assert_eq!(server.stop().0, Some(0));
    assert_eq!(place.run(&["user", "revoke-sessions", "ann"]).lines(), ["ann: 0 sessions ended"]);
}

#[tokio::test]
async fn roles_are_given() {
    for running in [false, true] {
        let (place, server) = place(running).await;
        let done = place.run(&["user", "set-role", "ann", "admin", "user"]);
        assert_eq!(done.lines(), ["ann: active, admin user"]);
        let server = place.look(server);
        let session = server.session("ann", PASSWORD);
        let (_, me) = server.call("GET", "/api/v1/me", &session, "");
        assert_eq!(me["roles"], json!(["admin", "user"]));
        // A session that runs already loses what its account loses.
        let list = "/api/v1/dm.list.everyone";
        assert_eq!(server.call("GET", list, &session, "").0, 200);
        place.run(&["user", "set-role", "ann", "user"]).lines();
        until(|| server.call("GET", list, &session, "").0 == 403);
        let wrong = place.run(&["user", "set-role", "ann", "king"]);
        assert_eq!((wrong.code, &*wrong.err), (Some(1), "parlance: there is no role king\n"));
        let bot = place.run(&["user", "set-role", "ann", "bot"]);
        assert_eq!(bot.lines(), ["ann: active, bot"]);
        until(|| {
            server.call("GET", "/api/v1/users.info?userId=anna1", &session, "").1["user"]["type"]
                == "bot"
        });
    }
}

#[tokio::test]
async fn an_upsert_knows_its_roles_too() {
    let (place, _server) = place(true).await;
    let upsert = ["user", "create", "--username", "ann", "--upsert", "--role", "king"];
    assert_eq!(place.run(&upsert).err, "parlance: there is no role king\n");
    let upsert = ["user", "create", "--username", "ann", "--upsert", "--role", "admin"];
    assert_eq!(place.run(&upsert).lines(), ["anna1"]);
    let listed = place.run(&["user", "list", "--role", "admin", "--json"]);
    assert!(listed.out.contains("\"anna1\""), "{listed:?}");
}

#[tokio::test]
async fn accounts_are_listed_page_by_page() {
    let place = Place::new().await;
    let user = |n: usize| {
        let document =
            json!({"_id": format!("id{n}"), "username": format!("u{n:03}"), "name": "\u{1b}[2J"});
        json!({"collection": "users", "document": document}).to_string() + "\n"
    };
    let file: String = (0..450).map(user).collect();
    assert_eq!(place.run_with(&["import", "-"], &file).code, Some(0));
    for running in [false, true] {
        let server = running.then(|| place.serve(&[("ADMIN_USERNAME", "zoe")]));
        let listed = place.run(&["user", "list", "--json"]);
        let names: Vec<String> = listed
            .lines()
            .iter()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["username"].to_string()
            })
            .collect();
        assert_eq!(names.len(), if running { 452 } else { 451 });
        assert!(names.is_sorted_by(|a, b| a < b), "each once, in order");
        // What would clear the operator's screen is written out.
        let table = place.run(&["user", "list"]);
        assert!(!table.out.contains('\u{1b}') && table.out.contains("\\u{1b}[2J"));
        drop(server);
    }
}

#[tokio::test]
async fn a_setting_is_read_and_changed() {
    for running in [false, true] {
        let (place, server) = place(running).await;
        assert_eq!(place.run(&["setting", "get", "Site_Name"]).lines(), ["Parlance"]);
        let set = place.run(&["setting", "set", "Site_Name", "My \"chat\""]);
        assert_eq!(set.lines(), [r#"Site_Name = "My \"chat\"""#]);
        assert_eq!(place.run(&["setting", "get", "Site_Name"]).lines(), ["My \"chat\""]);
        let typed = place.run_with(&["setting", "set", "Message_MaxAllowedSize"], "-7\n");
        assert_eq!(typed.lines(), ["Message_MaxAllowedSize = -7"]);
        place.run(&["setting", "set", "Message_MaxAllowedSize", "12"]).lines();
        place.run(&["setting", "set", "Threads_enabled", "false"]).lines();
        place.run(&["setting", "set", "Hide_System_Messages", r#"["uj"]"#]).lines();
        let changed = place.run(&["setting", "list", "--changed"]);
        assert_eq!(
            changed.lines(),
            [
                r#"Hide_System_Messages = ["uj"]"#,
                "Message_MaxAllowedSize = 12",
                r#"Site_Name = "My \"chat\"""#,
                "Threads_enabled = false",
            ]
        );
        assert!(place.run(&["setting", "list", "--json"]).lines().len() > 80);
        let server = place.look(server);
        let public = "/api/v1/settings.public?_id=Site_Name";
        until(|| server.call("GET", public, "", "").1["settings"][0]["value"] == "My \"chat\"");
    }
}

#[tokio::test]
async fn what_a_setting_cannot_be_is_said() {
    for running in [false, true] {
        let (place, _server) = place(running).await;
        let cases = [
            ("Site_Nam", "x", "there is no setting Site_Nam; the nearest is Site_Name"),
            ("Nothing_Like_Any_Of_Them", "x", "there is no setting Nothing_Like_Any_Of_Them"),
            (
                "Message_MaxAllowedSize",
                "x",
                "not a value of Message_MaxAllowedSize: a whole number",
            ),
            ("Threads_enabled", "yes", "not a value of Threads_enabled: true or false"),
            (
                "Hide_System_Messages",
                "uj",
                "not a value of Hide_System_Messages: a list of texts, as JSON",
            ),
            ("UTF8_User_Names_Validation", "(", "not a value of UTF8_User_Names_Validation"),
        ];
        for (id, value, why) in cases {
            let done = place.run(&["setting", "set", id, value]);
            assert_eq!((done.code, done.err), (Some(1), format!("parlance: {why}\n")));
        }
        assert_eq!(place.run(&["setting", "get", "Site_Nam"]).code, Some(1));
        assert_eq!(place.run(&["setting", "list", "--changed"]).lines().len(), 0);
    }
}

#[tokio::test]
async fn a_token_is_a_session_on_both_faces() {
    for running in [false, true] {
        let (place, server) = place(running).await;
        let made = place.run(&["token", "create", "ann"]);
        let [id, token] = made.lines()[..] else { panic!("{made:?}") };
        let server = place.look(server);
        let (status, me) = server.call("GET", "/api/v1/me", &session(id, token), "");
        assert_eq!((status, me["username"].as_str()), (200, Some("ann")));
        let bearer = format!("Authorization: Bearer {token}\r\n");
        assert_eq!(server.call("GET", "/api/auth/me", &bearer, "").0, 200);
        place.run(&["user", "deactivate", "ann"]).lines();
        let off = place.run(&["token", "create", "ann"]);
        assert_eq!((off.code, &*off.err), (Some(1), "parlance: the account is not active\n"));
    }
}

#[tokio::test]
async fn who_is_not_there_is_said() {
    for running in [false, true] {
        let (place, _server) = place(running).await;
        let commands: [&[&str]; 6] = [
            &["user", "reset-password", "nobody", "--generate"],
            &["user", "revoke-sessions", "nobody"],
            &["user", "activate", "nobody"],
            &["user", "deactivate", "nobody"],
            &["user", "set-role", "nobody", "user"],
            &["token", "create", "nobody"],
        ];
        for command in commands {
            let done = place.run(command);
            let said = (done.code, &*done.out, &*done.err);
            assert_eq!(said, (Some(1), "", "parlance: no such user\n"));
        }
    }
}

#[test]
fn a_directory_without_a_store_is_left_alone() {
    let place = Place::embedded();
    let commands: [&[&str]; 5] = [
        &["user", "list"],
        &["setting", "list"],
        &["token", "create", "ann"],
        &["audit", "list"],
        &["user", "deactivate", "ann"],
    ];
    for command in commands {
        let done = place.run(command);
        assert!(done.err.starts_with("parlance: there is no store in "), "{done:?}");
        assert!(!place.dir.exists());
    }
}
