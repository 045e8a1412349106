//! Changing accounts (contract section 8.4): `users.update` for who may edit others,
//! `users.updateOwnBasicInfo` for everybody. What the original's methods call a refusal is told here.

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::schema::{self, Form, Kind};
use crate::users;
use parlance_core::error::Feature;
use parlance_core::login::Password;
use parlance_core::profile::Changes;
use parlance_core::{Error, Perm, UserId};
use serde_json::{Map, Value, json};

/// `data` of a body that fits the form.
fn data<'a>(call: &'a Call, form: &Form) -> Result<&'a Map<String, Value>, Failure> {
    match call.body.get("data") {
        Some(Value::Object(data)) => {
            schema::check(form, data).map_err(Failure::Schema)?;
            Ok(data)
        }
        _ => Err(Failure::Schema("must be object".to_owned())),
    }
}

/// A text of it; an empty one counts as none.
fn text(data: &Map<String, Value>, name: &str) -> Option<String> {
    data.get(name).map(schema::text).filter(|text| !text.is_empty())
}

/// A text of it that may be empty, which takes it away.
fn words(data: &Map<String, Value>, name: &str) -> Option<String> {
    data.get(name).map(schema::text)
}

fn switch(data: &Map<String, Value>, name: &str) -> Option<bool> {
    data.get(name).map(|value| schema::flag(Some(value)))
}

fn fields(map: &Map<String, Value>) -> Option<Map<String, Value>> {
    map.get("customFields").and_then(Value::as_object).cloned()
}

/// `data` of `users.update`.
const DATA: Form = Form {
    required: &[],
    allowed: &[
        ("name", Kind::Text),
        ("username", Kind::Text),
        ("email", Kind::Text),
        ("password", Kind::Text),
        ("bio", Kind::Text),
        ("nickname", Kind::Text),
        ("statusText", Kind::Text),
        ("roles", Kind::List),
        ("active", Kind::Flag),
        ("verified", Kind::Flag),
        ("joinDefaultChannels", Kind::Flag),
        ("requirePasswordChange", Kind::Flag),
        ("setRandomPassword", Kind::Flag),
        ("sendWelcomeEmail", Kind::Flag),
        ("customFields", Kind::Object),
    ],
};

/// `POST users.update`.
pub(crate) async fn update(call: Call) -> Answer {
    const FORM: Form = Form {
        required: &["userId", "data"],
        allowed: &[
            ("userId", Kind::Text),
            ("data", Kind::Object),
            ("confirmRelinquish", Kind::Flag),
        ],
    };
    schema::check(&FORM, &call.body).map_err(Failure::Schema)?;
    let data = data(&call, &DATA)?;
    let changes = changes(&call, data)?;
    let (core, caller) = (call.core(), call.caller()?);
    let id = UserId::from(call.body.get("userId").map(schema::text).unwrap_or_default());
    let user = core.update_user(caller, &id, &changes).await.map_err(not_updated)?;
    let own = id == *caller.id();
    Ok(users::shown(&call, &user, own, core.may(caller, Perm::ViewFullOtherUserInfo)))
}

/// What `data` of `users.update` asks for.
fn changes(call: &Call, data: &Map<String, Value>) -> Result<Changes, Failure> {
    let random = switch(data, "setRandomPassword") == Some(true);
    let password = match text(data, "password") {
        _ if random => Some(Password::made(&call.core().new_token())?),
        Some(text) => Some(Password::plain(&text)?),
        None => None,
    };
    let roles = data.get("roles").and_then(Value::as_array).map(|all| {
        all.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<String>>()
    });
    Ok(Changes {
        name: text(data, "name").map(|name| name.trim().to_owned()),
        username: text(data, "username").map(|name| name.trim().to_owned()),
        email: text(data, "email").map(|email| email.trim().to_owned()),
        verified: switch(data, "verified"),
        password,
        active: switch(data, "active"),
        require_password_change: if random {
            Some(true)
        } else {
            switch(data, "requirePasswordChange")
        },
        roles,
        status: None,
        status_text: words(data, "statusText"),
        bio: words(data, "bio"),
        nickname: words(data, "nickname"),
        custom_fields: fields(data),
    })
}

fn not_updated(error: Error) -> Failure {
    let refuse = |reason: &str, action: &str| {
        let details = json!({"method": "insertOrUpdateUser", "action": action});
        Failure::detailed("error-action-not-allowed", reason, details)
    };
    match error {
        Error::Lacks(Perm::EditOtherUserInfo) => {
            refuse("Editing user is not allowed", "Editing_user")
        }
        Error::Lacks(Perm::EditOtherUserActiveStatus) => {
            let details = json!({"method": "setUserActiveStatus"});
            Failure::detailed("error-not-allowed", "Not allowed", details)
        }
        Error::Lacks(Perm::AssignRoles) => refuse("Assign roles is not allowed", "Assign_role"),
        Error::Lacks(Perm::AssignAdminRole) => {
            refuse("Assigning admin is not allowed", "Assign_admin")
        }
        Error::NoRole(_) => Failure::plain("The field Roles consist invalid role id"),
        Error::SwitchedOff(Feature::Status) => {
            refuse("Edit user status is not allowed", "Update_user")
        }
        other => other.into(),
    }
}

/// `POST users.updateOwnBasicInfo`.
pub(crate) async fn update_own(call: Call) -> Answer {
    const FORM: Form = Form {
        required: &["data"],
        allowed: &[("data", Kind::Object), ("customFields", Kind::Object)],
    };
    const DATA: Form = Form {
        required: &[],
        allowed: &[
            ("email", Kind::Text),
            ("name", Kind::Text),
            ("username", Kind::Text),
            ("nickname", Kind::Text),
            ("bio", Kind::Text),
            ("statusText", Kind::Text),
            ("statusType", Kind::Text),
            ("newPassword", Kind::Text),
            ("currentPassword", Kind::Text),
        ],
    };
    schema::check(&FORM, &call.body).map_err(Failure::Schema)?;
    let data = data(&call, &DATA)?;
    let changes = Changes {
        name: text(data, "name").map(|name| name.trim().to_owned()),
        username: text(data, "username").map(|name| name.trim().to_owned()),
        email: text(data, "email").map(|email| email.trim().to_owned()),
        password: text(data, "newPassword").map(|text| Password::plain(&text)).transpose()?,
        status: text(data, "statusType"),
        status_text: words(data, "statusText"),
        bio: words(data, "bio"),
        nickname: words(data, "nickname"),
        custom_fields: fields(&call.body),
        ..Changes::default()
    };
    let current = text(data, "currentPassword")
        .map(|hex| Password::digest(&hex).map_err(|_| Error::PasswordWrong))
        .transpose()?;
    let (core, caller) = (call.core(), call.caller()?);
    let done = core.update_own(caller, &changes, current.as_ref()).await;
    let user = done.map_err(not_own)?;
    Ok(users::shown(&call, &user, true, true))
}

fn not_own(error: Error) -> Failure {
    let refuse = |method: &str| {
        Failure::detailed("error-not-allowed", "Not allowed", json!({ "method": method }))
    };
    match error {
        Error::SwitchedOff(Feature::Profile | Feature::Password) => refuse("saveUserProfile"),
        Error::SwitchedOff(Feature::Username) => refuse("setUsername"),
        Error::SwitchedOff(Feature::RealName) => refuse("setRealName"),
        Error::SwitchedOff(Feature::Email) => Failure::detailed(
            "error-action-not-allowed",
            "Changing email is not allowed",
            json!({"method": "setEmail", "action": "Changing_email"}),
        ),
        Error::FieldTooLong { field, .. } => {
            Failure::detailed("error-invalid-field", field, json!({"method": "saveUserProfile"}))
        }
        other => other.into(),
    }
}
