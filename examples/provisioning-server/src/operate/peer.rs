//! The addresses that requests come from.

use std::net::IpAddr;

/// The network address of whoever has opened the connection, which a reverse proxy may be. It is in the extensions of
/// every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);
