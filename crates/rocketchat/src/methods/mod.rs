//! The original's methods (contract section 11.6), in one table: `method.call` and `method.callAnon`
//! (section 9.5) run them over REST. A method is a translation, as a route is: arguments in EJSON, the
//! same core functions and rights, a result in EJSON, and refusals as errors of the original's form.

mod ask;
pub(crate) mod error;
mod factor;
mod history;
mod members;
mod messages;
mod own;
mod rooms;
mod server;
pub(crate) mod session;

use crate::call::Call;
use crate::error::Failure;
use crate::routes::{Answer, Route};
use crate::wire;
use ask::Ask;
use parlance_core::Perm;
use parlance_core::depth::{DEEPEST, is_deeper};
use parlance_core::factor::Freshness;
use parlance_http::body;
use serde_json::{Map, Value, json};
pub(crate) use session::{begin, shown};
use std::future::Future;
use std::pin::Pin;

/// The result's EJSON text; empty for a method that has none.
type Outcome = Result<String, Failure>;

/// One method.
#[derive(Debug)]
pub struct Method {
    /// Its name on the wire.
    pub name: &'static str,
    /// Does it need a login?
    pub login: bool,
    /// The route that it stands for, among whose calls it is counted, where that matters.
    route: Option<&'static str>,
    /// Does it want a second factor, of those who hold a permission?
    factor: Option<Freshness>,
    perm: Option<Perm>,
    /// Does its result hold a secret? Then it is not kept for retries.
    pub secret: bool,
    run: fn(Ask) -> Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

/// A row is name, who may call it (as in the table of routes), the route that it counts as, whether its
/// result holds a secret, and the function.
macro_rules! table {
    ($($name:literal $who:ident $(($perm:ident))? $(= $route:literal)? $(+ $secret:ident)?
        $run:path;)*) =>
    {
        &[$(Method {
            name: $name,
            login: table!(@ login $who),
            route: table!(@ route $($route)?),
            factor: table!(@ factor $who),
            perm: table!(@ perm $($perm)?),
            secret: table!(@ secret $($secret)?),
            run: |ask| Box::pin($run(ask)),
        },)*]
    };
    (@ login open) => { false };
    (@ login $who:ident) => { true };
    (@ factor factor) => { Some(Freshness::Remembered) };
    (@ factor $who:ident) => { None };
    (@ route) => { None };
    (@ route $route:literal) => { Some($route) };
    (@ perm) => { None };
    (@ perm $perm:ident) => { Some(Perm::$perm) };
    (@ secret) => { false };
    (@ secret secret) => { true };
}

/// The table.
pub static METHODS: &[Method] = table! {
    "sendMessage" login messages::send;
    "updateMessage" login messages::update;
    "deleteMessage" login messages::delete;
    "setReaction" login messages::react;
    "starMessage" login messages::star;
    "pinMessage" login messages::pin;
    "unpinMessage" login messages::unpin;
    "getSingleMessage" login messages::single;
    "followMessage" login messages::follow;
    "unfollowMessage" login messages::unfollow;
    "messageSearch" login messages::search;

    "loadHistory" login history::load;
    "loadNextMessages" login history::next;
    "loadMissedMessages" login history::missed;
    "loadSurroundingMessages" login history::surrounding;
    "getChannelHistory" login history::channel;
    "messages/get" login history::get;
    "getThreadsList" login history::threads;
    "getThreadMessages" login history::replies;

    "rooms/get" login rooms::get;
    "subscriptions/get" login rooms::subscriptions;
    "readMessages" login rooms::read;
    "readThreads" login rooms::read_thread;
    "unreadMessages" login rooms::unread;
    "createDirectMessage" login rooms::create;
    "openRoom" login rooms::open;
    "hideRoom" login rooms::hide;
    "toggleFavorite" login rooms::favorite;
    "eraseRoom" login rooms::erase;
    "blockUser" login rooms::block;
    "unblockUser" login rooms::unblock;
    "saveNotificationSettings" login rooms::notification;
    "getRoomByTypeAndName" login rooms::by_type;
    "getRoomIdByNameOrId" login rooms::id_of;
    "getRoomNameById" login rooms::name_of;
    "canAccessRoom" login rooms::can_access;

    "getUsersOfRoom" login members::of_room;
    "getRoomRoles" login members::roles_of_room;
    "getUserRoles" login members::with_roles;
    "setUserStatus" login members::set_status;
    "getUserStatusText" login members::status_text;
    "UserPresence:setDefaultStatus" login members::set_default_status;
    "UserPresence:online" login members::seen;
    "UserPresence:away" login members::seen;

    "spotlight" login own::spotlight;
    "slashCommand" login own::slash;
    "saveUserPreferences" login own::preferences;
    "saveUserProfile" login own::profile;
    "saveRoomSettings" login own::room_settings;

    "login" open = "login" + secret session::login;
    "logout" login session::logout;
    "registerUser" open = "users.register" session::register;
    "sendForgotPasswordEmail" open = "users.forgotPassword" session::forgot;
    "2fa:enable" factor + secret factor::begin;
    "2fa:validateTempToken" login + secret factor::finish;
    "2fa:disable" login factor::end;
    "2fa:regenerateCodes" login + secret factor::renew_codes;
    "2fa:checkCodesRemaining" login factor::codes_left;
    "personalAccessTokens:generateToken" factor (CreatePersonalAccessTokens)
        = "users.generatePersonalAccessToken" + secret factor::generate_token;
    "personalAccessTokens:regenerateToken" factor (CreatePersonalAccessTokens)
        = "users.regeneratePersonalAccessToken" + secret factor::regenerate_token;
    "personalAccessTokens:removeToken" factor (CreatePersonalAccessTokens)
        = "users.removePersonalAccessToken" factor::remove_token;

    "public-settings/get" open server::public_settings;
    "permissions/get" login server::permissions;
    "listEmojiCustom" login server::nothing;
    "listCustomUserStatus" login server::nothing;
    "browseChannels" login server::channels;
};

/// Items as an array.
fn array<T>(items: &[T], mut write: impl FnMut(&mut String, &T)) -> String {
    let mut out = String::from("[");
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write(&mut out, item);
    }
    out.push(']');
    out
}

/// `POST method.call/…`: the path's name is for whoever reads logs, the body's counts.
pub(crate) async fn call(call: Call) -> Answer {
    run(call, false).await
}

/// `POST method.callAnon/…`: as nobody, whoever asks.
pub(crate) async fn call_anonymously(call: Call) -> Answer {
    run(call, true).await
}

/// What a client sent: the method, its arguments, and the id that the answer repeats.
fn read(call: &mut Call) -> Result<(String, Vec<Value>, Value), Failure> {
    let invalid = || Failure::plain("Invalid method call");
    let text = match call.body.remove("message") {
        Some(Value::String(text)) => text,
        None => return Err(Failure::Schema("must have required property 'message'".to_owned())),
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    let message = body::json(text.as_bytes()).map_err(|_| invalid())?;
    // What an escape hides is held to what the body is.
    if body::has_nul(&message) || is_deeper(&message, DEEPEST) {
        return Err(invalid());
    }
    let Value::Object(mut message) = message else {
        return Err(invalid());
    };
    let params = match message.remove("params") {
        Some(Value::Array(params)) => params,
        None | Some(Value::Null) => Vec::new(),
        Some(_) => return Err(invalid()),
    };
    let id = message.remove("id").unwrap_or(Value::Null);
    match (message.remove("method"), message.get("msg")) {
        (Some(Value::String(name)), Some(Value::String(kind))) if kind == "method" => {
            Ok((name, params, id))
        }
        _ => Err(invalid()),
    }
}

/// A method's name as the table has it; one for all that it has not.
pub(crate) fn interned(name: &str) -> &'static str {
    METHODS.iter().find(|method| method.name == name).map_or("?", |method| method.name)
}

/// Why a method was refused, as methods say it.
pub(crate) fn refusal(failure: Failure) -> Value {
    error::error(failure)
}

/// Would the answer of a route hold a secret, by the method that the body names?
pub(crate) fn is_secret(route: &Route, body: &Map<String, Value>) -> bool {
    let Some(Value::String(text)) =
        body.get("message").filter(|_| route.name.starts_with("method."))
    else {
        return false;
    };
    // What cannot be read is refused, which is no secret.
    let message = body::json(text.as_bytes()).unwrap_or_default();
    METHODS.iter().any(|method| method.secret && message["method"] == method.name)
}

/// Runs a method by its name, whatever brought it: its result's EJSON text (empty for a method that has
/// none), or why there is none.
pub(crate) async fn invoke(mut call: Call, name: &str, mut params: Vec<Value>) -> Outcome {
    let Some(method) = METHODS.iter().find(|method| method.name == name) else {
        return Err(Failure::NoMethod(name.to_owned()));
    };
    if method.login && !call.is_logged_in() {
        let details = json!({"method": name});
        return Err(Failure::detailed("error-invalid-user", "Invalid user", details));
    }
    if let Some(route) = method.route {
        call.count_as(route)?;
    }
    if method.factor.is_some() {
        take_code(&mut call, &mut params);
        crate::factor::require(&call, (method.factor, method.perm)).await?;
    }
    (method.run)(Ask::new(call, method.name, params)).await
}

/// The second factor as clients send it with a method: behind its arguments.
fn take_code(call: &mut Call, params: &mut Vec<Value>) {
    let text = |last: &Value, name: &str| last.get(name).and_then(Value::as_str).map(str::to_owned);
    let found = params
        .last()
        .and_then(|last| Some((text(last, "twoFactorMethod")?, text(last, "twoFactorCode")?)));
    if let Some((method, code)) = found {
        call.bring_code(&method, &code);
        params.pop();
    }
}

/// Runs what a body asks for, and puts the outcome into the envelope (the status of a refusal is that of
/// ruling B2).
async fn run(mut call: Call, anonymous: bool) -> Answer {
    let (name, params, id) = read(&mut call)?;
    if anonymous {
        call.forget_caller();
    }
    let outcome = invoke(call, &name, params).await;
    let mut out = format!(r#"{{"msg":"result","id":{id}"#);
    let fine = outcome.is_ok();
    let (member, value) = match outcome {
        Ok(result) => (",\"result\":", result),
        Err(failure) => (",\"error\":", refusal(failure).to_string()),
    };
    if !value.is_empty() {
        out.push_str(member);
        out.push_str(&value);
    }
    out.push('}');
    if !fine {
        return Err(Failure::Method(out));
    }
    Ok(wire::success(|o| o.text("message", &out)))
}
