//! `dm.X` and `im.X` are one endpoint (API9 of OWASP 2023): two servers with the same people and rooms
//! are asked the same by either name, and answer the same but for the ids that each made.

use super::calls::{At, Row, rows};
use super::scene::{LOGGED_IN, Role, Scene, paths};
use crate::app::Answer;

/// An answer without what differs from server to server: ids, which are hexadecimal and of fixed lengths,
/// and the name by which it was called.
fn plain(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let text = String::from_utf8(answer.body.clone()).expect("UTF-8");
    let (mut out, mut run) = (String::new(), String::new());
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() && !c.is_ascii_uppercase() {
            run.push(c);
            continue;
        }
        out.push_str(if matches!(run.len(), 24 | 48) { "ID" } else { &run });
        run.clear();
        out.push(c);
    }
    let headers = answer.headers.iter();
    let headers =
        headers.map(|(k, v)| (k.to_string(), String::from_utf8_lossy(v.as_bytes()).into()));
    let body = out.replace("/api/v1/im.", "/api/v1/dm.");
    (answer.status.as_u16(), headers.collect(), body)
}

async fn ask(scene: &Scene, row: &Row, role: Role, which: usize) -> Answer {
    let member = [Role::Member, Role::GuestMember].contains(&role);
    let pair = row.route.name == "dm.blockUser" && member;
    let room = if pair { &scene.pair } else { &scene.group };
    let at = At {
        room,
        message: &scene.in_group,
        member: &scene.ann.username,
        member_id: &scene.ann.id,
        fresh: "x",
    };
    let path = &paths(row.route)[which];
    scene.call(row.route, path, scene.user(role), &(row.call)(&at)).await
}

#[tokio::test]
async fn either_name_answers_the_same() {
    let (one, two) = (Scene::new().await, Scene::new().await);
    let rows = rows();
    let aliased = || rows.iter().filter(|row| row.route.name.starts_with("dm."));
    assert!(aliased().count() >= 15);
    let roles = LOGGED_IN.into_iter().chain([Role::Deactivated, Role::Nobody]);
    // What erases a room comes last, so that there is something to ask about.
    let last = |row: &&Row| row.route.name == "dm.delete";
    let order: Vec<_> =
        aliased().filter(|row| !last(row)).chain(aliased().filter(|row| last(row))).collect();
    for row in order {
        for role in roles.clone() {
            assert_eq!(paths(row.route).len(), 2, "{}", row.route.name);
            // What is made at the same time has no order but that of its ids.
            for scene in [&one, &two] {
                scene.app.clock.move_to(scene.app.clock.now() + 1000);
            }
            let dm = plain(&ask(&one, row, role, 0).await);
            let im = plain(&ask(&two, row, role, 1).await);
            assert_eq!(dm, im, "{role:?} {}", row.route.name);
        }
    }
}
