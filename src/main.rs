//! The binary: wiring, nothing else. Each command is a module of its own; what they share (where the
//! store is, how errors and logs are shown) is here.

mod admin;
mod config;
mod import;
mod key;
mod ops;
mod overrides;
mod serve;
mod user;

use clap::{Parser, Subcommand};
use config::{ServeConfig, StoreConfig};
use std::io::IsTerminal as _;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Gives memory back sooner than the system's own, and is faster under many threads.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A direct-message server: two public wire contracts over one store.
#[derive(Debug, Parser)]
#[command(name = "parlance", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    store: StoreConfig,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server until SIGTERM or Ctrl-C.
    Serve(ServeConfig),
    /// Make and change accounts from the shell.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Bring accounts, rooms and messages in from a file of documents.
    Import(import::ImportArgs),
}

/// Why a command failed, in one line for a person.
type Failure = String;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let serves = matches!(cli.command, Command::Serve(_));
    if let Err(why) = log(&cli.store.log, serves) {
        eprintln!("parlance: {why}");
        return ExitCode::FAILURE;
    }
    let done = match cli.command {
        Command::Serve(config) => Box::pin(serve::run(&cli.store, &config)).await,
        Command::User(command) => Box::pin(user::run(&cli.store, command)).await,
        Command::Import(args) => Box::pin(import::run(&cli.store, &args)).await,
    };
    match done {
        Ok(code) => code,
        Err(why) => {
            eprintln!("parlance: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Logs of the server go to stdout: text on a terminal, JSON otherwise. Other commands own their
/// stdout and say only what went wrong, on stderr.
fn log(filter: &str, serves: bool) -> Result<(), Failure> {
    let filter = if serves { filter } else { "warn" };
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("--log: {error}"))?;
    // Whatever the filter says: where the server listens, and the first password, are always told.
    let always = "parlance::told=info".parse().map_err(|error| format!("--log: {error}"))?;
    // And never what the driver would say: statements with what people wrote.
    let never = "tokio_postgres=warn".parse().map_err(|error| format!("--log: {error}"))?;
    let filter = filter.add_directive(always).add_directive(never);
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    let terminal = std::io::stdout().is_terminal();
    match (serves, terminal) {
        (false, _) => log.with_ansi(false).with_writer(std::io::stderr).init(),
        (true, true) => log.init(),
        (true, false) => log.json().flatten_event(true).init(),
    }
    Ok(())
}
