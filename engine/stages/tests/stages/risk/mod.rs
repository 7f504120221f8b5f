//! The gate's checks one by one, its groups and commands, and the router behind it.

mod checks;
mod currencies;
mod groups;
mod levels;
pub(crate) mod rig;
mod routes;
mod states;
