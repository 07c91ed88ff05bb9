//! The machine that is configured. It only says what a real one would do.

use std::collections::BTreeMap;
use std::fmt;

use quorate::DecodeError;
use serde::Deserialize;

/// An interface, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Interface {
    address: String,
}

/// A route, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Route {
    via: String,
}

/// What is configured. Every operation can be repeated, since what was refused is told again.
#[derive(Debug, Default)]
pub(crate) struct Host {
    interfaces: BTreeMap<String, Interface>,
    routes: BTreeMap<String, Route>,
}

/// Why something could not be configured.
#[derive(Debug)]
pub(crate) enum Refused {
    NoInterface(String),
    Undecodable(DecodeError),
}

impl Host {
    pub(crate) fn put_interface(&mut self, name: &str, interface: &Interface) {
        if self.interfaces.insert(name.to_owned(), interface.clone()).as_ref() != Some(interface) {
            println!("+ interface {name} {}", interface.address);
        }
    }

    pub(crate) fn delete_interface(&mut self, name: &str) {
        if self.interfaces.remove(name).is_some() {
            println!("- interface {name}");
        }
    }

    pub(crate) fn put_route(&mut self, name: &str, route: &Route) -> Result<(), Refused> {
        if !self.interfaces.contains_key(&route.via) {
            return Err(Refused::NoInterface(route.via.clone()));
        }
        if self.routes.insert(name.to_owned(), route.clone()).as_ref() != Some(route) {
            println!("+ route {name} via {}", route.via);
        }
        Ok(())
    }

    pub(crate) fn delete_route(&mut self, name: &str) {
        if self.routes.remove(name).is_some() {
            println!("- route {name}");
        }
    }
}

impl From<DecodeError> for Refused {
    fn from(error: DecodeError) -> Self {
        Self::Undecodable(error)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInterface(name) => write!(f, "there is no interface {name}"),
            Self::Undecodable(error) => error.fmt(f),
        }
    }
}
