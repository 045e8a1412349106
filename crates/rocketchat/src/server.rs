//! What clients ask about the server itself: its version and permissions (contract 9.4).

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::wire;
use parlance_core::caller::Grant;
use parlance_core::{Error, Ms, Perm};
use parlance_http::json::{Dates, Object};
use serde_json::Value;

/// The version said to clients: the baseline of the contract (ruling B8).
pub(crate) const VERSION: &str = "7.13.0";

/// `GET /api/info` and `GET /api/v1/info`.
pub(crate) async fn info(call: Call) -> Answer {
    let full = match call.caller() {
        Ok(caller) => call.core().may(caller, Perm::ViewStatistics),
        Err(_) => false,
    };
    // Without the right to see statistics the patch version is left out, as the original does.
    let short = VERSION.rsplit_once('.').map_or(VERSION, |(short, _)| short);
    let version = if full { VERSION } else { short };
    Ok(wire::success(|o| {
        o.text("version", version);
        o.object("info", |o| {
            // By this one clients of `/api/v1/info` tell servers apart, logged in or not.
            o.text("version", VERSION);
            if full {
                build(o);
            }
        });
        o.object("minimumClientVersions", |o| {
            o.text("desktop", "3.9.6");
            o.text("mobile", "4.39.0");
        });
    }))
}

/// What this server runs on, as far as the original's names fit.
fn build(o: &mut Object<'_>) {
    o.object("build", |o| {
        o.text("platform", std::env::consts::OS);
        o.text("arch", std::env::consts::ARCH);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        wire::count(o, "cpus", cores);
    });
    o.object("commit", |o| o.text("tag", env!("CARGO_PKG_VERSION")));
    // Apps are not for sale here.
    o.text("marketplaceApiVersion", "");
}

pub(crate) fn grant(out: &mut String, grant: &Grant, dates: Dates) {
    let mut o = Object::new(out, dates);
    o.text("_id", grant.perm.id());
    o.raw("roles", &Value::from(grant.roles.to_vec()).to_string());
    o.date("_updatedAt", grant.updated);
    o.end();
}

/// `GET permissions.listAll`.
pub(crate) async fn permissions(call: Call) -> Answer {
    let since: Option<Ms> = match call.query.get("updatedSince") {
        None => None,
        Some(value) => Some(Call::time(value).ok_or_else(|| {
            Failure::coded(
                "error-roomId-param-invalid",
                "The \"updatedSince\" query parameter must be a valid date.",
            )
        })?),
    };
    let grants = call.core().grants();
    let newer = grants.iter().filter(|grant| since.is_none_or(|since| grant.updated > since));
    Ok(wire::success(|o| {
        o.array("update", newer, |out, one| grant(out, one, Dates::Iso));
        o.raw("remove", "[]");
    }))
}

/// `POST permissions.update`: takes effect at once.
pub(crate) async fn update_permissions(call: Call) -> Answer {
    let admin = call.core().admin(call.caller()?, Perm::AccessPermissions).map_err(|_| {
        let kind = "error-edit-permissions-not-allowed";
        Failure::Typed(kind, "Editing permissions is not allowed")
    })?;
    let grants = call.body.get("permissions").and_then(Value::as_array).and_then(|all| {
        let one = |entry: &Value| {
            let roles = entry.get("roles")?.as_array()?;
            let roles = roles.iter().map(|role| role.as_str().map(str::to_owned));
            Some((entry.get("_id")?.as_str()?.to_owned(), roles.collect::<Option<Vec<_>>>()?))
        };
        all.iter().map(one).collect::<Option<Vec<_>>>()
    });
    let grants =
        grants.ok_or(Failure::Typed("error-invalid-body-params", "Invalid body params"))?;
    call.core().set_grants(admin, &grants).await.map_err(|error| match error {
        Error::NoRole(_) => Failure::Typed("error-invalid-role", "Invalid role"),
        Error::NoPermission(_) => Failure::Typed("error-invalid-permission", "Invalid permission"),
        other => other.into(),
    })?;
    let grants = call.core().grants();
    Ok(wire::success(|o| o.array("permissions", &grants, |out, one| grant(out, one, Dates::Iso))))
}
