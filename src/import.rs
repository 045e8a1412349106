//! `parlance import`: reads a file line by line, in bounded memory, and gives it to the core in
//! batches. Every refused line is told with its number and the reason, and the rest goes on.

use crate::Failure;
use crate::config::StoreConfig;
use clap::Args;
use parlance_core::Core;
use parlance_core::import::{BATCH, Collection, Fate, Line, MAX_LINE, Outcome};
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Bytes of one batch at most: a batch of long lines is cut short.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// What to import.
#[derive(Debug, Args)]
#[command(after_help = "\
Each line is one JSON object: {\"collection\":\"messages\",\"document\":{…}}, with the collections
users, rooms, subscriptions and messages (the names of a Rocket.Chat database count too) and the
documents as Rocket.Chat stores them; dates as text or {\"$date\":…}. Lines that depend on others
come after them: users, then rooms, then subscriptions and messages.

What is here already stays as it is, so a file can be imported again. Each refused line is told
on standard error as `line N: reason`, the rest is imported; the exit code is then 1.")]
pub(crate) struct ImportArgs {
    /// The file; `-` for standard input.
    #[arg(value_name = "FILE.ndjson")]
    file: PathBuf,
}

/// Lines of one collection by what became of them.
#[derive(Clone, Copy, Default)]
struct Count {
    taken: u64,
    known: u64,
    refused: u64,
}

/// Runs the command.
pub(crate) async fn run(store: &StoreConfig, args: &ImportArgs) -> Result<ExitCode, Failure> {
    let name = args.file.display().to_string();
    let mut file: Box<dyn BufRead> = if name == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        let file = File::open(&args.file).map_err(|error| format!("{name}: {error}"))?;
        Box::new(BufReader::with_capacity(256 * 1024, file))
    };
    let core = store.open().await?;
    let done = take_all(&core, &mut *file, &name).await;
    core.close().await;
    done
}

async fn take_all(core: &Core, file: &mut dyn BufRead, name: &str) -> Result<ExitCode, Failure> {
    let mut counts = [Count::default(); 5];
    let mut number = 0;
    loop {
        let lines = batch(file, &mut number).map_err(|error| format!("{name}: {error}"))?;
        let Some((last, _)) = lines.last() else { break };
        let stopped = format!("stopped before line {} was stored", last + 1);
        let outcomes = give(core, &lines).await;
        for outcome in outcomes.map_err(|why| format!("{why}; {stopped} (import it again)"))? {
            count(&mut counts, &outcome);
        }
    }
    Ok(report(&counts))
}

async fn give(core: &Core, lines: &[(u64, Vec<u8>)]) -> Result<Vec<Outcome>, Failure> {
    let lines: Vec<Line<'_>> =
        lines.iter().map(|(number, bytes)| Line { number: *number, bytes }).collect();
    core.import_batch(&lines).await.map_err(|error| error.to_string())
}

/// The next lines, with their numbers. Of a line that is too long only the beginning is kept, which
/// is long enough to be refused.
fn batch(file: &mut dyn BufRead, number: &mut u64) -> std::io::Result<Vec<(u64, Vec<u8>)>> {
    let (mut lines, mut size) = (Vec::new(), 0);
    while lines.len() < BATCH && size < BATCH_BYTES {
        let mut line = Vec::new();
        let most = MAX_LINE as u64 + 2;
        if file.take(most).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() as u64 == most && line.last() != Some(&b'\n') {
            skip_line(file)?;
        }
        *number += 1;
        let end = line.trim_ascii_end().len();
        line.truncate(end);
        size += line.len();
        lines.push((*number, line));
    }
    Ok(lines)
}

fn skip_line(file: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let held = file.fill_buf()?;
        if held.is_empty() {
            return Ok(());
        }
        let end = held.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(held.len(), |end| end + 1);
        file.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

fn count(counts: &mut [Count; 5], outcome: &Outcome) {
    let place = Collection::ALL.iter().position(|one| Some(*one) == outcome.collection);
    let Some(count) = counts.get_mut(place.unwrap_or(4)) else {
        return;
    };
    match &outcome.fate {
        Fate::Taken => count.taken += 1,
        Fate::Known => count.known += 1,
        Fate::Refused(reason) => {
            count.refused += 1;
            eprintln!("line {}: {reason}", outcome.number);
        }
    }
}

fn report(counts: &[Count; 5]) -> ExitCode {
    let names = Collection::ALL.iter().map(|one| one.name()).chain(["other"]);
    for (name, count) in names.zip(counts) {
        let Count { taken, known, refused } = count;
        if name != "other" || *refused > 0 {
            println!("{name}: {taken} imported, {known} already here, {refused} refused");
        }
    }
    if counts.iter().any(|count| count.refused > 0) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
