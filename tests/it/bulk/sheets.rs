//! Sheets out and in again, whatever is in their cells and whatever program saved them, by the binary.

use std::path::Path;

use csv::{QuoteStyle, Terminator};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use super::laws::{read, runner};
use crate::quickstart::copy;
use crate::world::{BOT, CUSTOMER, Ran, World, program, uuid};

const AGENTS: &str = "{ priya: 000000000000000000000001, \"-\": 000000000000000000000002, \"=x\": 000000000000000000000003 }";

/// Texts that spreadsheets run, that CSV quotes, and that cells have a meaning for.
fn hostile() -> impl Strategy<Value = String> {
    let texts = vec![
        "-",
        "'-",
        "''=1",
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@SUM(A1)",
        "a;b",
        "a,b",
        "\\",
        "a\\",
        "\\;",
        "\"",
        "a\"b",
        "two\nlines",
        "a\n\nb",
        "none",
        "é",
        "𝒳",
        "uuid",
        "'",
        "#",
        "0123",
        "1e3",
        "TRUE",
        "2026-01-02",
        "tab\there",
        "=\t",
    ];
    select(texts).prop_map(str::to_owned)
}

/// A lead with hostile texts. JSON is YAML.
fn hostile_lead() -> impl Strategy<Value = Json> {
    let tag = || hostile().prop_filter("a tag", |text| !text.contains(['\n', '\t']));
    let tags = prop_oneof![
        Just(Json::Null),
        btree_set(tag(), 0..4).prop_map(|tags| json!(tags)),
        (btree_set(tag(), 1..3), btree_set(tag(), 0..3)).prop_map(
            |(present, absent)| json!({ "present": present, "absent": &absent - &present })
        ),
    ];
    let status = of(select(vec!["OPEN", "INPROGRESS", "CLOSED"]));
    let agent = of(select(vec![
        "priya",
        "-",
        "=x",
        "none",
        "00000000000000000000000b",
    ]));
    (of(hostile()), of(hostile()), status, agent, tags, btree_map(hostile(), hostile(), 0..3)).prop_map(
        |(label, hold, status, agent, tags, attributes)| {
            let lead = json!({ "label": label, "hold": hold, "status": status, "agent": agent, "tags": tags, "attributes": attributes });
            let Json::Object(mut lead) = lead else { panic!("an object") };
            lead.retain(|_, value| !value.is_null());
            Json::Object(lead)
        },
    )
}

/// A sheet as a program saves it: its separator, line ends, quotes, columns and rows that it adds.
#[derive(Debug, Clone, Copy)]
struct Program {
    bom: bool,
    separator: u8,
    is_crlf: bool,
    quotes: QuoteStyle,
    has_empty_cells: bool,
}

const PROGRAMS: [Program; 5] = [
    // Excel, "CSV UTF-8", of an English and of a German system.
    Program {
        bom: true,
        separator: b',',
        is_crlf: true,
        quotes: QuoteStyle::Necessary,
        has_empty_cells: true,
    },
    Program {
        bom: true,
        separator: b';',
        is_crlf: true,
        quotes: QuoteStyle::Necessary,
        has_empty_cells: true,
    },
    // LibreOffice, as it is and with "quote all text cells"; by tabs.
    Program {
        bom: false,
        separator: b',',
        is_crlf: false,
        quotes: QuoteStyle::Necessary,
        has_empty_cells: false,
    },
    Program {
        bom: false,
        separator: b';',
        is_crlf: false,
        quotes: QuoteStyle::Always,
        has_empty_cells: false,
    },
    Program {
        bom: false,
        separator: b'\t',
        is_crlf: true,
        quotes: QuoteStyle::NonNumeric,
        has_empty_cells: false,
    },
];

impl Program {
    fn saves(&self, sheet: &str) -> Vec<u8> {
        let start = if self.bom {
            b"\xef\xbb\xbf".to_vec()
        } else {
            Vec::new()
        };
        let terminator = if self.is_crlf {
            Terminator::CRLF
        } else {
            Terminator::Any(b'\n')
        };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(self.separator)
            .terminator(terminator)
            .quote_style(self.quotes)
            .from_writer(start);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(sheet.as_bytes());
        let mut width = 0;
        for row in reader.records() {
            let mut row = row.expect("a row");
            if self.has_empty_cells {
                row.push_field("");
            }
            width = row.len();
            writer.write_record(&row).expect("a row");
        }
        if self.has_empty_cells {
            writer.write_record(vec![""; width]).expect("a row");
        }
        writer.into_inner().expect("a sheet")
    }
}

#[test]
fn a_sheet_that_a_spreadsheet_saved_changes_nothing_whatever_its_cells() {
    let world = World::new(&[], "");
    world.write(
        "convertalk.yaml",
        &format!(
            "version: 1\napi: {{ endpoint: sandbox, bot_id: {BOT}, customer_id: {CUSTOMER} }}\nagents: {AGENTS}\n"
        ),
    );
    let ran = runner(50).run(
        &(vec(hostile_lead(), 1..5), select(PROGRAMS.to_vec())),
        |(leads, program)| {
            let leads = leads
                .iter()
                .enumerate()
                .map(|(number, lead)| format!("  {}: {lead}\n", uuid(number)));
            world.declare(&leads.collect::<String>());
            let before = read(&world, "leads/all.yaml");
            let sheet = world.run("list --format csv").exits(0).out;
            for cell in csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(sheet.as_bytes())
                .records()
                .flatten()
            {
                let runs = |cell: &str| cell.len() > 1 && cell.starts_with(['=', '+', '-', '@']);
                assert!(!cell.iter().any(runs), "a cell is run: {cell:?}");
            }
            std::fs::write(world.path("sheet.csv"), program.saves(&sheet)).expect("a file");
            let set = world.run("set --from sheet.csv").exits(0);
            assert!(
                set.out.starts_with("Nothing to set: "),
                "{}\n{before}\n{sheet}",
                set.out
            );
            assert_eq!(read(&world, "leads/all.yaml"), before);
            Ok(())
        },
    );
    ran.unwrap_or_else(|error| panic!("{error}"));
}

/// What `list --format csv` prints of the quick start, opened and changed in LibreOffice 7.4, and saved there in three ways.
#[test]
fn sheets_that_libreoffice_saved_are_read() {
    let sheets = std::fs::read_dir("tests/files/sheets").expect("sheets");
    let sheets: Vec<_> = sheets.map(|sheet| sheet.expect("a sheet").path()).collect();
    assert_eq!(sheets.len(), 3);
    for sheet in sheets {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("quickstart");
        copy(Path::new("examples/quickstart"), &root);
        let run = |words: &[&str]| {
            let ran = program(words).arg("-C").arg(&root).output();
            Ran::of(ran.expect("it runs")).exits(0)
        };
        let set = run(&["set", "--from", sheet.to_str().expect("a name")]);
        assert!(set.out.contains("Set: 1 lead in 1 file"), "{}", set.out);
        let only = ["--only", "2b7e3f55-0c1d-4a8e-8c6a-7d1e2f3a4b02"];
        let list = run(&["list", "--format", "json", only[0], only[1]]).json();
        let lead = &list["leads"][0];
        assert_eq!(lead["label"], "Bäckerei \"Zur Birke\", Köln", "{sheet:?}");
        assert_eq!(lead["hold"], "says: \"no\", twice", "{sheet:?}");
        assert_eq!(lead["status"], "INPROGRESS", "{sheet:?}");
        assert_eq!(lead["agent"], "priya", "{sheet:?}");
        let tags = json!({ "present": ["renewal"], "absent": ["vip"] });
        assert_eq!(lead["tags"], tags, "{sheet:?}");
    }
}
