//! Fields of an account that the operator defines (`Accounts_CustomFields`): JSON by name, with `type`
//! (`text` or `select`), `required`, `minLength`, `maxLength`, `options`, `defaultValue` and `public`. What
//! is not defined is not stored; what is not public is seen by its owner and administrators only.

use crate::error::{CustomField, Error, Result};
use crate::setting::{self, Settings};
use serde_json::{Map, Value};

/// Characters of one value, whatever the definition says.
const MAX_VALUE: u64 = 1024;

/// The definitions in this text, by name; `None` if it is not a JSON object of objects.
pub(crate) fn definitions(text: &str) -> Option<Map<String, Value>> {
    if text.trim().is_empty() {
        return Some(Map::new());
    }
    let all: Map<String, Value> = serde_json::from_str(text).ok()?;
    all.values().all(Value::is_object).then_some(all)
}

/// What an account keeps of these values, if they are all that is defined and required.
pub(crate) fn checked(
    settings: &Settings,
    values: &Map<String, Value>,
) -> Result<Map<String, Value>> {
    let all = definitions(settings.text(&setting::ACCOUNT_FIELDS)).unwrap_or_default();
    let mut kept = Map::new();
    for (name, field) in &all {
        let refuse = |why: fn(String) -> CustomField| Err(Error::BadCustomField(why(name.clone())));
        let value = match values.get(name) {
            None | Some(Value::Null) => {
                field.get("defaultValue").and_then(Value::as_str).unwrap_or("")
            }
            Some(Value::String(text)) => text.as_str(),
            Some(_) => return refuse(CustomField::Invalid),
        };
        let value = value.trim();
        if value.is_empty() {
            if field.get("required").and_then(Value::as_bool) == Some(true) {
                return refuse(CustomField::Required);
            }
            continue;
        }
        let options = field.get("options").and_then(Value::as_array);
        if field.get("type").and_then(Value::as_str) == Some("select")
            && !options.is_some_and(|all| all.iter().any(|one| one == value))
        {
            return refuse(CustomField::Invalid);
        }
        let length = u64::try_from(value.encode_utf16().count()).unwrap_or(u64::MAX);
        let bound = |name: &str| field.get(name).and_then(Value::as_u64);
        let most = bound("maxLength").unwrap_or(MAX_VALUE).min(MAX_VALUE);
        if length > most {
            return Err(Error::BadCustomField(CustomField::TooLong(name.clone(), most)));
        }
        if let Some(least) = bound("minLength").filter(|least| length < *least) {
            return Err(Error::BadCustomField(CustomField::TooShort(name.clone(), least)));
        }
        kept.insert(name.clone(), value.into());
    }
    Ok(kept)
}

impl Settings {
    /// The fields of accounts that everybody may see.
    pub fn public_account_fields(&self) -> Vec<String> {
        let all = definitions(self.text(&setting::ACCOUNT_FIELDS)).unwrap_or_default();
        let public = |field: &Value| field.get("public").and_then(Value::as_bool) == Some(true);
        all.into_iter().filter(|(_, field)| public(field)).map(|(name, _)| name).collect()
    }

    /// Are there fields of accounts at all?
    pub fn has_account_fields(&self) -> bool {
        !self.text(&setting::ACCOUNT_FIELDS).trim().is_empty()
    }
}
