//! What the operator decides. The structs here are the one list of options: the command line, the names
//! in the environment and in the file, the example file and `config print` all come from them. A flag
//! wins over the environment, that over the file, that over the default: what was given beside the
//! flags (`source.rs`) takes the place of the defaults before the flags are read.

pub(crate) mod command;
mod deployment;
mod example;
pub(crate) mod source;

use crate::{Failure, key};
use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command};
use parlance_core::{Core, Database, Options};
use parlance_http::EdgeOptions;
use parlance_http::ip::Network;
use source::Sources;
use std::path::{Path, PathBuf};

/// Where to listen if nobody says.
pub(crate) const HTTP_ADDR: &str = "127.0.0.1:3000";
/// Where the metrics are if nobody says.
pub(crate) const METRICS_ADDR: &str = "127.0.0.1:9464";
/// What has no flag, because others see the arguments of a process: key and meaning.
const WITHOUT_FLAG: [(&str, &str); 2] = [
    (
        "admin.password",
        "The first administrator's password; made, and told once, if it is not given",
    ),
    (
        "secret_key",
        "What secrets in the store are sealed with; made, and kept in the data directory, if it is not given",
    ),
];
/// What the operator sees as `(hidden)`.
const HIDDEN: [&str; 3] = ["admin.password", "database_url", "secret_key"];

/// Where the data is, and what is logged: for every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct StoreConfig {
    /// The configuration file (the variable `PARLANCE_CONFIG` counts too); `parlance init` writes one
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The directory of everything that is kept; made, and closed to others, if it is not there
    #[arg(long, global = true, default_value = "./data", value_name = "DIR")]
    pub(crate) data_dir: PathBuf,

    /// A `PostgreSQL` database (15 or newer) to use instead of the embedded store:
    /// `postgres://user:password@host/name`
    #[arg(long, global = true, hide_default_value = true, value_name = "URL")]
    database_url: Option<String>,

    /// A file that holds the URL of the database
    #[arg(long, global = true, conflicts_with = "database_url", value_name = "FILE")]
    database_url_file: Option<PathBuf>,

    /// A file that holds the key that secrets in the store are sealed with; `secret-key` in the data
    /// directory if it is not given
    #[arg(long, global = true, value_name = "FILE")]
    secret_key_file: Option<PathBuf>,

    #[arg(skip)]
    secret_key: Option<String>,

    /// What is logged: a level (error, warn, info, debug), or levels by module
    #[arg(long, global = true, default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,
}

impl StoreConfig {
    /// Of the database's URL and the file that holds it the one that is a flag counts; and takes what
    /// has no flag.
    pub(crate) fn settle(&mut self, matches: &ArgMatches, sources: &Sources) {
        self.secret_key = sources.text("secret_key").map(str::to_owned);
        let flag = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        if flag("database_url_file") {
            self.database_url = None;
        }
    }

    pub(crate) fn database(&self) -> Result<Database, Failure> {
        let url = match (&self.database_url, &self.database_url_file) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(path)) => Some(secret_file(path)?),
            (None, None) => None,
        };
        let url = url.filter(|url| !url.is_empty());
        Ok(url.map_or_else(|| Database::Embedded(self.data_dir.clone()), Database::Postgres))
    }

    /// Opens the store, bringing its schema up to date.
    pub(crate) async fn open(&self) -> Result<Core, Failure> {
        let mut options = Options::new(self.database()?);
        let given = match (&self.secret_key, &self.secret_key_file) {
            (Some(key), _) => Some(key.clone()),
            (None, Some(path)) => Some(secret_file(path)?),
            (None, None) => None,
        };
        options.key = Some(key::of(&self.data_dir, given)?);
        deployment::options(&mut options)?;
        Core::open(options).await.map_err(|error| error.to_string())
    }
}

/// Where the server listens.
#[derive(Debug, Args)]
pub(crate) struct AddressConfig {
    /// Where to listen; the variables `BIND_IP` and `PORT` count too
    #[arg(long, default_value = HTTP_ADDR, value_name = "HOST:PORT")]
    pub(crate) http_addr: String,
}

/// How the server is reached.
#[derive(Debug, Args)]
pub(crate) struct ServeConfig {
    #[command(flatten)]
    pub(crate) address: AddressConfig,

    /// The public address, as users write it; `http://localhost:` and the port if it is not given;
    /// the variable `ROOT_URL` counts too
    #[arg(long, value_name = "URL")]
    root_url: Option<String>,

    /// Networks of reverse proxies whose `X-Forwarded-For` and `X-Real-IP` are believed, separated
    /// by commas: `10.0.0.0/8,127.0.0.1`
    #[arg(long, value_delimiter = ',', value_name = "NETWORKS")]
    trusted_proxies: Vec<String>,

    /// The largest request body, in bytes
    #[arg(long, default_value_t = EdgeOptions::default().body_limit, value_name = "BYTES")]
    body_limit: usize,

    /// WebSockets at the same time; more are told to come again later
    #[arg(long, default_value_t = EdgeOptions::default().most_sockets, value_name = "COUNT")]
    max_sockets: usize,

    /// Where Prometheus reads metrics, at `/metrics`; nowhere if it is empty
    #[arg(long, default_value = METRICS_ADDR, value_name = "HOST:PORT")]
    pub(crate) metrics_addr: String,

    /// Stop at start on what is otherwise a warning: an unknown `OVERWRITE_SETTING_` or `PARLANCE_`
    /// variable
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true,
        hide_possible_values = true,
        value_parser = BoolishValueParser::new(),
        value_name = "BOOL"
    )]
    pub(crate) strict: bool,

    #[command(flatten)]
    pub(crate) admin: AdminConfig,
}

/// The first administrator.
#[derive(Debug, Args)]
#[command(next_help_heading = "First administrator")]
pub(crate) struct AdminConfig {
    /// The username; `ADMIN_USERNAME` counts too
    #[arg(
        id = "admin.username",
        long = "admin-username",
        default_value = "admin",
        value_name = "NAME"
    )]
    pub(crate) username: String,

    /// An e-mail address; `ADMIN_EMAIL` counts too
    #[arg(id = "admin.email", long = "admin-email", value_name = "ADDRESS")]
    pub(crate) email: Option<String>,

    /// The name others see; `ADMIN_NAME` counts too
    #[arg(id = "admin.name", long = "admin-name", value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// A file that holds the password; `ADMIN_PASS_FILE` counts too, and the variable `ADMIN_PASS`
    /// for the password itself
    #[arg(id = "admin.password_file", long = "admin-password-file", value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl AdminConfig {
    /// The password that the operator gave.
    pub(crate) fn password(&self, sources: &Sources) -> Result<Option<String>, Failure> {
        match (sources.text("admin.password"), &self.password_file) {
            (Some(password), _) => Ok(Some(password.to_owned())),
            (None, Some(path)) => secret_file(path).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl ServeConfig {
    /// The public address, if the operator names one.
    pub(crate) fn public_url(&self) -> Result<Option<String>, Failure> {
        let Some(url) = self.root_url.clone().filter(|url| !url.is_empty()) else {
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
            most_sockets: self.max_sockets,
        })
    }
}

/// The command line with what was given elsewhere in the place of the defaults.
pub(crate) fn with_sources(mut command: Command, sources: &Sources) -> Command {
    let ids: Vec<String> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    for id in ids {
        if let Some(given) = sources.get(&id) {
            let values = given.values.clone();
            command = command.mut_arg(id, |arg| arg.default_values(values));
        }
    }
    let names: Vec<String> =
        command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |command| with_sources(command, sources));
    }
    command
}

/// The keys of everything that can be configured.
pub(crate) fn keys(command: &Command) -> Vec<String> {
    let options = example::options(command).into_iter().map(|arg| arg.get_id().to_string());
    options.chain(WITHOUT_FLAG.map(|(key, _)| key.to_owned())).collect()
}

fn secret_file(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
