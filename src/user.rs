//! Accounts from the shell: for the operator, who needs no token. What a script wants goes to stdout and
//! nothing else does: ids, and a password that was made here.

use crate::Failure;
use crate::config::StoreConfig;
use crate::operator::{Operator, ask, other, plain, secret_from_stdin};
use clap::{ArgGroup, Args, Subcommand};
use parlance_core::command::{self, Account, Answer, Request, Secret};
use parlance_core::id::Chance;
use parlance_core::time::iso;
use std::process::ExitCode;

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account; prints its id, and the password if it was made here
    Create(CreateArgs),
    /// List the accounts
    List(ListArgs),
    /// Give an account another password, which ends its sessions; prints one that was made here
    ResetPassword(ResetArgs),
    /// End every session of an account
    RevokeSessions(Named),
    /// Let an account log in and write again
    Activate(Named),
    /// Switch an account off: its sessions end, and it cannot log in or write
    Deactivate(Named),
    /// Give an account these roles instead of those it has
    SetRole(RoleArgs),
}

/// An account that is there.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Its username, or its id
    user: String,
}

/// Where a password comes from.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("password").args(["password_stdin", "generate"])))]
pub(crate) struct PasswordArgs {
    /// Read the password from standard input, up to the end of its first line
    #[arg(long)]
    password_stdin: bool,
    /// Make a password and print it
    #[arg(long)]
    generate: bool,
}

impl PasswordArgs {
    /// The password, if one is wanted.
    fn read(&self) -> Result<Option<Secret>, Failure> {
        if self.generate {
            return Ok(Some(Secret(Chance::default().token())));
        }
        self.password_stdin.then(|| secret_from_stdin("password")).transpose()
    }
}

/// An account to be made.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The username
    #[arg(long)]
    username: String,
    /// An e-mail address; counts as proved
    #[arg(long)]
    email: Option<String>,
    /// The name others see; the username if it is not given
    #[arg(long)]
    name: Option<String>,
    /// A role, as often as needed: admin, user, bot, … [default: user]
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A chosen id, of an account that moves here; a fresh one if it is not given
    #[arg(long)]
    id: Option<String>,
    /// Change the account if it is there already instead of failing: the one of `--id` if that is
    /// given, else the one of the username. What is not given stays as it is
    #[arg(long)]
    upsert: bool,
    #[command(flatten)]
    password: PasswordArgs,
}

/// How to list accounts.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only accounts with this role
    #[arg(long)]
    role: Option<String>,
    /// Only accounts that are switched off
    #[arg(long)]
    inactive: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Whose password.
#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Whose roles.
#[derive(Debug, Args)]
pub(crate) struct RoleArgs {
    #[command(flatten)]
    named: Named,
    /// The roles: admin, user, bot, …
    #[arg(required = true, value_name = "ROLE")]
    roles: Vec<String>,
}

/// Runs the command.
pub(crate) async fn run(store: &StoreConfig, command: UserCommand) -> Result<ExitCode, Failure> {
    match command {
        UserCommand::Create(args) => create(store, args).await,
        UserCommand::List(args) => list(store, &args).await,
        UserCommand::ResetPassword(args) => {
            let password = args.password.read()?;
            let password = password.ok_or("--password-stdin or --generate is needed")?;
            let made = args.password.generate.then(|| password.0.clone());
            let request = Request::ResetPassword { user: args.named.user, password };
            ask(store, false, request).await?;
            if let Some(made) = made {
                println!("{made}");
            }
            Ok(ExitCode::SUCCESS)
        }
        UserCommand::RevokeSessions(Named { user }) => {
            let answer = ask(store, false, Request::RevokeSessions { user }).await?;
            let Answer::Revoked { user, sessions } = answer else { return Err(other()) };
            println!("{}: {sessions} sessions ended", handle(&user));
            Ok(ExitCode::SUCCESS)
        }
        UserCommand::Activate(Named { user }) => {
            changed(store, Request::SetActive { user, active: true }).await
        }
        UserCommand::Deactivate(Named { user }) => {
            changed(store, Request::SetActive { user, active: false }).await
        }
        UserCommand::SetRole(RoleArgs { named: Named { user }, roles }) => {
            changed(store, Request::SetRoles { user, roles }).await
        }
    }
}

async fn create(store: &StoreConfig, args: CreateArgs) -> Result<ExitCode, Failure> {
    let password = args.password.read()?;
    if !args.upsert && password.is_none() {
        return Err("an account needs --password-stdin or --generate".to_owned());
    }
    let made = password.as_ref().filter(|_| args.password.generate).map(|one| one.0.clone());
    let new = command::CreateUser {
        username: args.username,
        email: args.email,
        name: args.name,
        roles: args.roles,
        id: args.id,
        upsert: args.upsert,
        password,
    };
    let answer = ask(store, true, Request::CreateUser(new)).await?;
    let Answer::User(user) = answer else { return Err(other()) };
    println!("{}", plain(&user.id));
    if let Some(made) = made {
        println!("{made}");
    }
    Ok(ExitCode::SUCCESS)
}

/// A change after which the account is told as it is.
async fn changed(store: &StoreConfig, request: Request) -> Result<ExitCode, Failure> {
    let Answer::User(user) = ask(store, false, request).await? else { return Err(other()) };
    let state = if user.active { "active" } else { "switched off" };
    println!("{}: {state}, {}", handle(&user), plain(&user.roles.join(" ")));
    Ok(ExitCode::SUCCESS)
}

async fn list(store: &StoreConfig, args: &ListArgs) -> Result<ExitCode, Failure> {
    let mut operator = Operator::find(store, false).await?;
    let mut after = None;
    if !args.json {
        line(&["ID", "USERNAME", "ROLES", "STATE", "LAST LOGIN", "NAME"]);
    }
    loop {
        let answer = operator.ask(Request::ListUsers { after }).await;
        let Ok(Answer::Users { users, next }) = answer else {
            operator.close().await;
            return answer.and(Err(other()));
        };
        let role =
            |user: &&Account| args.role.as_ref().is_none_or(|role| user.roles.contains(role));
        for user in users.iter().filter(role).filter(|user| !args.inactive || !user.active) {
            print(user, args.json)?;
        }
        if next.is_none() {
            break;
        }
        after = next;
    }
    operator.close().await;
    Ok(ExitCode::SUCCESS)
}

fn print(user: &Account, json: bool) -> Result<(), Failure> {
    if json {
        println!("{}", serde_json::to_string(user).map_err(|error| error.to_string())?);
        return Ok(());
    }
    let state = if user.active { "active" } else { "off" };
    let seen = user.last_login.map_or_else(|| "never".to_owned(), iso);
    let name = user.name.as_deref().unwrap_or("");
    line(&[&user.id, handle(user).as_str(), &user.roles.join(" "), state, &seen, name]);
    Ok(())
}

/// One line of the list; a name that is too long shifts the rest.
fn line(cells: &[&str; 6]) {
    let [id, username, roles, state, seen, name] = cells.map(plain);
    println!("{id:24}  {username:20}  {roles:12}  {state:6}  {seen:24}  {name}");
}

fn handle(user: &Account) -> String {
    plain(user.username.as_deref().unwrap_or(&user.id))
}
