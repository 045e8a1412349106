//! Codes by mail as second factor.

use super::{
    BY_PASSWORD, again, app_with_mail, letter, lives, login_with, meepa_login, post, refused, set,
};
use crate::app::{START, TestApp, TestUser, app};
use axum::http::Method;
use parlance_core::account::NewUser;
use parlance_core::mail::Letter;
use parlance_core::time;
use serde_json::json;

fn code(letter: &Letter) -> String {
    let digits: Vec<&str> = letter.text.split(|c: char| !c.is_ascii_digit()).collect();
    digits.into_iter().find(|word| word.len() == 6).expect("a code").to_owned()
}

async fn enable(app: &TestApp, user: &TestUser) {
    let answer = post(app, user, "users.2fa.enableEmail", &BY_PASSWORD, &json!({})).await;
    assert_eq!(answer.ok(), json!({"success": true}));
}

#[tokio::test]
async fn a_login_asks_for_the_code_that_was_sent() {
    let (app, mut letters) = app_with_mail().await;
    let ann = app.user("ann").await;
    let other = again(&app, &ann).await;
    // Switching it on wants a factor now, however young the account is.
    let none = post(&app, &ann, "users.2fa.enableEmail", &[], &json!({})).await.expect(400);
    assert_eq!(none["errorType"], "totp-required");
    enable(&app, &ann).await;
    assert!(lives(&app, &ann.token).await && !lives(&app, &other.token).await);
    let me = app.rocket(&ann).get("me", &[]).await.ok();
    assert_eq!(me["services"]["email2fa"], json!({"enabled": true}));
    let asked = login_with(&app, "ann", &json!({})).await.expect(401);
    let until = time::iso(START + 3_600_000);
    let mut details = json!({"method": "email", "codeGenerated": true, "codeExpires": until,
        "availableMethods": ["email"], "emailOrUsername": "ann"});
    assert_eq!((&asked["error"], &asked["details"]), (&json!("totp-required"), &details));
    let sent = letter(&mut letters).await;
    assert_eq!(
        (sent.to.as_str(), sent.subject.as_str()),
        ("ann@example.com", "Your code for Parlance")
    );
    // Asked again at once, none is sent.
    details["codeGenerated"] = json!(false);
    assert_eq!(login_with(&app, "ann", &json!({})).await.expect(401)["details"], details);
    assert_eq!(refused(&login_with(&app, "ann", &json!({"code": "1"})).await), "totp-invalid");
    let right = json!({"code": code(&sent)});
    login_with(&app, "ann", &right).await.ok();
    assert_eq!(refused(&login_with(&app, "ann", &right).await), "totp-invalid");
    // The other face, with a code of its own.
    app.clock.move_to(START + 60_000);
    let asked = meepa_login(&app, "ann", &json!({})).await.expect(401);
    assert_eq!(asked["error"], "second factor required: send code (email)");
    let sent = letter(&mut letters).await;
    meepa_login(&app, "ann", &json!({"code": code(&sent)})).await.ok();
    // One that is too old.
    login_with(&app, "ann", &json!({})).await.expect(401);
    let sent = letter(&mut letters).await;
    app.clock.move_to(START + 60_000 + 3_600_000);
    assert_eq!(
        refused(&login_with(&app, "ann", &json!({"code": code(&sent)})).await),
        "totp-invalid"
    );
}

#[tokio::test]
async fn a_code_is_sent_for_the_asking_and_nothing_is_told() {
    let (app, mut letters) = app_with_mail().await;
    let (ann, _bob) = (app.user("ann").await, app.user("bob").await);
    enable(&app, &ann).await;
    let ask = async |body: &serde_json::Value| {
        app.call(Method::POST, "/api/v1/users.2fa.sendEmailCode", &[], Some(body)).await
    };
    for body in [json!({}), json!({"emailOrUsername": ""}), json!({"emailOrUsername": {"$ne": ""}})]
    {
        let want = json!({"success": false, "errorType": "error-parameter-required",
            "error": "emailOrUsername is required [error-parameter-required]"});
        assert_eq!(ask(&body).await.expect(400), want);
    }
    // Bob has no such factor, and nobody is nobody: the first letter is Ann's.
    for who in ["bob", "nobody", "no@example.com", "bob@example.com", "Ann@example.com"] {
        assert_eq!(ask(&json!({"emailOrUsername": who})).await.ok(), json!({"success": true}));
    }
    let sent = letter(&mut letters).await;
    assert_eq!(sent.to, "ann@example.com");
    login_with(&app, "ann", &json!({"code": code(&sent)})).await.ok();
    app.clock.move_to(START + 60_000);
    ask(&json!({"emailOrUsername": "ann"})).await.ok();
    letter(&mut letters).await;
    assert!(letters.try_recv().is_err());
}

#[tokio::test]
async fn what_it_needs_is_said() {
    let (app, mut letters) = app_with_mail().await;
    let email = Some(("eve@example.com".to_owned(), false));
    let eve = NewUser { username: "eve".to_owned(), email, ..NewUser::default() };
    let eve = app.user_with(eve).await;
    let answer = post(&app, &eve, "users.2fa.enableEmail", &BY_PASSWORD, &json!({})).await;
    assert_eq!(answer.expect(400)["errorType"], "error-invalid-email");
    let ann = app.user("ann").await;
    let off = "Accounts_TwoFactorAuthentication_By_Email_Enabled";
    set(&app, &[(off, json!(false))]).await;
    let answer = post(&app, &ann, "users.2fa.enableEmail", &BY_PASSWORD, &json!({})).await;
    let text = "Codes by mail are not available [error-action-not-allowed]";
    assert_eq!(answer.expect(400)["error"], text);
    set(&app, &[(off, json!(true))]).await;
    enable(&app, &ann).await;
    // Off by the setting, nobody is asked; without a mail server everybody still is.
    set(&app, &[(off, json!(false))]).await;
    login_with(&app, "ann", &json!({})).await.ok();
    set(&app, &[(off, json!(true)), ("SMTP_Host", json!(""))]).await;
    let asked = login_with(&app, "ann", &json!({})).await.expect(401);
    assert_eq!(asked["details"]["codeGenerated"], false);
    set(&app, &[("SMTP_Host", json!("mail.example.com"))]).await;
    // Off again takes a code, and ends nothing.
    let other = again_with(&app, &mut letters).await;
    app.clock.move_to(START + 120_000);
    let asked = post(&app, &ann, "users.2fa.disableEmail", &[], &json!({})).await.expect(400);
    assert_eq!(asked["details"]["method"], "email");
    let sent = code(&letter(&mut letters).await);
    let headers = [("x-2fa-method", "email"), ("x-2fa-code", sent.as_str())];
    post(&app, &ann, "users.2fa.disableEmail", &headers, &json!({})).await.ok();
    assert!(lives(&app, &other).await);
    login_with(&app, "ann", &json!({})).await.ok();
    let app = self::app().await;
    let ann = app.user("ann").await;
    let answer = post(&app, &ann, "users.2fa.enableEmail", &BY_PASSWORD, &json!({})).await;
    assert_eq!(answer.expect(400)["error"], text, "no mail server was ever named");
}

/// A session of Ann's with the code that is sent for it.
async fn again_with(app: &TestApp, letters: &mut tokio::sync::mpsc::Receiver<Letter>) -> String {
    login_with(app, "ann", &json!({})).await.expect(401);
    let sent = code(&letter(letters).await);
    let made = login_with(app, "ann", &json!({"code": sent})).await.ok();
    made["data"]["authToken"].as_str().unwrap().to_owned()
}
