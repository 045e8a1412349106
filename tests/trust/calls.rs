//! How every route is called so that a member succeeds, and what each kind of caller gets for the same
//! call. A route of the table that is not here makes the tests fail, and so does a row without a route.

use super::profiles::{profiles, roles};
use super::scene::{LOGGED_IN, Role};
use axum::http::Method;
use parlance_rocketchat::routes::{ROUTES, Route};
use serde_json::{Value, json};

/// What a call names.
pub(super) struct At<'a> {
    pub(super) room: &'a str,
    pub(super) message: &'a str,
    /// Ann, who is a member of the foreign rooms.
    pub(super) member: &'a str,
    /// The same, by user id.
    pub(super) member_id: &'a str,
    /// Something no call has used before.
    pub(super) fresh: &'a str,
}

/// What a caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// 200, and nothing of rooms that the caller is not in.
    Ok,
    /// The same, where names of people may stand, because accounts are public.
    Names,
    /// 200 with what is in foreign rooms: only an administrator, only where the contract says so.
    Sees,
    /// 200, and the foreign room is gone: likewise.
    Erases,
    /// 307 to an address that may hold names of people.
    Elsewhere,
    /// This status, with this `error` (none, where it is empty).
    No(u16, &'static str),
}
use Want::{Erases, Names, No, Ok, Sees};

/// One way to call a route.
pub(super) struct Row {
    pub(super) route: &'static Route,
    pub(super) call: fn(&At<'_>) -> Value,
    wants: [Want; 5],
    nobody: Option<Want>,
}

impl Row {
    /// What a caller gets who calls it with a foreign room's ids, or with one's own if a member.
    pub(super) fn want(&self, role: Role) -> Want {
        let place = LOGGED_IN.iter().position(|one| *one == role);
        match (place, self.route.login) {
            (Some(place), _) => self.wants[place],
            (None, true) => No(401, "You must be logged in to do this."),
            (None, false) => self.nobody.unwrap_or(Ok),
        }
    }

    /// Does a member get what is asked for?
    pub(super) fn want_of_members_is_ok(&self) -> bool {
        self.want(Role::Member) == Ok
    }

    pub(super) fn role(mut self, role: Role, want: Want) -> Self {
        let place = LOGGED_IN.iter().position(|one| *one == role).expect("somebody logged in");
        self.wants[place] = want;
        self
    }

    /// What the two members get instead.
    fn members(self, want: Want) -> Self {
        self.role(Role::Member, want).role(Role::GuestMember, want)
    }

    /// What everybody who is logged in gets instead.
    pub(super) fn all(mut self, want: Want) -> Self {
        self.wants = [want; 5];
        self
    }

    pub(super) fn nobody(mut self, want: Want) -> Self {
        self.nobody = Some(want);
        self
    }

    fn guest(self, want: Want) -> Self {
        self.role(Role::GuestMember, want)
    }
}

pub(super) fn row(name: &'static str, call: fn(&At<'_>) -> Value, wants: [Want; 5]) -> Row {
    let found = ROUTES.iter().find(|route| format!("{} {}", route.method, route.name) == name);
    let route = found.unwrap_or_else(|| panic!("{name} is no route any more"));
    Row { route, call, wants, nobody: None }
}

/// A call about a room or a message: whoever is no member gets this, administrators too.
fn inside(name: &'static str, call: fn(&At<'_>) -> Value, no: Want) -> Row {
    row(name, call, [Ok, Ok, no, no, no])
}

/// A call about the caller's own things.
pub(super) fn own(name: &'static str, call: fn(&At<'_>) -> Value) -> Row {
    row(name, call, [Ok; 5])
}

/// A call of administrators only.
pub(super) fn admins(name: &'static str, call: fn(&At<'_>) -> Value, no: Want, admin: Want) -> Row {
    row(name, call, [no, no, no, no, admin])
}

pub(super) const FORBIDDEN: Want = No(403, "unauthorized");
pub(super) const LACKS: Want = No(403, crate::rocketchat::LACKS);
pub(super) const NOT_ALLOWED: Want = No(400, "Not allowed [error-not-allowed]");
const CAPITAL: Want = No(400, "Not Allowed [error-not-allowed]");
const PLAIN: Want = No(400, "error-not-allowed");
const NO_MESSAGE: Want = No(
    400,
    "The provided \"messageId\" does not match any existing message. [error-message-not-found]",
);
const NO_SUBSCRIPTION: Want = No(400, "Invalid subscription [error-invalid-subscription]");
const NO_THREAD: Want = No(400, "Invalid Message [error-invalid-message]");
const INVALID: Want = No(400, "Invalid message [error-invalid-message]");
const DISABLED: Want = No(400, "This endpoint is disabled [error-endpoint-disabled]");
const ENTERPRISE: Want = No(400, "This is an enterprise feature [error-action-not-allowed]");
const NO_HISTORY: Want = No(400, "Edit history is not available [error-action-not-allowed]");
const NO_PREVIEW: Want = No(400, "There is no preview of this URL [error-no-preview]");
const NOT_PINNED: Want = No(400, "Not Authorized [not-authorized]");
pub(super) const LONG_AGO: &str = "2020-01-01T00:00:00.000Z";

/// What `method.call` takes.
fn method(name: &str, params: &Value) -> Value {
    let text = json!({"msg": "method", "id": "1", "method": name, "params": params}).to_string();
    json!({ "message": text })
}

fn room(at: &At<'_>) -> Value {
    json!({"roomId": at.room})
}

fn rid(at: &At<'_>) -> Value {
    json!({"rid": at.room})
}

fn message_id(at: &At<'_>) -> Value {
    json!({"messageId": at.message})
}

fn mid(at: &At<'_>) -> Value {
    json!({"mid": at.message})
}

fn tmid(at: &At<'_>) -> Value {
    json!({"tmid": at.message})
}

fn selector(_: &At<'_>) -> Value {
    json!({"selector": "{}"})
}

pub(super) fn nothing(_: &At<'_>) -> Value {
    json!({})
}

fn direct() -> Vec<Row> {
    let mut rows = vec![
        row("POST dm.create", |_| json!({"username": "pal"}), [Names, Names, Ok, Ok, Ok])
            .guest(NOT_ALLOWED),
        inside("POST dm.open", room, FORBIDDEN),
        inside("POST dm.close", room, FORBIDDEN),
        own("GET dm.list", nothing),
        admins("GET dm.list.everyone", nothing, LACKS, Sees),
        admins("GET dm.messages.others", room, LACKS, DISABLED),
        inside("GET dm.counters", room, FORBIDDEN),
        admins(
            "GET dm.counters",
            |at| json!({"roomId": at.room, "userId": at.member}),
            FORBIDDEN,
            FORBIDDEN,
        ),
        inside("POST dm.setTopic", |at| json!({"roomId": at.room, "topic": "x"}), FORBIDDEN),
        admins("POST dm.delete", room, NOT_ALLOWED, Erases),
        admins("POST rooms.delete", room, NOT_ALLOWED, Erases),
        inside(
            "POST dm.blockUser",
            |at| json!({"roomId": at.room, "block": true}),
            No(400, "Invalid room [error-invalid-room]"),
        ),
        inside("POST dm.leave", room, FORBIDDEN).members(NOT_ALLOWED),
        inside("POST rooms.leave", room, FORBIDDEN).members(NOT_ALLOWED),
    ];
    for name in ["GET dm.messages", "GET dm.files", "GET dm.history", "GET dm.members"] {
        rows.push(inside(name, room, FORBIDDEN));
    }
    rows
}

fn rooms() -> Vec<Row> {
    let invalid = NO_SUBSCRIPTION;
    vec![
        own("GET rooms.get", |_| json!({"updatedSince": LONG_AGO})),
        inside("GET rooms.info", room, No(400, "not-allowed")),
        inside(
            "GET rooms.isMember",
            |at| json!({"roomId": at.room, "username": at.member}),
            FORBIDDEN,
        ),
        inside("POST rooms.favorite", |at| json!({"roomId": at.room, "favorite": true}), invalid),
        inside(
            "POST rooms.saveNotification",
            |at| json!({"roomId": at.room, "notifications": {"desktopNotifications": "all"}}),
            invalid,
        ),
        admins(
            "POST rooms.cleanHistory",
            |at| json!({"roomId": at.room, "oldest": LONG_AGO, "latest": "2030-01-01"}),
            LACKS,
            No(400, "User does not have access to the room [error-not-allowed]"),
        ),
        admins("GET rooms.adminRooms", nothing, No(400, "error-not-authorized"), Sees),
        inside("GET rooms.getDiscussions", room, PLAIN),
        inside("GET chat.getDiscussions", room, PLAIN),
        inside(
            "GET chat.ignoreUser",
            |at| json!({"rid": at.room, "userId": at.member_id, "ignore": "true"}),
            invalid,
        ),
        own("GET subscriptions.get", |_| json!({"updatedSince": LONG_AGO})),
        // Null for a room that is not the caller's.
        own("GET subscriptions.getOne", room),
        inside("POST subscriptions.read", rid, No(400, "error-invalid-subscription")),
        inside(
            "POST subscriptions.unread",
            room,
            No(400, "Invalid subscription [error-subscription-not-found]"),
        ),
        inside(
            "POST subscriptions.unread",
            |at| json!({"firstUnreadMessage": {"_id": at.message}}),
            No(400, "Not allowed [error-action-not-allowed]"),
        )
        // Nobody marks one's own message unread.
        .role(Role::Member, No(400, "Not allowed [error-action-not-allowed]")),
    ]
}

fn rooms_in_all() -> Vec<Row> {
    vec![
        admins(
            "POST rooms.export",
            |at| json!({"rid": at.room, "type": "file", "format": "json"}),
            No(400, "Mailing is not allowed [error-action-not-allowed]"),
            CAPITAL,
        ),
        inside(
            "POST rooms.saveRoomSettings",
            |at| json!({"rid": at.room, "roomTopic": "x", "encrypted": true}),
            No(400, "Invalid room [error-invalid-room]"),
        ),
        inside("GET rooms.images", room, FORBIDDEN),
        own("GET rooms.autocomplete.channelAndPrivate", selector),
        own("GET rooms.autocomplete.channelAndPrivate.withPagination", selector),
        own("GET rooms.autocomplete.availableForTeams", |_| json!({"name": "KANARI"})),
        admins(
            "GET rooms.autocomplete.adminRooms",
            selector,
            No(400, "error-not-authorized"),
            Sees,
        ),
    ]
}

fn messages() -> Vec<Row> {
    let gone = No(400, "No message found with the id of \"{message}\".");
    vec![
        inside(
            "POST chat.sendMessage",
            |at| json!({"message": {"rid": at.room, "msg": "x"}}),
            PLAIN,
        ),
        inside("POST chat.postMessage", |at| json!({"roomId": at.room, "text": "x"}), PLAIN),
        inside("GET chat.getMessage", |at| json!({"msgId": at.message}), No(400, "")),
        inside("GET chat.getEditHistory", |at| json!({"msgId": at.message}), No(400, ""))
            .members(NO_HISTORY),
        inside(
            "POST chat.update",
            |at| json!({"roomId": at.room, "msgId": at.message, "text": "changed"}),
            gone,
        )
        .guest(No(400, "Message editing not allowed [error-action-not-allowed]")),
        inside("POST chat.delete", |at| json!({"roomId": at.room, "msgId": at.message}), gone)
            .guest(No(400, "Not allowed [error-action-not-allowed]")),
        inside(
            "POST chat.react",
            |at| json!({"messageId": at.message, "emoji": "tada"}),
            NO_MESSAGE,
        ),
        inside(
            "GET chat.getURLPreview",
            |at| json!({"roomId": at.room, "url": "https://a.example/"}),
            NOT_ALLOWED,
        )
        .members(NO_PREVIEW),
        inside(
            "GET chat.search",
            |at| json!({"roomId": at.room, "searchText": "KANARI"}),
            NOT_ALLOWED,
        ),
        own("GET chat.search", |_| json!({"searchText": "KANARI"})),
        inside(
            "GET chat.syncMessages",
            |at| json!({"roomId": at.room, "lastUpdate": LONG_AGO}),
            NOT_ALLOWED,
        ),
        inside(
            "GET chat.getDeletedMessages",
            |at| json!({"roomId": at.room, "since": LONG_AGO}),
            FORBIDDEN,
        ),
    ]
}

fn marks() -> Vec<Row> {
    let mut rows = vec![
        inside("POST chat.pinMessage", message_id, NO_MESSAGE).members(NOT_PINNED),
        inside("POST chat.unPinMessage", message_id, NO_MESSAGE).members(NOT_PINNED),
        inside("GET chat.getMentionedMessages", room, PLAIN),
        inside("GET chat.getStarredMessages", room, PLAIN),
        inside("GET chat.getPinnedMessages", room, NOT_ALLOWED),
        inside(
            "POST chat.reportMessage",
            |at| json!({"messageId": at.message, "description": "rude"}),
            No(400, "error-invalid-message_id"),
        ),
        row("GET chat.getMessageReadReceipts", message_id, [ENTERPRISE; 5]),
        inside("GET chat.getThreadsList", rid, CAPITAL),
        inside("GET chat.getThreadMessages", tmid, NO_THREAD),
        inside(
            "GET chat.syncThreadsList",
            |at| json!({"rid": at.room, "updatedSince": LONG_AGO}),
            CAPITAL,
        ),
        inside(
            "GET chat.syncThreadMessages",
            |at| json!({"tmid": at.message, "updatedSince": LONG_AGO}),
            NO_THREAD,
        ),
        inside("POST chat.readThread", tmid, INVALID),
    ];
    for name in ["POST chat.starMessage", "POST chat.unStarMessage"] {
        rows.push(inside(name, message_id, NO_MESSAGE));
    }
    for name in ["POST chat.followMessage", "POST chat.unfollowMessage"] {
        rows.push(inside(name, mid, INVALID));
    }
    rows
}

fn tokens() -> Vec<Row> {
    let unknown = |at: &At<'_>| json!({"tokenName": format!("not {}", at.fresh)});
    let not = No(400, "Not Authorized [not-authorized]");
    let gone = No(400, "Token does not exist [error-token-does-not-exists]");
    let no_mail = No(400, "Codes by mail are not available [error-action-not-allowed]");
    let off = No(400, "Not authorized [error-not-authorized]");
    let fresh = |at: &At<'_>| json!({"tokenName": at.fresh});
    vec![
        row("POST users.regeneratePersonalAccessToken", unknown, [gone, not, gone, not, gone]),
        row("POST users.removePersonalAccessToken", unknown, [gone, not, gone, not, gone]),
        // Behind those that name a token which there must not be.
        row("POST users.generatePersonalAccessToken", fresh, [Ok, not, Ok, not, Ok]),
        row("GET users.getPersonalAccessTokens", nothing, [Ok, not, Ok, not, Ok]),
        admins(
            "POST users.logout",
            |_| json!({"userId": "nobody-here"}),
            FORBIDDEN,
            No(400, "Invalid user id [error-invalid-user-id]"),
        ),
        own("POST users.logoutOtherClients", nothing),
        own("POST users.removeOtherTokens", nothing),
        row("POST users.createToken", |at| json!({"userId": at.member_id}), [off; 5]),
        row("POST users.2fa.enableEmail", nothing, [no_mail; 5]),
        own("POST users.2fa.disableEmail", nothing),
        own("POST users.2fa.sendEmailCode", |at| json!({"emailOrUsername": at.member})),
        own("POST users.forgotPassword", |_| json!({"email": "kanari.ann@example.com"})),
        own("GET pw.getPolicy", nothing),
    ]
}

fn accounts() -> Vec<Row> {
    let register = |at: &At<'_>| {
        let email = format!("{}@example.org", at.fresh);
        json!({"username": at.fresh, "name": at.fresh, "pass": "p a s s", "email": email})
    };
    let create = |at: &At<'_>| {
        let email = format!("{}@example.org", at.fresh);
        json!({"username": at.fresh, "name": at.fresh, "password": "p a s s", "email": email})
    };
    vec![
        // An account of its own: the oldest of too many sessions ends.
        own("POST login", |_| json!({"user": "pal", "password": crate::app::PASSWORD})),
        own("GET logout", nothing),
        own("POST logout", nothing),
        row("GET me", nothing, [Names, Names, Ok, Ok, Ok]),
        own("GET info", nothing),
        admins(
            "POST users.create",
            create,
            No(400, "Adding user is not allowed [error-action-not-allowed]"),
            Ok,
        ),
        row(
            "POST users.register",
            register,
            [No(400, "Logged in users can not register again."); 5],
        ),
        row("GET users.info", |at| json!({"username": at.member}), [Names; 5]),
        row("GET users.list", nothing, [Names; 5]),
        own("POST users.setStatus", |_| json!({"status": "busy", "message": "x"})),
        own("GET users.getStatus", |at| json!({"username": at.member})),
        own("GET permissions.listAll", nothing),
        admins(
            "POST permissions.update",
            |_| json!({"permissions": [{"_id": "create-c", "roles": ["admin"]}]}),
            No(400, "Editing permissions is not allowed"),
            Ok,
        ),
        own("GET settings.public", nothing),
        own("GET settings", nothing),
        inside("POST method.call/", |at| method("loadHistory", &json!([at.room])), No(400, "")),
        own("POST method.callAnon/", |_| method("public-settings/get", &json!([]))),
        admins("GET settings/", nothing, FORBIDDEN, Ok),
        admins("POST settings/", |_| json!({"value": "x"}), FORBIDDEN, Ok),
    ]
}

fn people() -> Vec<Row> {
    let verify = No(400, "Please verify the parameters");
    vec![
        row("GET spotlight", |_| json!({"query": "kanari"}), [Names; 5]),
        row("GET directory", |_| json!({"type": "users"}), [Names, verify, Names, verify, Names]),
        own("GET roles.getUsersInPublicRoles", nothing),
    ]
}

fn commands() -> Vec<Row> {
    let no_preview = No(400, "Command Does Not Provide Previews [error-invalid-command]");
    let run = |at: &At<'_>| json!({"command": "me", "params": "waves", "roomId": at.room, "tmid": at.message});
    let preview = |at: &At<'_>| json!({"command": "me", "params": "x", "roomId": at.room});
    let item = |at: &At<'_>| {
        let item = json!({"id": "x", "type": "text", "value": "x"});
        json!({"command": "me", "roomId": at.room, "previewItem": item})
    };
    vec![
        own("GET commands.list", nothing),
        own("GET commands.get", |_| json!({"command": "me"})),
        inside("POST commands.run", run, FORBIDDEN),
        inside("GET commands.preview", preview, FORBIDDEN).members(no_preview),
        inside("POST commands.preview", item, FORBIDDEN).members(no_preview),
    ]
}

/// What is asked when a client starts.
fn starting() -> Vec<Row> {
    let device = |at: &At<'_>| json!({"type": "gcm", "value": at.fresh, "appName": "x"});
    let no_device = No(404, "Resource not found");
    let no_calls = No(400, "no-videoconf-provider-app");
    let mut rows = vec![
        own("POST push.token", device),
        row("DELETE push.token", |_| json!({"token": "of nobody"}), [no_device; 5]),
        inside("GET push.get", |at| json!({"id": at.message}), No(400, "error-message-not-found")),
        admins("GET audit.list", nothing, LACKS, Ok),
        own("GET events", |_| json!({"since": "0"})),
        admins("GET statistics", nothing, PLAIN, Ok),
        admins("GET statistics.list", nothing, PLAIN, Ok),
        own("GET autotranslate.getSupportedLanguages", |_| json!({"targetLanguage": "en"})),
        row("GET video-conference.capabilities", nothing, [no_calls; 5]),
        inside("GET video-conference.list", room, No(400, "invalid-params")),
        own("GET banners", |_| json!({"platform": "web"})),
        admins("GET cloud.registrationStatus", nothing, LACKS, Ok),
    ];
    for name in [
        "GET push.info",
        "GET settings.oauth",
        "GET service.configurations",
        "GET emoji-custom.list",
        "GET emoji-custom.all",
        "GET custom-sounds.list",
        "GET custom-user-status.list",
        "GET e2e.fetchMyKeys",
        "GET video-conference.providers",
        "GET licenses.info",
        "GET licenses.isEnterprise",
        "GET livechat/config",
    ] {
        rows.push(own(name, nothing));
    }
    rows
}

/// Every route at least once.
pub(super) fn rows() -> Vec<Row> {
    let rows: Vec<Row> = [
        direct(),
        rooms(),
        rooms_in_all(),
        messages(),
        marks(),
        tokens(),
        accounts(),
        people(),
        commands(),
        starting(),
        profiles(),
        roles(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let unknown = |route: &&Route| !rows.iter().any(|row| std::ptr::eq(row.route, *route));
    let missing: Vec<String> = ROUTES
        .iter()
        .filter(unknown)
        .map(|route| format!("{} {}", route.method, route.name))
        .collect();
    assert!(missing.is_empty(), "tests/trust/calls.rs does not say how to call {missing:?}");
    let methods = [Method::GET, Method::POST, Method::DELETE];
    assert!(ROUTES.iter().all(|route| methods.contains(&route.method)));
    rows
}
