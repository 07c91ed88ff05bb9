//! Who may do what.

use std::sync::Arc;

use quorate_zk_proto::{Acl, ErrorCode, Id, Perms};

/// Checks that one of the identities has one of the permissions.
pub(crate) fn require(perms: Perms, acl: &[Acl], identities: &[Id]) -> Result<(), ErrorCode> {
    let allows = |entry: &Acl| {
        entry.perms.bits() & perms.bits() != 0 && (entry.id == Id::anyone() || identities.contains(&entry.id))
    };
    match identities.iter().any(is_super) || acl.iter().any(allows) {
        true => Ok(()),
        false => Err(ErrorCode::NoAuth),
    }
}

/// Returns the list to store for one that was asked for: `auth` stands for the identities proved.
pub(crate) fn resolve(acl: &[Acl], identities: &[Id]) -> Result<Arc<[Acl]>, ErrorCode> {
    let mut resolved: Vec<Acl> = Vec::new();
    for entry in acl {
        match entry.id.scheme.as_str() {
            "world" if entry.id.id == "anyone" => push(&mut resolved, entry.clone()),
            "ip" => push(&mut resolved, entry.clone()),
            "digest" if entry.id.id.split(':').count() == 2 => push(&mut resolved, entry.clone()),
            "auth" => {
                let proved = identities.iter().filter(|id| id.scheme == "digest" || is_super(id));
                let before = resolved.len();
                for id in proved {
                    push(&mut resolved, Acl::new(entry.perms, id.clone()));
                }
                if resolved.len() == before {
                    return Err(ErrorCode::InvalidAcl);
                }
            }
            _ => return Err(ErrorCode::InvalidAcl),
        }
    }
    if resolved.is_empty() { Err(ErrorCode::InvalidAcl) } else { Ok(resolved.into()) }
}

/// Returns the list as it is shown: digests in full only to who may administrate the znode.
pub(crate) fn shown(acl: &[Acl], identities: &[Id]) -> Vec<Acl> {
    let in_full = require(Perms::ADMIN, acl, identities).is_ok();
    let mask = |entry: &Acl| match entry.id.id.split_once(':') {
        Some((user, _)) if !in_full && entry.id.scheme == "digest" => {
            Acl::new(entry.perms, Id::new("digest", format!("{user}:x")))
        }
        _ => entry.clone(),
    };
    acl.iter().map(mask).collect()
}

/// The identity of writes that no client makes.
pub(crate) fn superuser() -> Id {
    Id::new("super", "")
}

fn is_super(id: &Id) -> bool {
    id.scheme == "super"
}

fn push(acl: &mut Vec<Acl>, entry: Acl) {
    if !acl.contains(&entry) {
        acl.push(entry);
    }
}
