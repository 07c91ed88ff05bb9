//! Serves a fake ZooKeeper over TCP until its standard input ends, so that a client in any language can be
//! tried on it: `cargo run -p quorate-zk-fake --example serve -- 3.9 3`, for three servers of that version.

use std::io::{Read, Write};

use quorate_zk_fake::{FakeZooKeeper, ServerVersion};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let version = match arguments.next().as_deref() {
        Some("3.4") => ServerVersion::V3_4,
        Some("3.5") => ServerVersion::V3_5,
        Some("3.6") => ServerVersion::V3_6,
        Some("3.7") => ServerVersion::V3_7,
        Some("3.9") => ServerVersion::V3_9,
        _ => ServerVersion::V3_8,
    };
    let servers = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(1);
    let builder = FakeZooKeeper::builder().version(version).servers(servers).four_letter_words();
    let builder = builder.ttl_nodes_enabled().reconfig_enabled().super_user("super", "secret");
    let server = builder.sasl_user("bob", "secret").start().await?;
    writeln!(std::io::stdout(), "{}", server.connect_string())?;

    // Whoever started it closes its input to end it.
    let waiting = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    waiting.await.map_err(std::io::Error::other)?.map(|_| ())
}
