//! Parameter schemas of the routes that have one, and the texts that the original's validator (Ajv)
//! gives (contract section 3.2): a branch reports its first failure in the order required,
//! additional, types; a choice reports every branch's and its own.

use serde_json::{Map, Value};

/// What a parameter may be, after the validator's coercion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    /// A number that is not negative.
    Count,
    Flag,
    /// An array of texts.
    List,
    /// An object, whatever is in it.
    Object,
    /// One of these texts.
    Word(&'static [&'static str]),
}

/// One form that an object may have.
pub(crate) struct Form {
    pub(crate) required: &'static [&'static str],
    pub(crate) allowed: &'static [(&'static str, Kind)],
}

const SEPARATOR: &str = "\n ";

/// Exactly one of the forms must fit.
pub(crate) fn one_of(forms: &[Form], params: &Map<String, Value>) -> Result<(), String> {
    let failures: Vec<String> = forms.iter().filter_map(|form| check(form, params).err()).collect();
    if forms.len() - failures.len() == 1 {
        return Ok(());
    }
    let mut all = failures;
    all.push("must match exactly one schema in oneOf".to_owned());
    Err(all.join(SEPARATOR))
}

/// One of the forms, or more, must fit.
pub(crate) fn any_of(forms: &[Form], params: &Map<String, Value>) -> Result<(), String> {
    let mut failures = Vec::new();
    for form in forms {
        match check(form, params) {
            Ok(()) => return Ok(()),
            Err(failure) => failures.push(failure),
        }
    }
    failures.push("must match a schema in anyOf".to_owned());
    Err(failures.join(SEPARATOR))
}

/// The form must fit.
pub(crate) fn check(form: &Form, params: &Map<String, Value>) -> Result<(), String> {
    for name in form.required {
        if !params.contains_key(*name) {
            return Err(format!("must have required property '{name}'"));
        }
    }
    let allowed = |name: &String| form.allowed.iter().find(|(known, _)| known == name);
    if params.keys().any(|name| allowed(name).is_none()) {
        return Err("must NOT have additional properties".to_owned());
    }
    for (name, value) in params {
        if let Some((_, kind)) = allowed(name) {
            fits(*kind, value)?;
        }
    }
    Ok(())
}

/// Would the validator take the value, with its coercion?
pub(crate) fn fits(kind: Kind, value: &Value) -> Result<(), String> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if !text.is_empty() => text.parse::<f64>().ok(),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Null => Some(0.0),
        _ => None,
    };
    let taken = match kind {
        Kind::Text => !matches!(value, Value::Array(_) | Value::Object(_)),
        Kind::Count => number.is_some_and(f64::is_finite),
        Kind::Object => value.is_object(),
        Kind::List => value.as_array().is_some_and(|all| all.iter().all(Value::is_string)),
        Kind::Word(words) => {
            if value.as_str().is_none_or(|text| !words.contains(&text)) {
                return Err("must be equal to one of the allowed values".to_owned());
            }
            true
        }
        Kind::Flag => match value {
            Value::Bool(_) | Value::Null => true,
            Value::String(text) => text == "true" || text == "false",
            Value::Number(_) => number == Some(0.0) || number == Some(1.0),
            _ => false,
        },
    };
    if !taken {
        let name = match kind {
            Kind::Text | Kind::Word(_) => "string",
            Kind::Count => "number",
            Kind::Flag => "boolean",
            Kind::List => "array",
            Kind::Object => "object",
        };
        return Err(format!("must be {name}"));
    }
    if kind == Kind::Count && number.is_some_and(|number| number < 0.0) {
        return Err("must be >= 0".to_owned());
    }
    Ok(())
}

/// The value as the validator's coercion makes it a text.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The value as the validator's coercion makes it a flag.
pub(crate) fn flag(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text == "true",
        Some(Value::Number(number)) => number.as_f64() == Some(1.0),
        _ => false,
    }
}
