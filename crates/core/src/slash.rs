//! Slash commands that make sense in a conversation: one table, for every transport. A command is a
//! shorter way to make another call, so each goes through that call's own function, with its rights and
//! its refusals.

use crate::Core;
use crate::access::Access;
use crate::account::fold;
use crate::alter::Alteration;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::open::member_key;
use crate::send::NewMessage;
use crate::store::rooms;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Its name, without the slash.
    pub name: &'static str,
    /// What stands behind it, as clients name it in their own languages.
    pub params: &'static str,
    /// What it does, likewise.
    pub description: &'static str,
    does: Does,
}

/// What a command does.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// Sends this and the text.
    Before(&'static str),
    /// Sends the text and this.
    Behind(&'static str),
    /// Sends the text as what the caller does.
    Act,
    /// Sends to somebody else.
    Tell,
    /// Hides a conversation.
    Hide,
    /// Says what the caller is doing.
    Status,
    /// Sets the topic.
    Topic,
}

const fn command(
    name: &'static str,
    params: &'static str,
    description: &'static str,
    does: Does,
) -> Command {
    Command { name, params, description, does }
}

const OPTIONAL: &str = "your_message_optional";
/// The second backslash keeps the arm: a single one before an underscore is eaten.
const SHRUG: &str = r"¯\\_(ツ)_/¯";

/// Every command, by name.
pub const COMMANDS: &[Command] = &[
    command("gimme", OPTIONAL, "Slash_Gimme_Description", Does::Before("༼ つ ◕_◕ ༽つ")),
    command("hide", "#room", "Hide_room", Does::Hide),
    command("lennyface", OPTIONAL, "Slash_LennyFace_Description", Does::Behind("( ͡° ͜ʖ ͡°)")),
    command("me", "your_message", "Displays_action_text", Does::Act),
    command("msg", "@username <message>", "Direct_message_someone", Does::Tell),
    command("shrug", OPTIONAL, "Slash_Shrug_Description", Does::Behind(SHRUG)),
    command("status", "Slash_Status_Params", "Slash_Status_Description", Does::Status),
    command("tableflip", OPTIONAL, "Slash_Tableflip_Description", Does::Behind("(╯°□°）╯︵ ┻━┻")),
    command("topic", "Slash_Topic_Params", "Slash_Topic_Description", Does::Topic),
    command("unflip", OPTIONAL, "Slash_TableUnflip_Description", Does::Behind("┬─┬ ノ( ゜-゜ノ)")),
];

impl Command {
    /// The command of this name, in any case.
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = fold(name);
        COMMANDS.iter().find(|command| command.name == name)
    }
}

impl Does {
    /// The message that goes to the room; `None` where there is none.
    fn message(self, text: &str) -> Option<String> {
        match self {
            Self::Before(face) => Some(format!("{face} {text}").trim_end().to_owned()),
            Self::Behind(face) => Some(format!("{text} {face}").trim_start().to_owned()),
            Self::Act => (!text.is_empty()).then(|| format!("_{text}_")),
            Self::Tell | Self::Hide | Self::Status | Self::Topic => None,
        }
    }
}

/// What somebody wrote behind a command.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The text.
    pub params: String,
    /// The message that is answered: what the command sends here goes into its thread.
    pub thread: Option<String>,
    /// The client's own id for what the command sends here; `None` for one made here.
    pub id: Option<String>,
}

impl Core {
    /// Runs a command in a room, as the caller would make the call that it stands for. The answer is
    /// the message that was sent, if one was.
    pub async fn run_command(
        &self,
        caller: &Caller,
        access: &Access,
        command: &Command,
        given: Given,
    ) -> Result<Option<Message>> {
        let params = given.params.trim();
        match command.does {
            Does::Before(_) | Does::Behind(_) | Does::Act => {
                let Some(text) = command.does.message(params) else {
                    return Ok(None);
                };
                let (id, thread) = (given.id, given.thread);
                let new = NewMessage { id, thread, ..NewMessage::text(text) };
                return Ok(Some(self.send(caller, access, new).await?.message));
            }
            Does::Tell => return self.tell(caller, params).await.map(Some),
            Does::Hide => self.hide(caller, access, params).await?,
            Does::Status => self.set_status(caller, caller.id(), None, Some(params)).await?,
            Does::Topic => {
                let wanted = Alteration { topic: Some(params), ..Alteration::default() };
                self.alter_room(caller, access, wanted).await?;
            }
        }
        Ok(None)
    }

    /// `@user text`: opens the conversation and writes there.
    async fn tell(&self, caller: &Caller, params: &str) -> Result<Message> {
        let named = params.split_once(char::is_whitespace);
        let (name, text) = named.ok_or(Error::Bad("params"))?;
        let new = NewMessage::text(text.trim_start());
        // Nothing is opened for a text that is not sent.
        self.check_text(&new)?;
        let room = self.open_direct(caller, &[name], false).await?.room;
        let access = self.access(caller, room.id.as_str()).await?;
        Ok(self.send(caller, &access, new).await?.message)
    }

    /// The room itself, or the conversation with `@user`: [`Error::NoRoom`] if there is none.
    async fn hide(&self, caller: &Caller, access: &Access, params: &str) -> Result<()> {
        let hidden = if params.is_empty() {
            self.close_room(caller, access).await
        } else {
            let other = self.user_named(params.trim_start_matches('@')).await?;
            let key = member_key(&[caller.id().as_str(), other.id.as_str()]);
            let found = rooms::by_members(self.store(), &key, caller.id()).await?;
            let room = found.ok_or(Error::NoRoom)?.room.id;
            let access = self.access(caller, room.as_str()).await?;
            self.close_room(caller, &access).await
        };
        match hidden {
            // What is hidden already is as it was asked to be.
            Err(Error::AlreadyClosed) => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, Command};
    use parlance_text::ast::{Block, Inline};
    use parlance_text::{Options, parse};

    #[test]
    fn the_table_is_in_order_and_found_in_any_case() {
        assert!(COMMANDS.is_sorted_by_key(|command| command.name));
        assert_eq!(Command::named("ShRug").map(|command| command.name), Some("shrug"));
        assert!(Command::named("/shrug").is_none() && Command::named("").is_none());
    }

    /// What a client shows of a command's message, where it is all plain text.
    fn shown(name: &str, text: &str) -> Option<String> {
        let message = Command::named(name)?.does.message(text)?;
        match &parse(&message, &Options::default()).md[..] {
            [Block::Paragraph(line)] => match &line[..] {
                [Inline::Plain(text)] => Some(text.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    #[test]
    fn faces_are_shown_with_all_their_limbs() {
        for (name, alone, after) in [
            ("shrug", r"¯\_(ツ)_/¯", r"so ¯\_(ツ)_/¯"),
            ("tableflip", "(╯°□°）╯︵ ┻━┻", "so (╯°□°）╯︵ ┻━┻"),
            ("unflip", "┬─┬ ノ( ゜-゜ノ)", "so ┬─┬ ノ( ゜-゜ノ)"),
            ("lennyface", "( ͡° ͜ʖ ͡°)", "so ( ͡° ͜ʖ ͡°)"),
            ("gimme", "༼ つ ◕_◕ ༽つ", "༼ つ ◕_◕ ༽つ so"),
        ] {
            assert_eq!(shown(name, "").as_deref(), Some(alone));
            assert_eq!(shown(name, "so").as_deref(), Some(after));
        }
    }
}
