//! `roles.*` (contract section 9.4): the roles there are, and who has them. Names, bodies and refusals are the
//! original's; that custom roles need no licence here is the one difference.

use crate::call::Call;
use crate::directory::carried;
use crate::error::Failure;
use crate::page::{Given, Paging, Reads};
use crate::routes::{Answer, List};
use crate::schema::{self, Form, Kind};
use crate::users::PRIVATE;
use crate::{reply, wire};
use parlance_core::role::{Role, Scope, Wanted};
use parlance_core::{Admin, Error, Perm, User};
use parlance_http::json::{Dates, Object};
use serde_json::{Value, json};
use std::sync::Arc;

const CREATE: Form = Form {
    required: &["name"],
    allowed: &[
        ("name", Kind::Text),
        ("scope", Kind::Text),
        ("description", Kind::Text),
        ("mandatory2fa", Kind::Flag),
    ],
};
const UPDATE: Form = Form {
    required: &["roleId", "name"],
    allowed: &[
        ("roleId", Kind::Text),
        ("name", Kind::Text),
        ("scope", Kind::Text),
        ("description", Kind::Text),
        ("mandatory2fa", Kind::Flag),
    ],
};
const DELETE: Form = Form { required: &["roleId"], allowed: &[("roleId", Kind::Text)] };
const GIVE: Form = Form {
    required: &["username"],
    allowed: &[
        ("username", Kind::Text),
        ("roleId", Kind::Text),
        ("roleName", Kind::Text),
        ("roomId", Kind::Text),
    ],
};
const TAKE: Form = Form {
    required: &["username"],
    allowed: &[
        ("username", Kind::Text),
        ("roleId", Kind::Text),
        ("roleName", Kind::Text),
        ("roomId", Kind::Text),
        ("scope", Kind::Text),
    ],
};

/// What is shown of a role wherever it is shown.
pub(crate) fn fields(o: &mut Object<'_>, role: &Role) {
    o.text("_id", &role.id);
    o.text("name", &role.name);
    o.text("description", &role.description);
    o.text("scope", role.scope.name());
    o.flag("protected", role.protected);
    o.flag("mandatory2fa", role.mandatory_2fa);
}

/// A role, with the time of its last change where that is told.
fn role(out: &mut String, role: &Role, updated: bool) {
    let mut o = Object::new(out, Dates::Iso);
    fields(&mut o, role);
    if updated {
        o.date("_updatedAt", role.updated);
    }
    o.end();
}

fn one(shown: &Role) -> String {
    wire::success(|o| role(o.key("role"), shown, true))
}

/// `GET roles.list`.
pub(crate) async fn list(call: Call) -> Answer {
    let roles = call.core().roles();
    Ok(wire::success(|o| o.array("roles", &roles, |out, one| role(out, one, false))))
}

/// `GET roles.sync`: what changed at `updatedSince` or later, and what went; without it, all there is.
pub(crate) async fn sync(call: Call) -> Answer {
    let since = match call.query.get("updatedSince") {
        None => None,
        Some(value) => Some(Call::time(value).ok_or_else(|| {
            let text = "The \"updatedSince\" query parameter must be a valid date.";
            Failure::coded("error-updatedSince-param-invalid", text)
        })?),
    };
    let removed = match since {
        Some(since) => call.core().removed_roles(call.caller()?, since).await?,
        None => Vec::new(),
    };
    let mut roles = call.core().roles();
    roles.retain(|role| since.is_none_or(|since| role.updated >= since));
    Ok(wire::success(|o| {
        o.object("roles", |o| {
            o.array("update", &roles, |out, one| role(out, one, true));
            o.array("remove", &removed, |out, (id, at)| wire::removed(out, id, *at));
        });
    }))
}

/// The right to change roles, and what the original says without it where its method asks.
fn right(call: &Call, details: Option<Value>) -> Result<Admin<'_>, Failure> {
    call.core().admin(call.caller()?, Perm::AccessPermissions).map_err(|error| match error {
        Error::Lacks(_) => Failure::Coded {
            code: "error-action-not-allowed",
            reason: "Accessing permissions is not allowed".to_owned(),
            details,
        },
        other => other.into(),
    })
}

fn fits(call: &Call, form: &Form) -> Result<(), Failure> {
    schema::check(form, &call.body).map_err(|_| {
        Failure::coded("error-invalid-role-properties", "The role properties are invalid.")
    })
}

/// A text of the body as the validator coerces it; null is none.
fn text(call: &Call, name: &str) -> Option<String> {
    call.body.get(name).filter(|value| !value.is_null()).map(schema::text)
}

/// What a body says of a role.
fn wanted(call: &Call) -> Result<Wanted, Failure> {
    let scope = match text(call, "scope").filter(|scope| !scope.is_empty()) {
        None => None,
        Some(name) => Some(
            Scope::named(&name)
                .ok_or_else(|| Failure::coded("error-invalid-scope", "Invalid scope"))?,
        ),
    };
    let flag = call.body.get("mandatory2fa").filter(|value| !value.is_null());
    Ok(Wanted {
        name: text(call, "name").unwrap_or_default(),
        description: text(call, "description"),
        scope,
        mandatory_2fa: flag.map(|flag| schema::flag(Some(flag))),
    })
}

fn unknown_role(error: Error) -> Failure {
    match error {
        Error::NoRole(_) => Failure::coded("error-invalid-roleId", "This role does not exist"),
        other => other.into(),
    }
}

/// `POST roles.create`.
pub(crate) async fn create(call: Call) -> Answer {
    let admin = right(&call, None)?;
    fits(&call, &CREATE)?;
    let made = call.core().add_role(admin, wanted(&call)?).await?;
    Ok(one(&made))
}

/// `POST roles.update`.
pub(crate) async fn update(call: Call) -> Answer {
    let admin = right(&call, None)?;
    fits(&call, &UPDATE)?;
    let id = text(&call, "roleId").unwrap_or_default();
    let changed = call.core().update_role(admin, &id, wanted(&call)?).await;
    Ok(one(&changed.map_err(unknown_role)?))
}

/// `POST roles.delete`.
pub(crate) async fn delete(call: Call) -> Answer {
    let admin = call.core().admin(call.caller()?, Perm::AccessPermissions)?;
    fits(&call, &DELETE)?;
    let id = text(&call, "roleId").unwrap_or_default();
    call.core().remove_role(admin, &id).await.map_err(|error| match error {
        Error::RoleProtected => {
            Failure::coded("error-role-protected", "Cannot delete a protected role")
        }
        other => unknown_role(other),
    })?;
    Ok(wire::success(|_| {}))
}

/// The role that a body names by id, or by name; `None` for one that is not there.
fn named(call: &Call) -> Result<Option<Role>, Failure> {
    let given = |name| text(call, name).filter(|text| !text.is_empty());
    match (given("roleId"), given("roleName")) {
        (Some(id), _) => Ok(call.core().role(&id, false)),
        (None, Some(name)) => Ok(call.core().role(&name, true)),
        (None, None) => Err(Failure::plain("error-invalid-role-properties")),
    }
}

async fn account(call: &Call, unknown: &'static str) -> Result<User, Failure> {
    let username = text(call, "username").unwrap_or_default();
    call.core().user_named(&username).await.map_err(|error| match error {
        Error::NoUser => Failure::coded("error-invalid-user", unknown),
        other => other.into(),
    })
}

/// `POST roles.addUserToRole`. A role of accounts is for all rooms, whatever `roomId` says.
pub(crate) async fn add_user(call: Call) -> Answer {
    let method = "authorization:addUserToRole";
    let details = json!({"method": method, "action": "Accessing_permissions"});
    let admin = right(&call, Some(details))?;
    fits(&call, &GIVE)?;
    let unknown = "The required \"userId\" or \"username\" param provided does not match any users";
    let user = account(&call, unknown).await?;
    // The original has the two the wrong way round.
    let role = named(&call)?.ok_or(Failure::Typed("Role not found", "error-role-not-found"))?;
    let given = call.core().give_role(admin, &user.id, &role).await;
    given.map_err(|error| match error {
        Error::Lacks(Perm::AssignAdminRole) => Failure::detailed(
            "error-action-not-allowed",
            "Assigning admin is not allowed",
            json!({"method": method, "action": "Assign_admin"}),
        ),
        Error::NoRole(_) => Failure::Typed("Role not found", "error-role-not-found"),
        other => other.into(),
    })?;
    Ok(one(&role))
}

/// `POST roles.removeUserFromRole`.
pub(crate) async fn remove_user(call: Call) -> Answer {
    let admin = call.core().admin(call.caller()?, Perm::AccessPermissions)?;
    fits(&call, &TAKE)?;
    let role = named(&call)?;
    let user = account(&call, "There is no user with this username").await?;
    let role = role.ok_or_else(|| unknown_role(Error::NoRole(String::new())))?;
    call.core().take_role(admin, &user.id, &role).await.map_err(|error| match error {
        Error::LastAdmin => {
            Failure::coded("error-admin-required", "You need to have at least one admin")
        }
        other => other.into(),
    })?;
    Ok(one(&role))
}

/// `GET roles.getUsersInRole`: addresses only with `view-full-other-user-info`. In a direct room nobody has
/// a role.
pub(crate) async fn users_in(call: Call) -> List {
    let (core, caller) = (call.core(), call.caller()?);
    let admin = core.admin(caller, Perm::AccessPermissions)?;
    let full = core.may(caller, Perm::ViewFullOtherUserInfo);
    let paging = Paging::read(&call, Reads::NEITHER, if full { &[] } else { PRIVATE })?;
    let missing = || Failure::coded("error-param-not-provided", "Query param \"role\" is required");
    let asked = call.param("role").ok_or_else(missing)?;
    let role = core.role(asked, true).ok_or_else(|| Failure::coded("error-invalid-roleId", ""))?;
    if role.scope == Scope::Subscriptions && call.param("roomId").is_some() {
        let offset = paging.offset();
        let tail =
            move |o: &mut Object<'_>, count| Given::tell(o, &Given { count, offset, total: 0 });
        return Ok(reply::list("users", &[], None, |_, ()| Ok(()), tail)?);
    }
    let write = holder(full);
    let document = Arc::new(move |user: &User| {
        let mut text = String::new();
        holder(full)(&mut text, user, Dates::Ejson);
        serde_json::from_str(&text).unwrap_or(Value::Null)
    });
    let page = core.users_with_role(admin, &role, &paging.query, document).await?;
    paging.list("users", page, write, Given::tell)
}

/// An account that has a role.
fn holder(full: bool) -> impl Fn(&mut String, &User, Dates) {
    move |out, user, dates| {
        let mut o = Object::new(out, dates);
        o.text("_id", user.id.as_str());
        o.text_if("username", user.username.as_deref());
        o.text_if("name", user.name.as_deref());
        carried(&mut o, user, &["avatarETag"]);
        if full {
            o.raw("emails", &wire::emails(&user.emails));
            o.date("createdAt", user.created);
            o.date("_updatedAt", user.updated);
        }
        o.end();
    }
}
