//! The second factor: the password for single calls, an authenticator program for logins and calls,
//! on both faces, with what is remembered, what is counted and what is exempt.

use super::{BY_PASSWORD, again, app_with, lives, login_with, meepa_login, post, refused, set};
use crate::app::{DIGEST, PASSWORD, START, TestApp, TestUser, app};
use parlance_core::account::{Authority, NewUser};
use parlance_core::factor::Method;
use parlance_core::login::CreateTokens;
use parlance_core::{Error, totp};
use serde_json::{Value, json};

const DAY: i64 = 86_400_000;

/// An enrolled program.
struct Program {
    secret: String,
    recovery: Vec<String>,
}

impl Program {
    async fn of(app: &TestApp, user: &TestUser) -> Self {
        let caller = app.caller(user).await;
        let secret = app.core.totp_begin(&caller).await.unwrap().secret;
        let code = totp::code(&secret, app.clock.now()).unwrap();
        let recovery = app.core.totp_finish(&caller, &code).await.unwrap();
        // The first code was used for that.
        app.clock.move_to(app.clock.now() + 30_000);
        Self { secret, recovery }
    }

    fn code(&self, app: &TestApp) -> String {
        totp::code(&self.secret, app.clock.now()).unwrap()
    }
}

async fn change(app: &TestApp, user: &TestUser, headers: &[(&str, &str)]) -> crate::app::Answer {
    post(app, user, "settings/Site_Name", headers, &json!({"value": "x"})).await
}

#[track_caller]
fn required(body: &Value, method: &str, available: &[&str]) {
    assert_eq!(body["error"], "TOTP Required [totp-required]");
    assert_eq!(body["errorType"], "totp-required");
    let want = json!({"method": method, "codeGenerated": false, "availableMethods": available});
    assert_eq!(body["details"], want);
}

#[tokio::test]
async fn the_password_serves_where_there_is_no_other_factor() {
    let app = app().await;
    let boss = app.admin("root").await;
    // An account that was just made is not asked.
    change(&app, &boss, &[]).await.ok();
    app.clock.move_to(START + 1_799_999);
    change(&app, &boss, &[]).await.ok();
    app.clock.move_to(START + 1_800_000);
    required(&change(&app, &boss, &[]).await.expect(400), "password", &["password"]);
    for code in ["", DIGEST.trim_start_matches('4'), PASSWORD, &"0".repeat(64)] {
        let body = change(&app, &boss, &[("x-2fa-method", "password"), ("x-2fa-code", code)]).await;
        let body = body.expect(400);
        if code.is_empty() {
            required(&body, "password", &["password"]);
        } else {
            assert_eq!(body["error"], "TOTP Invalid [totp-invalid]");
            assert_eq!(body["details"], json!({"method": "password"}));
        }
    }
    change(&app, &boss, &BY_PASSWORD).await.ok();
    // Remembered for this token and this program, for half an hour.
    change(&app, &boss, &[]).await.ok();
    let other = [("user-agent", "another")];
    required(&change(&app, &boss, &other).await.expect(400), "password", &["password"]);
    let second = again(&app, &boss).await;
    required(&change(&app, &second, &[]).await.expect(400), "password", &["password"]);
    app.clock.move_to(START + 3_599_999);
    change(&app, &boss, &[]).await.ok();
    app.clock.move_to(START + 3_600_000);
    required(&change(&app, &boss, &[]).await.expect(400), "password", &["password"]);
    // An upper-case digest and an unknown method are what they seem.
    let upper = DIGEST.to_uppercase();
    change(&app, &boss, &[("x-2fa-method", "none"), ("x-2fa-code", &upper)]).await.ok();
}

#[tokio::test]
async fn changing_accounts_wants_one() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    app.clock.move_to(START + 1_800_000);
    let body = json!({"userId": ann.id, "data": {"bio": "x"}});
    let refused = post(&app, &boss, "users.update", &[], &body).await.expect(400);
    required(&refused, "password", &["password"]);
    let code = [("x-2fa-method", "password"), ("x-2fa-code", DIGEST)];
    post(&app, &boss, "users.update", &code, &body).await.ok();
}

#[tokio::test]
async fn who_may_not_is_refused_before_a_factor_is_asked_for() {
    let app = app().await;
    let ann = app.user("ann").await;
    app.clock.move_to(START + DAY);
    let body = change(&app, &ann, &[]).await.expect(403);
    assert_eq!(body, json!({"success": false, "error": "unauthorized"}));
    // Who may is asked on every one of these.
    for name in ["generate", "regenerate", "remove"] {
        let name = format!("users.{name}PersonalAccessToken");
        let body = post(&app, &ann, &name, &[], &json!({"tokenName": "ci"})).await.expect(400);
        required(&body, "password", &["password"]);
    }
}

#[tokio::test]
async fn the_settings_say_whether_and_how_long() {
    let app = app().await;
    let boss = app.admin("root").await;
    app.clock.move_to(START + DAY);
    let prefix = "Accounts_TwoFactorAuthentication";
    let off = async |id: &str, value: Value| set(&app, &[(&format!("{prefix}_{id}"), value)]).await;
    off("Enforce_Password_Fallback", json!(false)).await;
    change(&app, &boss, &[]).await.ok();
    off("Enforce_Password_Fallback", json!(true)).await;
    change(&app, &boss, &[]).await.expect(400);
    off("Enabled", json!(false)).await;
    change(&app, &boss, &[]).await.ok();
    off("Enabled", json!(true)).await;
    off("RememberFor", json!(0)).await;
    change(&app, &boss, &BY_PASSWORD).await.ok();
    change(&app, &boss, &[]).await.expect(400);
    // With a program and the switch off, the password is enough to log in.
    let ann = app.user("ann").await;
    Program::of(&app, &ann).await;
    assert_eq!(refused(&login_with(&app, "ann", &json!({})).await), "totp-required");
    off("Enabled", json!(false)).await;
    login_with(&app, "ann", &json!({})).await.ok();
}

#[tokio::test]
async fn an_account_without_any_factor_is_not_asked() {
    let app = app_with(|options| options.create_tokens = CreateTokens::On(None)).await;
    let boss = app.admin("root").await;
    let new = NewUser { username: "ghost".to_owned(), ..NewUser::default() };
    let ghost = app.core.create_user(Authority::Operator, new).await.unwrap();
    app.clock.move_to(START + DAY);
    let made = app.core.create_token(&app.caller(&boss).await, ghost, None).await.unwrap();
    let (id, username) = (made.user.id.to_string(), "ghost".to_owned());
    let ghost = TestUser { id, username, token: made.token };
    let body = json!({"tokenName": "x"});
    post(&app, &ghost, "users.generatePersonalAccessToken", &[], &body).await.ok();
    // A program is asked for instead of the password.
    Program::of(&app, &boss).await;
    let body = change(&app, &boss, &BY_PASSWORD).await.expect(400);
    assert_eq!(body["errorType"], "totp-invalid");
    required(&change(&app, &boss, &[]).await.expect(400), "totp", &["totp"]);
}

#[tokio::test]
async fn a_login_with_a_program_needs_its_code_on_both_faces() {
    let app = app().await;
    let ann = app.user("ann").await;
    let program = Program::of(&app, &ann).await;
    let none = login_with(&app, "ann", &json!({"code": null})).await;
    let want = json!({"success": false, "status": "error", "error": "totp-required",
        "message": "TOTP Required",
        "details": {"method": "totp", "codeGenerated": false, "availableMethods": ["totp"]}});
    assert_eq!(none.expect(401), want);
    let wrong = login_with(&app, "ann", &json!({"code": "000000"})).await.expect(401);
    assert_eq!(
        (&wrong["error"], &wrong["message"]),
        (&json!("totp-invalid"), &json!("TOTP Invalid"))
    );
    // A wrong password says nothing of the factor.
    let body = json!({"user": "ann", "password": "wrong", "code": program.code(&app)});
    let answer = app.call(axum::http::Method::POST, "/api/v1/login", &[], Some(&body)).await;
    assert_eq!(refused(&answer), "Unauthorized");
    let code = program.code(&app);
    login_with(&app, "ann", &json!({ "code": code })).await.ok();
    let used = login_with(&app, "ann", &json!({ "code": code })).await;
    assert_eq!(refused(&used), "totp-invalid", "a code is good once");
    // In the header, and wrapped as sockets have it.
    app.clock.move_to(app.clock.now() + 30_000);
    let (code, body) = (program.code(&app), json!({"user": "ann", "password": PASSWORD}));
    let headers = [("x-2fa-code", code.as_str())];
    let path = "/api/v1/login";
    app.call(axum::http::Method::POST, path, &headers, Some(&body)).await.ok();
    app.clock.move_to(app.clock.now() + 30_000);
    let wrapped = json!({"totp": {"login": body, "code": program.code(&app)}});
    app.call(axum::http::Method::POST, path, &[], Some(&wrapped)).await.ok();
    // The other face asks too.
    let text = |answer: &crate::app::Answer| answer.expect(401)["error"].clone();
    let none = meepa_login(&app, "ann", &json!({})).await;
    assert_eq!(text(&none), "second factor required: send code (totp)");
    assert!(none.headers.get("set-cookie").is_none());
    let wrong = meepa_login(&app, "ann", &json!({"code": "000000"})).await;
    assert_eq!(text(&wrong), "invalid second factor");
    let used = meepa_login(&app, "ann", &json!({ "code": program.code(&app) })).await;
    assert_eq!(text(&used), "invalid second factor", "it was used on the other face");
    app.clock.move_to(app.clock.now() + 30_000);
    meepa_login(&app, "ann", &json!({ "code": program.code(&app) })).await.ok();
    // A token that lives goes on without.
    let resumed = json!({"resume": ann.token});
    app.call(axum::http::Method::POST, path, &[], Some(&resumed)).await.ok();
}

#[tokio::test]
async fn a_factor_given_with_the_login_counts_for_calls() {
    let app = app().await;
    let boss = app.admin("root").await;
    let program = Program::of(&app, &boss).await;
    app.clock.move_to(START + DAY);
    let made = login_with(&app, "root", &json!({ "code": program.code(&app) })).await.ok();
    let token = made["data"]["authToken"].as_str().unwrap().to_owned();
    let session = TestUser { token, ..boss.clone() };
    change(&app, &session, &[]).await.ok();
    change(&app, &boss, &[]).await.expect(400);
    app.clock.move_to(START + DAY + 1_800_000);
    change(&app, &session, &[]).await.expect(400);
    let code = program.code(&app);
    change(&app, &session, &[("x-2fa-method", "totp"), ("x-2fa-code", &code)]).await.ok();
}

#[tokio::test]
async fn a_neighbouring_step_fits_and_an_older_one_does_not() {
    let app = app().await;
    let ann = app.user("ann").await;
    let program = Program::of(&app, &ann).await;
    app.clock.move_to(app.clock.now() + 300_000);
    let at = |ms: i64| totp::code(&program.secret, app.clock.now() + ms).unwrap();
    for (ms, fits) in
        [(-60_000, false), (60_000, false), (-30_000, true), (30_000, true), (0, false)]
    {
        let answer = login_with(&app, "ann", &json!({"code": at(ms)})).await;
        assert_eq!(answer.status.as_u16() == 200, fits, "{ms}");
    }
}

#[tokio::test]
async fn recovery_codes_serve_once_each() {
    let app = app().await;
    let ann = app.user("ann").await;
    let program = Program::of(&app, &ann).await;
    let caller = app.caller(&ann).await;
    assert_eq!(program.recovery.len(), 12);
    let left = async || app.core.totp_codes_left(&caller).await.unwrap();
    assert_eq!(left().await, 12);
    let first = json!({"code": program.recovery[0]});
    login_with(&app, "ann", &first).await.ok();
    assert_eq!(refused(&login_with(&app, "ann", &first).await), "totp-invalid");
    let upper = json!({"code": program.recovery[1].to_uppercase()});
    meepa_login(&app, "ann", &upper).await.ok();
    assert_eq!(left().await, 10);
    let fresh = app.core.totp_renew_codes(&caller, &program.recovery[2]).await.unwrap();
    assert_eq!((fresh.len(), left().await), (12, 12));
    let old = json!({"code": program.recovery[3]});
    assert_eq!(refused(&login_with(&app, "ann", &old).await), "totp-invalid");
    // Nobody else's codes fit.
    let bob = app.user("bob").await;
    Program::of(&app, &bob).await;
    let theirs = login_with(&app, "bob", &json!({"code": fresh[0]})).await;
    assert_eq!(refused(&theirs), "totp-invalid");
    login_with(&app, "ann", &json!({"code": fresh[0]})).await.ok();
}

#[tokio::test]
async fn switching_it_on_ends_the_other_sessions_and_off_needs_a_code() {
    let app = app().await;
    let ann = app.user("ann").await;
    let other = again(&app, &ann).await;
    let body = json!({"tokenName": "ci"});
    let named = app.rocket(&ann).post("users.generatePersonalAccessToken", body).await.ok();
    let caller = app.caller(&ann).await;
    assert!(matches!(app.core.totp_codes_left(&caller).await, Err(Error::FactorInvalid(_))));
    let wrong = app.core.totp_finish(&caller, "000000").await;
    assert!(matches!(wrong, Err(Error::FactorInvalid(Method::Totp))), "nothing was begun");
    let first = app.core.totp_begin(&caller).await.unwrap();
    let begun = app.core.totp_begin(&caller).await.unwrap();
    let want = format!("otpauth://totp/Parlance:ann?secret={}&issuer=Parlance", begun.secret);
    assert_eq!(begun.url, want);
    let old = totp::code(&first.secret, app.clock.now()).unwrap();
    assert!(app.core.totp_finish(&caller, &old).await.is_err(), "the newest enrolment counts");
    // It is off until it is proved.
    login_with(&app, "ann", &json!({})).await.ok();
    assert!(app.rocket(&ann).get("me", &[]).await.ok()["services"].get("totp").is_none());
    let code = totp::code(&begun.secret, app.clock.now()).unwrap();
    app.core.totp_finish(&caller, &code).await.unwrap();
    assert!(lives(&app, &ann.token).await && !lives(&app, &other.token).await);
    assert!(lives(&app, named["token"].as_str().unwrap()).await);
    let me = app.rocket(&ann).get("me", &[]).await.ok();
    assert_eq!(me["services"]["totp"], json!({"enabled": true}));
    assert!(matches!(app.core.totp_begin(&caller).await, Err(Error::FactorOn)));
    assert!(app.core.totp_end(&caller, &code).await.is_err(), "it was used to switch it on");
    app.clock.move_to(app.clock.now() + 30_000);
    let code = totp::code(&begun.secret, app.clock.now()).unwrap();
    app.core.totp_end(&caller, &code).await.unwrap();
    login_with(&app, "ann", &json!({})).await.ok();
    assert!(app.core.totp_end(&caller, &code).await.is_err(), "it is off");
}

#[tokio::test]
async fn wrong_codes_are_counted_and_then_none_is_looked_at() {
    let app = app().await;
    let ann = app.user("ann").await;
    let program = Program::of(&app, &ann).await;
    for _ in 0..5 {
        let answer = login_with(&app, "ann", &json!({"code": "000000"})).await;
        assert_eq!(refused(&answer), "totp-invalid");
    }
    let right = json!({"code": program.code(&app)});
    let full = login_with(&app, "ann", &right).await.expect(401);
    assert_eq!(full["error"], "totp-max-attempts");
    assert_eq!(full["message"], "TOTP Maximun Failed Attempts Reached");
    let text = meepa_login(&app, "ann", &right).await.expect(401);
    assert_eq!(text["error"], "too many wrong second factors, try again later");
    let recovery = json!({"code": program.recovery[0]});
    assert_eq!(refused(&login_with(&app, "ann", &recovery).await), "totp-max-attempts");
    // A call that wants one, too.
    let headers = [("x-2fa-code", program.recovery[0].as_str())];
    let body = json!({"tokenName": "x"});
    app.clock.move_to(START + DAY);
    for _ in 0..5 {
        let zeros = [("x-2fa-code", "000000")];
        let answer = post(&app, &ann, "users.generatePersonalAccessToken", &zeros, &body).await;
        assert_eq!(answer.expect(400)["errorType"], "totp-invalid");
    }
    let answer = post(&app, &ann, "users.generatePersonalAccessToken", &headers, &body).await;
    let full = answer.expect(400);
    assert_eq!(full["error"], "TOTP Maximun Failed Attempts Reached [totp-max-attempts]");
    app.clock.move_to(app.clock.now() + 300_000);
    login_with(&app, "ann", &recovery).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_bring_one_code_at_once_one_gets_in() {
    let app = std::sync::Arc::new(app().await);
    let ann = app.user("ann").await;
    let program = Program::of(&app, &ann).await;
    set(&app, &[("Accounts_TwoFactorAuthentication_Max_Invalid_Email_Code_Attempts", json!(100))])
        .await;
    let mut tries = tokio::task::JoinSet::new();
    let code = program.code(&app);
    for _ in 0..16 {
        let (app, code) = (app.clone(), code.clone());
        tries.spawn(async move { login_with(&app, "ann", &json!({"code": code})).await.status });
    }
    let done = crate::store::soon("the logins", tries.join_all()).await;
    assert_eq!(done.iter().filter(|status| status.as_u16() == 200).count(), 1, "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_login_without_a_code_outlives_the_enrolment() {
    let app = std::sync::Arc::new(app().await);
    for round in 0..12 {
        let ann = app.user(&format!("ann{round}")).await;
        let caller = app.caller(&ann).await;
        let secret = app.core.totp_begin(&caller).await.unwrap().secret;
        let mut logins = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (app, name) = (app.clone(), ann.username.clone());
            logins.spawn(async move { login_with(&app, &name, &json!({})).await });
        }
        let mut answers = Vec::new();
        for _ in 0..round {
            answers.extend(logins.join_next().await.map(Result::unwrap));
        }
        let code = totp::code(&secret, app.clock.now()).unwrap();
        app.core.totp_finish(&caller, &code).await.unwrap();
        answers.extend(crate::store::soon("the logins", logins.join_all()).await);
        for answer in answers.iter().filter(|answer| answer.status.as_u16() == 200) {
            let token = answer.json()["data"]["authToken"].as_str().unwrap().to_owned();
            assert!(!lives(&app, &token).await, "round {round}");
        }
        assert!(lives(&app, &ann.token).await);
    }
}
