//! What an existing Rocket.Chat deployment says in its environment and nothing of ours does: whether
//! tokens may be made for users, and how many sessions one may have.

use crate::Failure;
use parlance_core::Options;
use parlance_core::login::CreateTokens;
use std::path::Path;

/// Takes it over.
pub(super) fn options(options: &mut Options) -> Result<(), Failure> {
    let on = variable("CREATE_TOKENS_FOR_USERS")
        .is_some_and(|text| ["true", "yes"].iter().any(|yes| text.eq_ignore_ascii_case(yes)));
    if on {
        options.create_tokens = CreateTokens::On(secret("CREATE_TOKENS_FOR_USERS_SECRET")?);
    }
    if let Some(most) = variable("MAX_RESUME_LOGIN_TOKENS") {
        let most = most.parse().ok().filter(|most| (1..=10_000).contains(most));
        options.most_tokens = most.ok_or("MAX_RESUME_LOGIN_TOKENS is not a number from 1")?;
    }
    Ok(())
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A secret from the variable of this name, or from the file that `<name>_FILE` names.
fn secret(name: &str) -> Result<Option<String>, Failure> {
    match (variable(name), variable(&format!("{name}_FILE"))) {
        (Some(value), _) => Ok(Some(value)),
        (None, Some(path)) => super::secret_file(Path::new(&path)).map(Some),
        (None, None) => Ok(None),
    }
}
