//! Every warning and error about what people write in lead files: in text, JSON, annotations and SARIF, each at its place.

use serde_json::Value as Json;

use crate::world::{Ran, World, record, uuid};

/// A file with something in it, and what is reported of it: the code, and where.
struct Slip {
    file: &'static str,
    text: &'static str,
    code: &'static str,
    is_error: bool,
    /// The file, the line and the column.
    at: (&'static str, u64, u64),
}

const ALL: &str = "leads/all.yaml";

/// A lead file with this below `leads:`.
const fn slip(text: &'static str, code: &'static str, at: (u64, u64), is_error: bool) -> Slip {
    Slip {
        file: ALL,
        text,
        code,
        is_error,
        at: (ALL, at.0, at.1),
    }
}

const ID: &str = "7e88d192-9b20-4035-9b68-000000000001";

/// A lead file that is this.
const fn whole(text: &'static str, code: &'static str, at: (u64, u64)) -> Slip {
    Slip {
        file: "leads/b.yaml",
        text,
        code,
        is_error: false,
        at: ("leads/b.yaml", at.0, at.1),
    }
}

const SLIPS: [Slip; 35] = [
    whole("version: 1\nleads:\n", "empty-leads", (2, 1)),
    whole(
        "version: 1\nleads: # none yet\n  # a:\n",
        "empty-leads",
        (2, 1),
    ),
    whole(
        "version: 1\ndefaults: { agent: priya }\n",
        "empty-leads",
        (1, 1),
    ),
    slip("ID: { agent: }", "empty-value", (3, 48), true),
    slip("ID: { status: }", "empty-value", (3, 49), true),
    slip("ID: { status: \"\" }", "unknown-status", (3, 51), true),
    slip(
        "ID: { status: OPEN }\n  ID: { status: OPEN }",
        "duplicate-lead",
        (4, 3),
        true,
    ),
    slip("ID: { status: Review }", "unknown-status", (3, 51), true),
    slip("ID: { agent: nobody }", "unknown-agent", (3, 50), true),
    slip("ID: { owner: priya }", "unknown-key", (3, 43), true),
    slip(
        "ID: { tags: [ok, \"a\\u200Bb\"] }",
        "invisible-character",
        (3, 54),
        true,
    ),
    slip(
        "ID: { tags: [\"a\\u202Eb\"] }",
        "invisible-character",
        (3, 50),
        true,
    ),
    slip(
        "ID: { tags: [\"a\\u0007b\"] }",
        "invisible-character",
        (3, 50),
        true,
    ),
    slip(
        "ID: { tags: [\"a\\nb\"] }",
        "invisible-character",
        (3, 50),
        true,
    ),
    slip(
        "\"7e88d192\\u200B\": { status: OPEN }",
        "invisible-character",
        (3, 3),
        true,
    ),
    slip(
        "\"7e88d192\\u2066\": { status: OPEN }",
        "invisible-character",
        (3, 3),
        true,
    ),
    slip(
        "\"7e88d192\\u0007\": {}",
        "invisible-character",
        (3, 3),
        true,
    ),
    slip("\"7e88d192\\n\": {}", "invisible-character", (3, 3), true),
    slip("\"7e88d192\\u00a0\": {}", "bad-uuid", (3, 3), true),
    slip("ID:\n\t  status: OPEN", "yaml-syntax", (4, 1), true),
    slip(
        "7E88D192-9B20-4035-9B68-000000000001: {}",
        "odd-uuid",
        (3, 3),
        false,
    ),
    slip(
        "\"{7e88d192-9b20-4035-9b68-000000000001}\": {}",
        "odd-uuid",
        (3, 3),
        false,
    ),
    slip(
        "urn:uuid:7e88d192-9b20-4035-9b68-000000000001: {}",
        "odd-uuid",
        (3, 3),
        false,
    ),
    slip(
        "7e88d1929b2040359b68000000000001: {}",
        "odd-uuid",
        (3, 3),
        false,
    ),
    slip("Acme: {}", "odd-uuid", (3, 3), false),
    slip("ID: { tags: [vip, VIP] }", "similar-tags", (3, 55), false),
    slip(
        "ID: { tags: [\"caf\\u00e9\", \"CAFE\\u0301\"] }",
        "similar-tags",
        (3, 63),
        false,
    ),
    slip(
        "ID: { tags: [vip, v\u{456}p] }",
        "similar-tags",
        (3, 55),
        false,
    ),
    slip(
        "ID: { tags: [\"key\\u00a0account\"] }",
        "odd-space",
        (3, 50),
        false,
    ),
    slip(
        "ID: { tags: [\"key\\u2009account\"] }",
        "odd-space",
        (3, 50),
        false,
    ),
    Slip {
        file: "leads/more.yml.YAML",
        text: "ID: { status: OPEN }",
        code: "other-ending",
        is_error: false,
        at: ("leads/more.yml.YAML", 1, 1),
    },
    Slip {
        file: "leads/B.Yaml",
        text: "ID: { status: OPEN }",
        code: "other-ending",
        is_error: false,
        at: ("leads/B.Yaml", 1, 1),
    },
    Slip {
        file: "leads/c.YML",
        text: "ID: { status: OPEN }",
        code: "other-ending",
        is_error: false,
        at: ("leads/c.YML", 1, 1),
    },
    slip("ID: { status: OPEN", "yaml-syntax", (3, 41), true),
    slip(
        "ID: { tags: { present: [a], absent: [a] } }",
        "tag-overlap",
        (3, 74),
        true,
    ),
];

fn world(slip: &Slip) -> World {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {}: {{ label: kept }}\n", uuid(2)));
    let text = slip.text.replace("ID", ID);
    let is_whole = text.starts_with("version");
    let text = if is_whole {
        text
    } else {
        format!("version: 1\nleads:\n  {text}\n")
    };
    world.write(slip.file, &text);
    world
}

/// The first result of a rule, as (file, line, column).
pub(crate) fn in_sarif(log: &Json, code: &str) -> Option<(String, u64, u64)> {
    let results = log["runs"][0]["results"].as_array()?;
    let result = results.iter().find(|result| result["ruleId"] == code)?;
    let place = &result["locations"][0]["physicalLocation"];
    Some((
        place["artifactLocation"]["uri"].as_str()?.to_owned(),
        place["region"]["startLine"].as_u64()?,
        place["region"]["startColumn"].as_u64()?,
    ))
}

fn has(ran: &Ran, text: &str, words: &str) {
    assert!(text.contains(words), "{words:?}\n{}\n{}", ran.out, ran.err);
}

#[test]
fn every_slip_is_reported_in_every_format_at_its_place() {
    for slip in &SLIPS {
        let Slip {
            code, is_error, at, ..
        } = *slip;
        let (file, line, column) = at;
        let world = world(slip);
        let exit = i32::from(is_error);
        let word = if is_error { "error" } else { "warning" };

        let text = world.run("validate").exits(exit);
        has(&text, &text.err, &format!("{word}[{code}]"));
        // What is about a file as a whole names no line of it.
        let place = match code {
            "other-ending" => format!("--> {file}"),
            _ => format!("{file}:{line}:{column}"),
        };
        has(&text, &text.err, &place);

        let json = world.run("validate --format json").exits(exit);
        let diagnostics = json.json()["diagnostics"].clone();
        let mut diagnostics = diagnostics.as_array().expect("a list").iter();
        let found = diagnostics
            .find(|made| made["rule"] == code)
            .unwrap_or_else(|| panic!("no {code}: {}", json.out));
        assert_eq!(
            (&found["file"], &found["line"], &found["column"]),
            (&file.into(), &line.into(), &column.into()),
            "{code}: {}",
            slip.text
        );
        assert_eq!(found["severity"], word);
        assert!(found["help"].is_string(), "{code} says what to do: {found}");

        let github = world.run("validate --format github").exits(exit);
        let command = format!("::{word} file={file},line={line},col={column},");
        has(&github, &github.out, &command);
        has(&github, &github.out, &format!("title=convertalk {code}::"));

        let sarif = world.run("validate --format sarif").exits(exit);
        assert_eq!(
            in_sarif(&sarif.json(), code),
            Some((file.to_owned(), line, column)),
            "{code}: {}",
            slip.text
        );

        // A plan says the same on stderr, and a warning stops nothing.
        let plan = world.run("plan --missing skip");
        assert_eq!(plan.exit, exit, "{}{}", plan.out, plan.err);
        has(&plan, &plan.err, &format!("{word}[{code}]"));
        if is_error {
            let errors = world.run("plan --format json").exits(1).json();
            let places = errors["errors"][0]["places"].clone();
            assert_eq!(errors["errors"][0]["code"], code, "{errors}");
            assert_eq!(places[0]["line"], line, "{errors}");
        }
    }
}

#[test]
fn a_yml_file_that_no_glob_takes_is_a_warning_in_every_format() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    world.write(
        "convertalk.yaml",
        &(config + "leads: [\"leads/**/*.yaml\"]\n"),
    );
    world.declare(&format!("  {ID}: {{ status: OPEN }}\n"));
    world.write("leads/eu/inbound.yml", "version: 1\n");
    let place = ("leads/eu/inbound.yml".to_owned(), 1, 1);
    let text = world.run("validate").exits(0);
    has(&text, &text.err, "warning[other-ending]");
    let github = world.run("validate --format github").exits(0);
    has(
        &github,
        &github.out,
        "::warning file=leads/eu/inbound.yml,line=1,",
    );
    let sarif = world.run("validate --format sarif").exits(0).json();
    assert_eq!(in_sarif(&sarif, "other-ending"), Some(place));
    let json = world.run("validate --format json").exits(0).json();
    assert_eq!(json["diagnostics"][0]["rule"], "other-ending");
    let plan = world.run("plan");
    has(&plan, &plan.err, "warning[other-ending]");
}

#[test]
fn an_emoji_sequence_in_a_tag_is_no_error() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {ID}: {{ tags: [👩\u{200d}💻, ❤\u{fe0f}] }}\n"));
    let ran = world.run("validate").exits(0);
    assert_eq!(ran.err, "");
}

#[test]
fn both_places_of_a_duplicate_are_in_every_format() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    world.declare(&format!("  {ID}: {{ status: OPEN }}\n"));
    world.write(
        "leads/z.yaml",
        &format!("version: 1\nleads:\n\n  {ID}: {{ status: OPEN }}\n"),
    );
    let text = world.run("validate").exits(1);
    for place in ["leads/z.yaml:4", "leads/all.yaml:3"] {
        has(&text, &text.err, place);
    }
    let json = world.run("validate --format json").exits(1).json();
    let places = &json["errors"][0]["places"];
    assert_eq!(
        (&places[0]["line"], &places[1]["line"]),
        (&4.into(), &3.into())
    );
    let github = world.run("validate --format github").exits(1);
    has(&github, &github.out, "file=leads/z.yaml,line=4");
    has(&github, &github.out, "leads/all.yaml:3");
    let sarif = world.run("validate --format sarif").exits(1).json();
    let related = &sarif["runs"][0]["results"][0]["relatedLocations"][0]["physicalLocation"];
    assert_eq!(related["artifactLocation"]["uri"], "leads/all.yaml");
    assert_eq!(related["region"]["startLine"], 3);
}

#[test]
fn similar_tags_of_the_policy_are_a_warning_at_their_line() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let config = std::fs::read_to_string(world.path("convertalk.yaml")).expect("a file");
    let line = config.lines().count() as u64 + 1;
    world.write(
        "convertalk.yaml",
        &(config + "policy: { tags: [vip, VIP] }\n"),
    );
    world.declare(&format!("  {ID}: {{ status: OPEN }}\n"));
    let text = world.run("validate").exits(0);
    has(&text, &text.err, "warning[similar-tags]");
    has(&text, &text.err, &format!("convertalk.yaml:{line}:"));
    let github = world.run("validate --format github").exits(0);
    has(
        &github,
        &github.out,
        &format!("::warning file=convertalk.yaml,line={line},"),
    );
    let sarif = world.run("validate --format sarif").exits(0).json();
    let (file, found, _) = in_sarif(&sarif, "similar-tags").expect("a result");
    assert_eq!((file.as_str(), found), ("convertalk.yaml", line));
}

#[test]
fn a_lead_that_is_listed_in_another_letter_case_is_named_in_every_format() {
    let upper = ID.to_uppercase();
    let mut listed = record(1, "OPEN", None, &[]);
    listed["uuid"] = upper.clone().into();
    let world = World::new(&[listed], "");
    world.declare(&format!("  {ID}: {{ create: true, status: OPEN }}\n"));
    for format in ["text", "json", "markdown", "github", "sarif"] {
        let ran = world.run(&format!("plan --format {format}")).exits(1);
        let all = format!("{}{}", ran.out, ran.err);
        has(&ran, &all, &upper);
        has(&ran, &all, ID);
    }
    world.run("apply --yes").exits(1);
    assert!(world.puts().is_empty());
}

#[test]
fn text_and_annotations_show_the_first_hundred_and_the_total_and_programs_get_all() {
    let world = World::new(&[record(1, "OPEN", None, &[])], "");
    let leads: String = (1..=130)
        .map(|number| format!("  {}: {{ status: SHUT }}\n", uuid(number)))
        .collect();
    world.declare(&leads);
    let text = world.run("validate").exits(1);
    assert_eq!(text.err.matches("error[unknown-status]").count(), 100);
    has(&text, &text.err, "130 errors");
    let github = world.run("validate --format github").exits(1);
    assert_eq!(github.out.matches("::error ").count(), 100);
    has(&github, &github.out, "130 errors");
    let json = world.run("validate --format json").exits(1).json();
    assert_eq!(json["errors"].as_array().map(Vec::len), Some(130));
    let sarif = world.run("validate --format sarif").exits(1).json();
    let results = sarif["runs"][0]["results"].as_array().map(Vec::len);
    assert_eq!(results, Some(130));
    let plan = world.run("plan --format json").exits(1).json();
    assert_eq!(plan["errors"].as_array().map(Vec::len), Some(130));
}
