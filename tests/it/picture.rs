//! docs/plan.svg: the plan of the quick start, drawn from what the program prints. `UPDATE_PICTURE=1` draws it anew.

use std::fmt::Write;

use crate::world::{Ran, program};

const PICTURE: &str = "docs/plan.svg";
const LINE: usize = 19;
/// The advance of a character at 14 px in the common monospaced fonts.
const WIDTH: f32 = 8.43;

/// Runs of text with the codes of their style, for each line.
fn styled(output: &str) -> Vec<Vec<(String, String)>> {
    let mut style = String::new();
    let mut lines = Vec::new();
    for line in output.lines() {
        let mut runs = Vec::new();
        let mut parts = line.split("\u{1b}[");
        runs.push((style.clone(), parts.next().unwrap_or_default().to_owned()));
        for part in parts {
            let (codes, text) = part.split_once('m').expect("a code ends with m");
            style = if codes == "0" {
                String::new()
            } else {
                format!("{style} s{codes}")
            };
            runs.push((style.clone(), text.to_owned()));
        }
        runs.retain(|(_, text)| !text.is_empty());
        lines.push(runs);
    }
    lines
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn drawn(command: &str, output: &str) -> String {
    let mut lines = vec![vec![("s2".to_owned(), format!("$ {command}"))], Vec::new()];
    lines.extend(styled(output));
    let columns = lines
        .iter()
        .map(|runs| runs.iter().map(|(_, text)| text.chars().count()).sum());
    let width = columns.max().unwrap_or(80usize) as f32 * WIDTH + 40.0;
    let height = lines.len() * LINE + 36;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height}\" role=\"img\" aria-label=\"A plan\">
<style>
  text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #d8dee9; white-space: pre }}
  .s1 {{ font-weight: bold }} .s2 {{ opacity: .6 }} .s31 {{ fill: #f07178 }} .s32 {{ fill: #a5d68b }} .s33 {{ fill: #ffcb6b }}
</style>
<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1b2029\"/>
"
    );
    for (number, runs) in lines
        .iter()
        .enumerate()
        .filter(|(_, runs)| !runs.is_empty())
    {
        let y = number * LINE + 32;
        write!(svg, "<text x=\"20\" y=\"{y}\" xml:space=\"preserve\">").expect("a line");
        for (style, text) in runs {
            let text = escaped(text);
            let span = match style.trim() {
                "" => text,
                style => format!("<tspan class=\"{style}\">{text}</tspan>"),
            };
            svg.push_str(&span);
        }
        svg.push_str("</text>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

#[test]
fn the_picture_is_what_the_program_prints() {
    let folder = crate::quickstart::copied("quickstart");
    let mut plan = program(&["plan", "--color", "always"]);
    let ran = plan.current_dir(folder.path()).output().expect("it runs");
    let svg = drawn("convertalk plan", &Ran::of(ran).exits(0).out);
    assert!(svg.contains("<tspan class=\"s32\">+vip</tspan>"), "{svg}");
    if std::env::var_os("UPDATE_PICTURE").is_some() {
        std::fs::write(PICTURE, &svg).expect("a picture");
    }
    let kept = std::fs::read_to_string(PICTURE).unwrap_or_default();
    assert!(kept == svg, "run the tests with UPDATE_PICTURE=1");
}
