use super::*;

const AGENT: &str = "631aa793bcfa100487d13d0e";

#[tokio::test]
async fn an_update_sets_what_is_sent_and_nothing_else() {
    let sandbox = with_leads(2, Options::default()).await;
    let (before, other) = (record(&sandbox, "a"), record(&sandbox, "b"));
    assert_eq!(put(&sandbox, "a", json!({})).await, 200);
    assert_eq!(record(&sandbox, "a"), before);
    let fields = json!({ "status": "REVIEW", "agentId": AGENT, "name": "N", "email": "e", "phone": "1", "dialCode": "+44",
        "picture": "https://p", "tags": ["new"], "attributes": [{ "key": "plan", "value": "pro" }, { "key": "tier", "value": "tin" }],
        "notes": [{ "title": "two", "description": "" }, { "title": "one", "description": "first" }] });
    let reply = try_put(&sandbox, "a", fields).await.expect("an answer");
    assert_eq!(
        reply.json(),
        json!({ "success": true, "message": "ok", "code": 200 })
    );
    let (after, mut expected) = (record(&sandbox, "a"), before.clone());
    expected["status"] = json!("REVIEW");
    expected["_agentAssigned"] = json!(AGENT);
    expected["updatedAt"] = after["updatedAt"].clone();
    expected["profile"]["userDetails"] = json!({ "name": "N", "picture": "https://p", "tags": ["new"],
        "attributes": [{ "key": "tier", "value": "tin" }, { "key": "plan", "value": "pro" }],
        "contact": { "email": "e", "phone": { "number": "1", "prefix": "44" } } });
    let id = after["profile"]["notes"][0]["_id"].clone();
    expected["profile"]["notes"] = json!([{ "_id": id, "title": "two", "description": "" },
        { "_id": "n1", "title": "one", "description": "first" }]);
    assert_eq!(after, expected);
    assert!(after["updatedAt"].as_str() > before["updatedAt"].as_str());
    assert_eq!(record(&sandbox, "b"), other);
}

#[tokio::test]
async fn wrong_bodies_are_refused_with_reasons() {
    let sandbox = with_leads(1, Options::default()).await;
    let before = sandbox.records();
    for fields in [
        json!({ "status": "DEPENDENCY" }),
        json!({ "tags": [1] }),
        json!({ "agentId": "priya" }),
        json!({ "dialCode": "91" }),
        json!({ "picture": "p" }),
        json!({ "notes": "text" }),
        json!({ "attributes": { "a": 1 } }),
        json!({ "name": null }),
    ] {
        let reply = try_put(&sandbox, "a", fields).await.expect("an answer");
        assert_eq!(
            (reply.status, reply.json()["data"].as_array().map(Vec::len)),
            (400, Some(1))
        );
    }
    let reply = send(
        &sandbox,
        "PUT",
        "/inbox/direct/lead",
        "x-bp-token: w\r\n",
        "{",
    )
    .await
    .expect("an answer");
    assert_eq!((reply.status, sandbox.records()), (400, before));
}

#[tokio::test]
async fn tags_do_as_told() {
    for (tags, sent, status, expected) in [
        (
            Tags::Replace,
            json!(["new", "vip"]),
            200,
            json!(["new", "vip"]),
        ),
        (Tags::Replace, json!("new, vip"), 200, json!(["new", "vip"])),
        (Tags::Replace, json!([]), 200, json!([])),
        (
            Tags::Add,
            json!(["new", "vip"]),
            200,
            json!(["vip", "cold", "new"]),
        ),
        (Tags::Ignore, json!(["new"]), 200, json!(["vip", "cold"])),
        (Tags::TextOnly, json!(["new"]), 400, json!(["vip", "cold"])),
        (Tags::TextOnly, json!("new,vip"), 200, json!("new,vip")),
    ] {
        let sandbox = with_leads(
            1,
            Options {
                tags,
                ..Options::default()
            },
        )
        .await;
        assert_eq!(put(&sandbox, "a", json!({ "tags": sent })).await, status);
        assert_eq!(details(&sandbox, "a")["tags"], expected);
    }
    let sandbox = with_leads(
        1,
        Options {
            tags: Tags::TextOnly,
            ..Options::default()
        },
    )
    .await;
    assert_eq!(
        list(&sandbox, 1).await.json()["data"][0]["profile"]["userDetails"]["tags"],
        "vip,cold"
    );
}

#[tokio::test]
async fn what_is_left_out_stays_is_cleared_or_all_is_ignored() {
    let sandbox = with_leads(
        1,
        Options {
            put: Put::Replace,
            ..Options::default()
        },
    )
    .await;
    put(&sandbox, "a", json!({ "tags": ["new"] })).await;
    let after = record(&sandbox, "a");
    let cleared = json!({ "tags": ["new"], "attributes": [], "contact": { "phone": {} } });
    assert_eq!(
        (
            after.get("_agentAssigned"),
            &after["profile"]["userDetails"]
        ),
        (None, &cleared)
    );
    assert_eq!(
        (&after["profile"]["notes"], &after["odd"]),
        (&json!([]), &json!({ "a": [null], "z": 1 }))
    );
    let sandbox = with_leads(
        1,
        Options {
            put: Put::Ignore,
            ..Options::default()
        },
    )
    .await;
    let before = sandbox.records();
    assert_eq!(put(&sandbox, "a", json!({ "status": "CLOSED" })).await, 200);
    assert_eq!(
        put(&sandbox, "new", json!({ "status": "CLOSED" })).await,
        200
    );
    assert_eq!(sandbox.records(), before);
}

#[tokio::test]
async fn notes_and_attributes_do_as_told() {
    let options = Options {
        notes: Notes::Append,
        attributes: Attributes::Replace,
        ..Options::default()
    };
    let sandbox = with_leads(1, options).await;
    let note = json!([{ "title": "one", "description": "first" }]);
    put(
        &sandbox,
        "a",
        json!({ "notes": note, "attributes": [{ "key": "plan", "value": "pro" }] }),
    )
    .await;
    assert_eq!(
        record(&sandbox, "a")["profile"]["notes"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(
        details(&sandbox, "a")["attributes"],
        json!([{ "key": "plan", "value": "pro" }])
    );
}

#[tokio::test]
async fn unknown_uuids_do_as_told() {
    for (unknown, status, there) in [
        (Unknown::Create, 200, true),
        (Unknown::Reject, 404, false),
        (Unknown::Ignore, 200, false),
    ] {
        for lag_reads in [0, 1] {
            let sandbox = with_leads(
                1,
                Options {
                    unknown,
                    lag_reads,
                    ..Options::default()
                },
            )
            .await;
            assert_eq!(put(&sandbox, "new", json!({ "tags": ["t"] })).await, status);
            assert_eq!(sandbox.kind("new"), there.then_some(ChatKind::Lead));
            assert_eq!(
                there,
                record(&sandbox, "new")["profile"]["userDetails"]["tags"] == json!(["t"])
            );
        }
    }
}

#[tokio::test]
async fn an_agent_leaves_as_told() {
    for (unassign, empty, null) in [
        (Unassign::Either, true, true),
        (Unassign::Empty, true, false),
        (Unassign::Null, false, true),
        (Unassign::Never, false, false),
    ] {
        let sandbox = with_leads(
            2,
            Options {
                unassign,
                ..Options::default()
            },
        )
        .await;
        put(&sandbox, "a", json!({ "agentId": "" })).await;
        put(&sandbox, "b", json!({ "agentId": null })).await;
        let gone = |uuid| record(&sandbox, uuid).get("_agentAssigned").is_none();
        assert_eq!((gone("a"), gone("b")), (empty, null));
    }
}
