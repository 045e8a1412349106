//! Rules for passwords and forgotten ones (contract sections 8.4 and 9.4).

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::wire;
use parlance_core::login::Rule;
use serde_json::{Value, json};

/// A rule's name on the wire, without what stands before it, and its number.
fn wire_rule(rule: Rule) -> (&'static str, Option<i64>) {
    match rule {
        Rule::MinLength(n) => ("minLength", Some(n)),
        Rule::MaxLength(n) => ("maxLength", Some(n)),
        Rule::Repeats(n) => ("forbidRepeatingCharactersCount", Some(n)),
        Rule::Lowercase => ("mustContainAtLeastOneLowercase", None),
        Rule::Uppercase => ("mustContainAtLeastOneUppercase", None),
        Rule::Number => ("mustContainAtLeastOneNumber", None),
        Rule::Special => ("mustContainAtLeastOneSpecialCharacter", None),
    }
}

/// `GET pw.getPolicy`.
pub(crate) async fn policy(call: Call) -> Answer {
    let (enabled, rules) = call.core().password_policy();
    let one = |rule: &Rule| {
        let (name, number) = wire_rule(*rule);
        let id = format!("get-password-policy-{name}");
        number.map_or_else(|| json!([id]), |n| json!([id, { name: n }]))
    };
    let mut policy: Vec<Value> = rules.iter().map(one).collect();
    if let Some(at) = rules.iter().position(|rule| matches!(rule, Rule::Repeats(_))) {
        policy.insert(at, json!(["get-password-policy-forbidRepeatingCharacters"]));
    }
    Ok(wire::success(|o| {
        o.flag("enabled", enabled);
        o.raw("policy", &Value::Array(policy).to_string());
    }))
}

/// The `details` of a password that breaks rules.
pub(crate) fn broken(rules: &[Rule]) -> Value {
    let one = |rule: &Rule| {
        let (name, _) = wire_rule(*rule);
        let error = format!("error-password-policy-not-met-{name}");
        json!({"error": error, "message": rule.to_string(), "isMet": false})
    };
    rules.iter().map(one).collect()
}

/// `POST users.forgotPassword`: the same answer for everybody.
pub(crate) async fn forgot(call: Call) -> Answer {
    let email = match call.body.get("email") {
        Some(Value::String(text)) if !text.trim().is_empty() => text.trim(),
        None | Some(Value::Null | Value::String(_)) => {
            return Err(Failure::plain("The 'email' param is required"));
        }
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    call.core().forgot_password(email, &call.edge.options().root_url)?;
    Ok(wire::success(|_| {}))
}
