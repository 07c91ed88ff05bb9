//! The hosts of an ensemble, and the order in which their addresses are tried.

mod host;
mod list;
mod round;

pub(crate) use self::{
    host::{Host, Target, parse_port},
    list::{HostOrder, Hosts},
    round::Round,
};
