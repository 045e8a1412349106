//! Who has which role (contract section 9.4): giving and taking them, what that says no to, and that a role
//! which was made grants what it is granted, at once and no longer.

use super::roles::{editor, give, made, properties, take};
use super::{LACKS, coded, each, grant, keys, plain};
use crate::app::{TestUser, app};
use parlance_core::account::{Authority, NewUser};
use parlance_core::command::{Answer, CreateUser, Request};
use parlance_core::event::Kind;
use serde_json::{Value, json};

#[tokio::test]
async fn a_role_that_was_made_grants_what_it_is_granted() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let everyone = async || app.rocket(&ann).get("dm.list.everyone", &[]).await;
    let role = editor(&app, &boss).await;
    give(&app, &boss, &ann, &role).await.ok();
    plain(&everyone().await, 403, LACKS);
    // Granted to the role, it counts for the session that is open; taken from the role, no more.
    grant(&app, &boss, "view-room-administration", &["admin", &role]).await;
    everyone().await.ok();
    grant(&app, &boss, "view-room-administration", &["admin"]).await;
    plain(&everyone().await, 403, LACKS);
    // The same where the role is taken and given.
    grant(&app, &boss, "view-room-administration", &["admin", &role]).await;
    take(&app, &boss, &ann, &role).await.ok();
    plain(&everyone().await, 403, LACKS);
    give(&app, &boss, &ann, &role).await.ok();
    everyone().await.ok();
    // On the other face the same account is the same.
    let roles = app.rocket(&ann).get("me", &[]).await.ok()["roles"].clone();
    assert_eq!(roles, json!(["user", role]));
}

#[tokio::test]
async fn giving_and_taking_say_what_is_wrong() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let id = editor(&app, &boss).await;
    let add = async |user, body: Value| app.rocket(user).post("roles.addUserToRole", body).await;
    let remove =
        async |user, body: Value| app.rocket(user).post("roles.removeUserFromRole", body).await;
    let good = json!({"username": "ann", "roleId": id});
    let (method, code) = ("authorization:addUserToRole", "error-action-not-allowed");
    let details = json!({"method": method, "action": "Accessing_permissions"});
    let denied = "Accessing permissions is not allowed";
    coded(&add(&ann, good.clone()).await, code, denied, &details);
    plain(&remove(&ann, good.clone()).await, 403, LACKS);
    for body in [
        json!({}),
        json!({"username": {"$ne": null}, "roleId": id}),
        json!({"username": "ann", "roleId": []}),
        json!({"username": "ann", "roleId": id, "x": 1}),
    ] {
        properties(&add(&boss, body.clone()).await);
        properties(&remove(&boss, body).await);
    }
    for body in [json!({"username": "ann"}), json!({"username": "ann", "roleId": null})] {
        plain(&add(&boss, body.clone()).await, 400, "error-invalid-role-properties");
        plain(&remove(&boss, body).await, 400, "error-invalid-role-properties");
    }
    let body = json!({"username": "nobody", "roleId": id});
    let text = "The required \"userId\" or \"username\" param provided does not match any users";
    coded(&add(&boss, body.clone()).await, "error-invalid-user", text, &Value::Null);
    let text = "There is no user with this username";
    coded(&remove(&boss, body).await, "error-invalid-user", text, &Value::Null);
    // By its id, or by its name under the name's key.
    let body = json!({"username": "ann", "roleId": "editor"});
    add(&boss, body.clone()).await.expect(400);
    let answer = remove(&boss, body).await;
    coded(&answer, "error-invalid-roleId", "This role does not exist", &Value::Null);
    let by_name = json!({"username": "ANN", "roleName": "editor"});
    assert_eq!(add(&boss, by_name.clone()).await.ok()["role"]["_id"], json!(id));
    let answer = add(&boss, good.clone()).await;
    coded(&answer, "error-user-already-in-role", "User already in role", &Value::Null);
    assert_eq!(remove(&boss, by_name).await.ok()["role"]["name"], "editor");
    let answer = remove(&boss, good).await;
    coded(&answer, "error-user-not-in-role", "User is not in this role", &Value::Null);
    // Roles of rooms are nobody's here, in a room or in all of them.
    let room = app.rocket(&ann).open("bob").await;
    let text = "Roles of scope Subscriptions are held in a room, and direct rooms have none";
    for body in [
        json!({"username": "ann", "roleId": "moderator", "roomId": room}),
        json!({"username": "ann", "roleId": "owner"}),
    ] {
        coded(&add(&boss, body).await, "error-invalid-scope", text, &Value::Null);
    }
    // A role of accounts is one, whatever room is named.
    let body = json!({"username": "bob", "roleId": id, "roomId": "none"});
    add(&boss, body).await.ok();
    let roles = app.rocket(&bob).get("me", &[]).await.ok()["roles"].clone();
    assert_eq!(roles, json!(["user", id]));
}

#[tokio::test]
async fn administrators_are_made_by_who_may_and_one_always_stays() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let role = editor(&app, &boss).await;
    grant(&app, &boss, "access-permissions", &["admin", &role]).await;
    give(&app, &boss, &ann, &role).await.ok();
    let details = json!({"method": "authorization:addUserToRole", "action": "Assign_admin"});
    let answer = give(&app, &ann, &ann, "admin").await;
    let text = "Assigning admin is not allowed";
    coded(&answer, "error-action-not-allowed", text, &details);
    let last = async |who: &TestUser| {
        let answer = take(&app, &ann, who, "admin").await;
        let text = "You need to have at least one admin";
        coded(&answer, "error-admin-required", text, &Value::Null);
    };
    last(&boss).await;
    // Somebody who is switched off is no administrator who stays.
    let off = NewUser {
        username: "off".to_owned(),
        roles: vec!["admin".to_owned()],
        inactive: true,
        ..NewUser::default()
    };
    app.core.create_user(Authority::Operator, off).await.unwrap();
    last(&boss).await;
    give(&app, &boss, &ann, "admin").await.ok();
    // Of two who take each other's away at once, one is refused.
    let both = tokio::join!(take(&app, &ann, &boss, "admin"), take(&app, &boss, &ann, "admin"));
    let done = [&both.0, &both.1].map(|answer| answer.status.as_u16());
    assert!(done.contains(&200) && done != [200, 200], "{done:?}");
    let left = if done[0] == 200 { &ann } else { &boss };
    app.rocket(left).get("roles.getUsersInRole", &[("role", "admin")]).await.ok();
}

#[tokio::test]
async fn who_has_a_role() {
    let app = app().await;
    let boss = app.admin("root").await;
    let id = editor(&app, &boss).await;
    let mut people = Vec::new();
    for name in ["dora", "carl", "bob", "ann", "eve"] {
        let user = app.user(name).await;
        if name != "eve" {
            give(&app, &boss, &user, &id).await.ok();
        }
        people.push(user);
    }
    let ask = async |user, query: &[(&str, &str)]| {
        app.rocket(user).get("roles.getUsersInRole", query).await
    };
    plain(&ask(&people[0], &[("role", "user")]).await, 403, LACKS);
    let text = "Query param \"role\" is required";
    coded(&ask(&boss, &[]).await, "error-param-not-provided", text, &Value::Null);
    coded(&ask(&boss, &[("role", "none")]).await, "error-invalid-roleId", "", &Value::Null);
    let body = ask(&boss, &[("role", &id)]).await.ok();
    assert_eq!(keys(&body), ["count", "offset", "success", "total", "users"]);
    assert_eq!(each(&body, "users", "username"), ["ann", "bob", "carl", "dora"]);
    assert_eq!(
        keys(&body["users"][0]),
        ["_id", "_updatedAt", "createdAt", "emails", "name", "username"]
    );
    assert_eq!((&body["total"], &body["offset"]), (&json!(4), &json!(0)));
    let body = ask(&boss, &[("role", "editor"), ("offset", "1"), ("count", "2")]).await.ok();
    assert_eq!(each(&body, "users", "username"), ["bob", "carl"]);
    assert_eq!(
        (&body["total"], &body["offset"], &body["count"]),
        (&json!(4), &json!(1), &json!(2))
    );
    let body = ask(&boss, &[("role", "editor"), ("count", "0")]).await.ok();
    assert_eq!(body["count"], 4);
    let body = ask(&boss, &[("role", "editor"), ("sort", "{\"username\":-1}")]).await.ok();
    assert_eq!(each(&body, "users", "username"), ["dora", "carl", "bob", "ann"]);
    ask(&boss, &[("role", "editor"), ("count", "x")]).await.expect(400);
    // In a direct room nobody has one.
    let query = [("role", "moderator"), ("roomId", "none")];
    let body = ask(&boss, &query).await.ok();
    assert_eq!((&body["users"], &body["total"]), (&json!([]), &json!(0)));
    // Whoever is renamed, removed or given other roles is found as it is then.
    let rename = json!({"userId": people[3].id, "data": {"username": "zoe"}});
    app.rocket(&boss).post("users.update", rename).await.ok();
    app.rocket(&boss).post("users.delete", json!({"userId": people[2].id})).await.ok();
    let guest = json!({"userId": people[1].id, "data": {"roles": ["guest"]}});
    app.rocket(&boss).post("users.update", guest).await.ok();
    let body = ask(&boss, &[("role", &id)]).await.ok();
    assert_eq!(each(&body, "users", "username"), ["dora", "zoe"]);
    assert_eq!(body["total"], 2);
    // Addresses are for who may see them.
    grant(&app, &boss, "view-full-other-user-info", &["guest"]).await;
    let body = ask(&boss, &[("role", &id)]).await.ok();
    assert_eq!(keys(&body["users"][0]), ["_id", "name", "username"]);
    ask(&boss, &[("role", &id), ("sort", "{\"emails\":1}")]).await.expect(400);
}

/// Roles in the bodies of accounts, over REST and from the shell.
#[tokio::test]
async fn accounts_are_given_roles_that_were_made() {
    let app = app().await;
    let boss = app.admin("root").await;
    let id = editor(&app, &boss).await;
    let new = |name: &str, role: &str| {
        json!({"username": name, "name": name, "password": "a password", "roles": ["user", role],
            "email": format!("{name}@example.com")})
    };
    let made = app.rocket(&boss).post("users.create", new("ann", &id)).await.ok();
    assert_eq!(made["user"]["roles"], json!(["user", id]));
    let data = json!({"userId": made["user"]["_id"], "data": {"roles": [id]}});
    let made = app.rocket(&boss).post("users.update", data).await.ok();
    assert_eq!(made["user"]["roles"], json!([id]));
    // By its id alone: the name is nobody's id.
    let answer = app.rocket(&boss).post("users.create", new("bob", "editor")).await;
    plain(&answer, 400, "The field Roles consist invalid role id");
    // The operator calls it as people do.
    let roles = || vec!["user".to_owned(), "editor".to_owned()];
    let asked = Request::SetRoles { user: "ann".to_owned(), roles: roles() };
    let Answer::User(shown) = app.core.execute(asked).await.unwrap() else { unreachable!() };
    assert_eq!(shown.roles, roles());
    let new = CreateUser {
        username: "eve".to_owned(),
        name: None,
        email: None,
        id: None,
        roles: roles(),
        password: None,
        upsert: true,
    };
    app.core.execute(Request::CreateUser(new)).await.unwrap();
    let query = [("role", "editor")];
    let body = app.rocket(&boss).get("roles.getUsersInRole", &query).await.ok();
    assert_eq!(each(&body, "users", "username"), ["ann", "eve"]);
    let asked = Request::SetRoles { user: "ann".to_owned(), roles: vec!["emperor".to_owned()] };
    app.core.execute(asked).await.unwrap_err();
}

#[tokio::test]
async fn everybody_sees_who_has_a_role_with_a_description() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let public = async || {
        let body = app.rocket(&ann).get("roles.getUsersInPublicRoles", &[]).await.ok();
        let mut names = each(&body, "users", "username");
        names.sort();
        names
    };
    let id = editor(&app, &boss).await;
    give(&app, &boss, &ann, &id).await.ok();
    assert_eq!(public().await, ["root"]);
    let body = json!({"roleId": id, "name": "editor", "description": "Edits"});
    app.rocket(&boss).post("roles.update", body.clone()).await.ok();
    assert_eq!(public().await, ["ann", "root"]);
    give(&app, &boss, &ann, "admin").await.ok();
    assert_eq!(public().await, ["ann", "root"]);
    let mut body = body;
    body["scope"] = json!("Subscriptions");
    app.rocket(&boss).post("roles.update", body).await.ok();
    take(&app, &boss, &ann, "admin").await.ok();
    assert_eq!(public().await, ["root"]);
}

/// What a socket tells of roles is in the log, once, as part of the change.
#[tokio::test]
async fn the_log_tells_of_every_change() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let mut ears = app.core.listen(1000);
    let id = editor(&app, &boss).await;
    give(&app, &boss, &ann, &id).await.ok();
    give(&app, &boss, &ann, &id).await.expect(400);
    take(&app, &boss, &ann, &id).await.ok();
    let body = json!({"roleId": id, "name": "writer"});
    app.rocket(&boss).post("roles.update", body).await.ok();
    grant(&app, &boss, "create-c", &["admin", &id]).await;
    app.rocket(&boss).post("roles.delete", json!({ "roleId": id })).await.ok();
    let room = app.rocket(&ann).open("root").await;
    let mut heard = Vec::new();
    while let Some(event) = ears.next().await {
        if event.kind == Kind::RoomNew && event.reference == room {
            break;
        }
        let told = [Kind::Roles, Kind::RoleGiven, Kind::RoleTaken, Kind::Permissions, Kind::User];
        if told.contains(&event.kind) {
            heard.push((event.kind, event.reference.clone()));
        }
    }
    let held = format!("{id} {}", ann.id);
    let want = [
        (Kind::Roles, id.clone()),
        (Kind::RoleGiven, held.clone()),
        (Kind::User, ann.id.clone()),
        (Kind::RoleTaken, held),
        (Kind::User, ann.id.clone()),
        (Kind::Roles, id.clone()),
        (Kind::Permissions, "create-c".to_owned()),
        // Which permission lost the role that is gone.
        (Kind::Permissions, "create-c".to_owned()),
        (Kind::Roles, id),
    ];
    // What came before may still be on its way when the ears open.
    assert_eq!(heard[heard.len() - want.len()..], want, "{heard:?}");
}

/// Many who make the same role at once make one, and nobody is left with a role that is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_once() {
    let app = app().await;
    let boss = app.admin("root").await;
    let ann = app.user("ann").await;
    let create = || async { app.rocket(&boss).post("roles.create", json!({"name": "x"})).await };
    let all = futures_util::future::join_all((0..8).map(|_| create())).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 200).count(), 1);
    for n in 0..10 {
        let id = made(&app, &boss, json!({"name": format!("role {n}")})).await;
        let delete = async || app.rocket(&boss).post("roles.delete", json!({ "roleId": id })).await;
        let (gone, given) = tokio::join!(delete(), give(&app, &boss, &ann, &id));
        let (gone, given) = (gone.status == 200, given.status == 200);
        assert!(gone != given, "{n}: removed {gone}, given {given}");
        let roles = app.rocket(&ann).get("me", &[]).await.ok()["roles"].to_string();
        assert_eq!(roles.contains(&id), given);
    }
}
