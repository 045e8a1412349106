//! Canaries: what is secret stands in no answer but the one that makes it, and nowhere in the store.

use super::{BY_PASSWORD, app_with_mail, letter, login_with, post, set};
use crate::app::{TestUser, fresh_database, options};
use axum::http::Method;
use parlance_core::{Clock, Core, Database, totp};
use parlance_rocketchat::routes::ROUTES;
use serde_json::json;
use std::path::Path;

/// Every byte of a directory.
fn bytes(dir: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
}

fn holds(all: &[u8], secret: &str) -> bool {
    all.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[tokio::test]
async fn no_secret_stands_in_an_answer_or_in_the_store() {
    let (app, mut letters) = app_with_mail().await;
    let ann = app.admin("ann").await;
    set(&app, &[("SMTP_Password", json!("KANARI-smtp-password"))]).await;
    let caller = app.caller(&ann).await;
    let named = app.core.add_named_token(&caller, "ci", false).await.unwrap();
    let begun = app.core.totp_begin(&caller).await.unwrap();
    let code = totp::code(&begun.secret, app.clock.now()).unwrap();
    let recovery = app.core.totp_finish(&caller, &code).await.unwrap();
    let body = json!({"email": "ann@example.com"});
    app.call(Method::POST, "/api/v1/users.forgotPassword", &[], Some(&body)).await.ok();
    let sent = letter(&mut letters).await;
    let reset = sent.text.split("/reset-password/").nth(1).unwrap();
    let reset = reset.split_whitespace().next().unwrap().to_owned();
    let mut secrets = vec![
        ("password", crate::app::PASSWORD.to_owned()),
        ("digest", crate::app::DIGEST.to_owned()),
        ("session", ann.token.clone()),
        ("named token", named),
        ("TOTP secret", begun.secret),
        ("reset token", reset),
        ("mail password", "KANARI-smtp-password".to_owned()),
    ];
    secrets.extend(recovery.into_iter().map(|code| ("recovery code", code)));
    for route in ROUTES.iter().filter(|route| route.method == Method::GET && route.name != "logout")
    {
        for query in ["", "?count=0", "?username=ann", "?fields={\"services\":1,\"value\":1}"] {
            let name =
                if route.name == "settings/" { "settings/SMTP_Password" } else { route.name };
            let path = format!(
                "/api/v1/{name}{}",
                query.replace('{', "%7B").replace('}', "%7D").replace('"', "%22")
            );
            let headers = [("x-auth-token", ann.token.as_str()), ("x-user-id", ann.id.as_str())];
            let answer = app.call(Method::GET, &path, &headers, None).await;
            for (what, secret) in &secrets {
                assert!(!holds(&answer.body, secret), "{what} in {path}");
            }
        }
    }
    let shown = app.rocket(&ann).get("settings/SMTP_Password", &[]).await.ok();
    assert_eq!(shown["value"], "");
    // Nor can one be asked for.
    let filter = json!({"value": {"$regex": "KANARI"}}).to_string();
    let found = app.rocket(&ann).get("settings", &[("query", &filter)]).await.ok();
    assert_eq!(found["total"], 0);
    if let Some(dir) = app.directory() {
        let all = bytes(dir);
        assert!(holds(&all, "ann@example.com"), "these are the files");
        for (what, secret) in &secrets {
            assert!(!holds(&all, secret), "{what} in the store");
        }
    }
}

/// The same store under another key: passwords and recovery are not opened, and nothing breaks.
#[tokio::test]
async fn another_key_opens_no_factor_and_no_door() {
    let database = fresh_database().await;
    let clock = Clock::set(crate::app::START);
    let secret;
    {
        let core = Core::open(options(database.clone(), clock.clone())).await.unwrap();
        let app = crate::app::TestApp::over(
            core.clone(),
            clock.clone(),
            &Database::Postgres(String::new()),
        );
        let ann = app.user("ann").await;
        let caller = app.caller(&ann).await;
        secret = core.totp_begin(&caller).await.unwrap().secret;
        let code = totp::code(&secret, clock.now()).unwrap();
        core.totp_finish(&caller, &code).await.unwrap();
        core.close().await;
    }
    clock.move_to(clock.now() + 60_000);
    let mut other = options(database.clone(), clock.clone());
    other.key = None;
    let app = crate::app::TestApp::over(Core::open(other).await.unwrap(), clock.clone(), &database);
    let code = totp::code(&secret, clock.now()).unwrap();
    let answer = login_with(&app, "ann", &json!({ "code": code })).await;
    assert_eq!(answer.expect(401)["error"], "totp-invalid");
}

#[tokio::test]
async fn a_code_of_one_route_is_not_in_its_refusal() {
    let (app, _letters) = app_with_mail().await;
    let boss: TestUser = app.admin("root").await;
    app.clock.move_to(crate::app::START + 86_400_000);
    let headers = [("x-2fa-method", "password"), ("x-2fa-code", "KANARI")];
    let answer = post(&app, &boss, "settings/Site_Name", &headers, &json!({"value": "x"})).await;
    assert!(answer.status.as_u16() == 400 && !holds(&answer.body, "KANARI"));
    post(&app, &boss, "settings/Site_Name", &BY_PASSWORD, &json!({"value": "x"})).await.ok();
}
