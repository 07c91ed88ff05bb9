//! An agent that configures routes and the interfaces that they need, as a store says.
//!
//! Two parts of it subscribe: `interfaces` first, then `routes`. Whenever everything is told anew (at the start,
//! after the store was away) the interfaces are told first. A route that needs an interface that is not there is
//! refused, and told again until it can be had. See the README for a session to try.

#![expect(clippy::print_stdout, reason = "an example talks to its user")]

mod host;

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use quorate::{Delivery, Hub, Publisher, Store, Subscription};

use host::{Host, Interface, Refused, Route};

const USAGE: &str = "usage: route-agent [--store URL]

  --store URL  where the configuration lives; $QUORATE_STORE if not given, else sqlite:route-agent.db

Interfaces are JSON below /config/if, as {\"address\": \"10.0.0.1/24\"}; routes below /config/route, as
{\"via\": \"eth0\"}.";

#[tokio::main]
async fn main() -> Result<()> {
    let Some(url) = arguments()? else {
        println!("{USAGE}");
        return Ok(());
    };
    let store = quorate::open(&url).await.with_context(|| format!("cannot open {url}"))?;
    let result = tokio::select! {
        result = run(&store) => result,
        pressed = tokio::signal::ctrl_c() => pressed.context("cannot wait for Ctrl-C"),
    };
    // The status key goes at once, not when the lease runs out.
    store.close().await;
    result
}

async fn run(store: &Arc<dyn Store>) -> Result<()> {
    let hub = Hub::new(store);
    // The order of registration is the order of every resync.
    let interfaces = hub.subscribe("interfaces", ["/config/if"]).await?;
    let routes = hub.subscribe("routes", ["/config/route"]).await?;
    // Others see that this agent runs: the key vanishes with it, and comes back if only its session was lost.
    let publisher = Publisher::new(store);
    publisher.put("/status/route-agent", &std::process::id()).lifetime().await?;
    println!("ready");

    let host = Arc::new(Mutex::new(Host::default()));
    let reports = hub.reports().for_each(async |report| {
        for (name, outcome) in &report.outcomes {
            println!("resync: {name} {outcome}");
        }
    });
    tokio::select! {
        () = serve(interfaces, &host, apply_interfaces) => {}
        () = serve(routes, &host, apply_routes) => {}
        () = reports => {}
    }
    bail!("the store was closed")
}

/// Applies what one subscriber is told, and answers for it.
async fn serve(
    mut subscription: Subscription,
    host: &Mutex<Host>,
    apply: fn(&mut Host, &Delivery) -> Result<(), Refused>,
) {
    while let Some(delivery) = subscription.next().await {
        let applied = apply(&mut host.lock().unwrap_or_else(PoisonError::into_inner), &delivery);
        match applied {
            Ok(()) => delivery.ack(),
            // It is told again, as the difference to what was acknowledged last.
            Err(refused) => delivery.nack(refused),
        }
    }
}

fn apply_interfaces(host: &mut Host, delivery: &Delivery) -> Result<(), Refused> {
    for change in delivery.changes() {
        let name = change.key.name();
        match &change.value {
            Some(value) => host.put_interface(name, &*value.decode_json::<Interface>()?),
            None => host.delete_interface(name),
        }
    }
    Ok(())
}

fn apply_routes(host: &mut Host, delivery: &Delivery) -> Result<(), Refused> {
    for change in delivery.changes() {
        let name = change.key.name();
        match &change.value {
            Some(value) => host.put_route(name, &*value.decode_json::<Route>()?)?,
            None => host.delete_route(name),
        }
    }
    Ok(())
}

/// The store's URL, or `None` if help was asked for.
#[expect(clippy::disallowed_methods, reason = "a program reads its environment, a library does not")]
fn arguments() -> Result<Option<String>> {
    let mut url = std::env::var("QUORATE_STORE").unwrap_or_else(|_| "sqlite:route-agent.db".into());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--store" => url = arguments.next().with_context(|| format!("--store needs a value\n{USAGE}"))?,
            "-h" | "--help" => return Ok(None),
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        }
    }
    Ok(Some(url))
}
