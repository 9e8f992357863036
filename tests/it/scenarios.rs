//! Stories in `tests/scenarios/`: lead files and a live inbox, and what comes of them, told in a snapshot beside them.

use crate::story::tell;

macro_rules! stories {
    ($($name:ident,)*) => {
        const TOLD: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { tell(stringify!($name)); })*
    };
}

stories! {
    agents_by_name_id_and_none,
    attributes_beside_others,
    contact_values,
    created_where_allowed,
    defaults_and_exceptions,
    hostile_names,
    notes_are_added,
    odd_scalars_keep_their_text,
    status_moves,
    tags_exact_and_patched,
}

#[test]
fn every_story_is_told() {
    let mut folders: Vec<String> = std::fs::read_dir("tests/scenarios")
        .expect("scenarios")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    folders.sort();
    assert_eq!(folders, TOLD);
}
