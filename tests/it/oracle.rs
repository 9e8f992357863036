//! What lead files say, and what they are to say after an assignment: by another reader than the program's, in plain texts.
//!
//! It knows of lead files that values come from `defaults`, group by group, and what tags can say; and of nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::{Mapping, Value};

/// Tags as a lead file can say them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tags {
    Unsaid,
    Exact(BTreeSet<String>),
    Patch(BTreeSet<String>, BTreeSet<String>),
}

/// What a lead says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) tags: Tags,
    /// All else by its path, `attributes.tier` say.
    pub(crate) texts: BTreeMap<String, String>,
    /// The paths that `defaults` says, too.
    pub(crate) defaults: BTreeSet<String>,
    /// Those that it alone says.
    pub(crate) inherited: BTreeSet<String>,
}

/// Puts in what `<<` takes from other mappings. A key of that name with a text is a key like any other.
fn merge(value: &mut Value) {
    match value {
        Value::Mapping(map) => {
            map.values_mut().for_each(merge);
            let parents: Option<Vec<Mapping>> = match map.get("<<") {
                Some(Value::Mapping(parent)) => Some(vec![parent.clone()]),
                Some(Value::Sequence(all)) => all
                    .iter()
                    .map(|parent| parent.as_mapping().cloned())
                    .collect(),
                _ => None,
            };
            let Some(parents) = parents else { return };
            map.remove("<<");
            for (key, value) in parents.into_iter().flatten() {
                map.entry(key).or_insert(value);
            }
        }
        Value::Sequence(items) => items.iter_mut().for_each(merge),
        _ => {}
    }
}

/// What each lead of a file says, with its defaults.
pub(crate) fn leads(text: &str) -> BTreeMap<String, Said> {
    let text = text.trim_start_matches('\u{feff}');
    let mut file: Value =
        serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    merge(&mut file);
    let defaults = file["defaults"].as_mapping().cloned().unwrap_or_default();
    let defaults = said(&defaults);
    let leads = file["leads"].as_mapping().expect("leads");
    let lead = |(uuid, own): (&Value, &Value)| {
        let mut lead = said(&own.as_mapping().cloned().unwrap_or_default());
        lead.defaults = defaults.texts.keys().cloned().collect();
        if defaults.tags != Tags::Unsaid {
            lead.defaults.insert("tags".to_owned());
        }
        if lead.tags == Tags::Unsaid && defaults.tags != Tags::Unsaid {
            lead.tags = defaults.tags.clone();
            lead.inherited.insert("tags".to_owned());
        }
        for (path, text) in &defaults.texts {
            if !lead.texts.contains_key(path) {
                lead.texts.insert(path.clone(), text.clone());
                lead.inherited.insert(path.clone());
            }
        }
        (uuid.as_str().expect("a uuid").to_owned(), lead)
    };
    leads.iter().map(lead).collect()
}

fn said(own: &Mapping) -> Said {
    let mut lead = Said {
        tags: Tags::Unsaid,
        texts: BTreeMap::new(),
        defaults: BTreeSet::new(),
        inherited: BTreeSet::new(),
    };
    for (key, value) in own {
        let key = key.as_str().expect("a key");
        match (key, value) {
            ("tags", Value::Mapping(sides)) => {
                let side = |name: &str| sides.get(name).map(words).unwrap_or_default();
                lead.tags = Tags::Patch(side("present"), side("absent"));
            }
            ("tags", list) => lead.tags = Tags::Exact(words(list)),
            ("attributes" | "contact", Value::Mapping(members)) => {
                for (member, value) in members {
                    let path = format!("{key}.{}", text(member));
                    let mut value = text(value);
                    if path == "contact.phone" {
                        // Blanks in a number say nothing.
                        value.retain(|letter| letter != ' ');
                    }
                    lead.texts.insert(path, value);
                }
            }
            (_, value) => drop(lead.texts.insert(key.to_owned(), text(value))),
        }
    }
    lead
}

fn words(list: &Value) -> BTreeSet<String> {
    let items = list.as_sequence().into_iter().flatten();
    items.map(|item| text(item).trim().to_owned()).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other)
            .expect("YAML")
            .trim()
            .to_owned(),
    }
}

impl Said {
    /// Says what an assignment of the command line says.
    pub(crate) fn assign(&mut self, assignment: &str) {
        let (path, value) = assignment.split_once('=').expect("an assignment");
        match (path, value) {
            ("tags" | "tags+" | "tags-", _) => {
                self.tags = tags_after(&self.tags, &path["tags".len()..], items(value));
                self.inherited.remove("tags");
            }
            ("label" | "hold", "") => drop(self.texts.remove(path)),
            ("agent", "") => self.put(path, "none"),
            ("status", word) => self.put(path, &word.to_uppercase()),
            (path, value) => self.put(path, value),
        }
    }

    fn put(&mut self, path: &str, text: &str) {
        self.texts.insert(path.to_owned(), text.to_owned());
        self.inherited.remove(path);
    }

    /// Says nothing of a field any more.
    pub(crate) fn unset(&mut self, path: &str) {
        if path == "tags" {
            self.tags = Tags::Unsaid;
        }
        self.texts.remove(path);
    }

    /// What is said, wherever: in the lead or in `defaults`.
    pub(crate) fn values(&self) -> (&Tags, &BTreeMap<String, String>) {
        (&self.tags, &self.texts)
    }
}

/// Tags of the command line: `\,` is a comma in one.
fn items(list: &str) -> BTreeSet<String> {
    let list = list.replace("\\,", "\0");
    let items = list.split(',').filter(|item| !item.is_empty());
    items.map(|item| item.replace('\0', ",")).collect()
}

fn tags_after(before: &Tags, operator: &str, names: BTreeSet<String>) -> Tags {
    match (operator, before) {
        ("", _) => Tags::Exact(names),
        ("+", Tags::Unsaid) => Tags::Patch(names, BTreeSet::new()),
        ("-", Tags::Unsaid) => Tags::Patch(BTreeSet::new(), names),
        ("+", Tags::Exact(before)) => Tags::Exact(before | &names),
        ("-", Tags::Exact(before)) => Tags::Exact(before - &names),
        ("+", Tags::Patch(present, absent)) => Tags::Patch(present | &names, absent - &names),
        ("-", Tags::Patch(present, absent)) => Tags::Patch(present - &names, absent | &names),
        (operator, _) => panic!("{operator}"),
    }
}
