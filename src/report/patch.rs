//! A unified diff that `git apply` takes.

use std::fmt::Write;

use similar::TextDiff;

/// The change of one file, named from the repository's top; empty where there is none. `old` is `None` for a new file.
pub fn patch(path: &str, old: Option<&str>, new: &str) -> String {
    if old == Some(new) {
        return String::new();
    }
    let (before, after) = (quoted('a', path), quoted('b', path));
    let mut out = format!("diff --git {before} {after}\n");
    // A name with a blank ends at a tab.
    let end = if path.contains(' ') { "\t" } else { "" };
    // Writing into a String does not fail.
    let _infallible = match old {
        Some(_) => writeln!(out, "--- {before}{end}\n+++ {after}{end}"),
        None => writeln!(out, "new file mode 100644\n--- /dev/null\n+++ {after}{end}"),
    };
    let (old, new) = (lines(old.unwrap_or_default()), lines(new));
    let diff = TextDiff::configure()
        .newline_terminated(true)
        .diff_slices(&old, &new);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        let _infallible = writeln!(out, "{}", hunk.header());
        for change in hunk.iter_changes() {
            out.push_str(&change.tag().to_string());
            out.push_str(change.value());
            // A carriage return alone ends no line for git.
            if !change.value().ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    out
}

/// Lines as git has them: they end at `\n` and nowhere else.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// A path as git writes it in the head of a diff.
fn quoted(side: char, path: &str) -> String {
    let is_plain = |letter: char| !letter.is_control() && letter != '"' && letter != '\\';
    if path.chars().all(is_plain) {
        return format!("{side}/{path}");
    }
    let mut made = format!("\"{side}/");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => made.extend(['\\', char::from(byte)]),
            0x20..=0x7e => made.push(char::from(byte)),
            // Writing into a String does not fail.
            byte => drop(write!(made, "\\{byte:03o}")),
        }
    }
    made.push('"');
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carriage_return_alone_ends_no_line() {
        let made = patch("a.yaml", Some("a: 1\rb: 2\r"), "a: 1\rb: 3\r");
        let (_, hunk) = made.split_once("@@ -1 +1 @@\n").expect("a hunk");
        let end = "\n\\ No newline at end of file\n";
        assert_eq!(hunk, format!("-a: 1\rb: 2\r{end}+a: 1\rb: 3\r{end}"));
    }
}
