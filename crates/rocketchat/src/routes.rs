//! Every endpoint of this face, in one table. `dm.X` is also `im.X`: the alias is made here, so both
//! names always share one function and one check. The compatibility table of the README is checked
//! against this one by a test.

use crate::call::Call;
use crate::error::Failure;
use crate::reply::Reply;
use crate::{
    audit, autocomplete, avatar, change, chat, commands, ddp, directory, dm, empty, export, factor,
    history, lifecycle, marked, methods, moderation, password, post, preferences, presence,
    profile, push, roles, room_settings, rooms, search, server, session, settings, statistics,
    subscriptions, sync, threads, tokens, users,
};
use axum::http::Method;
use parlance_core::Perm;
use parlance_core::factor::Freshness;
use std::future::Future;
use std::pin::Pin;

/// The whole JSON text of a success, or why there is none.
pub(crate) type Answer = Result<String, Failure>;
/// The same of a list, which may come in pieces.
pub(crate) type List = Result<Reply, Failure>;

pub(crate) type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What answers a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    Whole(fn(Call) -> Running<Answer>),
    List(fn(Call) -> Running<List>),
}

/// One endpoint.
#[derive(Debug)]
pub struct Route {
    /// `GET` or `POST`; `DELETE` of one.
    pub method: Method,
    /// The name below `/api/v1/`; a name that ends in `/` takes one more segment.
    pub name: &'static str,
    /// Does it need a login?
    pub login: bool,
    /// Does it want a second factor, and may that have been given a while ago?
    pub factor: Option<Freshness>,
    /// The permission without which the second factor is not asked for, because the route refuses.
    pub(crate) perm: Option<Perm>,
    /// Does its answer hold a secret? Then it is not kept for retries.
    pub(crate) secret: bool,
    pub(crate) run: Run,
}

/// A row is method, name, who may call it, and the function. `open` is for everybody, `login` for who
/// is logged in; `factor` wants a second factor too (of those who hold the permission in brackets, if
/// one stands there), `fresh` one that comes with the call. `+ secret`: the answer holds a secret.
macro_rules! table {
    ($($method:ident $name:literal $who:ident $(($perm:ident))? $(+ $secret:ident)?
        $run:path $([$kind:ident])?;)*) =>
    {
        &[$(Route {
            method: Method::$method,
            name: $name,
            login: table!(@ login $who),
            factor: table!(@ factor $who),
            perm: table!(@ perm $($perm)?),
            secret: table!(@ secret $($secret)?),
            run: table!(@ run $($kind)? $run),
        },)*]
    };
    (@ run list $run:path) => { Run::List(|call| Box::pin($run(call))) };
    (@ run $run:path) => { Run::Whole(|call| Box::pin($run(call))) };
    (@ login open) => { false };
    (@ login $who:ident) => { true };
    (@ factor factor) => { Some(Freshness::Remembered) };
    (@ factor fresh) => { Some(Freshness::Now) };
    (@ factor $who:ident) => { None };
    (@ perm) => { None };
    (@ perm $perm:ident) => { Some(Perm::$perm) };
    (@ secret) => { false };
    (@ secret secret) => { true };
}

/// The table. `dm.*` stands for `im.*` as well; a `[list]` may come in pieces.
pub static ROUTES: &[Route] = table! {
    POST "login" open + secret session::login;
    GET "logout" login session::logout;
    POST "logout" login session::logout;
    GET "me" login session::me;
    GET "info" open server::info;

    POST "dm.create" login dm::create;
    POST "dm.open" login dm::open;
    POST "dm.close" login dm::close;
    GET "dm.list" login dm::list [list];
    GET "dm.list.everyone" login dm::list_everyone [list];
    GET "dm.messages" login dm::messages [list];
    GET "dm.messages.others" login dm::messages_others [list];
    GET "dm.files" login dm::files;
    GET "dm.history" login history::history [list];
    GET "dm.counters" login history::counters;
    GET "dm.members" login history::members;
    POST "dm.setTopic" login room_settings::set_topic;
    POST "dm.delete" login rooms::dm_delete;
    POST "dm.blockUser" login rooms::block;
    POST "dm.leave" login rooms::leave;

    GET "rooms.get" login rooms::get [list];
    GET "rooms.info" login rooms::info;
    GET "rooms.isMember" login rooms::is_member;
    POST "rooms.favorite" login rooms::favorite;
    POST "rooms.saveNotification" login rooms::save_notification;
    POST "rooms.leave" login rooms::leave;
    POST "rooms.delete" login rooms::delete;
    POST "rooms.cleanHistory" login moderation::clean_history;
    GET "rooms.adminRooms" login moderation::admin_rooms [list];
    GET "rooms.getDiscussions" login moderation::discussions;
    POST "rooms.export" login export::order;
    POST "rooms.saveRoomSettings" login room_settings::save;
    GET "rooms.images" login rooms::images;
    GET "rooms.autocomplete.channelAndPrivate" login autocomplete::channels;
    GET "rooms.autocomplete.channelAndPrivate.withPagination" login autocomplete::channels_by_page;
    GET "rooms.autocomplete.availableForTeams" login autocomplete::for_teams;
    GET "rooms.autocomplete.adminRooms" login autocomplete::admin_rooms;

    POST "chat.sendMessage" login post::send_message;
    POST "chat.postMessage" login post::post_message;
    GET "chat.getMessage" login chat::get_message;
    POST "chat.update" login change::update;
    POST "chat.delete" login change::delete;
    GET "chat.getEditHistory" login change::edit_history;
    POST "chat.react" login chat::react;
    POST "chat.starMessage" login chat::star;
    POST "chat.unStarMessage" login chat::unstar;
    POST "chat.pinMessage" login chat::pin;
    POST "chat.unPinMessage" login chat::unpin;
    GET "chat.getURLPreview" login chat::url_preview;

    GET "chat.search" login search::search [list];
    GET "chat.syncMessages" login sync::sync_messages;
    GET "chat.getDeletedMessages" login sync::deleted_messages;

    GET "chat.getMentionedMessages" login marked::mentioned [list];
    GET "chat.getStarredMessages" login marked::starred [list];
    GET "chat.getPinnedMessages" login marked::pinned [list];
    GET "chat.getThreadsList" login threads::list [list];
    GET "chat.getThreadMessages" login threads::messages [list];
    GET "chat.syncThreadsList" login threads::sync_list;
    GET "chat.syncThreadMessages" login threads::sync_messages;
    POST "chat.followMessage" login threads::follow;
    POST "chat.unfollowMessage" login threads::unfollow;
    POST "chat.readThread" login threads::read;
    GET "chat.ignoreUser" login rooms::ignore;
    POST "chat.reportMessage" login moderation::report;
    GET "chat.getMessageReadReceipts" login moderation::receipts;
    GET "chat.getDiscussions" login moderation::discussions;

    GET "subscriptions.get" login subscriptions::get;
    GET "subscriptions.getOne" login subscriptions::get_one;
    POST "subscriptions.read" login subscriptions::read;
    POST "subscriptions.unread" login subscriptions::unread;

    POST "users.create" login users::create;
    POST "users.register" open users::register;
    GET "users.info" login users::info;
    GET "users.list" login users::list [list];
    POST "users.setStatus" login users::set_status;
    GET "users.getStatus" login users::get_status;
    POST "users.update" factor profile::update;
    POST "users.updateOwnBasicInfo" login profile::update_own;
    POST "users.setPreferences" login preferences::set;
    GET "users.getPreferences" login preferences::get;
    POST "users.setActiveStatus" login lifecycle::set_active;
    POST "users.deactivateIdle" login lifecycle::deactivate_idle;
    POST "users.delete" login lifecycle::delete;
    POST "users.deleteOwnAccount" login lifecycle::delete_own;
    GET "users.presence" login presence::presence;
    GET "users.getPresence" login presence::get_presence;
    GET "users.listByStatus" login presence::list_by_status;
    GET "users.autocomplete" login presence::autocomplete;
    GET "users.checkUsernameAvailability" login presence::check_username;
    GET "users.getUsernameSuggestion" login presence::suggest_username;
    GET "users.getAvatar" open avatar::get;
    POST "users.setAvatar" login avatar::set;
    POST "users.resetAvatar" login avatar::reset;
    GET "users.getAvatarSuggestion" login avatar::suggestions;

    POST "users.logout" login tokens::logout_user;
    POST "users.logoutOtherClients" login + secret tokens::logout_others;
    POST "users.removeOtherTokens" login tokens::remove_others;
    POST "users.createToken" login + secret tokens::create;
    POST "users.generatePersonalAccessToken"
        factor (CreatePersonalAccessTokens) + secret tokens::generate;
    POST "users.regeneratePersonalAccessToken"
        factor (CreatePersonalAccessTokens) + secret tokens::regenerate;
    POST "users.removePersonalAccessToken" factor (CreatePersonalAccessTokens) tokens::remove;
    GET "users.getPersonalAccessTokens" login tokens::list;
    POST "users.2fa.enableEmail" fresh factor::enable_email;
    POST "users.2fa.disableEmail" fresh factor::disable_email;
    POST "users.2fa.sendEmailCode" open factor::send_email_code;
    POST "users.forgotPassword" open password::forgot;

    GET "spotlight" login directory::spotlight;
    GET "directory" login directory::directory [list];
    GET "roles.getUsersInPublicRoles" login directory::public_roles;

    GET "commands.list" login commands::list;
    GET "commands.get" login commands::get;
    POST "commands.run" login commands::run;
    GET "commands.preview" login commands::preview;
    POST "commands.preview" login commands::run_preview;

    POST "push.token" login push::keep;
    DELETE "push.token" login push::forget;
    GET "push.get" login push::get;
    GET "push.info" login push::info;

    GET "audit.list" login audit::list [list];
    GET "events" login ddp::since;
    GET "statistics" login statistics::now;
    GET "statistics.list" login statistics::list;

    GET "permissions.listAll" login server::permissions;
    POST "permissions.update" login server::update_permissions;
    GET "roles.list" login roles::list;
    GET "roles.sync" login roles::sync;
    POST "roles.create" login roles::create;
    POST "roles.update" login roles::update;
    POST "roles.delete" login roles::delete;
    POST "roles.addUserToRole" login roles::add_user;
    POST "roles.removeUserFromRole" login roles::remove_user;
    GET "roles.getUsersInRole" login roles::users_in [list];
    GET "settings.public" open settings::public;
    GET "settings.oauth" open empty::services;
    GET "service.configurations" open empty::configurations;
    GET "settings" login settings::list;
    POST "method.call/" login methods::call;
    POST "method.callAnon/" open methods::call_anonymously;

    GET "settings/" login settings::get;
    POST "settings/" factor (EditPrivilegedSetting) settings::set;
    GET "pw.getPolicy" open password::policy;

    GET "emoji-custom.list" login empty::emojis;
    GET "emoji-custom.all" login empty::all_emojis;
    GET "custom-sounds.list" login empty::sounds;
    GET "custom-user-status.list" login empty::statuses;
    GET "autotranslate.getSupportedLanguages" login empty::languages;
    GET "e2e.fetchMyKeys" login empty::keys;
    GET "video-conference.capabilities" login empty::call_capabilities;
    GET "video-conference.providers" login empty::call_providers;
    GET "video-conference.list" login empty::calls;
    GET "banners" login empty::banners;
    GET "cloud.registrationStatus" login empty::registration;
    GET "licenses.info" login empty::license;
    GET "licenses.isEnterprise" login empty::is_enterprise;
    GET "livechat/config" open empty::livechat;
};

/// The route of a request: by method and path. `HEAD` is `GET` without a body.
pub(crate) fn find(method: &Method, path: &str) -> Option<&'static Route> {
    let name = match path.strip_prefix("/api/v1/") {
        Some(name) => name.strip_suffix('/').unwrap_or(name),
        None if path == "/api/info" => "info",
        None => return None,
    };
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let fits = |route: &&Route| {
        let same = match (route.name.strip_prefix("dm."), name.strip_prefix("im.")) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ if route.name.ends_with('/') => {
                // A method's name may hold a slash, and not every client escapes it.
                let any = route.name.starts_with("method.");
                name.strip_prefix(route.name).is_some_and(|rest| any || !rest.contains('/'))
            }
            _ => route.name == name,
        };
        same && route.method == *method
    };
    ROUTES.iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::{ROUTES, find};
    use axum::http::Method;

    #[test]
    fn aliases_share_a_route() {
        for route in ROUTES.iter().filter(|route| route.name.starts_with("dm.")) {
            let dm = find(&route.method, &format!("/api/v1/{}", route.name)).expect("dm");
            let im = format!("/api/v1/im.{}", &route.name[3..]);
            assert!(std::ptr::eq(dm, find(&route.method, &im).expect("im")));
        }
        assert!(find(&Method::GET, "/api/v1/settings/Site_Name").is_some());
        assert!(find(&Method::GET, "/api/v1/settings/a/b").is_none());
        assert!(find(&Method::GET, "/api/v1/livechat/config").is_some());
        assert!(find(&Method::DELETE, "/api/v1/push.token").is_some());
        assert!(find(&Method::POST, "/api/v1/dm.list").is_none());
    }
}
