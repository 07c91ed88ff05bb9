//! Keys and values that are unlike others.

use quorate_datasync::{KEY_BYTES_MAX, Mirror, Store, Txn};

use crate::support::{Pair, content, key, prefix, put, until_in_sync};

#[tokio::test]
async fn a_key_that_would_be_too_long_is_refused_and_the_rest_goes_on() {
    let pair = Pair::new();
    let long = format!("/a/{}", "k".repeat(KEY_BYTES_MAX - 3));
    put(&pair.source, &long, "v").await;
    put(&pair.source, "/a/short", "v").await;
    let mirror = Mirror::new(&pair.from(), &pair.to(), prefix("/a")).to(prefix("/longer"));
    let mut mirroring = mirror.start().unwrap();
    let told = until_in_sync(&mut mirroring).await;
    assert!(told[0].starts_with("refuse /a/kkk") && told[0].contains("1029 bytes"), "{told:?}");
    assert_eq!(told[1..], ["create /longer/short 1"]);
    assert_eq!(mirroring.progress().refused, 1);
}

#[tokio::test]
async fn any_bytes_and_any_letters_are_copied() {
    let pair = Pair::new();
    let bytes: Vec<u8> = (0..=255).collect();
    let at = key("/grüße/日本/a b");
    pair.source.commit(Txn::new().put(&at, bytes.clone())).await.unwrap();
    until_in_sync(&mut pair.mirror().start().unwrap()).await;
    assert_eq!(content(&pair.target).await[&at], bytes);
}

#[tokio::test]
async fn large_values_are_written_in_transactions_of_their_own() {
    let pair = Pair::new();
    for n in 0..5 {
        put(&pair.source, &format!("/{n}"), &"x".repeat(200 * 1024)).await;
    }
    put(&pair.source, "/large", &"x".repeat(1024 * 1024)).await;
    assert_eq!(until_in_sync(&mut pair.mirror().start().unwrap()).await.len(), 6);
    assert_eq!(content(&pair.target).await, content(&pair.source).await);
}
