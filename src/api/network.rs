//! What lies between here and the platform: a proxy, and the authorities whose certificates are trusted.
//!
//! Both come from the variables that most programs read. One that cannot be used is an error that names it: to go on without
//! it would reach the platform by another way than was asked for.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::ApiError;

/// The variables that name a proxy for https; the first that is set wins.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The proxy of a connection, without the password that its variable may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    variable: &'static str,
    address: String,
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the proxy {} ({})", self.address, self.variable)
    }
}

/// The proxy that requests to `endpoint` go through.
///
/// # Errors
/// The variable does not hold the address of a proxy.
pub(super) fn proxy(
    endpoint: &Url,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, ApiError> {
    let set = |name: &&'static str| {
        let value = variable(name).map(|value| value.trim().to_owned());
        Some((*name, value.filter(|value| !value.is_empty())?))
    };
    let Some((name, value)) = PROXIES.iter().find_map(set) else {
        return Ok(None);
    };
    let whole = if value.contains("://") {
        value
    } else {
        format!("http://{value}")
    };
    let url = Url::parse(&whole).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or(ApiError::BadProxy { variable: name })?;
    let exceptions = variable("NO_PROXY").or_else(|| variable("no_proxy"));
    if is_exception(endpoint, exceptions.as_deref().unwrap_or_default()) {
        return Ok(None);
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    Ok(Some(Proxy {
        variable: name,
        address: format!("{host}:{port}"),
    }))
}

/// Whether `NO_PROXY` lists the host, or a domain that it is in.
fn is_exception(endpoint: &Url, exceptions: &str) -> bool {
    let host = endpoint.host_str().unwrap_or_default();
    exceptions.split(',').map(str::trim).any(|exception| {
        let domain = exception.trim_start_matches('.');
        exception == "*"
            || (!domain.is_empty()
                && host
                    .strip_suffix(domain)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    })
}

/// TLS with the authorities that this system trusts; with those of Mozilla where the system has none, as an empty container does.
///
/// # Errors
/// `SSL_CERT_FILE` or `SSL_CERT_DIR` names what cannot be read, or what holds no certificate.
pub(super) fn tls() -> Result<ClientConfig, ApiError> {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(|name| (name, std::env::var_os(name)));
    let named: Vec<&str> = named
        .iter()
        .filter_map(|(name, value)| value.as_ref().map(|_| *name))
        .collect();
    let found = rustls_native_certs::load_native_certs();
    let bad = |reason: String| ApiError::BadCertificates {
        variables: named.join(" or "),
        reason,
    };
    if let (false, Some(error)) = (named.is_empty(), found.errors.first()) {
        return Err(bad(error.to_string()));
    }
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    match (usable, named.is_empty()) {
        (0, false) => return Err(bad("it holds no certificate in PEM".to_owned())),
        (0, true) => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        _ => {}
    }
    let mut config = configured(roots)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// TLS that trusts no certificate: for loopback, where none is needed.
pub(super) fn without_certificates() -> Result<ClientConfig, ApiError> {
    configured(RootCertStore::empty())
}

fn configured(roots: RootCertStore) -> Result<ClientConfig, ApiError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ApiError::Setup {
            reason: error.to_string(),
        })?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(variables: &[(&str, &str)]) -> Result<Option<String>, ApiError> {
        let endpoint = Url::parse("https://api.v7.example.com").expect("an address");
        let value = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Ok(proxy(&endpoint, value)?.map(|proxy| proxy.to_string()))
    }

    #[test]
    fn a_proxy_is_named_with_its_variable_and_without_its_password() {
        let shown = |variables| through(variables).expect("a proxy");
        assert_eq!(
            shown(&[("HTTPS_PROXY", "http://asha:hunter2@proxy.example:3128")]).as_deref(),
            Some("the proxy proxy.example:3128 (HTTPS_PROXY)")
        );
        assert_eq!(
            shown(&[("https_proxy", ""), ("all_proxy", "proxy.example:8080")]).as_deref(),
            Some("the proxy proxy.example:8080 (all_proxy)")
        );
        assert_eq!(shown(&[("HTTP_PROXY", "http://proxy.example")]), None);
    }

    #[test]
    fn no_proxy_lists_hosts_and_domains() {
        let none = |exceptions| {
            let variables = [("HTTPS_PROXY", "proxy.example"), ("NO_PROXY", exceptions)];
            through(&variables).expect("no error").is_none()
        };
        assert!(none("*") && none("api.v7.example.com") && none("other, .example.com"));
        assert!(none("example.com"));
        assert!(!none("") && !none("v7.example") && !none("ample.com"));
    }

    #[test]
    fn what_is_not_a_proxy_is_an_error() {
        for value in [
            "http://",
            "socks5://proxy.example",
            "http://pro xy",
            "://x",
            "http://p:port",
        ] {
            let error = through(&[("HTTPS_PROXY", value)]).expect_err(value);
            assert!(error.to_string().contains("HTTPS_PROXY"), "{error}");
            assert!(!error.to_string().contains("xy.example"), "{error}");
        }
    }
}
