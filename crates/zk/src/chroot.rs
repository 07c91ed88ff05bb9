//! Paths on their way into a chroot and out of it.

use quorate_zk_proto::{DecodeError, FailureKind, MultiOp, MultiReadOp, MultiResult, PathError, Reply};
use quorate_zk_proto::{ReplyBody, Request, ZnodePath};

/// Moves every path of a request into the chroot.
pub(crate) fn enter_request(mut request: Request, chroot: &ZnodePath) -> Request {
    match &mut request {
        Request::Create(body) | Request::CreateWithStat(body) => enter(&mut body.path, chroot),
        Request::Delete(body) => enter(&mut body.path, chroot),
        Request::Exists(body) => enter(&mut body.path, chroot),
        Request::GetData(body) => enter(&mut body.path, chroot),
        Request::SetData(body) => enter(&mut body.path, chroot),
        Request::GetAcl(body) => enter(&mut body.path, chroot),
        Request::SetAcl(body) => enter(&mut body.path, chroot),
        Request::GetChildren(body) | Request::GetChildrenWithStat(body) => enter(&mut body.path, chroot),
        Request::Sync(body) => enter(&mut body.path, chroot),
        Request::AddWatch(body) => enter(&mut body.path, chroot),
        Request::RemoveWatches(body) => enter(&mut body.path, chroot),
        Request::CheckWatches(body) => enter(&mut body.path, chroot),
        Request::GetAllChildrenNumber(body) => enter(&mut body.path, chroot),
        Request::GetEphemerals(body) => {
            body.prefix =
                if body.prefix == "/" { chroot.to_string() } else { format!("{chroot}{}", body.prefix) };
        }
        Request::Multi(multi) => multi.ops.iter_mut().for_each(|op| match op {
            MultiOp::Create(body) | MultiOp::CreateWithStat(body) => enter(&mut body.path, chroot),
            MultiOp::Delete(body) => enter(&mut body.path, chroot),
            MultiOp::SetData(body) => enter(&mut body.path, chroot),
            MultiOp::Check(body) => enter(&mut body.path, chroot),
        }),
        Request::MultiRead(multi) => multi.ops.iter_mut().for_each(|op| match op {
            MultiReadOp::Data(path) | MultiReadOp::Children(path) => enter(path, chroot),
        }),
        // The others name no path.
        _ => {}
    }
    request
}

/// Moves every path of a reply out of the chroot. One that lies outside was not asked for.
pub(crate) fn strip_reply(mut reply: Reply, chroot: &ZnodePath) -> Result<Reply, FailureKind> {
    match &mut reply.body {
        ReplyBody::Created { path, .. } => strip(path, chroot)?,
        ReplyBody::Synced { path } => strip_text(path, chroot)?,
        ReplyBody::Ephemerals(paths) => {
            // A prefix is no subtree: `/c` also selects `/cd`.
            paths.retain_mut(|path| strip_text(path, chroot).is_ok());
        }
        ReplyBody::Multi(results) => {
            for result in results {
                if let MultiResult::Created { path, .. } = result {
                    strip(path, chroot)?;
                }
            }
        }
        _ => {}
    }
    Ok(reply)
}

/// Returns a path as seen from within a chroot. One that lies outside was not asked for, and stays as it is.
pub(crate) fn strip_path(path: &ZnodePath, chroot: Option<&ZnodePath>) -> ZnodePath {
    chroot.and_then(|chroot| path.strip_chroot(chroot)).unwrap_or_else(|| path.clone())
}

fn enter(path: &mut ZnodePath, chroot: &ZnodePath) {
    *path = path.in_chroot(chroot);
}

fn strip(path: &mut ZnodePath, chroot: &ZnodePath) -> Result<(), FailureKind> {
    *path = path.strip_chroot(chroot).ok_or_else(outside)?;
    Ok(())
}

fn strip_text(path: &mut String, chroot: &ZnodePath) -> Result<(), FailureKind> {
    let stripped =
        ZnodePath::new(path).ok().and_then(|path| path.strip_chroot(chroot)).ok_or_else(outside)?;
    *path = stripped.as_str().to_owned();
    Ok(())
}

const fn outside() -> FailureKind {
    FailureKind::Malformed(DecodeError::Path(PathError::NotAbsolute))
}

#[cfg(test)]
mod tests {
    use quorate_zk_proto::{Delete, GetEphemerals, Multi};

    use super::*;

    fn path(text: &str) -> ZnodePath {
        ZnodePath::new(text).unwrap()
    }

    #[test]
    fn every_operation_of_a_multi_enters_the_chroot() {
        let ops = |text| vec![MultiOp::Delete(Delete { path: path(text), version: -1 })];
        let entered = enter_request(Request::Multi(Multi { ops: ops("/a") }), &path("/c"));
        assert_eq!(entered, Request::Multi(Multi { ops: ops("/c/a") }));
    }

    #[test]
    fn a_prefix_of_ephemerals_enters_the_chroot() {
        for (prefix, inside) in [("/", "/c"), ("/a", "/c/a")] {
            let request = Request::GetEphemerals(GetEphemerals { prefix: prefix.to_owned() });
            let entered = enter_request(request, &path("/c"));
            assert_eq!(entered, Request::GetEphemerals(GetEphemerals { prefix: inside.to_owned() }));
        }
    }
}
