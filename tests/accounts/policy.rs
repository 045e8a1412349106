//! The rules for passwords, wherever one is set.

use super::{app_with_mail, letter, set};
use crate::app::{Answer, DIGEST, TestApp, app};
use axum::http::Method;
use parlance_core::UserId;
use parlance_core::account::Authority;
use parlance_core::login::Password;
use parlance_core::{Error, Perm};
use serde_json::{Value, json};

async fn on(app: &TestApp) {
    set(app, &[("Accounts_Password_Policy_Enabled", json!(true))]).await;
}

async fn policy(app: &TestApp) -> Value {
    app.call(Method::GET, "/api/v1/pw.getPolicy", &[], None).await.ok()
}

async fn register(app: &TestApp, name: &str, password: &str) -> Answer {
    let email = format!("{name}@example.org");
    let body = json!({"username": name, "name": name, "email": email, "pass": password});
    app.call(Method::POST, "/api/v1/users.register", &[], Some(&body)).await
}

#[tokio::test]
async fn the_policy_is_told_to_everybody() {
    let app = app().await;
    assert_eq!(policy(&app).await, json!({"enabled": false, "policy": [], "success": true}));
    on(&app).await;
    let rule = |name: &str| format!("get-password-policy-{name}");
    let want = json!([
        [rule("minLength"), {"minLength": 7}],
        [rule("maxLength"), {"maxLength": 64}],
        [rule("forbidRepeatingCharacters")],
        [rule("forbidRepeatingCharactersCount"), {"forbidRepeatingCharactersCount": 3}],
        [rule("mustContainAtLeastOneLowercase")],
        [rule("mustContainAtLeastOneUppercase")],
        [rule("mustContainAtLeastOneNumber")],
        [rule("mustContainAtLeastOneSpecialCharacter")],
    ]);
    assert_eq!(policy(&app).await, json!({"enabled": true, "policy": want, "success": true}));
    let id = |rest: &str| format!("Accounts_Password_Policy_{rest}");
    set(
        &app,
        &[
            (&id("MinLength"), json!(-1)),
            (&id("MaxLength"), json!(-1)),
            (&id("ForbidRepeatingCharacters"), json!(false)),
            (&id("AtLeastOneLowercase"), json!(false)),
            (&id("AtLeastOneUppercase"), json!(false)),
            (&id("AtLeastOneNumber"), json!(false)),
        ],
    )
    .await;
    let want = json!([[rule("mustContainAtLeastOneSpecialCharacter")]]);
    assert_eq!(policy(&app).await["policy"], want);
    register(&app, "ann", "!").await.ok();
}

#[tokio::test]
async fn each_rule_is_a_refusal_of_its_own() {
    let app = app().await;
    register(&app, "before", "x").await.ok();
    on(&app).await;
    for (password, rules) in [
        ("aB3!", vec!["minLength"]),
        ("AB3!xyz", vec![]),
        ("aaaB3!xyz", vec![]),
        ("aaaaB3!xyz", vec!["forbidRepeatingCharactersCount"]),
        ("AB3!XYZW", vec!["mustContainAtLeastOneLowercase"]),
        ("ab3!xyzw", vec!["mustContainAtLeastOneUppercase"]),
        ("abC!xyzw", vec!["mustContainAtLeastOneNumber"]),
        ("abC3xyzw", vec!["mustContainAtLeastOneSpecialCharacter"]),
        (
            "a",
            vec![
                "minLength",
                "mustContainAtLeastOneUppercase",
                "mustContainAtLeastOneNumber",
                "mustContainAtLeastOneSpecialCharacter",
            ],
        ),
    ] {
        let name =
            format!("u{}", password.len() + rules.len() * 100 + password.matches('a').count() * 10);
        let answer = register(&app, &name, password).await;
        if rules.is_empty() {
            answer.ok();
            continue;
        }
        let body = answer.expect(400);
        assert_eq!(body["errorType"], "error-password-policy-not-met");
        let text = "The password does not meet the server's policy [error-password-policy-not-met]";
        assert_eq!(body["error"], text);
        let said: Vec<&str> = body["details"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["error"].as_str().unwrap())
            .collect();
        let want: Vec<String> =
            rules.iter().map(|rule| format!("error-password-policy-not-met-{rule}")).collect();
        assert_eq!(said, want, "{password}");
        assert!(
            body["details"]
                .as_array()
                .unwrap()
                .iter()
                .all(|one| one["message"].is_string() && one["isMet"] == false)
        );
        assert!(!String::from_utf8_lossy(&answer.body).contains("pass\":"));
        assert!(app.core.user_named(&name).await.is_err(), "nothing is stored");
    }
    let long = format!("aB3!{}", "xyz".repeat(30));
    assert_eq!(
        register(&app, "long", &long).await.expect(400)["details"][0]["error"],
        "error-password-policy-not-met-maxLength"
    );
}

#[tokio::test]
async fn it_counts_wherever_a_password_is_set() {
    let (app, mut letters) = app_with_mail().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    on(&app).await;
    let code = "error-password-policy-not-met";
    assert_eq!(register(&app, "bob", "weak").await.expect(400)["errorType"], code);
    let create = |name: &str, password: Value| {
        json!({"username": name, "name": name, "email": format!("{name}@example.org"),
            "password": password})
    };
    let body = app.rocket(&boss).post("users.create", create("bob", json!("weak"))).await;
    assert_eq!(body.expect(400)["errorType"], code);
    app.rocket(&boss).post("users.create", create("bob", json!("aB3!xyzw"))).await.ok();
    // One that the server makes is never weak.
    let mut random = create("eve", json!(""));
    random["setRandomPassword"] = json!(true);
    app.rocket(&boss).post("users.create", random).await.ok();
    // Nor is it where an account is given another; the rules of its own are asked before.
    let update = |data: Value| {
        let body = json!({"userId": ann.id, "data": data});
        let (app, boss) = (&app, &boss);
        async move { app.rocket(boss).post("users.update", body).await }
    };
    assert_eq!(update(json!({"password": "weak"})).await.expect(400)["errorType"], code);
    // A quarter of them has no special character.
    for _ in 0..16 {
        update(json!({"setRandomPassword": true})).await.ok();
    }
    let gone = app.rocket(&ann).get("me", &[]).await;
    assert_eq!(gone.status, 401, "another password ended the session");
    let dan = app.user("dan").await;
    let own = |password: &str| {
        let body = json!({"data": {"newPassword": password, "currentPassword": DIGEST}});
        let (app, dan) = (&app, &dan);
        async move { app.rocket(dan).post("users.updateOwnBasicInfo", body).await }
    };
    assert_eq!(own("weak").await.expect(400)["errorType"], code);
    own("aB3!xyzw").await.ok();
    let meepa = |password: &str| json!({"username": "gus", "email": "gus@example.org", "password": password});
    let path = "/api/auth/register";
    let answer = app.call(Method::POST, path, &[], Some(&meepa("weak"))).await;
    assert_eq!(answer.expect(400)["error"], "the password does not meet the server's policy");
    app.call(Method::POST, path, &[], Some(&meepa("aB3!xyzw"))).await.expect(201);
    let boss = app.caller(&boss).await;
    let admin = app.core.admin(&boss, Perm::EditOtherUserPassword).unwrap();
    let id = UserId::from(ann.id.as_str());
    // Of a digest nobody knows what it is of.
    for password in [Password::plain("weak"), Password::digest(&"0".repeat(64))] {
        let done = app.core.set_password(Authority::Admin(admin), &id, &password.unwrap()).await;
        assert!(matches!(done, Err(Error::WeakPassword(_))), "{done:?}");
    }
    let strong = Password::plain("aB3!xyzw").unwrap();
    app.core.set_password(Authority::Admin(admin), &id, &strong).await.unwrap();
    // The operator may.
    let weak = Password::plain("weak").unwrap();
    app.core.set_password(Authority::Operator, &id, &weak).await.unwrap();
    // And by a link: a refused one leaves the link good.
    let forgot = json!({"email": "ann@example.com"});
    app.call(Method::POST, "/api/v1/users.forgotPassword", &[], Some(&forgot)).await.ok();
    let sent = letter(&mut letters).await;
    let token = sent.text.split("/reset-password/").nth(1).unwrap();
    let token = token.split_whitespace().next().unwrap();
    let done = app.core.reset_password(token, &weak).await;
    assert!(matches!(done, Err(Error::WeakPassword(_))));
    app.core.reset_password(token, &strong).await.unwrap();
}
