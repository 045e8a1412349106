//! Every role and membership on every endpoint (API1 and API5 of OWASP 2023, CVE-2022-35249, -35250,
//! -35247, CVE-2026-32994): the class of the answer, a store that a refusal leaves as it was, and no
//! word of a foreign room in any body.

use super::calls::{At, Row, Want, rows};
use super::scene::{LOGGED_IN, Role, Scene, about, changes, leak, paths};
use crate::app::Answer;
use serde_json::{Value, json};

const REFUSAL: &[&str] = &["success", "error", "errorType", "details", "status", "message"];

/// Is the answer what the role should get? Says what is wrong with it.
fn judge(want: Want, answer: &Answer, at: &At<'_>, role: Role) -> Option<String> {
    let text = String::from_utf8(answer.body.clone()).expect("UTF-8");
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let status = answer.status.as_u16();
    let member = [Role::Member, Role::GuestMember].contains(&role);
    let admin = role == Role::Admin;
    let wrong = match want {
        Want::No(code, error) => {
            let error = error.replace("{message}", at.message);
            let keys = body
                .as_object()
                .is_some_and(|body| body.keys().all(|key| REFUSAL.contains(&key.as_str())));
            let said = body["error"].as_str().unwrap_or("") == error;
            status != code || body["success"] != json!(false) || !said || !keys
        }
        Want::Elsewhere => status != 307,
        _ => status != 200 || body["success"] != json!(true),
    };
    let leak = match want {
        // An account is public, its address is not.
        Want::Names if !member && !admin && text.contains("kanari.ann@") => Some("address".into()),
        Want::Sees | Want::Erases | Want::Elsewhere => None,
        _ if member => None,
        // The caller's own words come back in a refusal at most in its text, which is known.
        _ if [at.room, at.message].iter().any(|id| unsaid(&body).contains(id)) => Some("id".into()),
        _ => leak(&text, want == Want::Names),
    };
    if wrong || leak.is_some() {
        return Some(format!("wanted {want:?}, leak {leak:?}: {status} {text}"));
    }
    None
}

/// A body without its `error`.
fn unsaid(body: &Value) -> String {
    let mut body = body.clone();
    body["error"].take();
    body.to_string()
}

/// One row by one role, with the ids of rooms that only the members are in.
async fn outside(scene: &Scene, row: &Row, role: Role, wrong: &mut Vec<String>) {
    let want = row.want(role);
    for (room, message) in [(&scene.group, &scene.in_group), (&scene.pair, &scene.in_pair)] {
        for path in paths(row.route) {
            let fresh = format!("new{role:?}{}", scene.app.core.new_token()[..6].to_lowercase());
            let fresh = fresh.replace(|c: char| !c.is_ascii_alphanumeric(), "x");
            let at = At {
                room,
                message,
                member: &scene.ann.username,
                member_id: &scene.ann.id,
                fresh: &fresh,
            };
            let before = scene.dump().await;
            let call = (row.call)(&at);
            let answer = scene.call(row.route, &path, scene.user(role), &call).await;
            let after = scene.dump().await;
            let changed = if let Want::No(..) = want {
                changes(&before, &after)
            } else {
                let ids = [room.as_str(), message.as_str()];
                changes(&about(&before, &ids), &about(&after, &ids))
            };
            let said = judge(want, &answer, &at, role);
            if said.is_some() || !changed.is_empty() {
                let said = said.unwrap_or_default();
                wrong.push(format!("{role:?} {path} {call}: {said} {changed:#?}"));
            }
        }
    }
}

#[tokio::test]
async fn nobody_outside_learns_or_changes_anything() {
    let scene = Scene::new().await;
    let mut wrong = Vec::new();
    for row in rows() {
        for role in [Role::Stranger, Role::Bot, Role::Admin, Role::Deactivated, Role::Nobody] {
            if row.want(role) != Want::Erases {
                outside(&scene, &row, role, &mut wrong).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A guest who is in the other room is in this one as little as anybody.
#[tokio::test]
async fn guests_are_strangers_where_they_are_no_members() {
    let scene = Scene::new().await;
    let at = At {
        room: &scene.pair,
        message: &scene.in_pair,
        member: "pal",
        member_id: &scene.ann.id,
        fresh: "guest",
    };
    for row in rows() {
        let call = (row.call)(&at).to_string();
        let about_room = call.contains(at.room) || call.contains(at.message);
        let want = row.want(if about_room { Role::Stranger } else { Role::GuestMember });
        if !matches!(want, Want::No(..)) {
            continue;
        }
        for path in paths(row.route) {
            let before = scene.dump().await;
            let answer = scene.call(row.route, &path, Some(&scene.gus), &(row.call)(&at)).await;
            assert_eq!(judge(want, &answer, &at, Role::Stranger), None, "{path}");
            assert_eq!(changes(&before, &scene.dump().await), Vec::<String>::new(), "{path}");
        }
    }
}

#[tokio::test]
async fn members_get_what_the_contract_gives_them() {
    let scene = Scene::new().await;
    let mut wrong = Vec::new();
    for row in rows() {
        for role in [Role::Member, Role::GuestMember] {
            // Blocking is for two; the other calls would be refused where one is blocked.
            let blocks = row.route.name == "dm.blockUser";
            let room = if blocks { &scene.pair } else { &scene.group };
            if blocks && role == Role::GuestMember {
                continue;
            }
            let said = scene.app.rocket(&scene.ann).say(&scene.group, "now").await;
            let message = said["_id"].as_str().unwrap();
            let at = At {
                room,
                message,
                member: &scene.ann.username,
                member_id: &scene.ann.id,
                fresh: "fresh",
            };
            let (want, call) = (row.want(role), (row.call)(&at));
            let before = scene.dump().await;
            let path = &paths(row.route)[0];
            let answer = scene.call(row.route, path, scene.user(role), &call).await;
            let said = judge(want, &answer, &at, role);
            let changed = match want {
                Want::No(..) => changes(&before, &scene.dump().await),
                _ => Vec::new(),
            };
            if said.is_some() || !changed.is_empty() {
                let said = said.unwrap_or_default();
                wrong.push(format!("{role:?} {path} {call}: {said} {changed:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn administrators_erase_foreign_rooms_and_only_those_that_they_name() {
    for row in rows().into_iter().filter(|row| row.want(Role::Admin) == Want::Erases) {
        for path in paths(row.route) {
            let scene = Scene::new().await;
            let at = At {
                room: &scene.group,
                message: &scene.in_group,
                member: &scene.ann.username,
                member_id: &scene.ann.id,
                fresh: "",
            };
            let kept = about(&scene.dump().await, &[&scene.pair]);
            scene.call(row.route, &path, Some(&scene.boss), &(row.call)(&at)).await.ok();
            let after = scene.dump().await;
            let left = about(&after, &[&scene.group]);
            let traces =
                |row: &String| row.starts_with("tombstones ") || row.starts_with("events ");
            assert!(left.iter().all(traces), "{path}: {left:#?}");
            assert_eq!(changes(&kept, &about(&after, &[&scene.pair])), Vec::<String>::new());
        }
    }
}

/// What the settings open is still for those alone who may have it.
#[tokio::test]
async fn what_settings_open_stays_closed_to_strangers() {
    let scene = Scene::new().await;
    for id in ["API_Enable_Direct_Message_History_EndPoint", "Message_Read_Receipt_Enabled"] {
        crate::rocketchat::set(&scene.app, &scene.boss, id, json!(true)).await;
    }
    let others = [("roomId", scene.group.as_str())];
    let receipts = [("messageId", scene.in_group.as_str())];
    for role in LOGGED_IN {
        let user = scene.user(role).expect("logged in");
        let rocket = scene.app.rocket(user);
        for name in ["dm.messages.others", "im.messages.others"] {
            let answer = rocket.get(name, &others).await;
            let want = if role == Role::Admin { 200 } else { 403 };
            assert_eq!(answer.status.as_u16(), want, "{role:?} {name}");
            assert_eq!(leak(&String::from_utf8_lossy(&answer.body), false).is_some(), want == 200);
        }
        let answer = rocket.get("chat.getMessageReadReceipts", &receipts).await;
        let member = [Role::Member, Role::GuestMember].contains(&role);
        assert_eq!(answer.status.as_u16(), if member { 200 } else { 400 }, "{role:?}");
    }
}
