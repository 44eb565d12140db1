//! The embedded table and bucket alone, for functions in other processes (`cargo lambda watch`). Prints
//! the variables by which they find them and serves until its standard input ends.

use ryla_local::{Embedded, EmbeddedOptions};
use std::io::{Read, Write};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let embedded = Embedded::start(EmbeddedOptions::default()).await?;
    for (name, value) in embedded.variables() {
        writeln!(std::io::stdout(), "{name}={value}")?;
    }
    // A parent that dies closes the pipe, so that nothing is left behind.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    embedded.stop().await;
    Ok(())
}
