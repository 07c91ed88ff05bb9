//! Opening stores by URL.

use quorate::{Key, OpenOptions, OpenStoreError, Shared, StoreExt};

#[tokio::test]
async fn a_store_in_memory_is_new_unless_it_has_a_name() {
    let key = Key::parse("/k").unwrap();
    let (one, other) = (quorate::open("mem:").await.unwrap(), quorate::open("mem:").await.unwrap());
    one.put(&key, "v").await.unwrap();
    assert!(other.entry(&key).await.unwrap().is_none());
    let (one, other) = (quorate::open("mem:name").await.unwrap(), quorate::open("mem:name").await.unwrap());
    one.put(&key, "v").await.unwrap();
    assert!(other.entry(&key).await.unwrap().is_some());
}

#[tokio::test]
async fn a_struct_outlives_the_process_that_made_it_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("state.db").display());
    for round in 0..3_u64 {
        let store = quorate::open(&url).await.unwrap();
        let count = Shared::<u64>::open(&store, "/count").create(0).await.unwrap();
        assert_eq!(*count.update(|count| *count += 1).await.unwrap().value, round + 1);
        store.close().await;
    }
}

#[tokio::test]
async fn what_is_not_known_is_told_what_is() {
    for (url, names) in
        [("redis://h", "sqlite:PATH"), ("zk://h?x=1", "session_timeout"), ("state.db", "mem:")]
    {
        let error = quorate::open(url).await.unwrap_err();
        assert!(matches!(error, OpenStoreError::Url(_)));
        assert!(error.to_string().contains(names), "{error}");
    }
}

#[tokio::test]
async fn secrets_are_had_from_variables_where_these_are_told() {
    let url = "zk://127.0.0.1:1?auth=digest:$LOGIN&acl=creator";
    let error = quorate::open(url).await.unwrap_err();
    assert!(matches!(error, OpenStoreError::MissingVariable { ref name } if name == "LOGIN"), "{error}");
    let url = url.parse().unwrap();
    let opened = OpenOptions::new().variables(|_| Some("bob:word".to_owned())).open(&url).await.unwrap();
    opened.store().close().await;
    let error =
        OpenOptions::new().variables(|_| Some("hush".to_owned())).open(&url).await.unwrap_err().to_string();
    assert!(error.contains("the variable LOGIN") && !error.contains("hush"), "{error}");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_and_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "hush").unwrap();
    let name = file.display().to_string();
    for options in ["ca=FILE", "cert=FILE&key=FILE", "auth=digest:@FILE", "auth=sasl:@FILE"] {
        let url = format!("zks://h?{}", options.replace("FILE", &name));
        let OpenStoreError::Store(error) = quorate::open(&url).await.unwrap_err() else { panic!("{url}") };
        assert_eq!(error.kind(), quorate::ErrorKind::Invalid);
        let told = format!("{error} {error:?}");
        assert!(told.contains(&name) && !told.contains("hush"), "{told}");
    }
}
