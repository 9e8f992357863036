//! The report in HTML: texts of strangers stay texts, nothing is fetched, and equal plans are equal bytes.

use std::collections::BTreeSet;

use convertalk::report::{Audience, Format, plan as told};
use html5gum::{Token, Tokenizer};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::arbitrary::inbox;
use crate::world::{World, record, uuid};
use plans::{big, every_class};

pub(crate) mod plans;

pub(crate) fn html(plan: &Json) -> String {
    told(&plans::plan(plan), Format::Html, Audience::default())
}

/// What a parser makes of a report: each tag with the names of its attributes, attributes with their values, texts, comments.
#[derive(Default)]
struct Parsed {
    tags: Vec<String>,
    attributes: Vec<(String, String)>,
    /// The texts, those in attributes too.
    texts: String,
    comments: usize,
}

fn parsed(html: &str) -> Parsed {
    let mut all = Parsed::default();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    for token in Tokenizer::new(html) {
        match token.expect("a string can be read") {
            Token::StartTag(tag) => {
                let names: Vec<String> = tag.attributes.keys().map(|name| text(name)).collect();
                all.tags
                    .push(format!("<{} {}>", text(&tag.name), names.join(" ")));
                for (name, value) in &tag.attributes {
                    all.texts += &text(value);
                    all.attributes.push((text(name), text(value)));
                }
            }
            Token::EndTag(tag) => all.tags.push(format!("</{}>", text(&tag.name))),
            Token::String(string) => all.texts += &text(&string),
            Token::Comment(_) => all.comments += 1,
            Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    all
}

/// A plan with a text behind each of its texts that a stranger may have written, and behind the names of attributes.
pub(crate) fn with(plan: &Json, behind: &str) -> Json {
    match plan {
        Json::String(text) => Json::String(format!("{text}{behind}")),
        Json::Array(items) => items.iter().map(|item| with(item, behind)).collect(),
        Json::Object(object) => {
            let told = |key: &String| {
                if key.starts_with("attributes.") {
                    format!("{key}{behind}")
                } else {
                    key.clone()
                }
            };
            // An agent is 24 hex digits, or the plan is refused.
            let ours = ["action", "class", "taken", "created_at", "agent"];
            let value = |key: &String, value: &Json| {
                if ours.contains(&key.as_str()) {
                    value.clone()
                } else if let (Json::String(guard), true) = (value, key == "rule") {
                    // A guard has a fixed name, and a rule any.
                    Json::String(format!("rule:{guard}{behind}"))
                } else {
                    with(value, behind)
                }
            };
            Json::Object(
                object
                    .iter()
                    .map(|(key, old)| (told(key), value(key, old)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// Holds the report of a plan with hostile texts to the form that it has with harmless ones of the same length.
fn assert_harmless(plan: &Json, hostile: &str) -> Result<(), TestCaseError> {
    let harmless: String = hostile
        .chars()
        .map(|c| {
            if c.is_whitespace() || c.is_alphanumeric() {
                c
            } else {
                'x'
            }
        })
        .collect();
    let (attacked, calm) = (
        parsed(&html(&with(plan, hostile))),
        parsed(&html(&with(plan, &harmless))),
    );
    prop_assert_eq!(&attacked.tags, &calm.tags);
    prop_assert_eq!(attacked.comments, 0);
    let shown = convertalk::text::visible(hostile);
    prop_assert!(attacked.texts.contains(&shown), "{} is not told", shown);
    prop_assert!(
        !attacked
            .texts
            .chars()
            .any(|c| c != '\n' && convertalk::text::is_invisible(c))
    );
    Ok(())
}

#[test]
fn every_class_is_told() {
    let html = html(&every_class());
    let body = html
        .split_once("</style>")
        .and_then(|(_, rest)| rest.split_once("<script>"))
        .expect("a body")
        .0;
    let lines: Vec<&str> = body
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    insta::with_settings!({ prepend_module_to_snapshot => true, omit_expression => true }, {
        insta::assert_snapshot!("every_class", lines.join("\n"));
    });
}

#[test]
fn hostile_texts_stay_texts() {
    for hostile in [
        "<script>alert(1)</script>",
        "</script></style></title></svg></details>",
        "\"' onmouseover=alert(1) x='\"",
        "]]><!-- --><!--",
        "--><img src=x onerror=alert(1)>",
        "&lt;b&gt; &amp; &#60;",
        "{{ plan }} {% raw %}",
        "\u{202e}\u{2066}\u{200b}\u{0}\u{1b}[31m\u{feff}",
        "\r\n\t</textarea><plaintext>",
        "javascript:alert(1)",
    ] {
        assert_harmless(&every_class(), hostile).expect(hostile);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_text_in_any_plan_stays_a_text((desired, live) in inbox(), hostile in "([<>\"'&/=!\\-\\]a-c \u{202e}]|script|style|onload=|<!--|\\]\\]>){1,12}") {
        let plan = serde_json::to_value(crate::laws::plan(&desired, &live)).expect("JSON");
        assert_harmless(&plan, &hostile)?;
        prop_assert_eq!(html(&plan), html(&plan));
    }
}

#[test]
fn nothing_is_fetched_and_nothing_but_its_own_style_and_script_is_obeyed() {
    let html = html(&every_class());
    let all = parsed(&html);
    let of = |name: &'static str| {
        all.attributes
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    };
    let foreign: Vec<&str> = of("href").filter(|href| !href.starts_with('#')).collect();
    assert_eq!(foreign, ["data:,"], "the empty icon");
    assert_eq!(
        of("src")
            .chain(of("action"))
            .chain(of("srcset"))
            .chain(of("style"))
            .count(),
        0
    );
    assert!(
        all.attributes
            .iter()
            .all(|(name, _)| !name.starts_with("on"))
    );
    let policy = of("content")
        .find(|content| content.starts_with("default-src 'none'; "))
        .expect("a policy");
    for words in ["base-uri 'none'", "form-action 'none'"] {
        assert!(policy.contains(words), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (tag, source) in [
        ("style", "style-src 'sha256-"),
        ("script", "script-src 'sha256-"),
    ] {
        let text = html
            .split_once(&format!("<{tag}>"))
            .and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")))
            .expect(tag)
            .0;
        let hash = policy
            .split_once(source)
            .and_then(|(_, rest)| rest.split_once('\''))
            .expect(source)
            .0;
        assert_eq!(
            from_base64(hash),
            Sha256::digest(text).as_slice(),
            "the policy's hash of the {tag}"
        );
        assert!(
            !text.contains("</") && !text.contains("<!--") && !text.contains("http"),
            "{tag}"
        );
    }
    let head = html.split_once("<title>").expect("a title").0;
    assert!(
        head.starts_with("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"),
        "{head}"
    );
    assert!(head.contains("<meta name=\"referrer\" content=\"no-referrer\">"));
}

pub(crate) fn from_base64(text: &str) -> Vec<u8> {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| format!("{:06b}", digits.find(c).expect("base64")))
        .collect();
    let byte = |bits: &[u8]| {
        u8::from_str_radix(std::str::from_utf8(bits).expect("digits"), 2).expect("bits")
    };
    bits.as_bytes().chunks_exact(8).map(byte).collect()
}

#[test]
fn the_verdict_is_the_one_of_the_text_and_comes_first() {
    let plan = plans::plan(&every_class());
    let text = told(&plan, Format::Text, Audience::default());
    let verdict = anstream::adapter::strip_str(text.lines().last().expect("a verdict")).to_string();
    let html = html(&every_class());
    assert!(
        html.contains(&format!("<title>{verdict}</title>")),
        "{verdict}"
    );
    let body = html.split_once("<body>").expect("a body").1;
    let order = [
        "<h1",
        "class=\"notices\"",
        "Causes of the differences",
        "Status transitions",
        "Agents’ leads",
        "Changes by lead",
        "No longer declared, left unchanged",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|words| body.find(words).unwrap_or_else(|| panic!("{words}")))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn ids_are_unique_and_links_lead_somewhere() {
    let mut plan = big(40);
    plan["refusals"] = json!([{ "rule": "max-changes", "message": "many", "source": null, "lift": "less",
        "leads": plan["changes"].as_array().expect("changes").iter().map(|change| change["uuid"].clone()).collect::<Json>() }]);
    for plan in [every_class(), plan] {
        let all = parsed(&html(&plan));
        let ids: Vec<&String> = all
            .attributes
            .iter()
            .filter(|(name, _)| name == "id")
            .map(|(_, id)| id)
            .collect();
        let distinct: BTreeSet<&String> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len());
        let named = ["aria-labelledby", "for"];
        let named = all
            .attributes
            .iter()
            .filter(|(name, _)| named.contains(&name.as_str()))
            .map(|(_, id)| id.as_str());
        let links = all
            .attributes
            .iter()
            .filter_map(|(name, href)| href.strip_prefix('#').filter(|_| name == "href"));
        let aims: Vec<&str> = named.chain(links).collect();
        assert!(aims.len() > 5, "{aims:?}");
        for id in aims {
            assert!(distinct.iter().any(|other| *other == id), "{id}");
        }
    }
}

#[test]
fn a_plan_with_nothing_to_do_says_so() {
    let mut plan = every_class();
    for none in [
        "changes",
        "missing",
        "released",
        "refusals",
        "warnings",
        "transitions",
        "agents",
    ] {
        plan[none] = json!([]);
    }
    plan["summary"] = json!({ "declared": 3, "in_sync": 3, "to_update": 0, "to_create": 0, "missing": 0, "drift": 0, "conflicts": 0 });
    let html = html(&plan);
    assert!(
        html.contains("Nothing to do:</span> 3 declared leads, all in sync."),
        "{html}"
    );
    assert!(!html.contains("<form") && !html.contains("<svg") && !html.contains("<article"));
}

#[test]
fn plan_report_and_show_print_the_same_file() {
    let world = World::new(
        &[
            record(1, "OPEN", None, &["web"]),
            record(2, "OPEN", None, &[]),
        ],
        "",
    );
    world.declare(&format!(
        "  {}: {{ status: CLOSED, contact: {{ email: new@example.com }} }}\n  {}: {{ tags: [a] }}\n",
        uuid(1),
        uuid(2)
    ));
    world
        .run("plan --out plan.json --report html=plan.html")
        .exits(0);
    let written = std::fs::read_to_string(world.path("plan.html")).expect("a report");
    assert!(
        written.contains(">OPEN</del>")
            && written.contains("n***@e***")
            && !written.contains("new@example.com"),
        "{written}"
    );
    assert_eq!(
        world.run("show plan.json --format html").exits(0).out,
        written
    );
    assert_eq!(
        parsed(&world.run("plan --format html").exits(0).out).tags,
        parsed(&written).tags
    );
    world
        .run("apply plan.json --yes --run-file run.jsonl")
        .exits(0);
    let ran = world.run("show run.jsonl --format html").exits(0);
    assert!(
        ran.out
            .contains("<h1 class=\"verdict good\"><span class=\"head\">Applied:</span>"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("Nothing has been written"), "{}", ran.out);
    assert!(!ran.out.contains("new@example.com"), "{}", ran.out);
}

/// How well one colour is told from another (WCAG 2.2, 1.4.3): from 1 to 21.
fn contrast(one: &str, other: &str) -> f64 {
    let light = |colour: &str| {
        let digits: String = if colour.len() == 4 {
            colour[1..].chars().flat_map(|c| [c, c]).collect()
        } else {
            colour[1..].into()
        };
        let part = |at: usize| {
            f64::from(u8::from_str_radix(&digits[at..at + 2], 16).expect("a colour")) / 255.0
        };
        let linear = |part: f64| {
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(part(0)) + 0.7152 * linear(part(2)) + 0.0722 * linear(part(4))
    };
    let (one, other) = (light(one), light(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_text_can_be_read_in_light_and_in_dark() {
    let html = html(&every_class());
    // Light, and dark; the third is for print.
    let schemes: Vec<&str> = html.split(":root {").skip(1).collect();
    assert_eq!(schemes.len(), 3);
    for scheme in &schemes[..2] {
        let scheme = scheme.split_once('}').expect("an end").0;
        let colour = |name: &str| {
            let found = scheme.split(';').find_map(|line| {
                line.trim()
                    .strip_prefix("--")?
                    .strip_prefix(name)?
                    .strip_prefix(": ")
            });
            found.unwrap_or_else(|| panic!("no colour {name} in {scheme}"))
        };
        let on_paper = ["text", "faint", "accent", "good", "bad", "warn"]
            .into_iter()
            .flat_map(|ink| [(ink, "page"), (ink, "card")]);
        let on_soft = [
            ("good", "good-soft"),
            ("bad", "bad-soft"),
            ("warn", "warn-soft"),
            ("accent", "blue-soft"),
            ("faint", "blue-soft"),
        ];
        for (ink, paper) in on_paper.chain(on_soft) {
            let contrast = contrast(colour(ink), colour(paper));
            assert!(contrast >= 4.5, "{ink} on {paper}: {contrast}");
        }
        for drawn in ["t0", "t1", "t2", "t3", "t4", "t5", "t6"] {
            let contrast = contrast(colour(drawn), colour("card"));
            assert!(contrast >= 3.0, "{drawn}: {contrast}");
        }
    }
}
