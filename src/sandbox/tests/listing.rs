use super::*;

#[tokio::test]
async fn pages_end_in_every_way() {
    for (end, status, data) in [
        (ListEnd::Empty, 200, Some(json!([]))),
        (ListEnd::MissingData, 200, None),
        (ListEnd::NullData, 200, Some(Value::Null)),
        (ListEnd::NotFound, 404, None),
    ] {
        let sandbox = with_leads(
            3,
            Options {
                page_size: 2,
                end,
                ..Options::default()
            },
        )
        .await;
        assert_eq!(
            (
                list(&sandbox, 1).await.uuids().len(),
                list(&sandbox, 2).await.uuids().len()
            ),
            (2, 1)
        );
        let past = list(&sandbox, 3).await;
        assert_eq!(
            (past.status, past.json().get("data").cloned()),
            (status, data)
        );
    }
    let sandbox = with_leads(
        3,
        Options {
            page_size: 2,
            end: ListEnd::NotFoundHtml,
            ..Options::default()
        },
    )
    .await;
    assert!(list(&sandbox, 3).await.body.starts_with(b"<html>"));
    let sandbox = with_leads(
        3,
        Options {
            page_size: 2,
            end: ListEnd::RepeatLast,
            ..Options::default()
        },
    )
    .await;
    assert_eq!(list(&sandbox, 9).await.uuids(), ["c"]);
    assert_eq!(
        try_list(&sandbox, "non-lead", 1)
            .await
            .expect("an answer")
            .uuids(),
        ["x"]
    );
    let empty = start(Options {
        end: ListEnd::RepeatLast,
        ..Options::default()
    })
    .await;
    assert_eq!(list(&empty, 2).await.json()["data"], json!([]));
}

#[tokio::test]
async fn an_update_moves_a_lead_only_where_the_order_is_by_update() {
    for (sort, first) in [
        (Sort::Updated, "c"),
        (Sort::Created, "a"),
        (Sort::None, "a"),
    ] {
        let sandbox = with_leads(
            3,
            Options {
                sort,
                ..Options::default()
            },
        )
        .await;
        assert_eq!(list(&sandbox, 1).await.uuids()[0], "a");
        put(&sandbox, "c", json!({ "status": "REVIEW" })).await;
        assert_eq!(list(&sandbox, 1).await.uuids()[0], first);
    }
}

#[tokio::test]
async fn tags_and_agents_are_shown_as_asked() {
    let sandbox = with_leads(
        1,
        Options {
            tags_shown: TagsShown::Text,
            ..Options::default()
        },
    )
    .await;
    assert_eq!(
        list(&sandbox, 1).await.json()["data"][0]["profile"]["userDetails"]["tags"],
        "vip,cold"
    );
    for (agent_key, some, none) in [
        (AgentKey::Missing, json!("631aa793bcfa100487d13d0d"), None),
        (
            AgentKey::Null,
            json!("631aa793bcfa100487d13d0d"),
            Some(Value::Null),
        ),
        (
            AgentKey::Empty,
            json!("631aa793bcfa100487d13d0d"),
            Some(json!("")),
        ),
        (
            AgentKey::Object,
            json!({ "_id": "631aa793bcfa100487d13d0d", "name": "Priya" }),
            None,
        ),
    ] {
        let sandbox = with_leads(
            1,
            Options {
                agent_key,
                ..Options::default()
            },
        )
        .await;
        assert_eq!(
            list(&sandbox, 1).await.json()["data"][0]["_agentAssigned"],
            some
        );
        let reply = try_list(&sandbox, "non-lead", 1).await.expect("an answer");
        assert_eq!(reply.json()["data"][0].get("_agentAssigned").cloned(), none);
    }
}

#[tokio::test]
async fn a_write_shows_after_its_lag_of_reads() {
    let sandbox = with_leads(
        1,
        Options {
            lag_reads: 2,
            ..Options::default()
        },
    )
    .await;
    put(&sandbox, "a", json!({ "status": "CLOSED" })).await;
    assert_eq!(record(&sandbox, "a")["status"], "CLOSED");
    for status in ["OPEN", "OPEN", "CLOSED"] {
        assert_eq!(list(&sandbox, 1).await.json()["data"][0]["status"], status);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_shows_once_its_time_has_passed() {
    let lag = Duration::from_secs(3600);
    let sandbox = with_leads(
        1,
        Options {
            lag,
            ..Options::default()
        },
    )
    .await;
    put(&sandbox, "a", json!({ "status": "CLOSED" })).await;
    tokio::time::advance(lag - Duration::from_millis(1)).await;
    assert_eq!(list(&sandbox, 1).await.json()["data"][0]["status"], "OPEN");
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(
        list(&sandbox, 1).await.json()["data"][0]["status"],
        "CLOSED"
    );
}

#[tokio::test]
async fn the_inbox_lives() {
    let sandbox = with_leads(
        9,
        Options {
            churn: 2,
            ..Options::default()
        },
    )
    .await;
    let (first, second) = (
        list(&sandbox, 1).await.uuids(),
        list(&sandbox, 1).await.uuids(),
    );
    assert_ne!(first, second);
    assert_eq!(
        std::collections::BTreeSet::from_iter(first),
        std::collections::BTreeSet::from_iter(second)
    );
    let sandbox = with_leads(
        3,
        Options {
            arrivals: 2,
            ..Options::default()
        },
    )
    .await;
    assert_eq!(
        (
            list(&sandbox, 1).await.uuids().len(),
            list(&sandbox, 1).await.uuids().len()
        ),
        (3, 4)
    );
    let sandbox = with_leads(
        1,
        Options {
            promote: 2,
            ..Options::default()
        },
    )
    .await;
    assert_eq!(list(&sandbox, 1).await.uuids(), ["a"]);
    assert_eq!(
        (list(&sandbox, 1).await.uuids(), sandbox.kind("x")),
        (vec!["x".into(), "a".into()], Some(ChatKind::Lead))
    );
}

#[tokio::test]
async fn duplicates_show_on_both_sides_of_a_border() {
    let sandbox = with_leads(
        5,
        Options {
            page_size: 3,
            duplicates: true,
            ..Options::default()
        },
    )
    .await;
    let pages = [
        list(&sandbox, 1).await,
        list(&sandbox, 2).await,
        list(&sandbox, 3).await,
    ];
    assert_eq!(pages.map(|page| page.uuids().concat()), ["abc", "cde", ""]);
}

#[tokio::test]
async fn generated_chats_are_the_same_each_time_and_many() {
    let options = Options {
        leads: 200_000,
        page_size: 200,
        random_seed: 3,
        ..Options::default()
    };
    let (one, two) = (start(options.clone()).await, start(options).await);
    let last = list(&one, 900).await;
    assert_eq!(
        (last.uuids().len(), &last.body),
        (200, &list(&two, 900).await.body)
    );
    assert!(list(&one, 901).await.uuids().is_empty());
    let uuid = &last.uuids()[7];
    put(&one, uuid, json!({ "status": "DEPENDANCY" })).await;
    assert_eq!(&list(&one, 1).await.uuids()[0], uuid);
}

#[tokio::test]
async fn odd_shapes_are_all_met() {
    let sandbox = start(Options {
        leads: 100,
        odd_shapes: true,
        page_size: 200,
        ..Options::default()
    })
    .await;
    let chats = list(&sandbox, 1).await.json()["data"]
        .as_array()
        .cloned()
        .expect("chats");
    let met = |test: fn(&Value) -> bool| chats.iter().any(test);
    assert!(met(|chat| chat.get("uuid").is_none()) && met(|chat| chat.get("profile").is_none()));
    assert!(
        met(|chat| chat["status"] == "DELETED") && met(|chat| chat["_agentAssigned"].is_object())
    );
    assert!(met(
        |chat| chat["profile"]["userDetails"]["tags"].is_string()
    ));
    assert!(met(
        |chat| chat["profile"]["userDetails"].get("tags") == Some(&Value::Null)
    ));
    assert!(met(|chat| chat["profile"]["userDetails"]["attributes"][0]
        ["value"]
        .is_number()));
    assert!(met(|chat| chat.get("_agentAssigned") == Some(&json!(""))));
}
