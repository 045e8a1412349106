//! Every permission for every role: what is refused to whoever lacks it is allowed once the role is granted
//! it, to that role alone, and refused again when that is taken. The list of permissions is the core's; the
//! routes that need one are those whose row in the table of calls gives administrators something else.

mod cases;

use super::calls::{Want, rows};
use super::scene::{self, Role};
use crate::app::{Answer, DIGEST, TestApp, TestUser, fresh_database, options};
use axum::http::Method;
use cases::{Case, Probe, cases};
use parlance_core::account::{Authority, NewUser};
use parlance_core::login::CreateTokens;
use parlance_core::role::Wanted;
use parlance_core::{Admin, Caller, Clock, Core, Perm};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Permissions that govern nothing here, and why. One that is read somewhere must leave this list.
const UNREAD: [(Perm, &str); 7] = [
    (Perm::CreateC, "there are no channels"),
    (Perm::CreateP, "there are no private groups"),
    (Perm::MobileUploadFile, "there are no uploads yet"),
    (Perm::MuteUser, "nobody is muted in a direct room: only channels have the command"),
    (Perm::PreviewCRoom, "there are no channels"),
    (Perm::TestPushNotifications, "there is no route that sends one"),
    (
        Perm::ViewHistory,
        "the contract names it on no route; guests and bots lack it and read their rooms",
    ),
];

/// Messages of each holder's own that a case may use up.
const OWN: usize = 12;

/// Somebody who has one role and no other, with a room and messages of theirs.
pub(super) struct Holder {
    role: String,
    user: TestUser,
    room: String,
    own: Vec<String>,
    used: AtomicUsize,
}

/// What a call names.
pub(super) struct At<'a> {
    pub(super) room: &'a str,
    /// A message of the caller's own; one of somebody else's.
    pub(super) own: &'a str,
    pub(super) other: &'a str,
    /// Somebody whom the caller shares no room with.
    pub(super) stranger: &'a str,
    pub(super) stranger_id: &'a str,
    /// A room of that one's with somebody else.
    pub(super) foreign: &'a str,
    /// Somebody in the caller's room.
    pub(super) pal_id: &'a str,
    /// A role that nobody has.
    pub(super) spare: &'a str,
    /// Something that no call has used before.
    pub(super) fresh: &'a str,
}

struct World {
    app: TestApp,
    /// Holds the role that keeps every permission.
    boss: TestUser,
    caller: Caller,
    holders: Vec<Holder>,
    keeper: String,
    next: AtomicUsize,
}

impl World {
    async fn new() -> Self {
        let database = fresh_database().await;
        let clock = Clock::set(crate::app::START);
        let mut options = options(database.clone(), clock.clone());
        options.create_tokens = CreateTokens::On(None);
        let core = Core::open(options).await.unwrap();
        TestApp::unlimited(&core).await;
        let app = TestApp::over(core, clock, &database);
        let root = app.admin("root").await;
        let mut made = Vec::new();
        for name in ["keeper", "editor"] {
            let new = app.rocket(&root).post("roles.create", json!({ "name": name })).await.ok();
            made.push(new["role"]["_id"].as_str().unwrap().to_owned());
        }
        let keeper = made[0].clone();
        let boss = with_roles(&app, "boss", &[&keeper]).await;
        let roles = app.core.roles().into_iter().map(|role| role.id);
        let roles: Vec<String> = roles.filter(|id| *id != keeper).collect();
        assert_eq!(roles.len(), 12);
        grant_all(&app, &root, &roles, &keeper).await;
        let mut holders = Vec::new();
        for (n, role) in roles.iter().enumerate() {
            holders.push(holder(&app, &boss, &format!("h{n:02}"), role).await);
        }
        // What was written is old from here on.
        app.clock.move_to(app.clock.now() + 3_600_000);
        grant_all(&app, &boss, &[], &keeper).await;
        let caller = app.caller(&boss).await;
        Self { app, boss, caller, holders, keeper, next: AtomicUsize::new(0) }
    }

    fn admin(&self, perm: Perm) -> Admin<'_> {
        self.app.core.admin(&self.caller, perm).unwrap()
    }

    /// Grants permissions to the keeper and to these roles alone.
    async fn grant(&self, perms: &[Perm], roles: &[&str]) {
        let roles: Vec<&str> = roles.iter().copied().chain([self.keeper.as_str()]).collect();
        let one = |perm: &Perm| json!({"_id": perm.id(), "roles": roles});
        let body = json!({"permissions": perms.iter().map(one).collect::<Vec<_>>()});
        self.app.rocket(&self.boss).post("permissions.update", body).await.ok();
    }

    /// Sets what a case needs, or back to what it was.
    async fn set_up(&self, case: &Case, on: bool) {
        for (id, with, without) in case.settings {
            let value: Value = serde_json::from_str(if on { with } else { without }).unwrap();
            self.app.core.overwrite_setting(id, &value).await.unwrap();
        }
        if case.read_only {
            for holder in &self.holders {
                let room = parlance_core::RoomId::from(holder.room.as_str());
                let right = self.admin(Perm::EditRoom);
                self.app.core.set_read_only(right, &room, on).await.unwrap();
            }
        }
    }

    /// Is the holder allowed what the probe asks? Anything but a success or a refusal is a fault.
    async fn allows(&self, holder: &Holder, probe: &Probe) -> bool {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let fresh = format!("fresh{n}");
        let (core, new) =
            (&self.app.core, NewUser { username: fresh.clone(), ..NewUser::default() });
        let (mut stranger, mut foreign, mut spare) = Default::default();
        if probe.uses("stranger") || probe.uses("foreign") {
            stranger = core.create_user(Authority::Operator, new).await.unwrap().id.to_string();
        }
        if probe.uses("foreign") {
            let room = core.open_direct(&self.caller, &[&fresh], false).await.unwrap().room;
            foreign = room.id.to_string();
        }
        if probe.uses("spare") {
            let wanted = Wanted { name: format!("spare {n}"), ..Wanted::default() };
            let right = self.admin(Perm::AccessPermissions);
            spare = core.add_role(right, wanted).await.unwrap().id;
        }
        let mut other = Value::Null;
        if probe.uses("other") {
            other = self.app.rocket(&self.boss).say(&holder.room, "hers").await;
        }
        let at = At {
            room: &holder.room,
            own: &holder.own[holder.used.load(Ordering::Relaxed) % OWN],
            other: other["_id"].as_str().unwrap_or(""),
            stranger: &fresh,
            stranger_id: &stranger,
            foreign: &foreign,
            pal_id: &self.boss.id,
            spare: &spare,
            fresh: &fresh,
        };
        let body = (probe.body)(&at);
        let mut answer = self.call(&holder.user, probe.call, &body).await;
        for _ in 1..probe.times {
            answer = self.call(&holder.user, probe.call, &body).await;
        }
        let status = answer.status.as_u16();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let (call, role) = (probe.call, &holder.role);
        assert!(matches!(status, 200 | 201 | 400 | 403 | 429), "{call} {role}: {status} {text}");
        let allowed = status < 300 && (probe.shows)(&answer.json());
        if allowed && probe.uses("own") {
            holder.used.fetch_add(1, Ordering::Relaxed);
        }
        allowed
    }

    async fn call(&self, user: &TestUser, call: &str, body: &Value) -> Answer {
        let (method, name) = call.split_once(' ').unwrap();
        if method == "method" {
            let text = json!({"msg": "method", "id": "1", "method": name, "params": body});
            let body = json!({"message": text.to_string()});
            return self.app.rocket(user).post(&format!("method.call/{name}"), body).await;
        }
        if let ("MeepaChat", Some((method, path))) = (method, name.split_once(' ')) {
            let meepa = self.app.meepa(user);
            if method == "GET" {
                let path = format!("{path}?{}", scene::query(body));
                return meepa.call(Method::GET, &path, None).await;
            }
            return meepa.post(path, body.clone()).await;
        }
        let headers = [
            ("x-auth-token", user.token.as_str()),
            ("x-user-id", user.id.as_str()),
            ("x-2fa-method", "password"),
            ("x-2fa-code", DIGEST),
        ];
        let path = format!("/api/v1/{name}");
        if method == "GET" {
            let path = format!("{path}?{}", scene::query(body));
            return self.app.call(Method::GET, &path, &headers, None).await;
        }
        self.app.call(Method::POST, &path, &headers, Some(body)).await
    }

    /// One permission for every role: at first nobody has it, then one role after the other.
    async fn check(&self, case: &Case) -> Vec<String> {
        let all: Vec<&str> = self.holders.iter().map(|holder| holder.role.as_str()).collect();
        self.grant(case.also, &all).await;
        self.set_up(case, true).await;
        let mut wrong = Vec::new();
        for holder in &self.holders {
            self.all(case, holder, (false, "may without it"), &mut wrong).await;
        }
        for (n, holder) in self.holders.iter().enumerate() {
            self.grant(&[case.perm], &[&holder.role]).await;
            self.all(case, holder, (true, "may not with it"), &mut wrong).await;
            // The one before had it until now.
            let before = &self.holders[(n + self.holders.len() - 1) % self.holders.len()];
            self.all(case, before, (false, "may although it was taken"), &mut wrong).await;
        }
        self.grant(&[case.perm], &[]).await;
        self.set_up(case, false).await;
        self.grant(case.also, &[]).await;
        wrong
    }

    /// Asks everything of a case as one holder, who may or may not.
    async fn all(
        &self,
        case: &Case,
        holder: &Holder,
        (may, what): (bool, &str),
        wrong: &mut Vec<String>,
    ) {
        for probe in &case.probes {
            if self.allows(holder, probe).await != may {
                let (perm, role) = (case.perm.id(), &holder.role);
                wrong.push(format!("{perm}: {}: {role} {what}", probe.call));
            }
        }
    }
}

async fn with_roles(app: &TestApp, username: &str, roles: &[&str]) -> TestUser {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    app.user_with(NewUser { username: username.to_owned(), roles, ..NewUser::default() }).await
}

/// Grants everything to the keeper and to these roles alone.
async fn grant_all(app: &TestApp, by: &TestUser, roles: &[String], keeper: &str) {
    let roles: Vec<&str> = roles.iter().map(String::as_str).chain([keeper]).collect();
    let one = |perm: &Perm| json!({"_id": perm.id(), "roles": roles});
    let body = json!({"permissions": Perm::ALL.iter().map(one).collect::<Vec<_>>()});
    app.rocket(by).post("permissions.update", body).await.ok();
}

/// Somebody of one role, with a room, messages and tokens from when everybody may do everything.
async fn holder(app: &TestApp, boss: &TestUser, name: &str, role: &str) -> Holder {
    let user = with_roles(app, name, &[role]).await;
    let room = app.rocket(&user).open(&boss.username).await;
    let mut own = Vec::new();
    for n in 0..OWN {
        let said = app.rocket(&user).say(&room, &format!("mine {n}")).await;
        own.push(said["_id"].as_str().unwrap().to_owned());
    }
    for name in ["kept", "gone"] {
        let name = json!({"tokenName": name});
        app.rocket(&user).post("users.generatePersonalAccessToken", name).await.ok();
    }
    let used = AtomicUsize::new(0);
    Holder { role: role.to_owned(), user, room, own, used }
}

/// Every so-manyth case, so that they run side by side.
async fn check_every(part: usize, parts: usize) {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for case in cases().iter().skip(part).step_by(parts) {
        wrong.extend(world.check(case).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn each_permission_lets_the_roles_that_hold_it_and_no_others() {
    check_every(0, 2).await;
}

#[tokio::test]
async fn each_other_permission_lets_the_roles_that_hold_it_and_no_others() {
    check_every(1, 2).await;
}

/// How often the sources speak of a permission, apart from the table of them and from tests.
fn mentions(dir: &Path, name: &str) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let one = |path: std::path::PathBuf| {
        if path.is_dir() {
            return if path.ends_with("sqlite") { 0 } else { mentions(&path, name) };
        }
        if path.ends_with("caller.rs") {
            return 0;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
        let named = text.split(&format!("Perm::{name}")).skip(1).filter(|rest| ends(rest)).count();
        named + text.matches(&format!("({name})")).count()
    };
    entries.map(one).sum()
}

#[test]
fn every_permission_is_tried_or_governs_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let tried: Vec<Perm> = cases().iter().map(|case| case.perm).collect();
    for &perm in Perm::ALL {
        let read: usize = ["core/src", "rocketchat/src", "meepachat/src"]
            .iter()
            .map(|dir| mentions(&root.join(dir), &format!("{perm:?}")))
            .sum();
        let unread = UNREAD.iter().any(|(known, _)| *known == perm);
        // What `caller.rs` reads itself is tried.
        assert!(!(read > 0 && unread), "{} is read: try it", perm.id());
        assert_eq!(tried.contains(&perm), !unread, "{}", perm.id());
    }
}

#[test]
fn every_route_that_is_for_some_roles_is_tried() {
    let cases = cases();
    let tried = |name: &str| {
        let calls = || cases.iter().flat_map(|case| &case.probes).map(|probe| probe.call);
        calls().any(|call| call == name || (name.ends_with('/') && call.starts_with(name)))
    };
    for row in rows() {
        let name = format!("{} {}", row.route.method, row.route.name);
        let differs = row.want(Role::Admin) != row.want(Role::Stranger);
        let refused = matches!(row.want(Role::Stranger), Want::No(..));
        if differs && refused {
            assert!(tried(&name), "{name} is tried with no permission");
        }
    }
}
