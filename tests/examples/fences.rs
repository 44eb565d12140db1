//! Takes every fence away, one at a time, from the table in memory and from the conditions of the table on
//! DynamoDB, and wants a promise of the simulation and a case of the contract to break. `tests/fences`
//! builds and calls it: `fences [FENCE... | --rotate COUNT TURN]`. Status 1 where a fence is not missed.

#[path = "../src/rows.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "the tests' own; they plant more than the contract asks for"
)]
mod rows;

use futures_util::FutureExt;
use rows::Table;
use ryla_engine::expect::Guard;
use ryla_local::{Embedded, EmbeddedOptions};
use ryla_testing::contract::jobs::{Case, cases};
use ryla_testing::simulation::fences::{guards, killer, named};
use std::io::Write;
use std::panic::{AssertUnwindSafe, set_hook, take_hook};
use std::process::ExitCode;
use std::time::Instant;

/// What `cargo test` plays as well.
const SEEDS: u64 = 10_000;

/// What broke without the fence, or why nothing counts.
type Kill = Result<String, String>;

#[tokio::main(worker_threads = 2)]
async fn main() -> std::io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout().lock();
    let chosen = match chosen(&arguments) {
        Ok(chosen) => chosen,
        Err(wrong) => {
            writeln!(out, "{wrong}")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let names: Vec<String> = chosen.iter().map(Guard::to_string).collect();
    let (names, all) = (names.join(", "), guards().len());
    writeln!(out, "without one of {names} at a time, of {all} fences:")?;
    let (mut passed, mut failed) = (0, 0);
    for fence in chosen {
        for table in ["memory", "DynamoDB"] {
            let began = Instant::now();
            let kill = match table {
                "memory" => in_memory(fence),
                _ => on_dynamodb(fence).await,
            };
            let what = match kill {
                Ok(killer) => {
                    passed += 1;
                    killer
                }
                Err(why) => {
                    failed += 1;
                    format!("SURVIVES: {why}")
                }
            };
            let fence = fence.to_string();
            let seconds = began.elapsed().as_secs_f32();
            writeln!(out, "{fence:<20} {table:<9} {seconds:>5.1} s  {what}")?;
        }
    }
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// The fences that the arguments mean: those named, some by rotation, or all.
fn chosen(arguments: &[String]) -> Result<Vec<Guard>, String> {
    let all = guards();
    let Some((first, rest)) = arguments.split_first() else {
        return Ok(all);
    };
    if first != "--rotate" {
        let meant = arguments.iter().map(|name| named(name));
        let meant: Result<Vec<_>, _> = meant.collect();
        return meant
            .map(|meant| meant.concat())
            .map_err(|unknown| unknown.to_string());
    }
    let numbers: Result<Vec<usize>, _> = rest.iter().map(|number| number.parse()).collect();
    match numbers.as_deref() {
        Ok([count, turn]) => {
            let from = all.iter().cycle().skip(turn % all.len());
            Ok(from.take((*count).min(all.len())).copied().collect())
        }
        _ => Err("--rotate wants how many, and whose turn it is".to_owned()),
    }
}

/// The first run of the simulation that breaks a promise without the fence, and none with it.
fn in_memory(fence: Guard) -> Kill {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let Some((play, broken)) = killer(fence, &(0..SEEDS), threads) else {
        return Err(format!(
            "{SEEDS} seeds and all single faults keep every promise without it"
        ));
    };
    if play.run(None).is_err() {
        return Err(format!("{play} breaks a promise also with it"));
    }
    let wrong = broken.wrong.first().map_or("", String::as_str);
    Ok(short(&format!("{play}: {wrong}")))
}

/// The first case of the contract that fails without the fence, and not with it.
async fn on_dynamodb(fence: Guard) -> Kill {
    for case in cases() {
        let Err(said) = held(&case, Some(fence)).await else {
            continue;
        };
        // A request that the table could not take shows nothing of the rows.
        if said.contains("Unavailable(") || said.contains("Throttled(") {
            return Err(short(&format!("{} could not ask: {said}", case.name)));
        }
        return match held(&case, None).await {
            Ok(()) => Ok(short(&format!("{}: {said}", case.name))),
            Err(said) => Err(short(&format!("{} fails also with it: {said}", case.name))),
        };
    }
    Err(format!("{} cases pass without it", cases().len()))
}

/// Holds a new table to one case; what it said where it was not kept.
async fn held(case: &Case, without: Option<Guard>) -> Result<(), String> {
    let embedded = Embedded::start(EmbeddedOptions::default()).await;
    let embedded = embedded.map_err(|error| error.to_string())?;
    let store = embedded.aws().jobs(embedded.table()).without(without);
    let table = Table::new(embedded.aws(), embedded.table());
    // A failed assertion is what is looked for here, nothing to be printed.
    let loud = take_hook();
    set_hook(Box::new(|_| {}));
    let kept = AssertUnwindSafe(case.run(&store, &table))
        .catch_unwind()
        .await;
    set_hook(loud);
    drop(table);
    embedded.stop().await;
    kept.map_err(|said| {
        let text = said.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| said.downcast_ref::<&str>().copied());
        text.unwrap_or("no word").replace('\n', " ")
    })
}

/// The beginning of it: whole rows stand in these messages.
fn short(text: &str) -> String {
    const LENGTH: usize = 130;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
