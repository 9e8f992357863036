//! Markdown before a real parser of GitHub's dialect: strangers' texts stay text, tables stay tables, any size holds.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, format_html, parse_document};
use convertalk::plan::Plan;
use convertalk::report::{self, Audience, Format};
use proptest::prelude::*;

use super::{every, hostile, plans};

/// The elements that we write ourselves.
const OURS: [&str; 20] = [
    "br", "code", "del", "details", "em", "h3", "h4", "ins", "li", "p", "strong", "summary",
    "table", "tbody", "td", "th", "thead", "tr", "ul", "hr",
];

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.alerts = true;
    options.extension.footnotes = true;
    options.render.r#unsafe = true;
    options
}

fn cut(plan: &Plan, most: Option<usize>) -> String {
    report::plan(
        plan,
        Format::Markdown,
        Audience {
            max_bytes: most,
            ..Audience::default()
        },
    )
}

/// Renders it, and holds what comes out against what may.
pub(super) fn check(markdown: &str) -> String {
    let (arena, options) = (Arena::new(), options());
    let root = parse_document(&arena, markdown, &options);
    for node in root.descendants() {
        check_node(node, markdown);
    }
    let mut html = String::new();
    format_html(root, &options, &mut html).expect("HTML");
    let mut open: Vec<String> = Vec::new();
    let mut rest = html.replace("<!-- -->", "");
    let marker = rest.find("<!-- convertalk ").expect("the hidden marker");
    rest.replace_range(
        marker..marker + rest[marker..].find("-->").expect("its end") + 3,
        "",
    );
    let mut text = String::new();
    let mut rest = rest.as_str();
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = tag.split_once('>').expect("an end of the tag");
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        assert!(
            OURS.contains(&name.as_str()),
            "<{tag}> is none of ours:\n{markdown}"
        );
        let attributes = tag.trim_matches('/')[name.len()..].trim();
        assert!(
            attributes.is_empty() || attributes.starts_with("align=\""),
            "<{tag}>"
        );
        if tag.starts_with('/') {
            assert_eq!(
                open.pop().as_deref(),
                Some(name.as_str()),
                "unbalanced:\n{markdown}"
            );
        } else if !["br", "hr"].contains(&name.as_str()) {
            open.push(name);
        }
        rest = after;
    }
    assert!(open.is_empty(), "{open:?} left open:\n{markdown}");
    text + rest
}

fn check_node<'a>(node: &'a AstNode<'a>, markdown: &str) {
    match &node.data.borrow().value {
        NodeValue::Link(link) | NodeValue::Image(link) => {
            panic!("a link to {}:\n{markdown}", link.url)
        }
        NodeValue::Table(table) => {
            for row in node.children() {
                assert_eq!(
                    row.children().count(),
                    table.num_columns,
                    "a row of another width:\n{markdown}"
                );
            }
        }
        // A row that broke out of its table would be one of these.
        NodeValue::Paragraph => {
            let first = node
                .first_child()
                .map(|child| child.data.borrow().value.clone());
            assert!(
                !matches!(first, Some(NodeValue::Text(text)) if text.starts_with('|')),
                "{markdown}"
            );
        }
        NodeValue::CodeBlock(_) | NodeValue::FootnoteDefinition(_) | NodeValue::TaskItem(_) => {
            panic!("a block of code:\n{markdown}")
        }
        _ => {}
    }
}

/// Pieces of Markdown's and HTML's own words never become more than text, whatever they are made into.
#[test]
fn rendered_by_a_parser_texts_stay_texts() {
    for (story, plan) in plans() {
        let shown = check(&cut(&plan, None));
        assert!(shown.contains("declared lead"), "{story}: {shown}");
    }
    let shown = check(&cut(&hostile(7), None));
    for text in [
        "&lt;img src=x onerror=alert(1)&gt;",
        "a|b`c\\|d``e",
        "@everyone #1 !2 GH-3 org/repo#4",
        "\\u{202e}gpj.exe",
    ] {
        assert!(shown.contains(text), "{text} is not told whole:\n{shown}");
    }
}

/// What a mention or a reference is made of after rendering does not stand together outside of code.
#[test]
fn nothing_is_mentioned() {
    let markdown = cut(&hostile(7), None);
    for word in [
        "@everyone",
        " #1",
        " !2",
        "GH-3",
        "repo#4",
        "user@evil",
        "https://evil",
        "www.evil",
    ] {
        assert!(!markdown.contains(word), "{word}:\n{markdown}");
    }
}

#[test]
fn any_size_holds_and_is_used() {
    for (number, plan) in [
        (0, plans().swap_remove(0).1),
        (1, hostile(1)),
        (12, every()),
        (500, hostile(500)),
    ] {
        let whole = cut(&plan, None);
        for most in (500..3_000)
            .step_by(if number == 500 { 499 } else { 23 })
            .chain([
                10_000,
                65_536,
                whole.len() - 1,
                whole.len(),
                whole.len() + 1,
            ])
        {
            if most < report::SMALLEST {
                continue;
            }
            let text = cut(&plan, Some(most));
            assert!(
                text.len() <= most,
                "{} of {most} bytes for {number} changes",
                text.len()
            );
            assert_eq!(text == whole, whole.len() <= most);
            assert!(
                text.starts_with("### ")
                    && text
                        .lines()
                        .next()
                        .is_some_and(|line| line.contains("convertalk plan")),
                "{text}"
            );
            if most % 5 == 0 || text == whole {
                check(&text);
            }
        }
    }
}

#[test]
fn five_thousand_changes_fit_a_comment() {
    let plan = hostile(5_000);
    let text = cut(&plan, Some(65_536));
    assert!(
        text.len() <= 65_536 && text.len() > 60_000,
        "{} bytes",
        text.len()
    );
    assert!(
        text.contains("**Cut to 65536 bytes.** Left out: "),
        "{}",
        &text[text.len() - 300..]
    );
    check(&text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_stays_text(label in any_text(), tag in any_text(), value in any_text(), most in 500_usize..4_000) {
        let mut plan = every();
        for change in &mut plan.changes {
            change.label = Some(label.clone());
            change.source.file = format!("leads/{tag}.yaml");
            for field in &mut change.fields.0 {
                if let convertalk::lead::Value::Text(text) = &mut field.after {
                    text.clone_from(&value);
                }
                if let convertalk::lead::Value::Set(tags) = &mut field.after {
                    *tags = &*tags | &[tag.clone()].into();
                }
            }
        }
        for refusal in &mut plan.refusals {
            refusal.message.clone_from(&value);
        }
        check(&cut(&plan, None));
        let text = cut(&plan, Some(most));
        prop_assert!(text.len() <= most);
        check(&text);
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        "<",
        ">",
        "&",
        "`",
        "``",
        "|",
        "\\",
        "\n",
        "\r",
        "@a",
        "#1",
        "://",
        "http://x.y",
        "www.x.y",
        "a@b.cd",
        "[x](y)",
        "![",
        "]",
        "*",
        "**",
        "_",
        "~~",
        "$",
        "-->",
        "<!--",
        "</td>",
        "<b>",
        "</details>",
        "&lt;",
        "&#60;",
        "- ",
        "1. ",
        "# ",
        "    ",
        " ",
        "x",
        "é",
        "\u{202e}",
        "\u{0}",
        ":",
        "GH-1",
        "---",
        "[^1]",
        "[ ]",
    ]);
    proptest::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat())
}
