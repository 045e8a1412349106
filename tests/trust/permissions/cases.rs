//! What each permission lets, as calls: a body for each, and what must hold beside the permission for the
//! call to be allowed.

use super::At;
use parlance_core::Perm;
use serde_json::{Value, json};

/// One call that a permission lets.
pub(super) struct Probe {
    /// Method and route; `method` and a name; `MeepaChat`, method and path.
    pub(super) call: &'static str,
    pub(super) body: fn(&At<'_>) -> Value,
    /// What of the body is made anew for each call.
    uses: &'static [&'static str],
    /// Whether an answer has what only the permission shows.
    pub(super) shows: fn(&Value) -> bool,
    /// How often the call is made; the last one counts.
    pub(super) times: usize,
}

impl Probe {
    pub(super) fn uses(&self, what: &str) -> bool {
        self.uses.contains(&what)
    }

    fn shows(mut self, shows: fn(&Value) -> bool) -> Self {
        self.shows = shows;
        self
    }

    fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }
}

fn probe(call: &'static str, uses: &'static [&'static str], body: fn(&At<'_>) -> Value) -> Probe {
    Probe { call, body, uses, shows: |_| true, times: 1 }
}

fn get(call: &'static str) -> Probe {
    probe(call, &[], |_| json!({}))
}

/// A permission, what it lets, and what is needed beside it.
pub(super) struct Case {
    pub(super) perm: Perm,
    pub(super) also: &'static [Perm],
    /// Settings, with their values as JSON during the case and after it.
    pub(super) settings: &'static [(&'static str, &'static str, &'static str)],
    pub(super) read_only: bool,
    pub(super) probes: Vec<Probe>,
}

impl Case {
    fn also(mut self, also: &'static [Perm]) -> Self {
        self.also = also;
        self
    }

    fn with(mut self, settings: &'static [(&'static str, &'static str, &'static str)]) -> Self {
        self.settings = settings;
        self
    }
}

fn case(perm: Perm, probes: Vec<Probe>) -> Case {
    Case { perm, also: &[], settings: &[], read_only: false, probes }
}

const STRANGER: &[&str] = &["stranger"];
const OTHER: &[&str] = &["other"];
const OWN: &[&str] = &["own"];
const FOREIGN: &[&str] = &["foreign"];

/// Every permission that governs something.
pub(super) fn cases() -> Vec<Case> {
    let mut all = roles();
    all.extend(accounts());
    all.extend(tokens());
    all.extend(people());
    all.extend(messages());
    all.extend(sending());
    all.extend(rooms());
    all.extend(access());
    all.extend(server());
    all.extend([pins(), opening()]);
    all
}

fn new_account(at: &At<'_>, role: &str) -> Value {
    json!({"username": at.fresh, "name": at.fresh, "password": "p a s s", "roles": [role],
        "email": format!("{}@example.org", at.fresh)})
}

fn data(at: &At<'_>, data: &Value) -> Value {
    json!({"userId": at.stranger_id, "data": data})
}

fn roles() -> Vec<Case> {
    let give = |at: &At<'_>| json!({"username": at.stranger, "roleId": "admin"});
    vec![
        case(
            Perm::AccessPermissions,
            vec![
                probe(
                    "POST permissions.update",
                    &[],
                    |_| json!({"permissions": [{"_id": "create-c", "roles": ["user"]}]}),
                ),
                probe("POST roles.create", &[], |at| json!({"name": at.fresh})),
                probe(
                    "POST roles.update",
                    &[],
                    |_| json!({"roleId": "guest", "name": "guest", "description": ""}),
                ),
                probe("POST roles.delete", &["spare"], |at| json!({"roleId": at.spare})),
                probe(
                    "POST roles.addUserToRole",
                    STRANGER,
                    |at| json!({"username": at.stranger, "roleId": "guest"}),
                ),
                probe(
                    "POST roles.removeUserFromRole",
                    STRANGER,
                    |at| json!({"username": at.stranger, "roleId": "user"}),
                ),
                probe("GET roles.getUsersInRole", &[], |_| json!({"role": "user"})),
            ],
        ),
        case(
            Perm::AssignAdminRole,
            vec![
                probe("POST users.create", &[], |at| new_account(at, "admin")),
                probe("POST users.update", STRANGER, |at| data(at, &json!({"roles": ["admin"]}))),
                probe("POST roles.addUserToRole", STRANGER, give),
            ],
        )
        .also(&[
            Perm::CreateUser,
            Perm::EditOtherUserInfo,
            Perm::AssignRoles,
            Perm::AccessPermissions,
        ]),
        case(
            Perm::AssignRoles,
            vec![probe("POST users.update", STRANGER, |at| data(at, &json!({"roles": ["guest"]})))],
        )
        .also(&[Perm::EditOtherUserInfo]),
    ]
}

fn accounts() -> Vec<Case> {
    let stranger = |at: &At<'_>| json!({"userId": at.stranger_id});
    let switch = |at: &At<'_>| json!({"userId": at.stranger_id, "activeStatus": false});
    vec![
        case(Perm::CreateUser, vec![probe("POST users.create", &[], |at| new_account(at, "user"))]),
        case(Perm::DeleteUser, vec![probe("POST users.delete", STRANGER, stranger)]),
        case(
            Perm::EditOtherUserActiveStatus,
            vec![
                probe("POST users.setActiveStatus", STRANGER, switch),
                probe("POST users.deactivateIdle", &[], |_| json!({"daysIdle": 3650})),
                probe("POST users.update", STRANGER, |at| data(at, &json!({"active": false}))),
            ],
        )
        .also(&[Perm::EditOtherUserInfo]),
        case(
            Perm::ManageModerationActions,
            vec![probe("POST users.setActiveStatus", STRANGER, switch)],
        ),
        case(Perm::EditOtherUserAvatar, vec![probe("POST users.resetAvatar", STRANGER, stranger)]),
        case(
            Perm::EditOtherUserInfo,
            vec![
                probe("POST users.update", STRANGER, |at| data(at, &json!({"bio": "x"}))),
                probe(
                    "POST users.setStatus",
                    STRANGER,
                    |at| json!({"userId": at.stranger_id, "status": "busy"}),
                ),
                probe("POST users.setPreferences", STRANGER, |at| {
                    data(at, &json!({"useEmojis": false}))
                }),
            ],
        ),
        case(
            Perm::EditOtherUserPassword,
            vec![probe("POST users.update", STRANGER, |at| {
                data(at, &json!({"password": "another one"}))
            })],
        )
        .also(&[Perm::EditOtherUserInfo]),
    ]
}

fn tokens() -> Vec<Case> {
    let stranger = |at: &At<'_>| json!({"userId": at.stranger_id});
    vec![
        case(
            Perm::CreatePersonalAccessTokens,
            vec![
                probe(
                    "POST users.generatePersonalAccessToken",
                    &[],
                    |at| json!({"tokenName": at.fresh}),
                ),
                probe(
                    "POST users.regeneratePersonalAccessToken",
                    &[],
                    |_| json!({"tokenName": "kept"}),
                ),
                probe(
                    "POST users.removePersonalAccessToken",
                    &[],
                    |_| json!({"tokenName": "gone"}),
                ),
                get("GET users.getPersonalAccessTokens"),
            ],
        ),
        case(Perm::LogoutOtherUser, vec![probe("POST users.logout", STRANGER, stranger)]),
        case(
            Perm::UserGenerateAccessToken,
            vec![probe("POST users.createToken", STRANGER, stranger)],
        ),
    ]
}

fn people() -> Vec<Case> {
    vec![
        case(
            Perm::ViewFullOtherUserInfo,
            vec![
                probe("GET users.info", STRANGER, |at| json!({"userId": at.stranger_id}))
                    .shows(|body| body["user"].get("emails").is_some()),
                get("GET users.list").shows(|body| body["users"][0].get("roles").is_some()),
                get("GET users.listByStatus").shows(|body| {
                    body["users"].as_array().unwrap().iter().any(|one| one.get("roles").is_some())
                }),
                probe("GET roles.getUsersInRole", &[], |_| json!({"role": "admin"}))
                    .shows(|body| body["users"][0].get("emails").is_some()),
            ],
        )
        .also(&[Perm::ViewDRoom, Perm::ViewOutsideRoom, Perm::AccessPermissions]),
        case(
            Perm::ViewOutsideRoom,
            vec![
                probe("GET directory", &[], |_| json!({"type": "users"})),
                get("GET users.list"),
                probe("GET spotlight", STRANGER, |at| json!({"query": at.stranger}))
                    .shows(|body| body["users"] != json!([])),
                probe(
                    "GET users.autocomplete",
                    STRANGER,
                    |at| json!({"selector": json!({"term": at.stranger}).to_string()}),
                )
                .shows(|body| body["items"] != json!([])),
                probe("method spotlight", STRANGER, |at| json!([at.stranger])).shows(|body| {
                    body["message"].as_str().is_some_and(|text| text.contains("\"username\""))
                }),
                probe("MeepaChat GET /users", STRANGER, |at| json!({"q": at.stranger}))
                    .shows(|body| body["data"] != json!([])),
            ],
        )
        .also(&[Perm::ViewDRoom])
        .with(&[("API_Apply_permission_view-outside-room_on_users-list", "true", "false")]),
    ]
}

fn say(at: &At<'_>, text: &str) -> Value {
    json!({"message": {"rid": at.room, "msg": text}})
}

fn changed(at: &At<'_>, message: &str) -> Value {
    json!({"roomId": at.room, "msgId": message, "text": at.fresh})
}

fn named(at: &At<'_>, message: &str) -> Value {
    json!({"roomId": at.room, "msgId": message})
}

/// Changing, removing and marking what was sent.
fn messages() -> Vec<Case> {
    vec![
        case(
            Perm::BypassTimeLimit,
            vec![
                probe("POST chat.update", OWN, |at| changed(at, at.own)),
                probe("POST chat.delete", OWN, |at| named(at, at.own)),
            ],
        )
        .also(&[Perm::ViewDRoom, Perm::DeleteOwnMessage])
        .with(&[
            ("Message_AllowEditing_BlockEditInMinutes", "1", "0"),
            ("Message_AllowDeleting_BlockDeleteInMinutes", "1", "0"),
        ]),
        case(
            Perm::DeleteMessage,
            vec![
                probe("POST chat.delete", OTHER, |at| named(at, at.other)),
                probe("method deleteMessage", OTHER, |at| json!([{"_id": at.other}])),
            ],
        )
        .also(&[Perm::ViewDRoom]),
        case(
            Perm::DeleteOwnMessage,
            vec![
                probe("POST chat.delete", OWN, |at| named(at, at.own)),
                probe("method deleteMessage", OWN, |at| json!([{"_id": at.own}])),
            ],
        )
        .also(&[Perm::ViewDRoom]),
        case(
            Perm::EditMessage,
            vec![
                probe("POST chat.update", OTHER, |at| changed(at, at.other)),
                probe(
                    "method updateMessage",
                    OTHER,
                    |at| json!([{"_id": at.other, "msg": at.fresh}]),
                ),
            ],
        )
        .also(&[Perm::ViewDRoom]),
        case(
            Perm::ForceDeleteMessage,
            vec![probe(
                "POST chat.delete",
                OTHER,
                |at| json!({"roomId": at.room, "msgId": at.other, "asUser": true}),
            )],
        )
        .also(&[Perm::ViewDRoom]),
    ]
}

/// What a message may be that is sent, where, and how often.
fn sending() -> Vec<Case> {
    vec![
        case(
            Perm::MentionAll,
            vec![
                probe("POST chat.sendMessage", &[], |at| say(at, "@all")),
                probe(
                    "POST chat.postMessage",
                    &[],
                    |at| json!({"roomId": at.room, "text": "@all"}),
                ),
                probe(
                    "POST chat.update",
                    OWN,
                    |at| json!({"roomId": at.room, "msgId": at.own, "text": "@all"}),
                ),
            ],
        )
        .also(&[Perm::ViewDRoom]),
        case(Perm::MentionHere, vec![probe("POST chat.sendMessage", &[], |at| say(at, "@here"))])
            .also(&[Perm::ViewDRoom]),
        case(
            Perm::MessageImpersonate,
            vec![probe(
                "POST chat.sendMessage",
                &[],
                |at| json!({"message": {"rid": at.room, "msg": "x", "alias": "somebody"}}),
            )],
        )
        .also(&[Perm::ViewDRoom]),
        Case {
            read_only: true,
            ..case(
                Perm::PostReadonly,
                vec![
                    probe("POST chat.sendMessage", &[], |at| say(at, "x")),
                    probe("POST chat.delete", OWN, |at| named(at, at.own)),
                ],
            )
            .also(&[Perm::ViewDRoom, Perm::DeleteOwnMessage])
        },
        case(
            Perm::SendManyMessages,
            vec![
                probe("method sendMessage", &[], |at| json!([{"rid": at.room, "msg": "x"}]))
                    .times(6),
                probe("method createDirectMessage", &[], |_| json!(["boss"])).times(11),
            ],
        )
        .also(&[Perm::ViewDRoom, Perm::CreateD])
        .with(&[("API_Enable_Rate_Limiter", "true", "false")]),
    ]
}

/// Making, changing and removing rooms.
fn rooms() -> Vec<Case> {
    let foreign = |at: &At<'_>| json!({"roomId": at.foreign});
    vec![
        case(
            Perm::CleanChannelHistory,
            vec![probe(
                "POST rooms.cleanHistory",
                &[],
                |at| json!({"roomId": at.room, "oldest": "2000-01-01", "latest": "2001-01-01"}),
            )],
        )
        .also(&[Perm::ViewDRoom]),
        case(
            Perm::DeleteD,
            vec![
                probe("POST dm.delete", FOREIGN, foreign),
                probe("POST rooms.delete", FOREIGN, foreign),
                probe("method eraseRoom", FOREIGN, |at| json!([at.foreign])),
            ],
        )
        .also(&[Perm::ViewDRoom, Perm::ViewRoomAdministration]),
        case(
            Perm::EditRoom,
            vec![
                probe("POST dm.setTopic", &[], |at| json!({"roomId": at.room, "topic": at.fresh})),
                probe(
                    "POST rooms.saveRoomSettings",
                    &[],
                    |at| json!({"rid": at.room, "roomTopic": at.fresh}),
                ),
                probe("method saveRoomSettings", &[], |at| json!([at.room, "roomTopic", at.fresh])),
                probe(
                    "POST commands.run",
                    &[],
                    |at| json!({"command": "topic", "roomId": at.room, "params": at.fresh}),
                ),
            ],
        )
        .also(&[Perm::ViewDRoom])
        .with(&[("Parlance_Members_Set_Topic", "false", "true")]),
        case(
            Perm::MailMessages,
            vec![probe(
                "POST rooms.export",
                &[],
                |at| json!({"rid": at.room, "type": "file", "format": "json"}),
            )],
        )
        .also(&[Perm::ViewDRoom]),
    ]
}

/// Seeing rooms.
fn access() -> Vec<Case> {
    let room = |at: &At<'_>| json!({"roomId": at.room});
    vec![
        case(
            Perm::ViewDRoom,
            vec![
                get("GET users.list"),
                get("GET users.listByStatus"),
                probe("GET dm.messages", &[], room),
                probe("POST chat.sendMessage", &[], |at| say(at, "x")),
            ],
        ),
        case(Perm::ViewJoinedRoom, vec![probe("GET dm.messages", &[], room)]),
        case(
            Perm::ViewRoomAdministration,
            vec![
                get("GET dm.list.everyone"),
                probe("GET dm.messages.others", &[], room),
                get("GET rooms.adminRooms"),
                probe("GET rooms.autocomplete.adminRooms", &[], |_| json!({"selector": "{}"})),
                get("GET audit.list"),
                probe("GET dm.counters", &[], |at| json!({"roomId": at.room, "userId": at.pal_id})),
            ],
        )
        .also(&[Perm::ViewDRoom])
        .with(&[("API_Enable_Direct_Message_History_EndPoint", "true", "false")]),
    ]
}

fn server() -> Vec<Case> {
    vec![
        case(Perm::BypassRateLimit, vec![get("GET me").times(2)]).with(&[
            ("API_Enable_Rate_Limiter", "true", "false"),
            ("API_Enable_Rate_Limiter_Limit_Calls_Default", "1", "1200"),
        ]),
        case(
            Perm::EditPrivilegedSetting,
            vec![probe("POST settings/Site_Name", &[], |at| json!({"value": at.fresh}))],
        ),
        case(
            Perm::ViewPrivilegedSetting,
            vec![
                get("GET settings/SMTP_Host"),
                probe("GET settings", &[], |_| json!({"count": "0"})).shows(|body| {
                    let all = body["settings"].as_array().unwrap();
                    all.iter().any(|one| one["_id"] == "SMTP_Host")
                }),
            ],
        ),
        case(Perm::ManageCloud, vec![get("GET cloud.registrationStatus")]),
        case(
            Perm::ViewStatistics,
            vec![
                get("GET statistics"),
                get("GET statistics.list"),
                get("GET info").shows(|body| body["info"].get("build").is_some()),
            ],
        ),
    ]
}

fn pins() -> Case {
    let other = |at: &At<'_>| json!({"messageId": at.other});
    case(
        Perm::PinMessage,
        vec![
            probe("POST chat.pinMessage", OTHER, other),
            probe("POST chat.unPinMessage", OTHER, other),
            probe("method pinMessage", OTHER, |at| json!([{"_id": at.other}])),
            probe("method unpinMessage", OTHER, |at| json!([{"_id": at.other}])),
        ],
    )
    .also(&[Perm::ViewDRoom])
}

fn opening() -> Case {
    case(
        Perm::CreateD,
        vec![
            probe("POST dm.create", STRANGER, |at| json!({"username": at.stranger})),
            probe(
                "POST chat.postMessage",
                STRANGER,
                |at| json!({"channel": format!("@{}", at.stranger), "text": "x"}),
            ),
            probe("method createDirectMessage", STRANGER, |at| json!([at.stranger])),
            probe("POST commands.run", STRANGER, |at| {
                let params = format!("@{} hello", at.stranger);
                json!({"command": "msg", "roomId": at.room, "params": params})
            }),
            probe("MeepaChat POST /dms", STRANGER, |at| json!({"userId": at.stranger_id})),
        ],
    )
    .also(&[Perm::ViewDRoom])
}
