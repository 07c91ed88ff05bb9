//! The launcher of real servers, tried on real servers: a setting that does not take is noticed here.

mod ensemble;
mod kazoo;
mod life;
mod sasl;
mod tls;
