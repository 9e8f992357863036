//! The limit: the same pages, by the same HTTP client with the same settings and as many at a time, their bodies thrown away.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

pub(crate) const IDS: &str = "botId=63d9ffa77a8d152facbe2f00&customerId=631aa793bcfa100487d13d01";

/// `bare URL LEAD-PAGES NON-LEAD-PAGES WIDTH`
pub(crate) fn main(words: &[String]) -> ExitCode {
    let number = |at: usize| words[at].parse::<u32>().expect("a number");
    let lists = [("lead", number(1)), ("non-lead", number(2))];
    let addresses = lists.into_iter().flat_map(|(list, pages)| {
        (1..=pages).map(move |page| {
            format!(
                "{}/inbox/direct/chats?{IDS}&page={page}&type={list}",
                words[0]
            )
        })
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let client = client();
    runtime.block_on(async {
        let fetches = addresses.map(|address| fetch(&client, address));
        futures_util::stream::iter(fetches)
            .buffer_unordered(number(3) as usize)
            .for_each(|()| async {})
            .await;
    });
    ExitCode::SUCCESS
}

async fn fetch(client: &reqwest::Client, address: String) {
    let mut answer = client
        .get(address)
        .header("x-bot-token", "bench")
        .send()
        .await
        .expect("an answer");
    while answer.chunk().await.expect("its body").is_some() {}
}

/// As the program's own.
fn client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let builder = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .no_proxy();
    builder
        .tls_backend_preconfigured(tls)
        .build()
        .expect("a client")
}
