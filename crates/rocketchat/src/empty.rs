//! What clients ask for when they start and this server has none of (contract section 9.4): each gets the
//! empty answer of the right shape, so that it goes on. Nothing here stands for a feature that works.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{Paging, Reads};
use crate::routes::Answer;
use crate::schema::{self, Form, Kind};
use crate::wire;
use parlance_core::{Error, Perm};
use parlance_http::json::Object;

/// An answer with one member, which is JSON text.
fn one(name: &str, json: &str) -> String {
    wire::success(|o| o.raw(name, json))
}

/// A page of a list with nothing in it.
fn page(call: &Call, name: &str) -> Answer {
    Paging::read(call, Reads::NEITHER, &[])?.short(name, Vec::<()>::new(), |_, (), _| {})
}

/// The parameters must fit the form.
fn form(call: &Call, form: &Form) -> Result<(), Failure> {
    schema::check(form, &call.query).map_err(Failure::Schema)
}

/// `GET settings.oauth`: nobody else's login is taken here.
pub(crate) async fn services(_: Call) -> Answer {
    Ok(one("services", "[]"))
}

/// `GET service.configurations`.
pub(crate) async fn configurations(_: Call) -> Answer {
    Ok(one("configurations", "[]"))
}

/// `GET emoji-custom.list`.
pub(crate) async fn emojis(call: Call) -> Answer {
    if call.query.get("updatedSince").is_some_and(|since| Call::time(since).is_none()) {
        let text = "The \"updatedSince\" query parameter must be a valid date.";
        return Err(Failure::coded("error-roomId-param-invalid", text));
    }
    Ok(one("emojis", r#"{"update":[],"remove":[]}"#))
}

/// `GET emoji-custom.all`.
pub(crate) async fn all_emojis(call: Call) -> Answer {
    page(&call, "emojis")
}

/// `GET custom-sounds.list`.
pub(crate) async fn sounds(call: Call) -> Answer {
    page(&call, "sounds")
}

/// `GET custom-user-status.list`.
pub(crate) async fn statuses(call: Call) -> Answer {
    page(&call, "statuses")
}

/// `GET autotranslate.getSupportedLanguages`.
pub(crate) async fn languages(call: Call) -> Answer {
    const FORM: Form =
        Form { required: &["targetLanguage"], allowed: &[("targetLanguage", Kind::Text)] };
    form(&call, &FORM)?;
    Ok(one("languages", "[]"))
}

/// `GET e2e.fetchMyKeys`: nobody has keys here.
pub(crate) async fn keys(_: Call) -> Answer {
    Ok(wire::success(|_| {}))
}

/// `GET video-conference.capabilities`: the original's refusal where nobody provides calls.
pub(crate) async fn call_capabilities(_: Call) -> Answer {
    Err(Failure::plain("no-videoconf-provider-app"))
}

/// `GET video-conference.providers`.
pub(crate) async fn call_providers(_: Call) -> Answer {
    Ok(one("data", "[]"))
}

/// `GET video-conference.list`, of a room of the caller's.
pub(crate) async fn calls(call: Call) -> Answer {
    const FORM: Form = Form {
        required: &["roomId"],
        allowed: &[("roomId", Kind::Text), ("offset", Kind::Count), ("count", Kind::Count)],
    };
    form(&call, &FORM)?;
    let room = call.param("roomId").unwrap_or("");
    call.core().access(call.caller()?, room).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess => Failure::plain("invalid-params"),
        other => other.into(),
    })?;
    page(&call, "data")
}

/// `GET banners`.
pub(crate) async fn banners(call: Call) -> Answer {
    const FORM: Form = Form { required: &["platform"], allowed: &[("platform", Kind::Text)] };
    form(&call, &FORM)?;
    if !matches!(call.param("platform"), Some("web" | "mobile")) {
        return Err(Failure::Schema("must be equal to one of the allowed values".to_owned()));
    }
    Ok(one("banners", "[]"))
}

/// `GET cloud.registrationStatus`: this server is registered nowhere.
pub(crate) async fn registration(call: Call) -> Answer {
    call.core().admin(call.caller()?, Perm::ManageCloud)?;
    Ok(wire::success(|o| {
        o.object("registrationStatus", |o| {
            o.flag("workspaceRegistered", false);
            for name in ["workspaceId", "uniqueId", "token", "email"] {
                o.text(name, "");
            }
        });
    }))
}

/// What a licence can limit.
const LIMITS: [&str; 6] = [
    "activeUsers",
    "guestUsers",
    "roomsPerGuest",
    "privateApps",
    "marketplaceApps",
    "monthlyActiveContacts",
];

/// `GET licenses.info`: no licence, no modules, no limits.
pub(crate) async fn license(call: Call) -> Answer {
    form(&call, &Form { required: &[], allowed: &[("loadValues", Kind::Flag)] })?;
    let each = |o: &mut Object<'_>, name: &str, write: fn(&mut Object<'_>, &str)| {
        o.object(name, |o| LIMITS.iter().for_each(|limit| write(o, limit)));
    };
    Ok(wire::success(|o| {
        o.object("license", |o| {
            o.raw("activeModules", "[]");
            o.raw("externalModules", "[]");
            each(o, "preventedActions", |o, limit| o.flag(limit, false));
            each(o, "limits", |o, limit| o.object(limit, |o| o.number("max", -1)));
            o.raw("tags", "[]");
            o.flag("trial", false);
            o.flag("hasValidLicense", false);
        });
    }))
}

/// `GET licenses.isEnterprise`.
pub(crate) async fn is_enterprise(_: Call) -> Answer {
    Ok(one("isEnterprise", "false"))
}

/// `GET livechat/config`: there is no live chat.
pub(crate) async fn livechat(call: Call) -> Answer {
    const NAMES: [&str; 3] = ["token", "department", "businessUnit"];
    if NAMES.iter().any(|name| call.query.get(*name).is_some_and(|value| !value.is_string())) {
        return Err(Failure::Schema("must be string".to_owned()));
    }
    Ok(one("config", r#"{"enabled":false}"#))
}
