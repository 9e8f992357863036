//! README.md and docs/: every command is run as it stands, every link leads somewhere, and the README stays short.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::quickstart::{copied, run};

/// The pages: the README, the papers beside it, and docs/.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "examples/ci/README.md",
    ]
    .map(PathBuf::from)
    .into();
    let docs = std::fs::read_dir("docs").expect("docs");
    paths.extend(docs.map(|page| page.expect("a page").path()));
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a page");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// The blocks of a page in one language.
fn blocks<'a>(page: &'a str, language: &'a str) -> impl Iterator<Item = &'a str> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced.filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}

/// A workspace as `init` makes it, in a repository, with the example beside it.
fn workspace() -> tempfile::TempDir {
    let folder = copied("quickstart");
    std::fs::create_dir(folder.path().join("examples")).expect("a folder");
    let beside = folder.path().join("examples/quickstart");
    std::fs::create_dir(&beside).expect("a folder");
    for file in ["convertalk.yaml", "seed.yaml", "leads"] {
        std::fs::rename(folder.path().join(file), beside.join(file)).expect("a move");
    }
    run(folder.path(), "init").exits(0);
    for words in ["init -q .", "add .", "commit -qm Declare"] {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(words.split(' '))
            .current_dir(folder.path());
        assert!(git.status().expect("git runs").success(), "{words}");
    }
    folder
}

#[test]
fn the_readme_is_short() {
    let lines = std::fs::read_to_string("README.md").expect("a README");
    assert!(lines.lines().count() < 250, "{}", lines.lines().count());
}

/// The page of codes has a test of its own; the README's first five minutes too.
#[test]
fn each_command_of_the_pages_runs() {
    let mut typed = 0;
    for (path, page) in pages() {
        if path.ends_with("codes.md") || path.ends_with("README.md") {
            continue;
        }
        let folder = workspace();
        for block in blocks(&page, "console") {
            for line in block
                .lines()
                .filter_map(|line| line.strip_prefix("$ convertalk "))
            {
                let ran = run(folder.path(), line);
                assert!(
                    matches!(ran.exit, 0 | 2),
                    "{}: convertalk {line}: {}",
                    path.display(),
                    ran.err
                );
                typed += 1;
            }
        }
    }
    assert!(typed > 12, "{typed}");
}

/// What is in a table or a sentence is not run, but it is a command line that the program takes.
#[test]
fn each_command_in_a_sentence_is_taken() {
    let mut seen = 0;
    for (path, page) in pages() {
        let spans = page.split('`').skip(1).step_by(2);
        for words in spans.filter_map(|span| span.strip_prefix("convertalk ")) {
            if words.contains(['…', '\n', '[']) || words.split(' ').any(is_placeholder) {
                continue;
            }
            let name = words.split(' ').next().unwrap_or_default();
            let help = run(Path::new("."), &format!("{name} --help"));
            assert_eq!(help.exit, 0, "{}: {words}", path.display());
            for flag in words.split(' ').filter(|word| word.starts_with("--")) {
                assert!(help.out.contains(flag), "{}: {words}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 25, "{seen}");
}

fn is_placeholder(word: &str) -> bool {
    word.contains(',') || word.len() > 1 && word.chars().all(|letter| letter.is_ascii_uppercase())
}

#[test]
fn each_link_leads_to_a_file_and_a_heading() {
    let mut followed = 0;
    for (path, page) in pages() {
        let targets = page
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let whole = if file.is_empty() {
                path.clone()
            } else {
                path.parent().expect("a folder").join(file)
            };
            assert!(whole.exists(), "{}: {target}", path.display());
            if !heading.is_empty() {
                let text = std::fs::read_to_string(&whole).expect("a page");
                let found = text
                    .lines()
                    .any(|line| anchor(line).as_deref() == Some(heading));
                assert!(found, "{}: {target}", path.display());
            }
            followed += 1;
        }
    }
    assert!(followed > 20, "{followed}");
}

/// The anchor that a forge gives to a heading.
fn anchor(line: &str) -> Option<String> {
    let text = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    Some(
        text.to_lowercase()
            .chars()
            .filter(kept)
            .collect::<String>()
            .replace(' ', "-"),
    )
}

#[test]
fn each_page_is_reached_from_the_readme() {
    let readme = std::fs::read_to_string("README.md").expect("a README");
    for (path, _) in pages().iter().filter(|(path, _)| path.starts_with("docs")) {
        assert!(
            readme.contains(&format!("]({})", path.display())),
            "{}",
            path.display()
        );
    }
}
