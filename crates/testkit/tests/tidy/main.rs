//! Rules of the project that a machine can hold.
//!
//! Each test names the rule, and its failure lists every place that breaks it.

mod documents;
mod layers;
mod manifests;
mod packages;
mod sources;
mod tree;

/// Fails with every offence, one a line.
fn assert_none(offences: &[String]) {
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}
