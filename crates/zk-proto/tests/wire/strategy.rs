//! Arbitrary records.

use bytes::Bytes;
use proptest::{collection::vec, option, prelude::*};
use quorate_zk_proto::*;

pub(crate) fn path() -> impl Strategy<Value = ZnodePath> {
    vec("[a-zä]{1,6}", 0..4).prop_map(|segments| {
        let text = segments.iter().map(|segment| format!("/{segment}")).collect::<String>();
        if text.is_empty() { ZnodePath::root() } else { ZnodePath::new(&text).unwrap() }
    })
}

fn paths() -> impl Strategy<Value = Vec<ZnodePath>> {
    vec(path(), 0..4)
}

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn zxid() -> impl Strategy<Value = Zxid> {
    any::<i64>().prop_map(Zxid::new)
}

fn names() -> impl Strategy<Value = Vec<String>> {
    vec(any::<String>(), 0..4)
}

pub(crate) fn stat() -> impl Strategy<Value = Stat> {
    (any::<[i64; 6]>(), any::<[i32; 5]>()).prop_map(|(longs, ints)| Stat {
        czxid: Zxid::new(longs[0]),
        mzxid: Zxid::new(longs[1]),
        ctime: longs[2],
        mtime: longs[3],
        version: ints[0],
        cversion: ints[1],
        aversion: ints[2],
        ephemeral_owner: SessionId::new(longs[4]),
        data_length: ints[3],
        num_children: ints[4],
        pzxid: Zxid::new(longs[5]),
    })
}

fn acl() -> impl Strategy<Value = Vec<Acl>> {
    let entry = (any::<i32>(), any::<String>(), any::<String>());
    vec(entry.prop_map(|(bits, scheme, id)| Acl::new(Perms::from_bits(bits), Id::new(scheme, id))), 0..3)
}

fn error_code() -> impl Strategy<Value = ErrorCode> {
    (-130_i32..1).prop_map(ErrorCode::from_code)
}

fn create() -> impl Strategy<Value = Create> {
    let ttl = (1_i64..0xff_ffff_ffff).prop_map(|millis| Ttl::from_millis(millis).unwrap());
    let mode = prop_oneof![
        Just(CreateMode::Persistent),
        Just(CreateMode::Ephemeral),
        Just(CreateMode::PersistentSequential),
        Just(CreateMode::EphemeralSequential),
        Just(CreateMode::Container),
        ttl.clone().prop_map(CreateMode::PersistentWithTtl),
        ttl.prop_map(CreateMode::PersistentSequentialWithTtl),
    ];
    (path(), option::of(bytes()), acl(), mode).prop_map(|(path, data, acl, mode)| Create {
        path,
        data,
        acl,
        mode,
    })
}

/// Containers and the like have one operation that always answers with the stat.
fn plain_create() -> impl Strategy<Value = Create> {
    let has_choice = |create: &Create| create.mode.ttl().is_none() && create.mode != CreateMode::Container;
    create().prop_filter("with and without stat are two operations", has_choice)
}

fn set_data() -> impl Strategy<Value = SetData> {
    (path(), option::of(bytes()), any::<i32>()).prop_map(|(path, data, version)| SetData {
        path,
        data,
        version,
    })
}

fn reconfig() -> impl Strategy<Value = Reconfig> {
    let text = || option::of(any::<String>());
    (text(), text(), text(), any::<i64>()).prop_map(|(joining, leaving, new_members, from_config)| Reconfig {
        joining,
        leaving,
        new_members,
        from_config,
    })
}

fn multi_op() -> impl Strategy<Value = MultiOp> {
    prop_oneof![
        create().prop_map(MultiOp::Create),
        plain_create().prop_map(MultiOp::CreateWithStat),
        (path(), any::<i32>()).prop_map(|(path, version)| MultiOp::Delete(Delete { path, version })),
        set_data().prop_map(MultiOp::SetData),
        (path(), any::<i32>()).prop_map(|(path, version)| MultiOp::Check(Check { path, version })),
    ]
}

fn watch_request() -> impl Strategy<Value = Request> {
    let mode = prop_oneof![Just(WatchMode::Persistent), Just(WatchMode::PersistentRecursive)];
    let kind = (1_i32..6).prop_map(|code| WatcherType::from_code(code).unwrap());
    prop_oneof![
        (path(), mode).prop_map(|(path, mode)| Request::AddWatch(AddWatch { path, mode })),
        (path(), kind.clone()).prop_map(|(path, kind)| Request::CheckWatches(CheckWatches { path, kind })),
        (path(), kind).prop_map(|(path, kind)| Request::RemoveWatches(RemoveWatches { path, kind })),
    ]
}

fn read_request() -> impl Strategy<Value = Request> {
    let read = prop_oneof![path().prop_map(MultiReadOp::Data), path().prop_map(MultiReadOp::Children)];
    let watched = || (path(), any::<bool>());
    prop_oneof![
        watched().prop_map(|(path, watch)| Request::Exists(Exists { path, watch })),
        watched().prop_map(|(path, watch)| Request::GetData(GetData { path, watch })),
        watched().prop_map(|(path, watch)| Request::GetChildren(GetChildren { path, watch })),
        watched().prop_map(|(path, watch)| Request::GetChildrenWithStat(GetChildren { path, watch })),
        path().prop_map(|path| Request::GetAcl(GetAcl { path })),
        path().prop_map(|path| Request::Sync(SyncRequest { path })),
        vec(read, 0..4).prop_map(|ops| Request::MultiRead(MultiRead { ops })),
        any::<String>().prop_map(|prefix| Request::GetEphemerals(GetEphemerals { prefix })),
        path().prop_map(|path| Request::GetAllChildrenNumber(GetAllChildrenNumber { path })),
        Just(Request::WhoAmI),
    ]
}

fn write_request() -> impl Strategy<Value = Request> {
    prop_oneof![
        create().prop_map(Request::Create),
        plain_create().prop_map(Request::CreateWithStat),
        (path(), any::<i32>()).prop_map(|(path, version)| Request::Delete(Delete { path, version })),
        set_data().prop_map(Request::SetData),
        (path(), acl(), any::<i32>()).prop_map(|(path, acl, version)| Request::SetAcl(SetAcl {
            path,
            acl,
            version
        })),
        reconfig().prop_map(Request::Reconfig),
        vec(multi_op(), 0..4).prop_map(|ops| Request::Multi(Multi { ops })),
        (any::<String>(), bytes())
            .prop_map(|(scheme, bytes)| Request::Auth(Auth::new(scheme, Secret::new(bytes)))),
    ]
}

pub(crate) fn request() -> impl Strategy<Value = Request> {
    prop_oneof![read_request(), write_request(), watch_request()]
}

fn multi_result() -> impl Strategy<Value = MultiResult> {
    prop_oneof![
        (path(), option::of(stat())).prop_map(|(path, stat)| MultiResult::Created { path, stat }),
        Just(MultiResult::Deleted),
        stat().prop_map(MultiResult::DataSet),
        Just(MultiResult::Checked),
        error_code().prop_map(MultiResult::Error),
    ]
}

fn multi_read_result() -> impl Strategy<Value = MultiReadResult> {
    prop_oneof![
        (option::of(bytes()), stat()).prop_map(|(data, stat)| MultiReadResult::Data { data, stat }),
        names().prop_map(|names| MultiReadResult::Children { names }),
        error_code().prop_map(MultiReadResult::Error),
    ]
}

/// A body, with an operation that is answered by it.
pub(crate) fn reply() -> impl Strategy<Value = (OpCode, ReplyBody)> {
    let identity =
        (any::<String>(), any::<String>()).prop_map(|(scheme, user)| ClientIdentity { scheme, user });
    prop_oneof![
        path().prop_map(|path| (OpCode::Create, ReplyBody::Created { path, stat: None })),
        (path(), stat())
            .prop_map(|(path, stat)| (OpCode::Create2, ReplyBody::Created { path, stat: Some(stat) })),
        Just((OpCode::Delete, ReplyBody::Done)),
        stat().prop_map(|stat| (OpCode::Exists, ReplyBody::Stat(stat))),
        (option::of(bytes()), stat())
            .prop_map(|(data, stat)| (OpCode::GetData, ReplyBody::Data { data, stat })),
        (acl(), stat()).prop_map(|(acl, stat)| (OpCode::GetAcl, ReplyBody::Acl { acl, stat })),
        names().prop_map(|names| (OpCode::GetChildren, ReplyBody::Children { names, stat: None })),
        (names(), stat()).prop_map(|(names, stat)| {
            (OpCode::GetChildren2, ReplyBody::Children { names, stat: Some(stat) })
        }),
        any::<String>().prop_map(|path| (OpCode::Sync, ReplyBody::Synced { path })),
        vec(multi_result(), 0..4).prop_map(|results| (OpCode::Multi, ReplyBody::Multi(results))),
        vec(multi_read_result(), 0..4).prop_map(|results| (OpCode::MultiRead, ReplyBody::MultiRead(results))),
        Just((OpCode::AddWatch, ReplyBody::WatchAdded)),
        names().prop_map(|names| (OpCode::GetEphemerals, ReplyBody::Ephemerals(names))),
        any::<i32>().prop_map(|count| (OpCode::GetAllChildrenNumber, ReplyBody::AllChildrenNumber(count))),
        vec(identity, 0..3).prop_map(|list| (OpCode::WhoAmI, ReplyBody::Identities(list))),
        (option::of(bytes()), stat())
            .prop_map(|(data, stat)| (OpCode::Reconfig, ReplyBody::Data { data, stat })),
        option::of(bytes()).prop_map(|token| (OpCode::Sasl, ReplyBody::SaslToken(token))),
        Just((OpCode::CheckWatches, ReplyBody::Done)),
    ]
}

pub(crate) fn set_watches() -> impl Strategy<Value = SetWatches2> {
    (zxid(), paths(), paths(), paths(), paths(), paths()).prop_map(
        |(relative_zxid, data, exist, child, persistent, persistent_recursive)| SetWatches2 {
            one_shot: SetWatches { relative_zxid, data, exist, child },
            persistent,
            persistent_recursive,
        },
    )
}

pub(crate) fn sasl_token() -> impl Strategy<Value = SaslToken> {
    bytes().prop_map(|token| SaslToken { token: Secret::new(token) })
}

pub(crate) fn event() -> impl Strategy<Value = WatcherEvent> {
    let event_type = prop_oneof![Just(-1), 1..8].prop_map(|code| EventType::from_code(code).unwrap());
    let states = vec![-1, 0, 1, 3, 4, 5, 6, 7, -112];
    let state = prop::sample::select(states).prop_map(|code| KeeperState::from_code(code).unwrap());
    (event_type, state, path()).prop_map(|(event_type, state, path)| WatcherEvent { event_type, state, path })
}

pub(crate) fn connect_request() -> impl Strategy<Value = ConnectRequest> {
    (any::<i32>(), zxid(), any::<i32>(), any::<i64>(), bytes(), any::<Option<bool>>()).prop_map(
        |(protocol_version, last_zxid_seen, timeout_millis, id, password, read_only)| ConnectRequest {
            protocol_version,
            last_zxid_seen,
            timeout_millis,
            session_id: SessionId::new(id),
            password: Secret::new(password),
            read_only,
        },
    )
}

pub(crate) fn connect_response() -> impl Strategy<Value = ConnectResponse> {
    (any::<i32>(), any::<i32>(), any::<i64>(), bytes(), any::<Option<bool>>()).prop_map(
        |(protocol_version, timeout_millis, id, password, read_only)| ConnectResponse {
            protocol_version,
            timeout_millis,
            session_id: SessionId::new(id),
            password: Secret::new(password),
            read_only,
        },
    )
}

pub(crate) fn header() -> impl Strategy<Value = ReplyHeader> {
    (any::<i32>(), zxid(), any::<i32>()).prop_map(|(xid, zxid, err)| ReplyHeader {
        xid: Xid::new(xid),
        zxid,
        err: ErrorCode::from_code(err),
    })
}
