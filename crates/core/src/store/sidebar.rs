//! What a list of rooms shows beside each: the reader's own membership and the other members' accounts,
//! for just the rooms of the page.

use super::members::{columns as member_columns, read as read_member};
use super::{Read, Store, Value, rooms, users};
use crate::account::User;
use crate::error::Result;
use crate::id::{RoomId, UserId};
use crate::reading::{Counting, Membership, UnreadThread};
use std::collections::HashMap;

/// Rooms asked for by one statement.
const AT_ONCE: usize = 500;

/// A membership and the accounts of the room's other members, in the order of joining.
pub(crate) type Beside = (Membership, Vec<User>);

/// What stands beside each of these rooms of a user's.
pub(crate) async fn beside(
    store: &Store,
    user: &UserId,
    of: &[&RoomId],
    counting: Counting,
) -> Result<HashMap<String, Beside>> {
    let mut all = HashMap::with_capacity(of.len());
    for of in of.chunks(AT_ONCE) {
        let numbers: Vec<String> = (2..of.len() + 2).map(|n| format!("${n}")).collect();
        let numbers = numbers.join(", ");
        let mut args: Vec<Value> = vec![user.into()];
        args.extend(of.iter().map(|room| Value::from(*room)));
        let own = format!(
            concat!(
                "SELECT ",
                rooms::columns!(),
                ", ",
                member_columns!(),
                " FROM members s JOIN rooms r ON r.id = s.room WHERE s.usr = $1 AND s.room IN ({})"
            ),
            numbers
        );
        let threads = format!(
            "SELECT room, thread, named, everyone FROM unread_threads
             WHERE usr = $1 AND room IN ({numbers}) ORDER BY room, thread"
        );
        let others = format!(
            concat!(
                "SELECT p.room, ",
                users::columns!(),
                " FROM members p JOIN users u ON u.id = p.usr
                  WHERE p.usr <> $1 AND p.room IN ({}) ORDER BY p.room, p.place, p.usr"
            ),
            numbers
        );
        let reads = [own, threads, others].map(|sql| Read::new(sql, args.clone()));
        let mut answers = store.read_all(reads.into()).await?.into_iter();
        for mut row in answers.next().unwrap_or_default() {
            let room = rooms::read(&mut row)?;
            let id = room.id.to_string();
            let own = Membership::new(room, read_member(&mut row)?, counting);
            all.insert(id, (own, Vec::new()));
        }
        for mut row in answers.next().unwrap_or_default() {
            let room = row.text()?;
            let thread =
                UnreadThread { root: row.text()?, named: row.bool()?, everyone: row.bool()? };
            if let Some((own, _)) = all.get_mut(&room) {
                own.threads.push(thread);
            }
        }
        for mut row in answers.next().unwrap_or_default() {
            let room = row.text()?;
            let other = users::read(&mut row)?;
            if let Some((_, others)) = all.get_mut(&room) {
                others.push(other);
            }
        }
    }
    Ok(all)
}
