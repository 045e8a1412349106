//! Methods about what proves who somebody is (contract sections 8.2, 8.4 and 11.6): an authenticator program
//! and its recovery codes, and personal access tokens. A secret is in the result that makes it and in no
//! other, so those results are not kept for retries (`secret` in the table).

use super::Outcome;
use super::ask::Ask;
use crate::error::Failure;
use crate::tokens;
use serde_json::{Map, Value, json};

/// `2fa:enable`: begins an enrolment.
pub(super) async fn begin(ask: Ask) -> Outcome {
    let begun = ask.core().totp_begin(ask.caller()?).await?;
    Ok(json!({"secret": begun.secret, "url": begun.url}).to_string())
}

/// `2fa:validateTempToken [code]`: ends it; the recovery codes.
pub(super) async fn finish(ask: Ask) -> Outcome {
    let codes = ask.core().totp_finish(ask.caller()?, ask.text(0)?).await?;
    Ok(json!({ "codes": codes }).to_string())
}

/// `2fa:disable [code]`
pub(super) async fn end(ask: Ask) -> Outcome {
    ask.core().totp_end(ask.caller()?, ask.text(0)?).await?;
    Ok("true".to_owned())
}

/// `2fa:regenerateCodes [code]`
pub(super) async fn renew_codes(ask: Ask) -> Outcome {
    let codes = ask.core().totp_renew_codes(ask.caller()?, ask.text(0)?).await?;
    Ok(json!({ "codes": codes }).to_string())
}

/// `2fa:checkCodesRemaining`
pub(super) async fn codes_left(ask: Ask) -> Outcome {
    let left = ask.core().totp_codes_left(ask.caller()?).await?;
    Ok(json!({ "remaining": left }).to_string())
}

/// `personalAccessTokens:generateToken [{tokenName, bypassTwoFactor?}]`: the token.
pub(super) async fn generate_token(ask: Ask) -> Outcome {
    Ok(quoted(&tokens::generated(&as_route(ask)?).await?))
}

/// `personalAccessTokens:regenerateToken [{tokenName}]`: the token.
pub(super) async fn regenerate_token(ask: Ask) -> Outcome {
    Ok(quoted(&tokens::regenerated(&as_route(ask)?).await?))
}

/// `personalAccessTokens:removeToken [{tokenName}]`
pub(super) async fn remove_token(ask: Ask) -> Outcome {
    tokens::remove(as_route(ask)?).await?;
    Ok(String::new())
}

/// The call as the route gets it: the one argument is its body.
fn as_route(ask: Ask) -> Result<crate::call::Call, Failure> {
    let body = ask.object(0)?.clone();
    Ok(ask.into_call(Map::new(), body))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
