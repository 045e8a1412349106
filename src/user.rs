//! Accounts from the shell, against the same data: for the operator, who needs no token. What a
//! script wants goes to stdout and nothing else does: the id, and a password that was made here.

use crate::Failure;
use crate::config::StoreConfig;
use clap::{ArgGroup, Args, Subcommand};
use parlance_core::account::{Authority, NewUser};
use parlance_core::id::Chance;
use parlance_core::login::{MAX_PASSWORD, Password};
use parlance_core::{Core, Error};
use std::io::Read as _;
use std::process::ExitCode;

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account; prints its id, and the password if it was made here.
    Create(CreateArgs),
}

/// An account to be made.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("password").args(["password_stdin", "generate"])))]
pub(crate) struct CreateArgs {
    /// The username.
    #[arg(long)]
    username: String,
    /// An e-mail address; counts as proved.
    #[arg(long)]
    email: Option<String>,
    /// The name others see; the username if it is not given.
    #[arg(long)]
    name: Option<String>,
    /// A role, as often as needed: admin, user, bot, … [default: user].
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A chosen id, of an account that moves here; a fresh one if it is not given.
    #[arg(long)]
    id: Option<String>,
    /// Change the account if it is there already instead of failing: the one of `--id` if that is
    /// given, else the one of the username. What is not given stays as it is.
    #[arg(long)]
    upsert: bool,
    /// Read the password from standard input, up to the end of its first line.
    #[arg(long)]
    password_stdin: bool,
    /// Make a password and print it.
    #[arg(long)]
    generate: bool,
}

/// Runs the command.
pub(crate) async fn run(store: &StoreConfig, command: UserCommand) -> Result<ExitCode, Failure> {
    let UserCommand::Create(args) = command;
    if !args.upsert && !args.password_stdin && !args.generate {
        return Err("an account needs --password-stdin or --generate".to_owned());
    }
    let made = args.generate.then(|| Chance::default().token());
    let password = match &made {
        Some(made) => Some(made.clone()),
        None if args.password_stdin => Some(from_stdin()?),
        None => None,
    };
    let core = store.open().await?;
    let made_id = create(&core, args, password.as_deref()).await;
    core.close().await;
    let id = made_id?;
    println!("{id}");
    if let Some(made) = made {
        println!("{made}");
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(core: &Core, args: CreateArgs, password: Option<&str>) -> Result<String, Failure> {
    let password = password.map(Password::plain).transpose().map_err(|e| e.to_string())?;
    let new = NewUser {
        id: args.id,
        username: args.username,
        name: args.name.unwrap_or_default(),
        email: args.email.map(|address| (address, true)),
        password,
        roles: args.roles,
        ..NewUser::default()
    };
    let done = if args.upsert {
        core.upsert_user(new).await
    } else {
        core.create_user(Authority::Operator, new).await
    };
    let user = done.map_err(|error| match error {
        Error::NoRole(role) => format!("there is no role {role}"),
        Error::UsernameTaken(name) => format!("the username {name} is taken"),
        Error::EmailTaken(address) => format!("the e-mail address {address} is taken"),
        Error::BadUsername(name) => format!("{name} is not a usable username"),
        Error::BadId => "the id is taken, or cannot be used".to_owned(),
        other => other.to_string(),
    })?;
    Ok(user.id.to_string())
}

/// The first line of standard input, without its end.
fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let most = MAX_PASSWORD as u64 + 2;
    let read = std::io::stdin().lock().take(most).read_to_string(&mut text);
    read.map_err(|error| format!("standard input: {error}"))?;
    let line = text.split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err("there is no password on standard input".to_owned());
    }
    Ok(line.to_owned())
}
