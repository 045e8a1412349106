//! What the operator decides, each option as a flag and as an environment variable of one name
//! (`--http-addr`, `PARLANCE_HTTP_ADDR`); the flag wins. The variables of an existing Rocket.Chat
//! deployment (`PORT`, `BIND_IP`, `ROOT_URL`) count where ours are not set.

use crate::{Failure, key};
use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args};
use parlance_core::login::CreateTokens;
use parlance_core::{Core, Database, Options};
use parlance_http::EdgeOptions;
use parlance_http::ip::Network;
use std::path::{Path, PathBuf};

/// Where the data is, and what is logged: for every command.
#[derive(Debug, Args)]
pub(crate) struct StoreConfig {
    /// The directory of everything that is kept; made, and closed to others, if it is not there.
    #[arg(
        long,
        global = true,
        env = "PARLANCE_DATA_DIR",
        default_value = "./data",
        value_name = "DIR"
    )]
    pub(crate) data_dir: PathBuf,

    /// A `PostgreSQL` database (15 or newer) to use instead of the embedded store:
    /// `postgres://user:password@host/name`. `PARLANCE_DATABASE_URL_FILE` reads it from a file.
    #[arg(
        long,
        global = true,
        env = "PARLANCE_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    database_url: Option<String>,

    /// What is logged: a level (error, warn, info, debug), or levels by module.
    #[arg(
        long,
        global = true,
        env = "PARLANCE_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub(crate) log: String,
}

impl StoreConfig {
    fn database(&self) -> Result<Database, Failure> {
        let url = match &self.database_url {
            Some(url) => Some(url.clone()).filter(|url| !url.is_empty()),
            None => secret_file("PARLANCE_DATABASE_URL")?,
        };
        Ok(url.map_or_else(|| Database::Embedded(self.data_dir.clone()), Database::Postgres))
    }

    /// Opens the store, bringing its schema up to date.
    pub(crate) async fn open(&self) -> Result<Core, Failure> {
        let mut options = Options::new(self.database()?);
        options.key = Some(key::of(&self.data_dir)?);
        options.create_tokens = create_tokens()?;
        if let Some(most) = variable("MAX_RESUME_LOGIN_TOKENS") {
            let most = most.parse().ok().filter(|most| (1..=10_000).contains(most));
            options.most_tokens = most.ok_or("MAX_RESUME_LOGIN_TOKENS is not a number from 1")?;
        }
        Core::open(options).await.map_err(|error| error.to_string())
    }
}

/// How the server is reached.
#[derive(Debug, Args)]
pub(crate) struct ServeConfig {
    /// Where to listen [default: 127.0.0.1:3000; with the variables `BIND_IP` and `PORT`, those].
    #[arg(long, env = "PARLANCE_HTTP_ADDR", value_name = "HOST:PORT")]
    http_addr: Option<String>,

    /// The public address, as users write it; the variable `ROOT_URL` counts too
    /// [default: http://localhost:PORT].
    #[arg(long, env = "PARLANCE_ROOT_URL", value_name = "URL")]
    root_url: Option<String>,

    /// Networks of reverse proxies whose `X-Forwarded-For` and `X-Real-IP` are believed, separated
    /// by commas: `10.0.0.0/8,127.0.0.1`.
    #[arg(long, env = "PARLANCE_TRUSTED_PROXIES", value_delimiter = ',', value_name = "NETWORKS")]
    trusted_proxies: Vec<String>,

    /// The largest request body, in bytes.
    #[arg(long, env = "PARLANCE_BODY_LIMIT", default_value_t = EdgeOptions::default().body_limit, value_name = "BYTES")]
    body_limit: usize,

    /// Stop at start on what is otherwise a warning: an unknown `OVERWRITE_SETTING_`.
    #[arg(long, env = "PARLANCE_STRICT", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub(crate) strict: bool,
}

impl ServeConfig {
    /// Where to listen.
    pub(crate) fn address(&self) -> String {
        if let Some(address) = &self.http_addr {
            return address.clone();
        }
        let host = variable("BIND_IP").unwrap_or_else(|| "127.0.0.1".to_owned());
        let port = variable("PORT").unwrap_or_else(|| "3000".to_owned());
        if host.contains(':') && !host.starts_with('[') {
            return format!("[{host}]:{port}");
        }
        format!("{host}:{port}")
    }

    /// The public address, if the operator names one.
    pub(crate) fn public_url(&self) -> Result<Option<String>, Failure> {
        let Some(url) = self.root_url.clone().or_else(|| variable("ROOT_URL")) else {
            return Ok(None);
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err("--root-url must begin with http:// or https://".to_owned());
        }
        Ok(Some(url.trim_end_matches('/').to_owned()))
    }

    /// What the edge needs to know; `port` is the one that is listened on.
    pub(crate) fn edge(&self, port: u16) -> Result<EdgeOptions, Failure> {
        let root_url = self.public_url()?.unwrap_or_else(|| format!("http://localhost:{port}"));
        let networks = self.trusted_proxies.iter().filter(|text| !text.trim().is_empty());
        let networks = networks.map(|text| text.parse::<Network>()).collect::<Result<_, _>>();
        Ok(EdgeOptions {
            body_limit: self.body_limit,
            trusted_proxies: networks.map_err(|error| format!("--trusted-proxies: {error}"))?,
            root_url,
        })
    }
}

/// Whether tokens may be made for users, as an existing deployment says it.
fn create_tokens() -> Result<CreateTokens, Failure> {
    let on = variable("CREATE_TOKENS_FOR_USERS")
        .is_some_and(|text| ["true", "yes"].iter().any(|yes| text.eq_ignore_ascii_case(yes)));
    let secret = secret("CREATE_TOKENS_FOR_USERS_SECRET")?;
    Ok(if on { CreateTokens::On(secret) } else { CreateTokens::Off })
}

/// An environment variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A secret from the variable of this name, or from the file that `<name>_FILE` names.
pub(crate) fn secret(name: &str) -> Result<Option<String>, Failure> {
    match variable(name) {
        Some(value) => Ok(Some(value)),
        None => secret_file(name),
    }
}

fn secret_file(name: &str) -> Result<Option<String>, Failure> {
    let Some(path) = variable(&format!("{name}_FILE")) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(Path::new(&path));
    let text = text.map_err(|error| format!("{name}_FILE: {path}: {error}"))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()).filter(|text| !text.is_empty()))
}
