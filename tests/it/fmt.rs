//! `fmt`: one layout, nothing lost, and nothing that means another thing.

use std::sync::Arc;

use convertalk::workspace::layout::layout;
use proptest::prelude::*;

use crate::arbitrary::workspace;
use crate::edit::says;
use crate::forms::file;

fn laid_out(text: &str) -> String {
    let made = layout(&Arc::from("leads/a.yaml"), text).expect("YAML");
    assert!(!made.left_alone, "left as it stands:\n{text}");
    made.text
}

/// Comments in order of their text, and for each that names a key, whether it stands beside or above it.
fn comments(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut made = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some((before, key)) = line.split_once("# t:") {
            assert!(before.contains(key.trim_end()), "a comment is no longer beside `{key}`:\n{text}");
        }
        if let Some((_, key)) = line.split_once("# a:") {
            let below = lines[number..].iter().find(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
            let below = below.expect("a line below").trim_start();
            assert!(below.starts_with(key.trim_end()), "a comment is no longer above `{key}`:\n{text}");
        }
        // What is behind a `#` in quotes is none.
        made.extend(line.rfind('#').map(|at| line[at..].trim_end().to_owned()).filter(|text| !text.starts_with("# y")));
    }
    made.sort();
    made
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn says_the_same_once_and_for_all(file in file()) {
        let made = laid_out(&file.text);
        prop_assert_eq!(&laid_out(&made), &made, "not settled:\n{}", file.text);
        prop_assert_eq!(says(&workspace(), &file.text), says(&workspace(), &made));
        prop_assert_eq!(comments(&file.text), comments(&made), "{}\n{}", file.text, made);
        prop_assert_eq!(file.text.contains("\r\n"), made.contains("\r\n"));
        prop_assert_eq!(file.text.starts_with('\u{feff}'), made.starts_with('\u{feff}'));
        prop_assert!(made.ends_with('\n') && !made.lines().any(|line| line.ends_with(['\t'])));
    }
}
