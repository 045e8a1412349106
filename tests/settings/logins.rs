//! Who gets in, how long, with which second factor, and after how many failures.

use super::scene::status;
use super::{Row, Scene, row, switched};
use crate::accounts::{login_from, login_with};
use crate::app::{PASSWORD, TestUser};
use parlance_core::account::NewUser;
use parlance_core::time;
use serde_json::{Value, json};

/// Somebody who is old enough to be asked for a factor.
async fn settled(s: &Scene) -> TestUser {
    let user = s.person().await;
    s.later(24 * 60);
    user
}

/// Somebody with codes by mail.
async fn with_codes(s: &Scene) -> TestUser {
    let user = s.person().await;
    s.post(&user, "users.2fa.enableEmail", json!({})).await.ok();
    user
}

/// A call that wants a factor, and gets none.
async fn names_a_token(s: &Scene, user: &TestUser) -> Value {
    let body = json!({"tokenName": s.name()});
    status(&s.bare(user, "users.generatePersonalAccessToken", body).await)
}

/// So many wrong logins of somebody new from one address, and so many of each of ten whom nobody knows;
/// then the right one, some minutes later.
async fn gets_in(s: &Scene, own: usize, others: usize, minutes: i64) -> Value {
    let name = s.person().await.username;
    let n = name.trim_start_matches("person").to_owned();
    gets_in_from(s, &format!("192.0.2.{n}"), &name, (own, others, minutes)).await
}

async fn gets_in_from(
    s: &Scene,
    ip: &str,
    name: &str,
    (own, others, minutes): (usize, usize, i64),
) -> Value {
    for _ in 0..own {
        login_from(&s.app, ip, name, "wrong").await.expect(401);
    }
    for n in 0..10 {
        for _ in 0..others {
            login_from(&s.app, ip, &format!("nobody{n}"), "wrong").await.expect(401);
        }
    }
    s.later(minutes);
    status(&login_from(&s.app, ip, name, PASSWORD).await)
}

fn mail(s: &Scene) -> Vec<(&'static str, Value)> {
    vec![
        ("SMTP_Host", json!("127.0.0.1")),
        ("SMTP_Port", json!(s.port)),
        ("From_Email", json!("chat@example.com")),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table, a row per setting")]
pub(super) fn rows() -> Vec<Row> {
    let open = || [json!(400), json!(200)];
    vec![
        row(
            "Accounts_LoginExpiration",
            |_| json!(1),
            [json!(90), json!(1)],
            |s| {
                Box::pin(async move {
                    let form = json!([{"user": "ann", "password": PASSWORD}]);
                    let made = s.method(&s.ann, "login", form).await;
                    let expires = made["tokenExpires"]["$date"].as_i64().unwrap();
                    json!((expires - s.app.clock.now()) / 86_400_000)
                })
            },
        ),
        row(
            "Accounts_RegistrationForm",
            |_| json!("Disabled"),
            [json!(200), json!(400)],
            |s| Box::pin(async move { status(&s.registers("x").await) }),
        ),
        row(
            "Accounts_ManuallyApproveNewUsers",
            |_| json!(true),
            [json!(200), json!(401)],
            |s| {
                Box::pin(async move {
                    let made = s.registers(PASSWORD).await.ok();
                    status(&s.logs_in(made["user"]["username"].as_str().unwrap()).await)
                })
            },
        ),
        row(
            "Accounts_EmailVerification",
            |_| json!(true),
            [json!(200), json!(401)],
            |s| {
                Box::pin(async move {
                    let made = s.registers(PASSWORD).await.ok();
                    status(&s.logs_in(made["user"]["username"].as_str().unwrap()).await)
                })
            },
        ),
        row(
            "Accounts_PasswordReset",
            |_| json!(false),
            [json!(200), json!(400)],
            |s| {
                Box::pin(async move {
                    let body = json!({"email": "nobody@example.com"});
                    status(&s.open("users.forgotPassword", body).await)
                })
            },
        ),
        row(
            "Accounts_TwoFactorAuthentication_Enabled",
            |_| json!(false),
            open(),
            |s| Box::pin(async move { names_a_token(s, &settled(s).await).await }),
        ),
        row(
            "Accounts_TwoFactorAuthentication_Enforce_Password_Fallback",
            |_| json!(false),
            open(),
            |s| Box::pin(async move { names_a_token(s, &settled(s).await).await }),
        ),
        row(
            "Accounts_TwoFactorAuthentication_RememberFor",
            |_| json!(0),
            [json!(200), json!(400)],
            |s| {
                Box::pin(async move {
                    let user = settled(s).await;
                    let body = json!({"tokenName": s.name()});
                    s.post(&user, "users.generatePersonalAccessToken", body).await.ok();
                    names_a_token(s, &user).await
                })
            },
        ),
        row(
            "Accounts_TwoFactorAuthentication_By_Email_Enabled",
            |_| json!(false),
            [json!(401), json!(200)],
            |s| {
                Box::pin(async move {
                    // Whoever has them is asked, as long as there are any.
                    let new = NewUser { username: s.name(), ..NewUser::default() };
                    let user = s.app.user_with(new).await;
                    let made = s.post(&user, "users.2fa.enableEmail", json!({})).await;
                    let asked = status(&s.logs_in(&user.username).await);
                    assert_eq!(made.status.as_u16() == 200, asked == 401);
                    asked
                })
            },
        )
        .laid(mail),
        row(
            "Accounts_TwoFactorAuthentication_By_Email_Code_Expiration",
            |_| json!(60),
            [json!(3_600_000), json!(60_000)],
            |s| {
                Box::pin(async move {
                    let user = with_codes(s).await;
                    let asked = login_with(&s.app, &user.username, &json!({})).await.expect(401);
                    let expires = asked["details"]["codeExpires"].as_str().unwrap();
                    json!(time::parse(expires).unwrap() - s.app.clock.now())
                })
            },
        )
        .laid(mail),
        row(
            "Accounts_TwoFactorAuthentication_Max_Invalid_Email_Code_Attempts",
            |_| json!(2),
            [json!(5), json!(2)],
            |s| {
                Box::pin(async move {
                    let user = with_codes(s).await;
                    let mut wrong = 0;
                    let code = json!({"code": "000000"});
                    while login_with(&s.app, &user.username, &code).await.expect(401)["error"]
                        == "totp-invalid"
                    {
                        wrong += 1;
                    }
                    json!(wrong)
                })
            },
        )
        .laid(mail),
    ]
}

pub(super) fn blocks() -> Vec<Row> {
    let open = || [json!(401), json!(200)];
    let blocked = || [json!(200), json!(401)];
    vec![
        row(
            "Block_Multiple_Failed_Logins_Enabled",
            |_| json!(false),
            open(),
            |s| Box::pin(gets_in(s, 10, 0, 0)),
        ),
        row(
            "Block_Multiple_Failed_Logins_By_User",
            |_| json!(false),
            open(),
            |s| Box::pin(gets_in(s, 10, 0, 0)),
        ),
        row(
            "Block_Multiple_Failed_Logins_By_Ip",
            |_| json!(false),
            open(),
            |s| Box::pin(gets_in(s, 0, 5, 0)),
        ),
        row(
            "Block_Multiple_Failed_Logins_Attempts_Until_Block_by_User",
            |_| json!(2),
            blocked(),
            |s| Box::pin(gets_in(s, 2, 0, 0)),
        ),
        row(
            "Block_Multiple_Failed_Logins_Attempts_Until_Block_By_Ip",
            |_| json!(10),
            blocked(),
            |s| Box::pin(gets_in(s, 0, 1, 0)),
        ),
        row(
            "Block_Multiple_Failed_Logins_Time_To_Unblock_By_User_In_Minutes",
            |_| json!(1),
            open(),
            |s| Box::pin(gets_in(s, 10, 0, 2)),
        ),
        row(
            "Block_Multiple_Failed_Logins_Time_To_Unblock_By_Ip_In_Minutes",
            |_| json!(1),
            open(),
            |s| Box::pin(gets_in(s, 0, 5, 2)),
        ),
        row(
            "Block_Multiple_Failed_Logins_Ip_Whitelist",
            |_| json!("198.51.100.1"),
            open(),
            |s| {
                Box::pin(async move {
                    let name = s.person().await.username;
                    gets_in_from(s, "198.51.100.1", &name, (10, 0, 0)).await
                })
            },
        ),
    ]
}

#[tokio::test]
async fn they_do_what_they_say() {
    switched(rows()).await;
}

#[tokio::test]
async fn they_say_when_no_password_is_looked_at() {
    switched(blocks()).await;
}
