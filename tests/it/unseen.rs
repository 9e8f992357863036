//! What one cannot see: values that look the same are shown apart in everything that people read, and named in every message.

use serde_json::json;

use crate::world::{World, record, uuid};

/// A value of the inbox and one of the file that look the same, and how each is shown.
const PAIRS: [[&str; 4]; 8] = [
    // A no-break space, a thin space, an ideographic space.
    [
        "key\u{a0}account",
        "key account",
        "key\\u{a0}account",
        "key account",
    ],
    [
        "key\u{2009}account",
        "key account",
        "key\\u{2009}account",
        "key account",
    ],
    [
        "key\u{3000}account",
        "key account",
        "key\\u{3000}account",
        "key account",
    ],
    // Two spaces and one.
    ["key  account", "key account", "key··account", "key account"],
    // Zero-width, bidi and soft characters.
    ["v\u{200b}ip", "vip", "v\\u{200b}ip", "vip"],
    ["vip\u{202e}", "vip", "vip\\u{202e}", "vip"],
    ["vi\u{ad}p", "vip", "vi\\u{ad}p", "vip"],
    // A Cyrillic letter.
    ["v\u{456}p", "vip", "v\\u{456}p", "vip"],
];

/// An inbox with a lead that has `live` as a tag, an attribute and a name, and a file with `declared` in their places.
fn world(live: &str, declared: &str) -> World {
    let mut lead = record(1, "OPEN", None, &[live]);
    lead["profile"]["userDetails"]["attributes"] = json!([{ "key": "tier", "value": live }]);
    let world = World::new(&[lead], "");
    let declared = json!(declared);
    world.declare(&format!(
        "  {}: {{ tags: [{declared}], attributes: {{ tier: {declared} }} }}\n",
        uuid(1)
    ));
    world
}

/// A text of Markdown or HTML as it is read.
fn read(text: &str) -> String {
    let signs = [
        ("&#92;", "\\"),
        ("&#123;", "{"),
        ("&#125;", "}"),
        ("&#183;", "·"),
    ];
    signs
        .iter()
        .fold(text.to_owned(), |text, (sign, c)| text.replace(sign, c))
}

#[test]
fn values_that_look_the_same_are_apart_in_every_format() {
    for [live, declared, live_shown, declared_shown] in PAIRS {
        let world = world(live, declared);
        for format in ["text", "markdown", "html", "github"] {
            let plan = world.run(&format!("plan --format {format}")).exits(0);
            let all = read(&plan.out);
            for shown in [live_shown, declared_shown] {
                assert!(all.contains(shown), "{format}: no {shown}: {all}");
            }
            assert!(!all.contains(live), "{format}: {live:?} as it is: {all}");
        }
        world.run("plan --report csv=plan.csv").exits(0);
        let csv = std::fs::read_to_string(world.path("plan.csv")).expect("a file");
        assert!(
            csv.contains(&format!("tags,{live_shown},{declared_shown},")),
            "{csv}"
        );
        assert!(
            csv.contains(&format!("tier,{live_shown},{declared_shown},")),
            "{csv}"
        );
        let explained = world.run(&format!("explain {}", uuid(1))).exits(0).out;
        assert_eq!(explained.matches(live_shown).count(), 2, "{explained}");
        let list = world.run("list --live").exits(0).out;
        assert!(
            list.contains(&format!("{declared_shown} ({live_shown})")),
            "{list}"
        );
        world.run("apply --yes").exits(0);
        let run = world.run("show last").exits(0).out;
        assert!(run.contains(live_shown), "{run}");
    }
}

/// What cannot be seen is an escape in JSON; what can is as it is.
#[test]
fn documents_have_escapes_for_what_no_one_can_see() {
    for (live, escape) in [
        ("v\u{200b}ip", "v\\u200bip"),
        ("vip\u{202e}", "vip\\u202e"),
        ("v\u{7}ip", "v\\u0007ip"),
    ] {
        let world = world(live, "vip");
        for words in ["plan --format json", "list --live --format json"] {
            let out = world.run(words).exits(0).out;
            assert!(out.contains(escape), "{words}: {out}");
        }
    }
}

#[test]
fn a_tag_that_looks_like_one_that_stays_is_set_apart_from_it() {
    let world = World::new(&[record(1, "OPEN", None, &["v\u{456}p", "caf\u{e9}"])], "");
    world.declare(&format!(
        "  {}: {{ tags: {{ present: [vip], absent: [gone] }} }}\n",
        uuid(1)
    ));
    let plan = world.run("plan").exits(0).out;
    assert!(plan.contains("tags  +vip"), "{plan}");
    // The one that is there is Latin, and the new one is not.
    let world = World::new(&[record(1, "OPEN", None, &["vip"])], "");
    world.declare(&format!(
        "  {}: {{ tags: {{ present: [v\u{456}p] }} }}\n",
        uuid(1)
    ));
    let plan = world.run("plan").exits(0).out;
    assert!(plan.contains("tags  +v\\u{456}p"), "{plan}");
}

#[test]
fn twins_in_one_list_are_apart_when_both_go() {
    let world = World::new(
        &[record(1, "OPEN", None, &["caf\u{e9}", "cafe\u{301}"])],
        "",
    );
    world.declare(&format!("  {}: {{ tags: [] }}\n", uuid(1)));
    let plan = world.run("plan").exits(0).out;
    assert!(
        plan.contains("-cafe\\u{301}") && plan.contains("-caf\\u{e9}"),
        "{plan}"
    );
}

#[test]
fn a_value_in_sync_but_for_what_one_cannot_see_is_explained() {
    let mut lead = record(1, "OPEN", None, &["caf\u{e9}"]);
    lead["profile"]["userDetails"]["attributes"] = json!([{ "key": "tier", "value": "gold " }]);
    lead["profile"]["notes"] = json!([{ "title": "call\u{a0}back" }]);
    let world = World::new(&[lead], "");
    world.declare(&format!(
        "  {}: {{ tags: [cafe\u{301}], attributes: {{ tier: gold }}, notes: [{{ title: call back }}] }}\n",
        uuid(1)
    ));
    let explained = world.run(&format!("explain {}", uuid(1))).exits(0).out;
    for words in [
        "[cafe\\u{301}]",
        "[caf\\u{e9}]",
        "live     gold·",
        "live     call\\u{a0}back",
    ] {
        assert!(explained.contains(words), "no {words}: {explained}");
    }
}
