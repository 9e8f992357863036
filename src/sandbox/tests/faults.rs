use tokio::time::Instant;

use super::*;

fn struck(fault: &str) -> Options {
    Options {
        faults: vec![fault.parse().expect("a fault")],
        ..Options::default()
    }
}

/// The answer to a write under a fault, and whether the write was done.
async fn write(fault: &str) -> (Option<Response>, bool) {
    let sandbox = with_leads(1, struck(fault)).await;
    let reply = try_put(&sandbox, "a", json!({ "status": "CLOSED" })).await;
    let logged = sandbox.requests()[0].clone();
    assert_eq!(logged.status, reply.as_ref().map(|reply| reply.status));
    assert_eq!(logged.fault.map(FaultKind::as_str), fault.split('@').next());
    (reply, record(&sandbox, "a")["status"] == "CLOSED")
}

#[tokio::test]
async fn statuses_come_instead_of_the_write() {
    for (fault, status) in [
        ("429", 429),
        ("500", 500),
        ("502-html", 502),
        ("503", 503),
        ("html", 200),
        ("success-false", 200),
    ] {
        let (reply, written) = write(fault).await;
        let reply = reply.expect("an answer");
        assert_eq!((reply.status, written), (status, false), "{fault}");
        assert_eq!(reply.body.starts_with(b"<html>"), fault.contains("html"));
        if !fault.contains("html") {
            assert_eq!(reply.json()["success"], false);
        }
    }
    let (reply, written) = write("empty@write").await;
    assert_eq!(
        reply.map(|reply| (reply.status, reply.body.len(), written)),
        Some((200, 0, false))
    );
}

#[tokio::test]
async fn too_many_requests_says_when() {
    let sandbox = start(Options {
        retry_after: 7,
        ..struck("429")
    })
    .await;
    assert!(list(&sandbox, 1).await.head.contains("retry-after: 7\r\n"));
    let sandbox = start(Options {
        retry_after: 3_600,
        retry_after_date: true,
        ..struck("429")
    })
    .await;
    let head = list(&sandbox, 1).await.head;
    let date = head
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "))
        .expect("a date");
    assert!(httpdate::parse_http_date(date).is_ok_and(|date| date > std::time::SystemTime::now()));
}

#[tokio::test]
async fn broken_answers_come_after_the_write() {
    let (reply, written) = write("truncated").await;
    let reply = reply.expect("an answer");
    assert!(
        written
            && reply
                .head
                .contains(&format!("content-length: {}", reply.body.len()))
    );
    assert!(serde_json::from_slice::<Value>(&reply.body).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_takes_its_time_and_is_as_usual() {
    let start = Instant::now();
    let (reply, written) = write("slow").await;
    assert!(start.elapsed() >= Options::default().slow);
    assert_eq!(
        (reply.map(|reply| reply.status), written),
        (Some(200), true)
    );
}

#[tokio::test]
async fn connections_drop_before_and_after_the_write() {
    let (reply, written) = write("drop-before").await;
    assert!(reply.is_none() && !written);
    let (reply, written) = write("drop-after").await;
    assert!(reply.is_none() && written);
}

#[tokio::test]
async fn an_oversized_answer_has_no_end_in_sight() {
    let sandbox = start(struck("oversized")).await;
    let mut stream = TcpStream::connect(sandbox.address())
        .await
        .expect("a connection");
    let target = format!("/inbox/direct/chats?botId={BOT}&customerId={CUSTOMER}&page=1&type=lead");
    stream
        .write_all(
            format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nx-bot-token: r\r\n\r\n")
                .as_bytes(),
        )
        .await
        .expect("sent");
    let mut bytes = vec![0; 4 << 20];
    stream.read_exact(&mut bytes).await.expect("4 MiB of it");
    assert!(bytes.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_hanging_server_answers_nothing_and_stops_all_the_same() {
    let sandbox = with_leads(1, struck("hang@write")).await;
    let hanging = try_put(&sandbox, "a", json!({ "status": "CLOSED" }));
    let meanwhile = async {
        arrived(&sandbox, 1).await;
        let page = list(&sandbox, 1).await;
        assert_eq!((page.status, page.uuids()), (200, vec!["a".to_owned()]));
        assert_eq!(record(&sandbox, "a")["status"], "OPEN");
        sandbox.stop.send_replace(true);
    };
    let (reply, ()) = tokio::join!(hanging, meanwhile);
    assert!(reply.is_none());
    sandbox.stop().await.expect("stopped");
}

#[tokio::test]
async fn faults_strike_the_requests_they_name() {
    let sandbox = with_leads(1, struck("500@read:2,3")).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        put(&sandbox, "a", json!({})).await;
        seen.push(list(&sandbox, 1).await.status);
    }
    assert_eq!(seen, [200, 500, 500, 200]);
}

#[tokio::test(start_paused = true)]
async fn every_answer_takes_the_latency() {
    let latency = Duration::from_secs(3600);
    let sandbox = start(Options {
        latency,
        ..Options::default()
    })
    .await;
    let start = Instant::now();
    list(&sandbox, 1).await;
    assert!(start.elapsed() >= latency);
}

#[tokio::test]
async fn the_peak_counts_requests_that_are_under_way_together() {
    let sandbox = start(struck("hang@read:1,2,3")).await;
    let hanging = async {
        tokio::join!(
            try_list(&sandbox, "lead", 1),
            try_list(&sandbox, "lead", 1),
            try_list(&sandbox, "lead", 1)
        )
    };
    let meanwhile = async {
        arrived(&sandbox, 3).await;
        sandbox.stop.send_replace(true);
    };
    tokio::join!(hanging, meanwhile);
    assert_eq!(sandbox.peak_in_flight(), 3);
}
