use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use secrecy::SecretString;
use tokio::net::TcpListener;

use super::*;
use crate::plan::Target;
use crate::report::Problem;

/// What arrived, and what is answered: the statuses in order, then 200.
#[derive(Debug, Default)]
struct Receiver {
    got: Mutex<Vec<WatchStatus>>,
    refusing: Mutex<Vec<u16>>,
}

async fn take(State(receiver): State<Arc<Receiver>>, body: String) -> StatusCode {
    if let Some(status) = receiver.refusing.lock().expect("a list").pop() {
        return StatusCode::from_u16(status).expect("a status");
    }
    let status = serde_json::from_str(&body).expect("a status document");
    receiver.got.lock().expect("a list").push(status);
    StatusCode::OK
}

impl Receiver {
    async fn start(refusing: &[u16]) -> (Arc<Self>, Webhook) {
        let receiver = Arc::new(Self {
            got: Mutex::default(),
            refusing: Mutex::new(refusing.to_vec()),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new()
            .route("/s3cret", post(take))
            .with_state(Arc::clone(&receiver));
        tokio::spawn(async { axum::serve(listener, router).await });
        let address = SecretString::from(format!("http://{address}/s3cret"));
        (receiver, Webhook::new(&address).expect("a receiver"))
    }

    /// Waits until `number` have arrived, and a little longer for those that must not.
    async fn results(&self, number: usize) -> Vec<Option<PassResult>> {
        for _ in 0..400 {
            if self.got.lock().expect("a list").len() >= number {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let got = self.got.lock().expect("a list");
        got.iter().map(|status| status.result).collect()
    }
}

fn status(result: PassResult, change: impl FnOnce(&mut WatchStatus)) -> WatchStatus {
    let target = Target {
        endpoint: "sandbox".to_owned(),
        bot_id: "b".to_owned(),
        customer_id: "c".to_owned(),
    };
    let mut status = WatchStatus::before_first_pass(target, String::new());
    status.result = Some(result);
    change(&mut status);
    status
}

fn ok() -> WatchStatus {
    status(PassResult::Ok, |_| {})
}

#[test]
fn a_condition_is_the_result_the_counts_the_refusals_and_the_code() {
    let sent = status(PassResult::Partial, |status| status.states.drift = 2);
    let same = |change: fn(&mut WatchStatus)| {
        let mut other = sent.clone();
        change(&mut other);
        !is_news(&other, Some(&sent))
    };
    assert!(same(|status| status.states.in_sync = 9));
    assert!(same(|status| status.states.intended = 9));
    assert!(same(|status| status.since = "later".to_owned()));
    assert!(same(|status| status.next_pass_at = Some("later".to_owned())));
    assert!(same(|status| status.commit.attempted = Some("c".to_owned())));
    assert!(!same(|status| status.result = Some(PassResult::Stale)));
    assert!(!same(|status| status.states.drift = 3));
    assert!(!same(|status| status.states.conflict = 1));
    assert!(!same(|status| status.states.missing = 1));
    assert!(!same(|status| status.states.held = 1));
    assert!(!same(|status| status.states.fighting = 1));
    assert!(!same(|status| status.error = Some(Problem::new("io", "a"))));
    let refusal = crate::plan::Refusal {
        rule: crate::policy::Guard::MaxChanges,
        message: "m".to_owned(),
        source: None,
        lift: "l".to_owned(),
        leads: Vec::new(),
    };
    let refused = status(PassResult::Refused, |status| status.refusals.push(refusal));
    assert!(is_news(
        &refused,
        Some(&status(PassResult::Refused, |_| {}))
    ));
    let failed = |message| {
        status(PassResult::Error, |status| {
            status.error = Some(Problem::new("io", message))
        })
    };
    assert!(
        !is_news(&failed("a"), Some(&failed("b"))),
        "the code counts, not the words"
    );
}

#[test]
fn ok_and_changed_are_one_and_the_first_good_pass_is_no_news() {
    let changed = status(PassResult::Changed, |_| {});
    assert!(!is_news(&ok(), None));
    assert!(!is_news(&changed, None));
    assert!(!is_news(&changed, Some(&ok())));
    assert!(is_news(&status(PassResult::Refused, |_| {}), None));
    assert!(is_news(&ok(), Some(&status(PassResult::Refused, |_| {}))));
    let target = ok().target;
    assert!(!is_news(
        &WatchStatus::before_first_pass(target, String::new()),
        None
    ));
}

#[tokio::test]
async fn one_is_sent_for_each_change_and_when_all_is_well_again() {
    let (receiver, webhook) = Receiver::start(&[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let memory = Arc::new(MemoryFile::open(folder.path()).expect("a file"));
    let handle = Arc::new(WatchHandle::new(ok()));
    let warn = |words: String| panic!("{words}");
    tokio::spawn(notify(
        Arc::clone(&handle),
        webhook,
        Arc::clone(&memory),
        warn,
    ));
    for (result, expected) in [
        (PassResult::Ok, vec![]),
        (PassResult::Refused, vec![Some(PassResult::Refused)]),
        (PassResult::Refused, vec![Some(PassResult::Refused)]),
        (
            PassResult::Changed,
            vec![Some(PassResult::Refused), Some(PassResult::Changed)],
        ),
        (
            PassResult::Ok,
            vec![Some(PassResult::Refused), Some(PassResult::Changed)],
        ),
    ] {
        handle.publish(status(result, |_| {}));
        assert_eq!(receiver.results(expected.len()).await, expected);
    }
    let kept = MemoryFile::open(folder.path()).expect("a file").read();
    assert_eq!(
        kept.notified.and_then(|status| status.result),
        Some(PassResult::Changed)
    );
}

#[tokio::test]
async fn what_was_sent_before_a_restart_is_not_sent_again() {
    let (receiver, webhook) = Receiver::start(&[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let memory = MemoryFile::open(folder.path()).expect("a file");
    let refused = status(PassResult::Refused, |_| {});
    notify_once(&refused, &webhook, &memory, 1)
        .await
        .expect("sent");
    let memory = MemoryFile::open(folder.path()).expect("a file");
    notify_once(&refused, &webhook, &memory, 1)
        .await
        .expect("no news");
    notify_once(&ok(), &webhook, &memory, 1)
        .await
        .expect("sent");
    let expected = [Some(PassResult::Refused), Some(PassResult::Ok)];
    assert_eq!(receiver.results(2).await, expected);
}

#[tokio::test]
async fn a_receiver_that_refuses_is_asked_again_with_the_newest_status() {
    let (receiver, webhook) = Receiver::start(&[500]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let memory = Arc::new(MemoryFile::open(folder.path()).expect("a file"));
    let handle = Arc::new(WatchHandle::new(status(PassResult::Refused, |_| {})));
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&warnings);
    let warn = move |words: String| noted.lock().expect("a list").push(words);
    tokio::spawn(notify(Arc::clone(&handle), webhook, memory, warn));
    while warnings.lock().expect("a list").is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    handle.publish(status(PassResult::Partial, |_| {}));
    assert_eq!(receiver.results(1).await, [Some(PassResult::Partial)]);
    let warnings = warnings.lock().expect("a list");
    assert_eq!(
        *warnings,
        ["notification failed: 127.0.0.1 answered with HTTP 500; retrying in 1 s"]
    );
}

#[tokio::test]
async fn an_error_does_not_contain_the_address() {
    let address = SecretString::from("http://127.0.0.1:1/s3cret?key=k3y".to_owned());
    let webhook = Webhook::new(&address).expect("a receiver");
    let folder = tempfile::tempdir().expect("a folder");
    let memory = MemoryFile::open(folder.path()).expect("a file");
    let refused = status(PassResult::Refused, |_| {});
    let error = notify_once(&refused, &webhook, &memory, 1)
        .await
        .expect_err("no one is there");
    assert_eq!(error.to_string(), "127.0.0.1 did not answer: no connection");
    assert!(memory.read().notified.is_none());
}
