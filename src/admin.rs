//! The first administrator: the operator's `ADMIN_*`, or `admin` with a password made here, told
//! once in the log and kept in a file that only the operator reads. An account that exists is never
//! touched, and the first visitor is never administrator (ruling B15).

use crate::Failure;
use crate::config::AdminConfig;
use crate::config::command::write_private;
use crate::config::source::Sources;
use parlance_core::account::{Authority, NewUser};
use parlance_core::id::Chance;
use parlance_core::login::Password;
use parlance_core::{Core, Error};
use std::path::Path;

/// Makes the administrator that the configuration describes, or one if there is none at all.
pub(crate) async fn ensure(
    core: &Core,
    config: &AdminConfig,
    sources: &Sources,
    data_dir: &Path,
) -> Result<(), Failure> {
    let fault = |error: Error| error.to_string();
    let password = config.password(sources)?;
    if let Some(password) = &password {
        match core.user_named(&config.username).await {
            Ok(_) => {}
            Err(Error::NoUser) => return given(core, config, password).await,
            Err(other) => return Err(fault(other)),
        }
    }
    if core.has_admin().await.map_err(fault)? {
        return Ok(());
    }
    generated(core, config, data_dir).await
}

/// The account, with what the configuration says of it.
fn account(config: &AdminConfig, password: &str) -> Result<NewUser, Error> {
    Ok(NewUser {
        username: config.username.clone(),
        name: config.name.clone().unwrap_or_default(),
        email: config.email.clone().map(|address| (address, true)),
        password: Some(Password::plain(password)?),
        roles: vec!["admin".to_owned(), "user".to_owned()],
        ..NewUser::default()
    })
}

async fn given(core: &Core, config: &AdminConfig, password: &str) -> Result<(), Failure> {
    let username = &config.username;
    let fault = |error| format!("the administrator's password: {error}");
    let new = account(config, password).map_err(fault)?;
    match core.create_user(Authority::Operator, new).await {
        Ok(user) => {
            tracing::info!(id = %user.id, username, "the administrator was made");
            Ok(())
        }
        Err(Error::UsernameTaken(_)) => Ok(()), // another node was faster
        // The account may have been renamed: that is no reason not to start.
        Err(error) if core.has_admin().await.unwrap_or(false) => {
            tracing::warn!(%error, username, "the first administrator was not made");
            Ok(())
        }
        Err(error) => Err(format!("the first administrator {username}: {error}")),
    }
}

async fn generated(core: &Core, config: &AdminConfig, data_dir: &Path) -> Result<(), Failure> {
    let username = &config.username;
    let password = Chance::default().token();
    let path = data_dir.join("initial-admin-password");
    // The file first: a password that was set and then lost would lock everybody out.
    keep(&path, &password).map_err(|error| format!("{}: {error}", path.display()))?;
    let new = account(config, &password).map_err(|error| error.to_string())?;
    match core.create_user(Authority::Operator, new).await {
        Ok(_) => {
            tracing::warn!(
                target: "parlance::told",
                "there was no administrator: log in as {username} with the password {password} \
                 (also in {}) and change it",
                path.display()
            );
            Ok(())
        }
        Err(error) => {
            let _ = std::fs::remove_file(&path);
            let hint = "make one with `parlance user create --role admin`";
            match error {
                Error::UsernameTaken(_) | Error::EmailTaken(_) => {
                    tracing::warn!(%error, username, "there is no administrator: {hint}");
                    Ok(())
                }
                other => Err(format!("the first administrator {username}: {other}; {hint}")),
            }
        }
    }
}

/// Writes a file that nobody else can read; one that is left from before is replaced.
fn keep(path: &Path, password: &str) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        parlance_core::make_private(dir)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write_private(path, &format!("{password}\n"))
}
