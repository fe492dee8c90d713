//! The measurements behind `cargo xtask bench`: `sotto-bench <part> […]`. One
//! program, so that everything is linked once. It prints one JSON object per
//! row of the table.

use sotto_bench::parts::{calls, engine, mls, profile, siege};
use sotto_bench::people::Failure;

const USAGE: &str = "sotto-bench mls | engine | siege | calls […] | profile […]";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // Another provider would only be chosen if somebody else was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut args = std::env::args().skip(1);
    let part = args.next().ok_or(USAGE)?;
    let args: Vec<String> = args.collect();
    match part.as_str() {
        "mls" => mls::run(),
        "engine" => engine::run().await?,
        "siege" => siege::run(args.first().map(String::as_str)).await?,
        "calls" => calls::run(args).await?,
        "profile" => profile::run(args).await?,
        _ => return Err(USAGE.into()),
    }
    Ok(())
}
