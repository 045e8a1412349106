//! Pictures of people and rooms (contract section 8.5): there are none yet but the one that is drawn, a
//! letter on a colour. What is drawn comes from the name in the address alone, so that a name that nobody
//! has looks like one that somebody has; only who is logged in is shown the letter behind an id.

use crate::call::Call;
use crate::error::Failure;
use crate::lifecycle::no_param;
use crate::routes::Answer;
use crate::{users, wire};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use parlance_core::{Caller, Error, Perm, UserId, setting};
use parlance_http::Edge;
use serde_json::Value;
use std::fmt::Write as _;

/// When every picture that is drawn was made.
const MADE: &str = "Thu, 01 Jan 2015 00:00:00 GMT";
/// Sizes that a picture can have, in pixels, and the one it has otherwise.
const SIZES: std::ops::RangeInclusive<u32> = 16..=1024;
const SIZE: u32 = 200;
const COLOURS: [&str; 16] = [
    "#B3261E", "#AD1457", "#7B1FA2", "#512DA8", "#303F9F", "#1565C0", "#0277BD", "#00838F",
    "#00695C", "#2E7D32", "#558B2F", "#8D6E00", "#C25700", "#BF360C", "#5D4037", "#455A64",
];

/// `GET /avatar/...`
pub(crate) async fn serve(
    State(edge): State<Edge>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let param = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    // What depends on who asks is nothing for a cache that others share.
    let mut cache = "public, max-age=3600";
    let name = match name.split_once('/') {
        Some(("uid" | "room", id)) => {
            cache = "private, max-age=3600";
            let open = !edge.core().settings().on(&setting::AVATARS_NEED_LOGIN);
            let caller = caller(&edge, &headers, &param).await;
            let shown = match (&caller, name.starts_with("uid/")) {
                (caller, true) if open || caller.is_some() => of_user(&edge, id).await,
                (Some(caller), false) => of_room(&edge, caller, id).await,
                _ => None,
            };
            shown.unwrap_or_else(|| id.to_owned())
        }
        _ => name.strip_prefix('@').unwrap_or(&name).to_owned(),
    };
    let known = headers.get(header::IF_MODIFIED_SINCE).is_some_and(|since| since == MADE);
    let size = param("size").and_then(|size| size.parse().ok()).unwrap_or(SIZE);
    let body = if known { String::new() } else { drawn(&name, size) };
    let mut response = Response::new(Body::from(body));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let fixed = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::LAST_MODIFIED, MADE),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Who asks, by the two parameters or the two cookies, where a picture is not for everybody.
async fn caller(
    edge: &Edge,
    headers: &HeaderMap,
    param: &impl Fn(&str) -> Option<String>,
) -> Option<Caller> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<&str> = cookies.flat_map(|all| all.split(';')).map(str::trim).collect();
    let either = |name: &str| {
        let cookie = cookies.iter().find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
        param(name).or_else(|| cookie.map(str::to_owned))
    };
    let (user, token) = (either("rc_uid")?, either("rc_token")?);
    edge.core().caller(&token, Some(&user)).await.ok()
}

async fn of_user(edge: &Edge, id: &str) -> Option<String> {
    let user = edge.core().user(&UserId::from(id)).await.ok()?;
    Some(user.handle().to_owned())
}

async fn of_room(edge: &Edge, caller: &Caller, id: &str) -> Option<String> {
    let access = edge.core().access(caller, id).await.ok()?;
    Some(access.member().fname.clone())
}

/// The letter of a name, on the colour of that name.
fn drawn(name: &str, size: u32) -> String {
    let size = if SIZES.contains(&size) { size } else { SIZE };
    let letter = name.chars().find(|c| c.is_alphanumeric()).unwrap_or('?');
    let letter = letter.to_uppercase().next().unwrap_or(letter);
    let sum = name.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let colour = COLOURS.get(sum as usize % COLOURS.len()).unwrap_or(&"#455A64");
    let mut svg = String::new();
    // Writing to a String cannot fail. The letter is one character, and none that markup knows.
    let _ = write!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="{size}" height="{size}"><rect width="200" height="200" fill="{colour}"/><text x="100" y="100" dy="0.36em" text-anchor="middle" fill="#ffffff" font-family="Helvetica, Arial, sans-serif" font-size="125">{letter}</text></svg>"##
    );
    svg
}

/// `GET users.getAvatar`: where the picture is. Who is not logged in learns nothing of who exists.
pub(crate) async fn get(call: Call) -> Answer {
    let root = &call.edge.options().root_url;
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let at = |path: String| Err(Failure::Elsewhere(format!("{root}/avatar/{path}")));
    if call.is_logged_in() {
        let user = users::named(&call, &call.query).await?.ok_or_else(no_param)?;
        return at(encode(user.handle()));
    }
    match (call.param("userId"), call.param("username").or_else(|| call.param("user"))) {
        (Some(id), _) => at(format!("uid/{}", encode(id))),
        (None, Some(name)) => at(encode(name)),
        (None, None) => Err(no_param()),
    }
}

/// Whose picture a call is about: the caller's own if it names nobody.
async fn whose(call: &Call) -> Result<UserId, Failure> {
    let own = call.caller()?.user();
    let mine = |name: &str, own: &str| {
        call.body.get(name).is_none_or(|value| value.as_str().is_some_and(|text| text == own))
    };
    if mine("userId", own.id.as_str()) && mine("username", own.handle()) {
        return Ok(own.id.clone());
    }
    // Who may not change it does not learn whether there is such an account.
    if !call.core().may(call.caller()?, Perm::EditOtherUserAvatar) {
        return Err(Failure::Forbidden);
    }
    Ok(users::named(call, &call.body).await?.map_or_else(|| own.id.clone(), |user| user.id))
}

/// `POST users.setAvatar`: the right is checked; there is no place for a picture yet.
pub(crate) async fn set(call: Call) -> Answer {
    let id = whose(&call).await?;
    call.core().check_avatar(call.caller()?, &id)?;
    match call.body.get("avatarUrl") {
        None | Some(Value::String(_)) => {
            Err(Failure::coded("error-avatar-not-stored", "Pictures cannot be stored here yet"))
        }
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    }
}

/// `POST users.resetAvatar`.
pub(crate) async fn reset(call: Call) -> Answer {
    let id = whose(&call).await?;
    call.core().reset_avatar(call.caller()?, &id).await.map_err(|error| match error {
        Error::SwitchedOff(_) => Failure::detailed(
            "error-not-allowed",
            "Reset avatar is not allowed",
            serde_json::json!({"method": "resetAvatar"}),
        ),
        other => other.into(),
    })?;
    Ok(wire::success(|_| {}))
}

/// `GET users.getAvatarSuggestion`: no other service is asked for pictures.
pub(crate) async fn suggestions(call: Call) -> Answer {
    call.caller()?;
    Ok(wire::success(|o| o.raw("suggestions", "{}")))
}
