//! What a socket hears of the server's rules (contract section 11.4): settings, permissions and roles, as
//! they stand when it is told, because the notice names only what changed.

use super::tell::Ear;
use crate::{roles, server, settings};
use parlance_core::notice::Notice;
use parlance_core::{Core, setting};
use parlance_http::json::{Dates, Object};

/// What everybody hears, logged in or not.
pub(super) fn tell_all<E: Ear>(core: &Core, dates: Dates, ear: &mut E, notice: &Notice) {
    let (event, args) = match notice {
        Notice::Setting(id) => {
            let known = setting::known(id).filter(|known| known.public);
            let args = known.and_then(|known| changed_setting(core, known, dates));
            ("public-settings-changed", args)
        }
        Notice::Rights(id) => ("permissions-changed", changed_rights(core, id, dates)),
        _ => return,
    };
    if let Some(args) = args.filter(|_| ear.wants("notify-all", event)) {
        ear.hear("notify-all", event, &args);
    }
}

/// A setting as it stands; nothing of a secret.
pub(super) fn changed_setting(
    core: &Core,
    known: &'static setting::Known,
    dates: Dates,
) -> Option<String> {
    if known.is_secret() {
        return None;
    }
    let mut out = String::from("\"updated\",");
    settings::print(&mut out, &core.settings().get(known), dates);
    Some(out)
}

/// A permission as it stands.
pub(super) fn changed_rights(core: &Core, id: &str, dates: Dates) -> Option<String> {
    let grants = core.grants();
    let grant = grants.iter().find(|grant| grant.perm.id() == id)?;
    let mut out = String::from("\"updated\",");
    server::grant(&mut out, grant, dates);
    Some(out)
}

/// A role as it stands, or that it is gone.
pub(super) fn changed_role(core: &Core, id: &str, dates: Dates) -> String {
    let mut out = String::new();
    let mut o = Object::new(&mut out, dates);
    if let Some(role) = core.role(id, false) {
        o.text("type", "changed");
        roles::fields(&mut o, &role);
    } else {
        o.text("type", "removed");
        o.text("_id", id);
    }
    o.end();
    out
}
