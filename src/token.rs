//! Login tokens from the shell, for scripts and bots: what a login gives, without the password.

use crate::Failure;
use crate::config::StoreConfig;
use crate::operator::{ask, other, plain};
use clap::{Args, Subcommand};
use parlance_core::command::{Answer, Request};
use std::process::ExitCode;

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Begin a session for an account; prints the account's id and the token, which is shown only now
    Create(CreateArgs),
}

/// Whose token.
#[derive(Debug, Args)]
#[command(after_help = "\
The two lines are what the headers X-User-Id and X-Auth-Token want; the token alone is a bearer
token for MeepaChat's API. It ends as a login does (setting Accounts_LoginExpiration), and with
`parlance user revoke-sessions`.")]
pub(crate) struct CreateArgs {
    /// Its username, or its id
    user: String,
}

/// Runs the command.
pub(crate) async fn run(store: &StoreConfig, command: TokenCommand) -> Result<ExitCode, Failure> {
    let TokenCommand::Create(CreateArgs { user }) = command;
    let answer = ask(store, false, Request::CreateToken { user }).await?;
    let Answer::Token { user, token, .. } = answer else { return Err(other()) };
    println!("{}", plain(&user.id));
    println!("{}", token.0);
    Ok(ExitCode::SUCCESS)
}
