//! What a client tells of itself: metrics, and its states in order.

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use quorate_zk::{ClientState, EventType, SessionEvent, WatchMode};
use tokio::runtime::Builder;

use crate::world::{World, create, next_event, path, soon, until};

/// The sum of a metric over all its labels; the number of samples of a histogram.
fn total(snapshot: &[(String, DebugValue)], name: &str) -> f64 {
    let values = snapshot.iter().filter(|(found, _)| found == name).map(|(_, value)| match value {
        DebugValue::Counter(count) => *count as f64,
        DebugValue::Gauge(value) => value.into_inner(),
        DebugValue::Histogram(samples) => samples.len() as f64,
    });
    values.sum()
}

fn snapshot(of: &Snapshotter) -> Vec<(String, DebugValue)> {
    let metrics = of.snapshot().into_vec().into_iter();
    metrics.map(|(key, _, _, value)| (key.key().name().to_owned(), value)).collect()
}

async fn load(world: World) {
    let client = world.options().metrics("test").connect().unwrap();
    create(&client, "/node").await;
    let mut watcher = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    soon(client.set_data(&path("/node"), vec![7; 1000], None)).await.unwrap();
    assert_eq!(next_event(&mut watcher).await.0, EventType::NodeDataChanged);
    soon(client.get_data(&path("/node"))).await.unwrap();
    soon(client.get_data(&path("/missing"))).await.unwrap_err();
    world.link.cut();
    until(&client, |state| !state.is_connected()).await;
    until(&client, ClientState::is_connected).await;
    create(&client, "/again").await;
    // The client goes on living, so that its gauges are seen.
    std::mem::forget(client);
}

#[test]
fn a_client_counts_what_it_does() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { load(World::fake().await).await });
        let found = snapshot(&snapshotter);
        assert_eq!(total(&found, "quorate_zk_request_seconds"), 5.0, "{found:?}");
        assert_eq!(total(&found, "quorate_zk_request_failures_total"), 1.0);
        assert_eq!(total(&found, "quorate_zk_connections_total"), 2.0);
        assert_eq!(total(&found, "quorate_zk_sessions_expired_total"), 0.0);
        assert_eq!(total(&found, "quorate_zk_watched_paths"), 1.0);
        assert_eq!(total(&found, "quorate_zk_requests_in_flight"), 0.0);
        assert!(total(&found, "quorate_zk_sent_bytes_total") > 1000.0);
        assert!(total(&found, "quorate_zk_received_bytes_total") > 1000.0);
    });
}

#[tokio::test]
async fn the_session_wide_stream_tells_every_state() {
    let world = World::fake().await;
    let (client, mut events) = world.options().connect_with_events().unwrap();
    let token = soon(client.session()).await.unwrap();
    world.expire(&token).await;
    until(&client, ClientState::is_connected).await;
    soon(client.close()).await;
    let mut told = Vec::new();
    while let Some(event) = soon(events.next()).await {
        if let SessionEvent::State(state) = event {
            told.push(state);
        }
    }
    let expired = told.iter().position(|state| matches!(state, ClientState::Expired { .. })).unwrap();
    assert!(told[..expired].iter().any(ClientState::is_connected));
    assert!(told[expired..].iter().any(ClientState::is_connected));
    assert!(matches!(told.last(), Some(ClientState::Closed { .. })));
}
