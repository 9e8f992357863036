use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::lead::{
    AgentId, Desired, DesiredField, DesiredLead, DesiredValue, Field, LeadId, Place, Status,
    TagRule, TagSet, tag,
};
use crate::lead_file::emit::AgentNames;
use crate::lead_file::one_meaning;
use crate::lead_file::valid::Vocabulary;
use crate::policy::Agent;
use crate::text::invisible_in;

fn agents() -> BTreeMap<String, Agent> {
    let named = [("priya", 1), ("=cmd", 2), ("-", 3)];
    let agent = |number: u32| Agent {
        id: AgentId::parse(&format!("{number:024x}")).expect("24 hex digits"),
        max_leads: None,
        place: Place {
            file: "convertalk.yaml".into(),
            line: 1,
        },
    };
    named
        .into_iter()
        .map(|(name, number)| (name.to_owned(), agent(number)))
        .collect()
}

/// Texts that spreadsheets run, that CSV quotes, and that the cells have a meaning for.
fn text() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(vec![
        "-",
        "'-",
        "''=1",
        "=1+1",
        "+vip",
        "-cold",
        "@x",
        "\t=1",
        "\r",
        "a;b",
        "a,b",
        "\\",
        "a\\",
        "\\;",
        "\"",
        "a\"b",
        "two\nlines",
        "a\r\nb",
        "none",
        " blank ",
        " -",
        "\u{a0}- ",
        "\n-",
        "é",
        "𝒳",
        "\u{feff}",
        "uuid",
        "'",
        "#",
    ]);
    prop_oneof![3 => hostile.prop_map(str::to_owned), 2 => "[ -~]{1,8}", 1 => "\\PC{1,6}"]
}

fn filled() -> impl Strategy<Value = String> {
    text().prop_filter("says something", |text| !text.trim().is_empty())
}

fn tags() -> impl Strategy<Value = TagSet> {
    // As lead files take them: no character that cannot be seen.
    let tag = |text: String| tag(&text).filter(|tag| invisible_in(tag).is_none());
    vec(text().prop_filter_map("a tag", tag), 0..4).prop_map(TagSet::from)
}

fn rule() -> impl Strategy<Value = TagRule> {
    let patch = (tags(), tags()).prop_filter_map("a rule says something", |(present, absent)| {
        let absent: TagSet = &absent - &present;
        let says = !present.is_empty() || !absent.is_empty();
        says.then_some(TagRule::Patch { present, absent })
    });
    prop_oneof![tags().prop_map(TagRule::Exact), patch]
}

fn lead() -> impl Strategy<Value = DesiredLead> {
    let status = prop::sample::select(Status::WRITABLE.to_vec());
    let agent = of(1..6_u32);
    let attribute = (filled(), prop_oneof![text(), Just(String::new())]);
    let fields = (of(status), of(agent), of(rule()), vec(attribute, 0..3));
    (of(filled()), of(filled()), fields).prop_map(|(label, hold, fields)| {
        let (status, agent, tags, attributes) = fields;
        let attributes: BTreeMap<String, String> = attributes.into_iter().collect();
        let mut fields: Vec<(Field, DesiredValue)> = Vec::new();
        fields.extend(status.map(|status| (Field::STATUS, DesiredValue::Choice(status))));
        let id = |number: u32| AgentId::parse(&format!("{number:024x}"));
        let agent = agent.map(|agent| DesiredValue::Reference(agent.and_then(id)));
        fields.extend(agent.map(|agent| (Field::AGENT, agent)));
        fields.extend(tags.map(|rule| (Field::TAGS, DesiredValue::Set(rule))));
        let attribute =
            |(key, text): (String, String)| (Field::attribute(key), DesiredValue::Text(text));
        fields.extend(attributes.into_iter().map(attribute));
        DesiredLead {
            place: Place {
                file: "leads/a.yaml".into(),
                line: 1,
            },
            label: label.map(Into::into),
            hold: hold.map(|hold| hold.trim().into()),
            create: false,
            fields: fields
                .into_iter()
                .map(|(field, value)| DesiredField {
                    field,
                    value,
                    line: 1,
                })
                .collect(),
        }
    })
}

proptest! {
    #[test]
    fn a_sheet_out_and_in_again_changes_nothing(leads in vec(lead(), 0..6), separator in 0..3_usize) {
        let desired: Desired = leads
            .into_iter()
            .enumerate()
            .map(|(at, lead)| (LeadId::new(format!("aaaa{at}").as_str()), lead))
            .collect();
        let agents = agents();
        let sheet = write(&desired, &AgentNames::new(&agents), None, &[]).expect("a sheet");
        let sheet = separated(&sheet, [b',', b';', b'\t'][separator]);
        let vocabulary = Vocabulary { agents: Some(&agents), tags: None };
        let (rows, errors) = read(&sheet, vocabulary);
        prop_assert_eq!(&errors, &[], "{}", String::from_utf8_lossy(&sheet));
        prop_assert_eq!(rows.len(), desired.len());
        for row in rows {
            let now = one_meaning(&desired[&row.id]);
            let mut then = now.clone();
            row.assignments.iter().for_each(|one| one.apply(&mut then));
            prop_assert_eq!(then, now);
        }
    }
}

/// As a spreadsheet saves it: another separator, `\r\n`, a byte order mark.
fn separated(sheet: &[u8], separator: u8) -> Vec<u8> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(sheet);
    let mut writer = csv::WriterBuilder::new()
        .delimiter(separator)
        .terminator(csv::Terminator::CRLF)
        .from_writer(b"\xef\xbb\xbf".to_vec());
    for record in reader.records() {
        writer
            .write_record(&record.expect("a record"))
            .expect("a record");
    }
    writer.into_inner().expect("a sheet")
}

fn errors(sheet: &str) -> Vec<String> {
    let agents = agents();
    let tags = ["vip".to_owned()];
    let vocabulary = Vocabulary {
        agents: Some(&agents),
        tags: Some(&tags),
    };
    let (_, errors) = read(sheet.as_bytes(), vocabulary);
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn every_error_has_its_row_and_column() {
    let sheet = "uuid,status,agent,tags,contact.email\n\
        aaaa,Opn,,,\n\
        \n\
        bbbb,-,zoe,\"vip;+hot\",-\n\
        aaaa,,,hot,x\n\
        ,OPEN,,,\n\
        cccc,OPEN,,,,more\n";
    assert_eq!(
        errors(sheet),
        [
            "row 2, column `status`: `Opn` is not a status; did you mean `OPEN`?",
            "row 4, column `status`: a status cannot be cleared; to leave it to the inbox, use --unset status",
            "row 4, column `agent`: `zoe` is not an agent of the workspace; add it under `agents:` in convertalk.yaml, or write the 24-hex id",
            "row 4, column `tags`: mark all tags with + or -, or none",
            "row 4, column `contact.email`: contact values cannot be cleared; to leave one to the inbox, use --unset",
            "row 5, column `uuid`: `aaaa` is in row 2 already",
            "row 5, column `tags`: `policy.tags` does not list `hot`",
            "row 5, column `contact.email`: `x` is not a value of contact.email: write an email address: `name@example.com`",
            "row 6, column `uuid`: the uuid is missing",
            "row 7: cell 6 has no column",
        ]
    );
}

#[test]
fn a_header_that_is_none_is_said_to_be() {
    assert_eq!(
        errors(""),
        ["row 1: the sheet is empty; its first row names the columns"]
    );
    let unknown = errors("uuid,stauts,notes,status,status\n");
    assert!(unknown[0].contains("did you mean `status`?"), "{unknown:?}");
    assert!(
        unknown[1].contains("column `notes`: unknown column"),
        "{unknown:?}"
    );
    assert!(unknown[2].contains("listed twice"), "{unknown:?}");
    assert_eq!(
        errors("status,label\nOPEN,x\n"),
        ["row 1: the column `uuid` is missing"]
    );
    let latin = [b"uuid,label\naaaa,caf".as_slice(), b"\xe9\n"].concat();
    let (_, errors) = read(&latin, Vocabulary::default());
    assert_eq!(
        errors[0].to_string(),
        "row 2: not UTF-8; save the sheet as CSV UTF-8"
    );
}

#[test]
fn a_first_row_for_excel_names_the_separator_and_counts_as_a_row() {
    let vocabulary = Vocabulary {
        agents: None,
        tags: None,
    };
    for sheet in [
        "sep=;\r\nuuid;label\r\naaaa;a,b\r\n",
        "\u{feff}sep=;\nuuid;label\naaaa;a,b\n",
    ] {
        let (rows, errors) = read(sheet.as_bytes(), vocabulary);
        assert_eq!((errors, rows.len()), (Vec::new(), 1), "{sheet}");
        assert_eq!(rows[0].number, 3, "{sheet}");
    }
}

#[test]
fn words_of_people_are_read() {
    let agents = agents();
    let vocabulary = Vocabulary {
        agents: Some(&agents),
        tags: None,
    };
    let sheet = "\u{feff}UUID;Label;Status;Agent;Tags;Hold;live.status\r\n\
        aaaa;\"two\nlines\";In Progress;PRIYA;+vip, -cold;-;OPEN\r\n";
    let (rows, errors) = read(sheet.as_bytes(), vocabulary);
    assert_eq!(errors, []);
    let texts: Vec<String> = rows[0]
        .assignments
        .iter()
        .map(|one| format!("{one:?}"))
        .collect();
    let all = texts.join("\n");
    for part in [
        "two\\nlines",
        "InProgress",
        "000000000001",
        "present: {\"vip\"}, absent: {\"cold\"}",
        "Hold(None)",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert_eq!(rows[0].number, 2);
}

#[test]
fn a_quote_that_is_not_closed_takes_no_rows_into_its_cell() {
    let open = errors("uuid,label\naaaa,\"Acme\nbbbb,Globex\ncccc,x\n");
    let expected = "row 2, column `label`: the quote that begins the cell is not closed";
    assert_eq!(open, [expected]);
    assert_eq!(
        errors("uuid,label\naaaa,x\nbbbb,\"x"),
        [expected.replace('2', "3")]
    );
    for fine in [
        "aaaa,5\" pipe",
        "aaaa,\"two\nlines\"\n",
        "aaaa,\"x\"\"\"",
        "",
    ] {
        let none: [String; 0] = [];
        assert_eq!(errors(&format!("uuid,label\n{fine}")), none, "{fine}");
    }
}

#[test]
fn a_phone_number_that_a_spreadsheet_has_spoiled_is_an_error_in_its_place() {
    for (cell, is_spoiled) in [
        ("4.91E+11", true),
        ("491,5E+10", true),
        ("4E5", true),
        ("123456.0", true),
        ("#VALUE!", true),
        ("#N/A", true),
        ("########", true),
        ("#31#98765", false),
        ("0123456", false),
        ("98765 43210", false),
        ("(030) 12.34.56", false),
        ("E11", false),
    ] {
        let sheet = format!("uuid;contact.phone\n7e88d192;{cell}\n");
        let (_, errors) = read(sheet.as_bytes(), Vocabulary::default());
        let place = errors
            .first()
            .map(|error| (error.row, error.column.clone()));
        let expected = is_spoiled.then(|| (2, Some("contact.phone".to_owned())));
        assert_eq!(place, expected, "{cell}");
    }
}
