//! The claims. Each one is a function that is named for what it claims.

pub mod checks;
pub mod commits;
pub mod handles;
pub mod leases;
pub mod limits;
pub mod listings;
pub mod load;
pub mod unique;
pub mod values;
pub mod watches;
