//! The rules for passwords, each by a password that only it forbids.

use super::scene::status;
use super::{Row, Scene, row, switched};
use serde_json::{Value, json};

/// Is this password taken for a new account?
async fn takes(s: &Scene, password: &str) -> Value {
    status(&s.registers(password).await)
}

#[expect(clippy::too_many_lines, reason = "a table, a row per setting")]
pub(super) fn rows() -> Vec<Row> {
    let taken = || [json!(400), json!(200)];
    let refused = || [json!(200), json!(400)];
    let id = "Accounts_Password_Policy_";
    let all = vec![
        row(
            "Accounts_Password_Policy_Enabled",
            |_| json!(true),
            refused(),
            |s| Box::pin(takes(s, "x")),
        ),
        row(
            "Accounts_Password_Policy_MinLength",
            |_| json!(20),
            refused(),
            |s| Box::pin(takes(s, "aB3!xyzw")),
        ),
        row(
            "Accounts_Password_Policy_MaxLength",
            |_| json!(7),
            refused(),
            |s| Box::pin(takes(s, "aB3!xyzw")),
        ),
        row(
            "Accounts_Password_Policy_ForbidRepeatingCharacters",
            |_| json!(false),
            taken(),
            |s| Box::pin(takes(s, "aaaaB3!xyz")),
        ),
        row(
            "Accounts_Password_Policy_ForbidRepeatingCharactersCount",
            |_| json!(4),
            taken(),
            |s| Box::pin(takes(s, "aaaaB3!xyz")),
        ),
        row(
            "Accounts_Password_Policy_AtLeastOneLowercase",
            |_| json!(false),
            taken(),
            |s| Box::pin(takes(s, "AB3!XYZW")),
        ),
        row(
            "Accounts_Password_Policy_AtLeastOneUppercase",
            |_| json!(false),
            taken(),
            |s| Box::pin(takes(s, "ab3!xyzw")),
        ),
        row(
            "Accounts_Password_Policy_AtLeastOneNumber",
            |_| json!(false),
            taken(),
            |s| Box::pin(takes(s, "abC!xyzw")),
        ),
        row(
            "Accounts_Password_Policy_AtLeastOneSpecialCharacter",
            |_| json!(false),
            taken(),
            |s| Box::pin(takes(s, "abC3xyzw")),
        ),
    ];
    let rules = all.into_iter().map(|row| match row.id.strip_prefix(id) {
        Some("Enabled") => row,
        _ => row.laid(|_| vec![("Accounts_Password_Policy_Enabled", json!(true))]),
    });
    rules.collect()
}

#[tokio::test]
async fn they_do_what_they_say() {
    switched(rows()).await;
}
