//! Walks through what stands apart: exports, tokens and second factors, the operator's commands.

use crate::audit::{Filter as Rows, Place};
use crate::command::Request;
use crate::export::{Wanted, Writer};
use crate::factor::{Code, Freshness};
use crate::id::{RoomId, pair};
use crate::list::ListQuery;
use crate::login::{Client, Password};
use crate::notice::Notice;
use crate::role::Wanted as NewRole;
use crate::send::NewMessage;
use crate::store::exports;
use crate::{Access, Caller, Core, Error, Perm, UserId, totp};
use serde_json::{Value, json};
use std::sync::Arc;

/// Tells a socket of messages, threads, stars and a removal, and gives what was missed.
pub(super) async fn sockets(core: &Core, ann: &Caller, access: &Access) -> crate::Result<()> {
    let mut socket = core.plug(ann);
    let sent = core.send(ann, access, NewMessage::text("told")).await?.message;
    core.star(ann, sent.id.as_str(), true).await?;
    core.set_status(ann, ann.id(), Some("away"), None).await?;
    while let Some(told) = socket.next().await {
        if matches!(&told.notice, Notice::Account(user) if user.status_default == "away") {
            break;
        }
    }
    core.tell_activity(ann, access, Vec::new(), None, 0).await?;
    core.missed(ann, 0, None).await?;
    core.set_status(ann, ann.id(), Some("online"), None).await.map(drop)
}

/// Orders an export, has it made, reads it and removes it; another attempt stands in the way of the
/// first when its time is over.
pub(super) async fn exports(core: &Core, boss: &Caller, access: &Access) -> crate::Result<()> {
    const WRITER: Writer = Writer {
        head: |_, _, _| {},
        message: |out, _, message, _| out.push_str(&message.msg),
        foot: |_, _| {},
        word: |export, _, _| export.id.clone(),
    };
    let wanted = Wanted { format: "text", from: None, to: None };
    let right = core.admin(boss, Perm::MailMessages)?;
    core.send(boss, access, NewMessage::text("one")).await?;
    core.order_export(right, "::1", access, wanted).await?;
    let (store, now) = (core.store(), core.clock().now() + 1000);
    let first = exports::take(store, "first", now, now + 10).await?.expect("an order");
    assert!(exports::take(store, "second", now + 9, now + 20).await?.is_none());
    exports::add_part(store, &first, 0, "x", now + 10).await?;
    let second = exports::take(store, "second", now + 10, now + 20).await?.expect("an order");
    assert_eq!((second.tries, &second.export.id), (2, &first.export.id));
    for late in [
        exports::add_part(store, &first, 1, "x", now + 30).await,
        exports::renew(store, &first, now + 30).await,
        exports::end(store, &first, exports::End::Failed, None, now).await,
    ] {
        assert!(matches!(late, Err(Error::NoExport)), "{late:?}");
    }
    assert_eq!(exports::clear(store, &second, now + 20).await?, 1);
    exports::renew(store, &second, now + 20).await?;
    exports::free(store).await?;
    core.make_exports(&WRITER, &mut false).await?;
    let cat = RoomId::from(pair(boss.id(), &UserId::from("rocket.cat")).as_str());
    let told = core.messages_before(boss, &core.access(boss, cat.as_str()).await?, None, 5).await?;
    assert_eq!((told.len(), &told[0].msg), (1, &first.export.id));
    let made = core.export(boss, &first.export.id).await?;
    assert_eq!((made.parts, core.export_part(&made, 0).await?.len()), (1, 3));
    exports::sweep(store, crate::Ms::MAX).await?;
    exports::sweep(store, crate::Ms::MAX).await?;
    assert!(matches!(core.export(boss, &made.id).await, Err(Error::NoExport)));
    // One that fails says so, too.
    core.order_export(right, "::1", access, wanted).await?;
    core.overwrite_setting("Parlance_Export_Max_Bytes", &json!(1)).await?;
    let long = NewMessage::text("x".repeat(2000));
    core.send(boss, access, long).await?;
    core.make_exports(&WRITER, &mut true).await?;
    let told = core.messages_before(boss, &core.access(boss, cat.as_str()).await?, None, 5).await?;
    assert_eq!(told.len(), 2);
    Ok(())
}

/// Uses every token and second factor once.
pub(super) async fn secrets(core: &Core, ann: &Caller) -> crate::Result<()> {
    core.add_named_token(ann, "ci", false).await?;
    core.renew_named_token(ann, "ci").await?;
    core.named_tokens(ann).await?;
    core.remove_named_token(ann, "ci").await?;
    core.logout_others(ann).await?;
    for (id, value) in [("SMTP_Host", "mail.example.com"), ("From_Email", "x@example.com")] {
        core.overwrite_setting(id, &json!(value)).await?;
    }
    core.set_email_factor(ann, true).await?;
    core.confirm(ann, &Client::default(), Freshness::Now).await.err();
    core.set_email_factor(ann, false).await?;
    let secret = core.totp_begin(ann).await?.secret;
    let code = totp::code(&secret, core.clock().now()).unwrap_or_default();
    let recovery = core.totp_finish(ann, &code).await?;
    let code = Some(Code { method: None, code: &recovery[0] });
    core.confirm(ann, &Client { code, ..Client::default() }, Freshness::Remembered).await?;
    core.confirm(ann, &Client { code, ..Client::default() }, Freshness::Now).await.err();
    let next = totp::code(&secret, core.clock().now() + 30_000).unwrap_or_default();
    let fresh = core.totp_renew_codes(ann, &next).await?;
    core.totp_codes_left(ann).await?;
    core.totp_end(ann, &fresh[0]).await?;
    core.factors(ann.id()).await?;
    core.send_reset("ann@example.com", "http://localhost").await?;
    core.reset_password("none", &Password::plain("another")?).await.err();
    core.send_asked_code("ann").await
}

/// Uses every command of the operator's.
pub(super) async fn commands(core: &Core) -> crate::Result<()> {
    let user = || "bob".to_owned();
    core.execute(Request::ListUsers { after: None }).await?;
    core.execute(Request::SetActive { user: user(), active: true }).await?;
    core.execute(Request::SetRoles { user: user(), roles: vec!["user".to_owned()] }).await?;
    core.execute(Request::CreateToken { user: user() }).await?;
    core.execute(Request::RevokeSessions { user: user() }).await?;
    core.execute(Request::ListSettings).await?;
    let some = || Some("x".to_owned());
    let filters = [
        Rows::default(),
        Rows { since: Some(1), until: Some(2), ..Rows::default() },
        Rows { actor: some(), ..Rows::default() },
        Rows { room: some(), ..Rows::default() },
        Rows { action: some(), since: Some(1), ..Rows::default() },
    ];
    for filter in filters {
        for (newest_first, after) in [(true, None), (false, Some(Place { at: 1, id: "x".into() }))]
        {
            let filter = filter.clone();
            core.execute(Request::Audit { filter, after, newest_first, limit: 10 }).await?;
        }
    }
    Ok(())
}

/// Makes a role, grants it something, gives it, takes it, and removes it.
pub(super) async fn roles(core: &Core, boss: &Caller, ann: &Caller) -> crate::Result<()> {
    let right = core.admin(boss, Perm::AccessPermissions)?;
    let named = |name: &str| NewRole { name: name.to_owned(), ..NewRole::default() };
    let role = core.add_role(right, named("editor")).await?;
    let role = core.update_role(right, &role.id, named("writer")).await?;
    core.set_grants(right, &[("create-c".to_owned(), vec![role.id.clone()])]).await?;
    core.give_role(right, ann.id(), &role).await?;
    let none = || Arc::new(|_: &crate::User| Value::Null);
    core.users_with_role(right, &role, &ListQuery::first(50), none()).await?;
    let all = ListQuery { limit: None, ..ListQuery::first(50) };
    core.users_with_role(right, &role, &all, none()).await?;
    core.take_role(right, ann.id(), &role).await?;
    core.remove_role(right, &role.id).await?;
    core.removed_roles(boss, 0).await.map(drop)
}
