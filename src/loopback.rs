//! Servers on loopback: a page in a browser whose name was made to resolve to this machine (DNS rebinding) is to reach none of them.

use std::net::SocketAddr;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use url::Host;

/// The status of an answer to a request that does not name a loopback host is 421; this is its text.
pub(crate) const ONLY_LOCALHOST: &str = "this address is for requests to localhost only";

/// Whether only this machine reaches an address.
pub(crate) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Whether a request is for a loopback host, by name or address, at whatever port it was forwarded from.
pub(crate) fn names_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = host(headers) else {
        return false;
    };
    match Host::parse(host.host()) {
        Ok(Host::Domain(name)) => name == "localhost",
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Err(_) => false,
    }
}

/// The host that a request names, with its port.
pub(crate) fn host(headers: &HeaderMap) -> Option<Authority> {
    headers.get(HOST)?.to_str().ok()?.parse().ok()
}
