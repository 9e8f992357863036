//! What `set` keeps to over any files, any leads and any assignments, by the binary.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;

use super::run;
use crate::edit::lines_stay;
use crate::forms::{File, file};
use crate::layouts::comments;
use crate::oracle::{Said, leads};
use crate::world::{PRIYA, RAHUL, Ran, World};

const FILES: [(&str, &str); 2] = [("leads/a.yaml", "lead-"), ("leads/b/c.yaml", "next-")];

const TEXTS: [&str; 16] = [
    "gold",
    "no",
    "0123",
    "1e3",
    "null",
    "2026-01-02",
    "x: y",
    "# c",
    "- dash",
    "it's",
    "\"q\"",
    "{a, b}",
    "naïve 名前",
    "two\nlines",
    "=1+1",
    "a text that is much too long for a line of its own, and that says nothing that anybody would want to know, ever",
];

/// An assignment, or a field to unset.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Assign(String),
    Unset(String),
}

impl Change {
    /// The path of what it is about.
    fn path(&self) -> &str {
        match self {
            Self::Assign(text) => text.split(['=', '+', '-']).next().unwrap_or_default(),
            Self::Unset(path) => path,
        }
    }

    fn key(&self) -> &str {
        self.path().split('.').next().unwrap_or_default()
    }

    fn takes_out(&self) -> bool {
        matches!(self, Self::Unset(_))
            || matches!(self, Self::Assign(text) if text == "label=" || text == "hold=")
    }

    fn apply(&self, lead: &mut Said) {
        match self {
            Self::Assign(text) => lead.assign(text),
            Self::Unset(path) => lead.unset(path),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let text = || select(TEXTS.to_vec());
    let tags = vec(
        select(vec![
            "vip", "cold", "no", "a b", "0123", "q:r", "x\\,y", "é",
        ]),
        1..4,
    );
    let tags = tags.prop_map(|mut tags| {
        tags.sort_unstable();
        tags.dedup();
        tags.join(",")
    });
    let assignment = prop_oneof![
        select(vec!["OPEN", "closed", "DEPENDANCY", "REVIEW"])
            .prop_map(|word| format!("status={word}")),
        select(vec![
            "631aa793bcfa100487d13d0e",
            "00000000000000000000000b",
            "none",
            ""
        ])
        .prop_map(|id| format!("agent={id}")),
        (select(vec!["", "+", "-"]), tags)
            .prop_map(|(operator, tags)| format!("tags{operator}={tags}")),
        Just("tags=".to_owned()),
        (select(vec!["tier", "from", "roof", "fresh"]), text())
            .prop_map(|(key, text)| format!("attributes.{key}={text}")),
        Just("attributes.tier=".to_owned()),
        select(vec![
            "name=N. N.",
            "phone=98765",
            "dial_code=+91",
            "email=a@b.example"
        ])
        .prop_map(|text| format!("contact.{text}")),
        (select(vec!["label", "hold"]), text()).prop_map(|(key, text)| format!("{key}={text}")),
        select(vec!["label=", "hold="]).prop_map(str::to_owned),
    ];
    let fields = vec![
        "status",
        "agent",
        "tags",
        "notes",
        "attributes.tier",
        "attributes.from",
        "contact.name",
        "contact.phone",
        "label",
        "hold",
    ];
    prop_oneof![
        4 => assignment.prop_map(Change::Assign),
        1 => select(fields).prop_map(|name| Change::Unset(name.to_owned())),
    ]
}

/// Changes of different fields, and of tags one after the other.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    vec(change(), 1..4).prop_map(|all| {
        let mut made: Vec<Change> = Vec::new();
        for change in all {
            let is_list = |change: &Change| matches!(change, Change::Assign(text) if text.contains("+=") || text.contains("-="));
            if is_list(&change) && made.iter().all(is_list) || made.iter().all(|other| other.path() != change.path()) {
                made.push(change);
            }
        }
        made
    })
}

fn renamed(file: &File, prefix: &str) -> File {
    let rename = |text: &str| text.replace("lead-", prefix);
    File {
        text: rename(&file.text),
        owners: file
            .owners
            .iter()
            .map(|(lead, key)| (rename(lead), key.clone()))
            .collect(),
        shares: file.shares,
    }
}

pub(super) fn read(world: &World, name: &str) -> String {
    std::fs::read_to_string(world.path(name)).expect("a file")
}

/// With agents by their ids, as the assignments have them.
fn values(text: &str) -> BTreeMap<String, Said> {
    let mut all = leads(text);
    for lead in all.values_mut() {
        if let Some(agent) = lead.texts.get_mut("agent") {
            *agent = agent.replace("priya", PRIYA).replace("rahul", RAHUL);
        }
    }
    all
}

/// Bytes that are of the file as a whole.
fn frame_stays(before: &str, after: &str) {
    let starts = |text: &str| text.starts_with('\u{feff}');
    assert_eq!(starts(before), starts(after), "the byte order mark");
    let is_bare = |text: &str| text.replace("\r\n", "").contains(['\n', '\r']);
    assert_eq!(
        before.contains("\r\n") && is_bare(before),
        before.contains("\r\n") && is_bare(after),
        "\\r\\n"
    );
    // Within quotes or a `|` it is text.
    let (before, after) = (before.replace("x # y", ""), after.replace("x # y", ""));
    let mut left = comments(&before);
    for comment in comments(&after)
        .into_iter()
        .filter(|text| !text.starts_with("# no comment"))
    {
        let at = left.iter().position(|other| *other == comment);
        left.remove(at.unwrap_or_else(|| panic!("{comment} is new\n{before}\n{after}")));
    }
}

/// Two files, and what is to be set.
struct Case {
    files: Vec<File>,
    /// What each file says.
    said: Vec<BTreeMap<String, Said>>,
    chosen: BTreeSet<String>,
    changes: Vec<Change>,
}

impl Case {
    fn new(files: &[File], picks: &[bool], one: Index, changes: Vec<Change>) -> Self {
        let files: Vec<File> = files
            .iter()
            .zip(FILES)
            .map(|(file, (_, prefix))| renamed(file, prefix))
            .collect();
        let said: Vec<_> = files.iter().map(|file| values(&file.text)).collect();
        let ids: Vec<&String> = said.iter().flat_map(|leads| leads.keys()).collect();
        let picked = ids.iter().zip(picks).filter(|(_, pick)| **pick);
        let mut chosen: BTreeSet<String> = picked.map(|(id, _)| (*id).clone()).collect();
        chosen.insert((*one.get(&ids)).clone());
        Self {
            files,
            said,
            chosen,
            changes,
        }
    }

    fn words(&self) -> Vec<&str> {
        let mut words = vec!["set"];
        if self.said.iter().map(BTreeMap::len).sum::<usize>() == self.chosen.len() {
            words.push("--all");
        } else {
            words.extend(self.chosen.iter().map(String::as_str));
        }
        for change in &self.changes {
            match change {
                Change::Assign(text) => words.push(text),
                Change::Unset(path) => words.extend(["--unset", path]),
            }
        }
        words
    }

    /// Whether something is to be unset that `defaults` says.
    fn unsets_default(&self) -> bool {
        let leads = self.said.iter().flatten();
        let mut chosen = leads.filter(|(id, _)| self.chosen.contains(*id));
        chosen.any(|(_, lead)| {
            self.changes
                .iter()
                .any(|change| matches!(change, Change::Unset(path) if lead.defaults.contains(path)))
        })
    }

    /// Whether a chosen lead is in a file in which leads share values by aliases.
    fn has_alias(&self) -> bool {
        self.files.iter().zip(FILES).any(|(file, (_, prefix))| {
            file.shares && self.chosen.iter().any(|id| id.starts_with(prefix))
        })
    }

    /// The lines of a file that may change, by lead and key.
    fn touched(&self, said: &BTreeMap<String, Said>) -> BTreeSet<(String, String)> {
        let mut touched = BTreeSet::new();
        for change in &self.changes {
            let key = change.key();
            for id in said.keys().filter(|id| self.chosen.contains(*id)) {
                touched.insert((id.clone(), key.to_owned()));
                if change.takes_out() {
                    touched.insert((id.clone(), format!("above {key}")));
                }
            }
            // Defaults, where only chosen leads have them.
            let inherits = |lead: &&Said| lead.inherited.contains(change.path());
            let mut heirs = said.iter().filter(|(_, lead)| inherits(lead)).peekable();
            if heirs.peek().is_some() && heirs.all(|(id, _)| self.chosen.contains(id)) {
                touched.insert(("defaults".to_owned(), key.to_owned()));
            }
        }
        touched
    }

    /// Each file says what the oracle says, and its other lines are as they were.
    fn check(&self, world: &World) {
        for ((file, said), (name, _)) in self.files.iter().zip(&self.said).zip(FILES) {
            let after = read(world, name);
            let now = values(&after);
            let mut wanted = said.clone();
            let chosen = wanted.iter_mut();
            for (_, lead) in chosen.filter(|(id, _)| self.chosen.contains(*id)) {
                self.changes.iter().for_each(|change| change.apply(lead));
            }
            assert!(now.keys().eq(wanted.keys()), "{}\n{after}", file.text);
            for (id, wanted) in &wanted {
                let case = format!("{id} by {:?}\n{}\n{after}", self.words(), file.text);
                assert_eq!(now[id].values(), wanted.values(), "{case}");
            }
            let touched = self.touched(said);
            let touched: Vec<(&str, &str)> = touched
                .iter()
                .map(|(lead, key)| (lead.as_str(), key.as_str()))
                .collect();
            lines_stay(file, &touched, &after);
            frame_stays(&file.text, &after);
        }
    }

    /// An error is one that is to be, and changed no file.
    fn check_error(&self, world: &World, ran: &Ran) {
        let case = || format!("{:?}\n{}", self.words(), ran.err);
        assert_eq!(ran.exit, 1, "{}", case());
        let why = match self.unsets_default() {
            true => "comes from `defaults`",
            false => "by an alias or `<<`",
        };
        assert!(ran.err.contains(why), "{}", case());
        assert!(self.unsets_default() || self.has_alias(), "{}", case());
        for (file, (name, _)) in self.files.iter().zip(FILES) {
            assert_eq!(read(world, name), file.text, "{}", case());
        }
    }
}

fn any_case() -> impl Strategy<Value = Case> {
    let files = vec(file(), FILES.len());
    let picks = vec(any::<bool>(), 12);
    (files, picks, any::<Index>(), changes())
        .prop_map(|(files, picks, one, changes)| Case::new(&files, &picks, one, changes))
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.words())
    }
}

pub(super) fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    })
}

#[test]
fn set_says_what_the_oracle_says_and_keeps_all_other_bytes() {
    let (world, refused, cases) = (World::new(&[], ""), Cell::new(0), 150);
    let ran = runner(cases).run(&any_case(), |case| {
        for (file, (name, _)) in case.files.iter().zip(FILES) {
            world.write(name, &file.text);
        }
        let ran = run(&world, &case.words());
        if ran.exit != 0 {
            case.check_error(&world, &ran);
            refused.set(refused.get() + u32::from(!case.unsets_default()));
            return Ok(());
        }
        assert!(!case.unsets_default(), "{case:?}");
        case.check(&world);
        let again = run(&world, &case.words()).exits(0);
        assert!(again.out.starts_with("Nothing to set: "), "{}", again.out);
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
    let refused = refused.get();
    assert!(refused * 3 < cases, "{refused} of {cases} are refused");
}
