//! How far a member has read (contract section 6.5): counters are derived, so reading writes one row.

use super::{Change, Store, clock, events};
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::{RoomId, UserId};
use crate::time::Ms;

const READ: &str = "UPDATE members SET opened = TRUE, closed_seq = NULL, mentions = 0,
        group_mentions = 0, marked = FALSE, read_seq = (SELECT r.seq FROM rooms r WHERE r.id = $1),
        ls = (SELECT r.last_ts FROM rooms r WHERE r.id = $1),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $1)
    WHERE room = $1 AND usr = $2";
const READ_THREADS: &str = "DELETE FROM unread_threads WHERE room = $1 AND usr = $2";
const UNREAD: &str = "UPDATE members SET opened = TRUE, closed_seq = NULL, marked = TRUE, ls = $3,
        read_seq = (SELECT r.seq - 1 FROM rooms r WHERE r.id = $1),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $1)
    WHERE room = $1 AND usr = $2";

/// All of a room is read; its threads too, if `threads`.
pub(crate) async fn read(
    store: &Store,
    room: &RoomId,
    user: &UserId,
    threads: bool,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    clock::take(&mut change, room, now);
    change.expect(1, Error::NotSubscribed, READ, [room.into(), user.into()]);
    if threads {
        change.run(READ_THREADS, [room.into(), user.into()]);
    }
    changed(&mut change, room, user, now);
    store.write(change).await.map(drop)
}

/// A room is unread again from the message after `seen`.
pub(crate) async fn unread(
    store: &Store,
    room: &RoomId,
    user: &UserId,
    seen: Ms,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    clock::take(&mut change, room, now);
    let args = [room.into(), user.into(), seen.into()];
    change.expect(1, Error::NotSubscribed, UNREAD, args);
    changed(&mut change, room, user, now);
    store.write(change).await.map(drop)
}

fn changed(change: &mut Change, room: &RoomId, user: &UserId, now: Ms) {
    let (room, user) = (room.as_str(), user.as_str());
    events::add(change, now, Kind::MemberChanged, Some(room), Some(user), room);
}
