//! What lies between here and the platform: certificates of a private authority, proxies, and redirects that lead nowhere.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::world::{Ran, TOKEN, program};

const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 53\r\nconnection: close\r\n\r\n{\"success\":true,\"message\":\"ok\",\"code\":200,\"data\":[ ]}";

/// Answers each request with the same text; its port.
fn serve(answer: &'static str, tls: Option<Arc<ServerConfig>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let tls = tls.clone();
            std::thread::spawn(move || {
                let _a_client_may_go = reply(connection, answer, tls);
            });
        }
    });
    port
}

fn reply(
    mut connection: TcpStream,
    answer: &str,
    tls: Option<Arc<ServerConfig>>,
) -> std::io::Result<()> {
    match tls {
        None => reply_on(&mut connection, answer),
        Some(tls) => {
            let mut session = ServerConnection::new(tls).map_err(std::io::Error::other)?;
            reply_on(&mut Stream::new(&mut session, &mut connection), answer)
        }
    }
}

fn reply_on(stream: &mut (impl Read + Write), answer: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&chunk[..read]);
    }
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}

/// A workspace without leads, and a server with a certificate that no authority of the system signed.
struct Private {
    folder: tempfile::TempDir,
    port: u16,
}

impl Private {
    fn new() -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::from(key))
            .expect("a configuration");
        let folder = workspace();
        let trusted = folder.path().join("trusted");
        std::fs::create_dir(&trusted).expect("a folder");
        std::fs::write(trusted.join("ca.pem"), made.cert.pem()).expect("a file");
        Self {
            folder,
            port: serve(EMPTY, Some(Arc::new(tls))),
        }
    }

    fn plan(&self, env: &[(&str, &str)]) -> Ran {
        let endpoint = format!("https://localhost:{}", self.port);
        plan(self.folder.path(), &endpoint, env)
    }

    fn path(&self, file: &str) -> String {
        let path = self.folder.path().join(file);
        path.to_str().expect("text").to_owned()
    }
}

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "version: 1\napi: { bot_id: 63d9ffa77a8d152facbe2f00, customer_id: 631aa793bcfa100487d13d01 }\n";
    std::fs::write(folder.path().join("convertalk.yaml"), config).expect("a file");
    folder
}

fn plan(folder: &Path, endpoint: &str, env: &[(&str, &str)]) -> Ran {
    let mut command = program(&["plan", "--full"]);
    command
        .current_dir(folder)
        .env("CONVERTALK_ENDPOINT", endpoint)
        .env("CONVERTALK_READ_TOKEN", TOKEN)
        .envs(env.iter().copied());
    Ran::of(command.output().expect("the program runs"))
}

#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.err.contains(word), "{word}: {}", ran.err);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_leads_to_the_two_variables() {
    let private = Private::new();
    let ran = private.plan(&[]).exits(1);
    says(&ran, &["not trusted", "SSL_CERT_FILE", "SSL_CERT_DIR"]);
}

#[test]
fn a_private_authority_is_trusted_by_file_and_by_folder() {
    let private = Private::new();
    let (file, folder) = (private.path("trusted/ca.pem"), private.path("trusted"));
    private.plan(&[("SSL_CERT_FILE", &file)]).exits(0);
    private.plan(&[("SSL_CERT_DIR", &folder)]).exits(0);
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let private = Private::new();
    let missing = private.path("missing.pem");
    let ran = private.plan(&[("SSL_CERT_FILE", &missing)]).exits(1);
    says(&ran, &["SSL_CERT_FILE", "missing.pem"]);
    let ran = private.plan(&[("SSL_CERT_DIR", &missing)]).exits(1);
    says(&ran, &["SSL_CERT_DIR", "missing.pem"]);
    let other = private.path("convertalk.yaml");
    let ran = private.plan(&[("SSL_CERT_FILE", &other)]).exits(1);
    says(&ran, &["SSL_CERT_FILE", "PEM"]);
}

#[test]
fn a_proxy_that_does_not_answer_is_named_with_its_variable() {
    let private = Private::new();
    let file = private.path("trusted/ca.pem");
    let proxy = ("HTTPS_PROXY", "http://asha:hunter2@127.0.0.1:1");
    let ran = private.plan(&[("SSL_CERT_FILE", &file), proxy]).exits(1);
    says(&ran, &["127.0.0.1:1", "HTTPS_PROXY", "NO_PROXY"]);
    assert!(!ran.err.contains("hunter2"), "{}", ran.err);
    let direct = ("NO_PROXY", "localhost");
    private
        .plan(&[("SSL_CERT_FILE", &file), proxy, direct])
        .exits(0);
}

#[test]
fn a_proxy_that_is_not_an_address_is_an_error_and_not_passed_by() {
    let private = Private::new();
    let file = private.path("trusted/ca.pem");
    let proxy = ("HTTPS_PROXY", "http://asha:hunter2@");
    let ran = private.plan(&[("SSL_CERT_FILE", &file), proxy]).exits(1);
    says(&ran, &["HTTPS_PROXY is not the address of a proxy"]);
    assert!(!ran.err.contains("hunter2"), "{}", ran.err);
}

fn answered(answer: &'static str) -> Ran {
    let folder = workspace();
    let port = serve(answer, None);
    plan(folder.path(), &format!("http://127.0.0.1:{port}"), &[]).exits(1)
}

#[test]
fn redirects_that_lead_nowhere_are_not_another_address() {
    let close = "content-length: 0\r\nconnection: close\r\n\r\n";
    let answers = [
        (
            format!("HTTP/1.1 304 Not Modified\r\n{close}"),
            "HTTP 304: not modified",
        ),
        (
            format!("HTTP/1.1 302 Found\r\n{close}"),
            "without an address",
        ),
        (
            format!("HTTP/1.1 302 Found\r\nlocation:\r\n{close}"),
            "without an address",
        ),
        (
            format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: /inbox\r\n{close}"),
            "too many redirects",
        ),
    ];
    for (answer, words) in answers {
        let ran = answered(answer.leak());
        says(&ran, &[words]);
        assert!(!ran.err.contains("set api.endpoint to it"), "{}", ran.err);
    }
}

#[test]
fn a_redirect_to_another_host_names_it() {
    let ran = answered(
        "HTTP/1.1 301 Moved\r\nlocation: https://other.example/x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
    says(&ran, &["https://other.example", "set api.endpoint to it"]);
}

#[test]
fn statuses_of_others_do_not_blame_the_ids() {
    let answers = [
        ("HTTP/1.1 402 Payment Required\r\n", "payment"),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n",
            "HTTPS_PROXY",
        ),
        ("HTTP/1.1 451 Unavailable For Legal Reasons\r\n", "legal"),
    ];
    for (status, words) in answers {
        let answer = format!("{status}content-length: 0\r\nconnection: close\r\n\r\n");
        let ran = answered(answer.leak());
        says(&ran, &[words]);
        assert!(!ran.err.contains("bot_id"), "{}", ran.err);
    }
}
