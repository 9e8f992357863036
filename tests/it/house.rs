//! What the source promises of itself: one name for one thing, and plain words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every Rust file below `src`, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("src can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source file is UTF-8");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 200, "{} files", found.len());
    found
}

/// The name of the type that a line defines. Associated types of an `impl` are indented, and no definitions.
fn type_name(line: &str) -> Option<&str> {
    let line = line
        .trim_start_matches("pub(crate) ")
        .trim_start_matches("pub(super) ")
        .trim_start_matches("pub ");
    let name = ["struct ", "enum ", "trait ", "type "]
        .iter()
        .find_map(|kind| line.strip_prefix(kind))?;
    name.split(|c: char| !c.is_alphanumeric()).next()
}

#[test]
fn each_type_has_a_name_of_its_own() {
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (path, text) in sources() {
        for name in text.lines().filter_map(type_name) {
            places
                .entry(name.to_owned())
                .or_default()
                .push(path.clone());
        }
    }
    places.retain(|_, paths| paths.len() > 1);
    assert_eq!(places, BTreeMap::new());
}

#[test]
fn the_source_has_no_function_with_an_empty_name_and_forgets_nothing() {
    let words = ["fn of(", "fn of<", "fn told(", "mem::forget"];
    let found: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| words.iter().any(|word| text.contains(word)))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(found, Vec::<PathBuf>::new());
}

#[test]
fn the_source_and_the_readme_use_plain_words() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&readme).expect("the README can be read");
    let words = [
        "told",
        "tells",
        "so many",
        "at the most",
        "unless said",
        "held against",
        "whoever",
        "hands on",
        "goes home",
    ];
    let mut found = Vec::new();
    for (path, text) in sources().into_iter().chain([(readme, text)]) {
        for (number, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            let spaced: String = line
                .chars()
                .map(|c| {
                    if c.is_alphanumeric() || c == '_' {
                        c
                    } else {
                        ' '
                    }
                })
                .collect();
            let spaced = format!(" {spaced} ");
            if words
                .iter()
                .any(|word| spaced.contains(&format!(" {word} ")))
            {
                found.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn no_file_has_more_than_400_lines() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|(path, _)| !path.ends_with("tests.rs"))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > 400)
        .collect();
    assert_eq!(long, Vec::new());
}
