//! Lead files as people write them: blocks and brackets, quotes, comments, anchors, odd indents, line breaks of either kind.

use proptest::collection::vec;
use proptest::prelude::*;

/// A lead file, and whose each of its lines is.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) text: String,
    /// For each line the lead and the key that it is about, or that it is a comment above; empty where it is about neither.
    pub(crate) owners: Vec<(String, String)>,
    pub(crate) shares: bool,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a file of {} lines", self.owners.len())
    }
}

/// Choices, one after the other; when they are used up, the first of each.
struct Dice(Vec<u8>, usize);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        let byte = self.0.get(self.1).copied().unwrap_or(0);
        self.1 += 1;
        byte as usize % sides
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == sides - 1
    }

    fn pick<'p>(&mut self, from: &[&'p str]) -> &'p str {
        from[self.roll(from.len())]
    }
}

pub(crate) fn file() -> impl Strategy<Value = File> {
    vec(any::<u8>(), 0..400).prop_map(|bytes| {
        Writer {
            dice: Dice(bytes, 0),
            lines: Vec::new(),
            shares: false,
        }
        .file()
    })
}

struct Writer {
    dice: Dice,
    lines: Vec<(String, String, String)>,
    shares: bool,
}

const TEXTS: [&str; 12] = [
    "gold",
    "a b",
    "no",
    "0123",
    "it's",
    "\"q\"",
    "x: y",
    "x # y",
    "2026-01-02",
    "naïve 名前",
    "tab\there",
    "- dash",
];
const TAGS: [&str; 6] = ["vip", "cold", "no", "a b", "0123", "q:r"];

impl Writer {
    fn file(mut self) -> File {
        if self.dice.one_in(3) {
            self.line("# head", "", "");
            self.blank();
        }
        if self.dice.one_in(6) {
            self.line("---", "", "");
        }
        self.line("version: 1", "", "");
        self.blank();
        let defaults = self.dice.roll(4);
        if defaults == 1 {
            self.line(
                "defaults: { agent: priya, attributes: { tier: silver } } # d",
                "defaults",
                "*",
            );
        } else if defaults == 2 {
            self.line("defaults:", "", "");
            self.line("   tags: [vip]", "defaults", "tags");
            self.line("   notes: [{ title: from defaults }]", "defaults", "notes");
        }
        self.line("leads:", "", "");
        let indent = 1 + self.dice.roll(4);
        let leads = 1 + self.dice.roll(5);
        for number in 0..leads {
            self.lead(number, indent);
        }
        if self.dice.one_in(4) {
            self.line("# the end", "", "");
        }
        let (crlf, bom, open) = (
            self.dice.one_in(4),
            self.dice.one_in(4),
            self.dice.one_in(4),
        );
        let line_break = if crlf { "\r\n" } else { "\n" };
        let texts: Vec<&str> = self.lines.iter().map(|(text, ..)| text.as_str()).collect();
        let end = if open { "" } else { line_break };
        let text = format!(
            "{}{}{end}",
            if bom { "\u{feff}" } else { "" },
            texts.join(line_break)
        );
        let owners = self
            .lines
            .into_iter()
            .map(|(_, lead, key)| (lead, key))
            .collect();
        File {
            text,
            owners,
            shares: self.shares,
        }
    }

    fn line(&mut self, text: &str, lead: &str, key: &str) {
        self.lines
            .push((text.to_owned(), lead.to_owned(), key.to_owned()));
    }

    fn blank(&mut self) {
        for _ in 0..self.dice.roll(3) {
            self.line("", "", "");
        }
    }

    fn lead(&mut self, number: usize, indent: usize) {
        let id = format!("lead-{number}");
        let pad = " ".repeat(indent);
        if self.dice.one_in(3) {
            self.blank();
            self.line(&format!("{pad}# a:{id}"), "", "");
        }
        let anchored = number == 0 && self.dice.one_in(2);
        let anchor = if anchored { " &base" } else { "" };
        match self.dice.roll(8) {
            0 if number > 0 && self.shares => self.line(&format!("{pad}{id}: *base"), &id, "*"),
            1 if number > 0 && self.shares => self.line(
                &format!("{pad}{id}: {{ <<: *base, label: merged }}  # t:{id}"),
                &id,
                "*",
            ),
            2 => {
                let status = self.dice.pick(&["OPEN", "'REVIEW'", "\"CLOSED\""]);
                let space = self.dice.pick(&["", " ", "  "]);
                let tags = self.flow_tags();
                let tail = self.dice.pick(&["", " # c", "\t"]);
                self.line(
                    &format!("{pad}{id}:{anchor} {{{space}status: {status},tags: {tags} , agent : rahul{space}}}{tail}"),
                    &id,
                    "*",
                );
            }
            3 if !anchored => self.line(&format!("{pad}{id}:"), &id, "*"),
            _ => {
                let comment = self.dice.pick(&["", "  # l"]);
                self.line(&format!("{pad}{id}:{anchor}{comment}"), &id, "");
                let deeper = format!("{pad}{}", " ".repeat(1 + self.dice.roll(4)));
                if number > 0 && self.shares && self.dice.one_in(3) {
                    self.line(&format!("{deeper}<<: *base"), &id, "");
                }
                self.fields(&id, &deeper);
            }
        }
        self.shares |= anchored;
    }

    fn fields(&mut self, id: &str, pad: &str) {
        let mut keys = vec![
            "status",
            "agent",
            "tags",
            "attributes",
            "contact",
            "notes",
            "label",
            "create",
        ];
        let mut any = false;
        while !keys.is_empty() {
            let key = keys.remove(self.dice.roll(keys.len()));
            if any && self.dice.one_in(2) {
                continue;
            }
            any = true;
            if self.dice.one_in(4) {
                self.blank();
                self.line(&format!("{pad}# a:{key}"), id, &format!("above {key}"));
            }
            self.field(id, pad, key);
        }
        if self.dice.one_in(5) {
            self.line(&format!("{pad}# below"), "", "");
        }
    }

    fn tail(&mut self, key: &str) -> String {
        match self.dice.roll(4) {
            0 => format!(" # t:{key}"),
            1 => format!("\t# t:{key}"),
            2 => "  ".to_owned(),
            _ => String::new(),
        }
    }

    fn field(&mut self, id: &str, pad: &str, key: &str) {
        let tail = self.tail(key);
        let gap = self.dice.pick(&[" ", "   ", "\t"]);
        match key {
            "status" => {
                let status =
                    self.dice
                        .pick(&["OPEN", "'REVIEW'", "\"CLOSED\"", "!!str ONHOLD", "&st OPEN"]);
                self.line(&format!("{pad}status:{gap}{status}{tail}"), id, key);
            }
            "agent" => {
                let agent =
                    self.dice
                        .pick(&["priya", "none", "'rahul'", "00000000000000000000000a"]);
                self.line(&format!("{pad}agent :{gap}{agent}{tail}"), id, key);
            }
            "label" | "create" => {
                let value = if key == "create" {
                    "true"
                } else {
                    "A label, of two words"
                };
                self.line(&format!("{pad}{key}:{gap}{value}{tail}"), id, key);
            }
            "tags" => self.tags(id, pad, &tail),
            "attributes" => self.attributes(id, pad, &tail),
            "contact" => {
                let contact = self.dice.pick(&[
                    "{ name: \"Asha Rao\", phone: 98765 43210 }",
                    "{dial_code: '+91'}",
                ]);
                self.line(&format!("{pad}contact: {contact}{tail}"), id, key);
            }
            _ => self.notes(id, pad, &tail),
        }
    }

    fn scalar(&mut self) -> String {
        let text = self.dice.pick(&TEXTS);
        match self.dice.roll(3) {
            0 => format!("'{}'", text.replace('\'', "''").replace('\t', " ")),
            1 => format!("\"{}\"", text.replace('"', "\\\"").replace('\t', "\\t")),
            _ => self
                .dice
                .pick(&["gold", "a b", "no", "0123", "naïve 名前"])
                .to_owned(),
        }
    }

    fn flow_tags(&mut self) -> String {
        let mut tags = TAGS.to_vec();
        let mut made = Vec::new();
        for _ in 0..self.dice.roll(4) {
            let tag = tags.remove(self.dice.roll(tags.len()));
            made.push(match self.dice.roll(3) {
                0 => format!("\"{tag}\""),
                1 => format!("'{tag}'"),
                _ => tag.to_owned(),
            });
        }
        let separator = self.dice.pick(&[", ", ",", " , "]);
        let pad = self.dice.pick(&["", " "]);
        format!("[{pad}{}{pad}]", made.join(separator))
    }

    fn tags(&mut self, id: &str, pad: &str, tail: &str) {
        match self.dice.roll(5) {
            0 => {
                let zero = self.dice.pick(&["", "  ", "    "]);
                self.line(&format!("{pad}tags:{tail}"), id, "tags");
                for tag in ["vip", "'cold'", "\"a b\""]
                    .iter()
                    .take(1 + self.dice.roll(3))
                {
                    let tail = self.tail(tag.trim_matches(['\'', '"']));
                    let dash = self.dice.pick(&["- ", "-   "]);
                    self.line(&format!("{pad}{zero}{dash}{tag}{tail}"), id, "tags");
                }
            }
            1 => {
                self.line(&format!("{pad}tags: ["), id, "tags");
                let last = 1 + self.dice.roll(3);
                for (number, tag) in ["vip", "'cold'", "\"a b\""].iter().take(last).enumerate() {
                    let comma = if number + 1 < last || self.dice.one_in(2) {
                        ","
                    } else {
                        ""
                    };
                    let tail = self.dice.pick(&["", " # item"]);
                    self.line(&format!("{pad}    {tag}{comma}{tail}"), id, "tags");
                }
                let tail = self.dice.pick(&["", " # end"]);
                self.line(&format!("{pad}  ]{tail}"), id, "tags");
            }
            2 => self.line(
                &format!("{pad}tags: {{ present: [vip, 'no'], absent: [cold] }}{tail}"),
                id,
                "tags",
            ),
            3 => {
                self.line(&format!("{pad}tags:{tail}"), id, "tags");
                self.line(&format!("{pad}  present: [vip]"), id, "tags");
            }
            _ => {
                let tags = self.flow_tags();
                self.line(&format!("{pad}tags: {tags}{tail}"), id, "tags");
            }
        }
    }

    fn attributes(&mut self, id: &str, pad: &str, tail: &str) {
        if self.dice.one_in(2) {
            let one = self.scalar();
            self.line(
                &format!("{pad}attributes: {{ tier: {one},\"from\" :web}}{tail}"),
                id,
                "attributes",
            );
            return;
        }
        self.line(&format!("{pad}attributes:{tail}"), id, "attributes");
        let deeper = format!("{pad} {}", " ".repeat(self.dice.roll(4)));
        for key in ["tier", "'from'", "roof"]
            .iter()
            .take(1 + self.dice.roll(3))
        {
            let name = key.trim_matches('\'');
            match self.dice.roll(6) {
                0 => {
                    let header = self.dice.pick(&["|", "|-", ">", "|+", ">-  # h"]);
                    self.line(&format!("{deeper}{key}: {header}"), id, "attributes");
                    self.line(&format!("{deeper}   first"), id, "attributes");
                    self.line("", id, "attributes");
                    self.line(&format!("{deeper}     # no comment"), id, "attributes");
                }
                1 => {
                    self.line(&format!("{deeper}{key}: two"), id, "attributes");
                    self.line(&format!("{deeper}   lines"), id, "attributes");
                }
                2 => {
                    self.line(&format!("{deeper}{key}: \"two"), id, "attributes");
                    self.line(&format!("{deeper} quoted lines\""), id, "attributes");
                }
                _ => {
                    let (value, tail) = (self.scalar(), self.tail(name));
                    self.line(&format!("{deeper}{key}: {value}{tail}"), id, "attributes");
                }
            }
        }
    }

    fn notes(&mut self, id: &str, pad: &str, tail: &str) {
        if self.dice.one_in(3) {
            self.line(
                &format!(
                    "{pad}notes: [{{ title: one }}, {{title: 'two',description: more}}]{tail}"
                ),
                id,
                "notes",
            );
            return;
        }
        self.line(&format!("{pad}notes:{tail}"), id, "notes");
        for title in ["one", "'two'"].iter().take(1 + self.dice.roll(2)) {
            let tail = self.tail("title");
            self.line(&format!("{pad}  - title: {title}{tail}"), id, "notes");
            if self.dice.one_in(2) {
                self.line(&format!("{pad}    description: said"), id, "notes");
            }
        }
    }
}
