//! `users.*` (contract section 8.4): making, finding and listing accounts, and one's own status.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{Given, Paging, Reads};
use crate::routes::{Answer, List};
use crate::schema::{self, Kind};
use crate::wire;
use parlance_core::account::{Authority, NewUser};
use parlance_core::login::Password;
use parlance_core::{Error, Perm, User, UserId, setting};
use serde_json::{Map, Value, json};

/// What nobody without `view-full-other-user-info` reads, sorts or filters on (section 4.3).
pub(crate) const PRIVATE: &[&str] = &[
    "avatarOrigin",
    "emails",
    "phone",
    "statusConnection",
    "createdAt",
    "lastLogin",
    "requirePasswordChange",
    "requirePasswordChangeReason",
    "roles",
    "statusDefault",
    "_updatedAt",
    "settings",
    "customFields",
];

pub(crate) fn required<'a>(
    body: &'a Map<String, Value>,
    name: &'static str,
) -> Result<&'a str, Failure> {
    match body.get(name) {
        None => Err(Failure::Schema(format!("must have required property '{name}'"))),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    }
}

fn optional<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Failure> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    }
}

fn flag(body: &Map<String, Value>, name: &str, default: bool) -> Result<bool, Failure> {
    match body.get(name) {
        None => Ok(default),
        some @ Some(value) => {
            schema::fits(Kind::Flag, value).map_err(Failure::Schema)?;
            Ok(schema::flag(some))
        }
    }
}

/// `customFields`, where they are given.
fn custom_fields(body: &Map<String, Value>) -> Result<Option<(String, Value)>, Failure> {
    match body.get("customFields") {
        None | Some(Value::Null) => Ok(None),
        Some(fields @ Value::Object(_)) => Ok(Some(("customFields".to_owned(), fields.clone()))),
        Some(_) => Err(Failure::Schema("must be object".to_owned())),
    }
}

/// `POST users.create`.
pub(crate) async fn create(call: Call) -> Answer {
    let admin = call.core().admin(call.caller()?, Perm::CreateUser).map_err(not_allowed)?;
    let body = &call.body;
    let mut carried = Map::new();
    for name in ["bio", "nickname"] {
        if let Some(text) = optional(body, name)? {
            carried.insert(name.to_owned(), text.into());
        }
    }
    carried.extend(custom_fields(body)?);
    if flag(body, "requirePasswordChange", false)? {
        carried.insert("requirePasswordChange".to_owned(), true.into());
    }
    let roles = match body.get("roles") {
        None | Some(Value::Null) => Vec::new(),
        Some(list) => list
            .as_array()
            .and_then(|all| all.iter().map(|one| one.as_str().map(str::to_owned)).collect())
            .ok_or_else(|| Failure::Schema("must be array".to_owned()))?,
    };
    let random = flag(body, "setRandomPassword", false)?;
    let password = match optional(body, "password")? {
        Some(text) if !text.is_empty() => Password::plain(text)?,
        _ if random => Password::made(&call.core().new_token())?,
        _ => Password::plain(required(body, "password")?)?,
    };
    let new = NewUser {
        username: required(body, "username")?.trim().to_owned(),
        name: required(body, "name")?.to_owned(),
        email: Some((required(body, "email")?.to_owned(), flag(body, "verified", false)?)),
        password: Some(password),
        roles,
        inactive: !flag(body, "active", true)?,
        status_text: optional(body, "statusText")?.unwrap_or("").to_owned(),
        body: carried,
        id: None,
    };
    let made = call.core().create_user(Authority::Admin(admin), new).await;
    let made = made.map_err(|error| match error {
        Error::NoRole(_) => Failure::plain("The field Roles consist invalid role id"),
        Error::Lacks(Perm::AssignAdminRole) => Failure::detailed(
            "error-action-not-allowed",
            "Assigning admin is not allowed",
            json!({"method": "insertOrUpdateUser", "action": "Assign_admin"}),
        ),
        other => other.into(),
    })?;
    Ok(shown(&call, &made, false, true))
}

/// An account by itself, as an answer.
pub(crate) fn shown(call: &Call, user: &User, own: bool, full: bool) -> String {
    let fields = call.settings.public_account_fields();
    let connection = call.core().connection(&user.id);
    let reader = wire::Reader { own, full, fields: &fields, connection };
    wire::success(|o| wire::user(o.key("user"), user, &reader))
}

fn not_allowed(error: Error) -> Failure {
    match error {
        Error::Lacks(_) => Failure::detailed(
            "error-action-not-allowed",
            "Adding user is not allowed",
            json!({"method": "insertOrUpdateUser", "action": "Adding_user"}),
        ),
        other => other.into(),
    }
}

/// `POST users.register`: for oneself, where that is open.
pub(crate) async fn register(call: Call) -> Answer {
    let made = registered(&call).await?;
    Ok(shown(&call, &made, false, false))
}

/// The account that the body asks for.
pub(crate) async fn registered(call: &Call) -> Result<User, Failure> {
    if call.is_logged_in() {
        return Err(Failure::plain("Logged in users can not register again."));
    }
    let body = &call.body;
    let new = NewUser {
        username: required(body, "username")?.trim().to_owned(),
        email: Some((required(body, "email")?.to_owned(), false)),
        password: Some(Password::plain(required(body, "pass")?)?),
        name: required(body, "name")?.to_owned(),
        body: custom_fields(body)?.into_iter().collect(),
        ..NewUser::default()
    };
    call.core().register(new).await.map_err(|error| match error {
        Error::BadUsername(_) => Failure::plain("The username provided is not valid"),
        Error::UsernameTaken(_) => Failure::plain("Username is already in use"),
        Error::EmailTaken(_) => Failure::plain("Email already exists. [403]"),
        other => other.into(),
    })
}

/// The user that `userId`, `username` or `user` names.
pub(crate) async fn named(
    call: &Call,
    params: &Map<String, Value>,
) -> Result<Option<User>, Failure> {
    let text = |name: &str| params.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    let wrong = ["userId", "username", "user"]
        .iter()
        .any(|name| params.get(*name).is_some_and(|value| !value.is_string() && !value.is_null()));
    if wrong {
        return Err(Failure::Schema("must be string".to_owned()));
    }
    let found = match (text("userId"), text("username").or_else(|| text("user"))) {
        (Some(id), _) => call.core().user(&UserId::from(id)).await,
        (None, Some(name)) => call.core().user_named(name).await,
        (None, None) => return Ok(None),
    };
    Ok(Some(found?))
}

/// `GET users.info`.
pub(crate) async fn info(call: Call) -> Answer {
    let found = named(&call, &call.query).await.map_err(|failure| match failure {
        Failure::Core(Error::NoUser) => Failure::plain("User not found."),
        other => other,
    })?;
    let user = found.ok_or_else(|| {
        Failure::Schema(
            "must have required property 'userId'\n must have required property 'username'\n \
             must have required property 'importId'\n must match a schema in anyOf"
                .to_owned(),
        )
    })?;
    let own = user.id == *call.caller()?.id();
    let full = call.core().may(call.caller()?, Perm::ViewFullOtherUserInfo);
    Ok(shown(&call, &user, own, full))
}

/// Only who may see direct rooms lists people, and where the setting says so only who sees all of them.
pub(crate) fn may_list(call: &Call) -> Result<(), Failure> {
    let (core, caller) = (call.core(), call.caller()?);
    let outside =
        !call.settings.on(&setting::LIST_NEEDS_OUTSIDE) || core.may(caller, Perm::ViewOutsideRoom);
    if core.may(caller, Perm::ViewDRoom) && outside { Ok(()) } else { Err(Failure::Forbidden) }
}

/// `GET users.list`.
pub(crate) async fn list(call: Call) -> List {
    may_list(&call)?;
    let (core, caller) = (call.core(), call.caller()?);
    let full = core.may(caller, Perm::ViewFullOtherUserInfo);
    let hidden = if full { &[] } else { PRIVATE };
    let paging = Paging::read(&call, Reads::OF_USERS, hidden)?;
    let write = wire::listed_user(full);
    let document = wire::listed_document(full);
    let page = core.users(caller, &paging.query, document).await?;
    paging.list("users", page, write, Given::tell)
}

/// `POST users.setStatus`: one's own, or another's for who may edit others.
pub(crate) async fn set_status(call: Call) -> Answer {
    let own = call.caller()?.user();
    let mine =
        |name: &str, own: &str| call.body.get(name).is_none_or(|value| value.as_str() == Some(own));
    let user = if mine("userId", own.id.as_str()) && mine("username", own.handle()) {
        own.id.clone()
    } else if call.core().may(call.caller()?, Perm::EditOtherUserInfo) {
        named(&call, &call.body).await?.map_or_else(|| own.id.clone(), |user| user.id)
    } else {
        return Err(Failure::Forbidden);
    };
    let (status, text) = (optional(&call.body, "status")?, optional(&call.body, "message")?);
    if status.is_none() && text.is_none() {
        return Err(Failure::Schema(
            "must have required property 'status'\n must have required property 'message'\n \
             must match a schema in anyOf"
                .to_owned(),
        ));
    }
    call.core().set_status(call.caller()?, &user, status, text).await?;
    Ok(wire::success(|_| {}))
}

/// `GET users.getStatus`: one's own has the connection's too.
pub(crate) async fn get_status(call: Call) -> Answer {
    let own = call.caller()?.id().clone();
    let user = match named(&call, &call.query).await? {
        Some(user) => user,
        None => call.core().user(&own).await?,
    };
    Ok(wire::success(|o| {
        o.text("_id", user.id.as_str());
        if user.id == own {
            o.text("connectionStatus", call.core().connection(&own));
        }
        o.text("status", &user.status);
        if !user.status_text.is_empty() {
            o.text("message", &user.status_text);
        }
    }))
}
