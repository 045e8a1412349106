//! The first administrator: the operator's `ADMIN_*`, or `admin` with a password made here, told
//! once in the log and kept in a file that only the operator reads. An account that exists is never
//! touched, and the first visitor is never administrator (ruling B15).

use crate::Failure;
use crate::config::{secret, variable};
use parlance_core::account::{Authority, NewUser};
use parlance_core::id::Chance;
use parlance_core::login::Password;
use parlance_core::{Core, Error};
use std::io::Write as _;
use std::path::Path;

/// Makes the administrator that the environment describes, or one if there is none at all.
pub(crate) async fn ensure(core: &Core, data_dir: &Path) -> Result<(), Failure> {
    let fault = |error: Error| error.to_string();
    let username = variable("ADMIN_USERNAME").unwrap_or_else(|| "admin".to_owned());
    let password = secret("ADMIN_PASS")?;
    if let Some(password) = &password {
        match core.user_named(&username).await {
            Ok(_) => {}
            Err(Error::NoUser) => return given(core, &username, password).await,
            Err(other) => return Err(fault(other)),
        }
    }
    if core.has_admin().await.map_err(fault)? {
        return Ok(());
    }
    generated(core, &username, data_dir).await
}

/// The account of this name, with what the environment says of it.
fn account(username: &str, password: &str) -> Result<NewUser, Error> {
    Ok(NewUser {
        username: username.to_owned(),
        name: variable("ADMIN_NAME").unwrap_or_default(),
        email: variable("ADMIN_EMAIL").map(|address| (address, true)),
        password: Some(Password::plain(password)?),
        roles: vec!["admin".to_owned(), "user".to_owned()],
        ..NewUser::default()
    })
}

async fn given(core: &Core, username: &str, password: &str) -> Result<(), Failure> {
    let new = account(username, password).map_err(|error| format!("ADMIN_PASS: {error}"))?;
    match core.create_user(Authority::Operator, new).await {
        Ok(user) => {
            tracing::info!(id = %user.id, username, "the administrator was made");
            Ok(())
        }
        Err(Error::UsernameTaken(_)) => Ok(()), // another node was faster
        // The account may have been renamed: that is no reason not to start.
        Err(error) if core.has_admin().await.unwrap_or(false) => {
            tracing::warn!(%error, username, "the administrator of ADMIN_USERNAME was not made");
            Ok(())
        }
        Err(error) => Err(format!("the administrator of ADMIN_USERNAME: {error}")),
    }
}

async fn generated(core: &Core, username: &str, data_dir: &Path) -> Result<(), Failure> {
    let password = Chance::default().token();
    let path = data_dir.join("initial-admin-password");
    // The file first: a password that was set and then lost would lock everybody out.
    keep(&path, &password).map_err(|error| format!("{}: {error}", path.display()))?;
    let new = account(username, &password).map_err(|error| error.to_string())?;
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
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    writeln!(file, "{password}")?;
    file.sync_all()
}
