//! Finding people (contract section 9.4): `spotlight`, `directory` and `roles.getUsersInPublicRoles`, and
//! that who may not look outside finds nobody there.

use super::{each, grant, keys, plain, schema, set};
use crate::app::{Answer, TestApp, TestUser, app};
use parlance_core::account::NewUser;
use serde_json::{Map, Value, json};

async fn person(app: &TestApp, username: &str, name: &str) -> TestUser {
    let mut body = Map::new();
    body.insert("nickname".to_owned(), format!("nick of {username}").into());
    body.insert("bio".to_owned(), "100% [real]".into());
    body.insert("phone".to_owned(), "555".into());
    let (username, name) = (username.to_owned(), name.to_owned());
    app.user_with(NewUser { username, name, body, ..NewUser::default() }).await
}

async fn guest(app: &TestApp, username: &str) -> TestUser {
    let (username, roles) = (username.to_owned(), vec!["guest".to_owned()]);
    app.user_with(NewUser { username, roles, ..NewUser::default() }).await
}

async fn spot(app: &TestApp, user: &TestUser, query: &[(&str, &str)]) -> Vec<String> {
    let body = app.rocket(user).get("spotlight", query).await.ok();
    assert_eq!((keys(&body), &body["rooms"]), (vec!["rooms", "success", "users"], &json!([])));
    each(&body, "users", "username")
}

#[tokio::test]
async fn names_that_begin_so() {
    let app = app().await;
    let ann = person(&app, "ann", "Zoe").await;
    person(&app, "annabel", "Yves").await;
    let bob = person(&app, "bob", "Anna Bee").await;
    let found = spot(&app, &ann, &[("query", "AnN")]).await;
    assert_eq!(found, ["ann", "annabel", "bob"]);
    assert_eq!(spot(&app, &ann, &[("query", "@anna")]).await, ["annabel", "bob"]);
    for nobody in ["#ann", "bee", "100", "ann_", "%", ""] {
        let query = [("query", nobody), ("type", r#"{"users":false,"rooms":true}"#)];
        assert_eq!(spot(&app, &ann, &query).await, Vec::<String>::new());
        if !nobody.is_empty() {
            assert_eq!(spot(&app, &ann, &query[..1]).await, Vec::<String>::new(), "{nobody}");
        }
    }
    for everybody in ["", "@"] {
        assert_eq!(spot(&app, &ann, &[("query", everybody)]).await.len(), 4);
    }
    let but = [("query", "ann"), ("usernames", "ann,bob")];
    assert_eq!(spot(&app, &ann, &but).await, ["annabel"]);
    for (kind, want) in
        [(r#"{"users":true}"#, 3), (r#"{"rooms":true}"#, 0), ("not JSON", 3), ("[1]", 3)]
    {
        let query = [("query", "ann"), ("type", kind)];
        assert_eq!(spot(&app, &ann, &query).await.len(), want, "{kind}");
    }
    let status = json!({"status": "busy", "message": "working"});
    app.rocket(&bob).post("users.setStatus", status).await.ok();
    let body = app.rocket(&ann).get("spotlight", &[("query", "bob")]).await.ok();
    let want = json!([{"_id": bob.id, "username": "bob", "name": "Anna Bee", "status": "busy",
        "statusText": "working", "nickname": "nick of bob", "outside": true}]);
    assert_eq!(body["users"], want);
    let caller = app.caller(&bob).await;
    let off = parlance_core::account::Authority::Operator;
    app.core.set_active(off, caller.id(), false).await.unwrap();
    assert_eq!(spot(&app, &ann, &[("query", "bob")]).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_few_at_a_time() {
    let app = app().await;
    let boss = app.admin("root").await;
    for n in 0..8 {
        app.user(&format!("many{n}")).await;
    }
    assert_eq!(spot(&app, &boss, &[("query", "many")]).await.len(), 5);
    set(&app, &boss, "Number_of_users_autocomplete_suggestions", json!(7)).await;
    let found = spot(&app, &boss, &[("query", "many"), ("usernames", "many0,many2")]).await;
    assert_eq!(found, ["many1", "many3", "many4", "many5", "many6", "many7"]);
}

#[tokio::test]
async fn members_of_a_room_are_inside() {
    let app = app().await;
    let (ann, eve) = (app.user("ann").await, app.user("eve").await);
    app.user("anton").await;
    let room = app.rocket(&ann).open("ann").await;
    let outside = async |user, room: &str| {
        let query = [("query", "an"), ("rid", room)];
        let body = app.rocket(user).get("spotlight", &query).await.ok();
        let all = body["users"].as_array().unwrap().iter().map(|user| user["outside"].clone());
        Value::Array(all.collect())
    };
    assert_eq!(outside(&ann, &room).await, json!([false, true]));
    // A room that is not the caller's says nothing of its members, nor whether it is there.
    for room in [room.as_str(), "nothing"] {
        assert_eq!(outside(&eve, room).await, json!([true, true]));
    }
}

#[tokio::test]
async fn who_may_not_look_outside_finds_whom_it_knows() {
    let app = app().await;
    let boss = app.admin("root").await;
    let gus = guest(&app, "gus").await;
    let (ann, _) = (app.user("ann").await, app.user("anton").await);
    assert_eq!(spot(&app, &gus, &[("query", "an")]).await, Vec::<String>::new());
    app.rocket(&ann).open("gus").await;
    let group = json!({"usernames": "gus,root"});
    app.rocket(&ann).post("dm.create", group).await.ok();
    assert_eq!(spot(&app, &gus, &[("query", "an")]).await, ["ann"]);
    assert_eq!(spot(&app, &gus, &[("query", "")]).await, ["ann", "gus", "root"]);
    let body = app.rocket(&gus).get("spotlight", &[("query", "ann")]).await.ok();
    assert_eq!(body["users"][0]["outside"], false);
    grant(&app, &boss, "view-outside-room", &["guest"]).await;
    assert_eq!(spot(&app, &gus, &[("query", "an")]).await, ["ann", "anton"]);
    assert_eq!(spot(&app, &ann, &[("query", "an")]).await, ["ann"]);
    // Who may read no rooms knows nobody.
    for id in ["view-d-room", "view-joined-room"] {
        grant(&app, &boss, id, &["admin"]).await;
    }
    assert_eq!(spot(&app, &gus, &[("query", "an")]).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_spotlight_does_not_take() {
    let app = app().await;
    let ann = app.user("ann").await;
    let ask = async |query: &[(&str, &str)]| app.rocket(&ann).get("spotlight", query).await;
    schema(&ask(&[]).await, "must have required property 'query'");
    let extra = ask(&[("query", "x"), ("limit", "9")]).await;
    schema(&extra, "must NOT have additional properties");
    schema(&ask(&[("query[]", "x")]).await, "must be string");
}

async fn ask(app: &TestApp, user: &TestUser, query: &[(&str, &str)]) -> Answer {
    app.rocket(user).get("directory", query).await
}

async fn names(app: &TestApp, user: &TestUser, query: &[(&str, &str)]) -> (Vec<String>, [u64; 3]) {
    let body = ask(app, user, query).await.ok();
    assert_eq!(keys(&body), ["count", "offset", "result", "success", "total"]);
    let numbers = ["count", "offset", "total"].map(|name| body[name].as_u64().unwrap());
    (each(&body, "result", "username"), numbers)
}

const USERS: (&str, &str) = ("type", "users");

#[tokio::test]
async fn everybody_by_page() {
    let app = app().await;
    let (ann, _) = (person(&app, "ann", "Zoe").await, person(&app, "bob", "adam").await);
    person(&app, "cat", "Mia").await;
    let all = ["bob", "cat", "rocket.cat", "ann"].map(str::to_owned).to_vec();
    assert_eq!(names(&app, &ann, &[USERS]).await, (all.clone(), [4, 0, 4]));
    let page = [USERS, ("count", "2"), ("offset", "1")];
    assert_eq!(names(&app, &ann, &page).await, (all[1..3].to_vec(), [2, 1, 4]));
    for (sort, want) in [
        (r#"{"username":-1}"#, ["rocket.cat", "cat", "bob", "ann"]),
        (r#"{"username":1}"#, ["ann", "bob", "cat", "rocket.cat"]),
        (r#"{"name":1}"#, ["cat", "rocket.cat", "ann", "bob"]),
    ] {
        assert_eq!(names(&app, &ann, &[USERS, ("sort", sort)]).await.0, want, "{sort}");
    }
    let two = ask(&app, &ann, &[USERS, ("sort", r#"{"name":1,"username":1}"#)]).await;
    plain(&two, 400, "This method support only one \"sort\" parameter");
    let secret = ask(&app, &ann, &[USERS, ("sort", r#"{"emails.address":1}"#)]).await;
    assert_eq!(secret.expect(400)["errorType"], "error-invalid-sort");
    let body = ask(&app, &ann, &[USERS, ("count", "1")]).await.ok();
    let id = body["result"][0]["_id"].clone();
    let want = json!({"_id": id, "username": "bob", "name": "adam", "nickname": "nick of bob",
        "bio": "100% [real]", "createdAt": parlance_core::time::iso(crate::app::START)});
    assert_eq!(body["result"][0], want);
    // Who is switched off is not in it.
    let off = parlance_core::account::Authority::Operator;
    app.core.set_active(off, &id.as_str().unwrap().into(), false).await.unwrap();
    assert_eq!(names(&app, &ann, &[USERS]).await.1, [3, 0, 3]);
}

#[tokio::test]
async fn by_a_text_in_either_form() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, person(&app, "ann", "Zoe").await);
    person(&app, "bob", "Dr. Bee").await;
    for (text, want) in [
        ("BEE", &["bob"][..]),
        ("o", &["bob", "rocket.cat", "root", "ann"]),
        ("nick of", &["bob", "ann"]),
        ("100% [re", &["bob", "ann"]),
        ("r. b", &["bob"]),
        ("r.*b", &[]),
        ("example.com", &[]),
        ("555", &[]),
        ("$", &[]),
        ("\\", &[]),
    ] {
        let mut want: Vec<String> = want.iter().map(|name| (*name).to_owned()).collect();
        want.sort_unstable();
        let query = json!({"text": text, "type": "users", "workspace": "local"}).to_string();
        for form in [&[("query", query.as_str())][..], &[USERS, ("text", text)]] {
            let (mut found, numbers) = names(&app, &ann, form).await;
            found.sort_unstable();
            assert_eq!(found, want, "{text}");
            assert_eq!(numbers[2], want.len() as u64);
        }
    }
    // A plain parameter goes first.
    let both = [("query", r#"{"text":"bee","type":"channels"}"#), USERS];
    assert_eq!(names(&app, &ann, &both).await.0, ["bob"]);
    set(&app, &boss, "Accounts_SearchFields", json!("username, emails.address")).await;
    assert_eq!(names(&app, &ann, &[USERS, ("text", "bee")]).await.0, Vec::<String>::new());
    assert_eq!(names(&app, &ann, &[USERS, ("text", "example")]).await.0, Vec::<String>::new());
    assert_eq!(names(&app, &boss, &[USERS, ("text", "ann@ex")]).await.0, ["ann"]);
    set(&app, &boss, "Accounts_SearchFields", json!("services")).await;
    assert_eq!(names(&app, &boss, &[USERS, ("text", "ann")]).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn addresses_are_for_who_may_see_them() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let text = [USERS, ("text", "ann")];
    assert!(ask(&app, &ann, &text).await.ok()["result"][0].get("emails").is_none());
    let emails = json!([{"address": "ann@example.com", "verified": true}]);
    assert_eq!(ask(&app, &boss, &text).await.ok()["result"][0]["emails"], emails);
    let sort = [USERS, ("sort", r#"{"emails.address":1}"#)];
    assert_eq!(names(&app, &boss, &sort).await.0, ["rocket.cat", "ann", "root"]);
}

#[tokio::test]
async fn what_is_not_here_and_who_may_not_look() {
    let app = app().await;
    let (boss, ann, gus) =
        (app.admin("root").await, app.user("ann").await, guest(&app, "gus").await);
    let none = (Vec::new(), [0, 3, 0]);
    for query in [
        &[("offset", "3")][..],
        &[("type", "channels"), ("offset", "3")],
        &[("type", "teams"), ("offset", "3"), ("sort", r#"{"name":-1}"#)],
        &[("query", r#"{"type":"teams","text":null}"#), ("offset", "3")],
        &[USERS, ("workspace", "external"), ("offset", "3")],
    ] {
        assert_eq!(names(&app, &ann, query).await, none, "{query:?}");
    }
    let verify = "Please verify the parameters";
    plain(&ask(&app, &ann, &[("type", "rooms")]).await, 400, verify);
    plain(&ask(&app, &ann, &[USERS, ("text", &"x".repeat(4000))]).await, 400, verify);
    for query in ["{", "[]", r#"{"text":{"$ne":""},"type":"users"}"#, r#"{"type":7}"#] {
        let answer = ask(&app, &ann, &[("query", query)]).await;
        assert_eq!(answer.expect(400)["errorType"], "error-invalid-query", "{query}");
    }
    schema(&ask(&app, &ann, &[("type[]", "users")]).await, "must be string");
    schema(&ask(&app, &ann, &[USERS, ("count", "abc")]).await, "must be number");
    plain(&ask(&app, &gus, &[USERS]).await, 400, verify);
    for id in ["view-d-room", "view-outside-room"] {
        grant(&app, &boss, id, &["admin"]).await;
        plain(&ask(&app, &ann, &[USERS]).await, 400, verify);
        grant(&app, &boss, id, &["admin", "user"]).await;
        ask(&app, &ann, &[USERS]).await.ok();
    }
}

#[tokio::test]
async fn roles_that_everybody_may_know_of() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    guest(&app, "gus").await;
    for roles in [&["livechat-agent"][..], &["app", "user"], &["guest", "bot"], &["anonymous"]] {
        let (username, roles) = (roles.concat(), roles.iter().map(|role| (*role).to_owned()));
        app.user_with(NewUser { username, roles: roles.collect(), ..NewUser::default() }).await;
    }
    let body = app.rocket(&ann).get("roles.getUsersInPublicRoles", &[]).await.ok();
    assert_eq!(keys(&body), ["success", "users"]);
    let mut found = each(&body, "users", "username");
    found.sort_unstable();
    assert_eq!(found, ["appuser", "livechat-agent", "root"]);
    let users = body["users"].as_array().unwrap();
    let root = users.iter().find(|user| user["username"] == "root").unwrap();
    let want = json!({"_id": boss.id, "username": "root", "roles": ["admin", "user"]});
    assert_eq!(*root, want);
}
