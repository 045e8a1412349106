//! Server settings from the shell. A setting that is a secret is never shown, and its value comes from
//! standard input.

use crate::Failure;
use crate::config::StoreConfig;
use crate::operator::{ask, other, plain, secret_from_stdin};
use clap::{Args, Subcommand};
use parlance_core::command::{Answer, Request, Secret, SettingLine};
use parlance_core::setting::{Known, known};
use serde_json::Value;
use std::process::ExitCode;

/// What can be done with settings.
#[derive(Debug, Subcommand)]
pub(crate) enum SettingCommand {
    /// Print what a setting holds
    Get {
        /// Its id, for instance `Site_Name`
        id: String,
    },
    /// Change a setting; counts at once, on every node
    Set(SetArgs),
    /// List the settings and what they hold
    List(ListArgs),
}

/// A setting and its value.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// Its id
    id: String,
    /// The value: text, a whole number, `true` or `false`, a list of texts as JSON. Read from standard
    /// input if it is not given, as the value of a setting that is a secret must be
    #[arg(allow_hyphen_values = true)]
    value: Option<String>,
}

/// How to list settings.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only settings that somebody gave a value
    #[arg(long)]
    changed: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(store: &StoreConfig, command: SettingCommand) -> Result<ExitCode, Failure> {
    match command {
        SettingCommand::Get { id } => {
            for setting in settings(store, false, Request::GetSetting { id }).await? {
                println!("{}", shown(&setting, true));
            }
        }
        SettingCommand::Set(SetArgs { id, value }) => {
            if value.is_some() && known(&id).is_some_and(Known::is_secret) {
                return Err(format!("{id} is a secret: give it on standard input"));
            }
            let value = match value {
                Some(value) => Secret(value),
                None => secret_from_stdin("value")?,
            };
            for setting in settings(store, true, Request::SetSetting { id, value }).await? {
                println!("{} = {}", setting.id, shown(&setting, false));
            }
        }
        SettingCommand::List(args) => {
            let all = settings(store, false, Request::ListSettings).await?;
            for setting in all.iter().filter(|setting| setting.changed || !args.changed) {
                if args.json {
                    let line = serde_json::to_string(setting).map_err(|error| error.to_string())?;
                    println!("{line}");
                } else {
                    println!("{} = {}", setting.id, shown(setting, false));
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn settings(
    store: &StoreConfig,
    founding: bool,
    request: Request,
) -> Result<Vec<SettingLine>, Failure> {
    match ask(store, founding, request).await? {
        Answer::Settings(all) => Ok(all),
        _ => Err(other()),
    }
}

/// The value; a text alone stands as it is, among others in quotes.
fn shown(setting: &SettingLine, alone: bool) -> String {
    match &setting.value {
        None => "(hidden)".to_owned(),
        Some(Value::String(text)) if alone => plain(text),
        Some(value) => value.to_string(),
    }
}
