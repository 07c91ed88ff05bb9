//! The releases that are imitated.

use quorate_zk_proto::ServerVersion;

/// Returns the release that stands for a version, as a server writes it.
pub(crate) const fn release(version: ServerVersion) -> &'static str {
    match version {
        ServerVersion::V3_4 => "3.4.14",
        ServerVersion::V3_5 => "3.5.10",
        ServerVersion::V3_6 => "3.6.4",
        ServerVersion::V3_7 => "3.7.1",
        ServerVersion::V3_8 => "3.8.0",
        // Whatever is newer behaves like this one.
        _ => "3.9.5",
    }
}
