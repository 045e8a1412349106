//! What the operator gave beside the flags: the environment, then the file. Both are read against the
//! list of options that the command line has, so an option is written down once and has one name:
//! `--http-addr`, `PARLANCE_HTTP_ADDR`, `http_addr`. A dot in a key is a table of the file and `__` in
//! the environment.

use crate::Failure;
use parlance_core::setting::distance;
use std::collections::BTreeMap;
use std::path::Path;

/// The environment of a Rocket.Chat deployment, and the keys that it stands for.
const ALIASES: [(&str, &str); 6] = [
    ("ROOT_URL", "root_url"),
    ("ADMIN_USERNAME", "admin.username"),
    ("ADMIN_PASS", "admin.password"),
    ("ADMIN_PASS_FILE", "admin.password_file"),
    ("ADMIN_EMAIL", "admin.email"),
    ("ADMIN_NAME", "admin.name"),
];
/// What may be given by itself or as a file that holds it.
const SECRETS: [&str; 2] = ["database_url", "admin.password"];
/// Where an empty variable says something; elsewhere it is none.
const MAY_BE_EMPTY: &str = "metrics_addr";
/// A known key is named if it is at most this far from an unknown one.
const NEAR: usize = 6;
/// The table of settings.
const SETTINGS: &str = "settings";

/// A value, and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// One text, or those of a list.
    pub(crate) values: Vec<String>,
    /// In words for a person.
    pub(crate) from: String,
    /// Is it from the environment?
    environment: bool,
}

/// A server setting that the operator gave.
#[derive(Debug)]
pub(crate) struct GivenSetting {
    /// Its id.
    pub(crate) id: String,
    /// The value as text.
    pub(crate) value: String,
    /// Its name where it was given.
    pub(crate) from: String,
    /// At every start, or only while nobody gave it a value?
    pub(crate) always: bool,
    /// An unknown one in a file is an error; other programs have variables too.
    pub(crate) in_file: bool,
}

/// Everything that was given.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    given: BTreeMap<String, Given>,
    /// Settings, those of the file first.
    pub(crate) settings: Vec<GivenSetting>,
    /// What is odd, and an error under `--strict`.
    pub(crate) warnings: Vec<String>,
}

impl Sources {
    /// Reads the file, if there is one, and the environment on top of it.
    pub(crate) fn read(
        keys: &[String],
        file: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, Failure> {
        let mut sources = Self::default();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
            sources.take_file(keys, &path.display().to_string(), &text)?;
        }
        sources.take_aliases(environment);
        sources.take_environment(keys, environment);
        sources.choose_secrets();
        Ok(sources)
    }

    /// What was given for this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Given> {
        self.given.get(key)
    }

    /// The one text that was given for this key.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.values.first().map(String::as_str)
    }

    fn take_file(&mut self, keys: &[String], name: &str, text: &str) -> Result<(), Failure> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            // The error's own text shows the line, which may hold a secret.
            let at = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.get(..at).unwrap_or_default().split('\n').count();
            format!("{name}: line {line}: {}", error.message())
        })?;
        for (key, value) in table {
            let toml::Value::Table(inner) = value else {
                self.take_key(keys, name, key, value)?;
                continue;
            };
            for (below, value) in inner {
                if key == SETTINGS {
                    let from = format!("{name}: {key}.{below}");
                    let value = setting(&value).ok_or_else(|| format!("{from}: not a value"))?;
                    let (id, always) = (below, true);
                    self.settings.push(GivenSetting { id, value, from, always, in_file: true });
                } else {
                    self.take_key(keys, name, format!("{key}.{below}"), value)?;
                }
            }
        }
        Ok(())
    }

    fn take_key(
        &mut self,
        keys: &[String],
        name: &str,
        key: String,
        value: toml::Value,
    ) -> Result<(), Failure> {
        if !keys.contains(&key) {
            return Err(format!("{name}: unknown key {key}{}", like(keys, &key)));
        }
        let wrong = || format!("{name}: {key}: not a value of this option");
        let values = match value {
            toml::Value::Array(list) => {
                let texts: Option<Vec<String>> = list.iter().map(scalar).collect();
                texts.ok_or_else(wrong)?
            }
            one => vec![scalar(&one).ok_or_else(wrong)?],
        };
        let from = format!("file {name}");
        self.given.insert(key, Given { values, from, environment: false });
        Ok(())
    }

    /// The variables of an existing deployment, which ours win over.
    fn take_aliases(&mut self, environment: &BTreeMap<String, String>) {
        let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
        for (name, key) in ALIASES {
            if let Some(value) = set(name) {
                self.put(key, value.clone(), name);
            }
        }
        let (host, port) = (set("BIND_IP"), set("PORT"));
        if host.is_none() && port.is_none() {
            return;
        }
        let base = self.text("http_addr").unwrap_or(super::HTTP_ADDR);
        let (base_host, base_port) = base.rsplit_once(':').unwrap_or((base, "3000"));
        let host = host.map_or(base_host, String::as_str);
        let port = port.map_or(base_port, String::as_str);
        let address = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        self.put("http_addr", address, "BIND_IP and PORT");
    }

    fn take_environment(&mut self, keys: &[String], environment: &BTreeMap<String, String>) {
        for (name, value) in environment {
            let mut given = |id: &str, always| {
                let (id, value, from) = (id.to_owned(), value.clone(), name.clone());
                self.settings.push(GivenSetting { id, value, from, always, in_file: false });
            };
            if let Some(id) = name.strip_prefix("OVERWRITE_SETTING_") {
                given(id, true);
            } else if let Some(id) = name.strip_prefix("SETTING_") {
                given(id, false);
            } else if let Some(id) = name.strip_prefix("PARLANCE_SETTINGS__") {
                given(id, true);
            } else if let Some(rest) = name.strip_prefix("PARLANCE_")
                && rest != "CONFIG"
            {
                let key = rest.to_ascii_lowercase().replace("__", ".");
                if !keys.contains(&key) {
                    let names: Vec<String> = keys.iter().map(|key| variable(key)).collect();
                    let why = format!("unknown variable {name}{}", like(&names, name));
                    self.warnings.push(why);
                } else if !value.is_empty() || key == MAY_BE_EMPTY {
                    self.put(&key, value.clone(), name);
                }
            }
        }
    }

    fn put(&mut self, key: &str, value: String, name: &str) {
        let (values, from) = (vec![value], format!("environment {name}"));
        self.given.insert(key.to_owned(), Given { values, from, environment: true });
    }

    /// A secret and the name of its file may both be given: the nearer one counts, else the secret.
    fn choose_secrets(&mut self) {
        for key in SECRETS {
            let file = format!("{key}_file");
            if let (Some(own), Some(its)) = (self.given.get(key), self.given.get(&file)) {
                let loser = if its.environment && !own.environment { key } else { &file };
                self.given.remove(loser);
            }
        }
    }
}

/// The name of a key in the environment.
pub(crate) fn variable(key: &str) -> String {
    format!("PARLANCE_{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// The nearest of these names, as the end of a sentence about an unknown one.
fn like(names: &[String], unknown: &str) -> String {
    let all = names.iter().map(|name| (distance(unknown, name), name));
    let near = all.min().filter(|(far, _)| *far <= NEAR);
    near.map_or_else(String::new, |(_, name)| format!("; the nearest is {name}"))
}

fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(n) => Some(n.to_string()),
        toml::Value::Boolean(on) => Some(on.to_string()),
        _ => None,
    }
}

/// A setting's value as the environment would have it: lists are JSON there.
fn setting(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::Array(list) => {
            let texts: Option<Vec<String>> = list.iter().map(scalar).collect();
            serde_json::to_string(&texts?).ok()
        }
        one => scalar(one),
    }
}
