//! The workspace from the outside: folders on a disk, and the schemas in the repository.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use convertalk::config::Overrides;
use convertalk::lead_file::Loaded;
use convertalk::lead_file::schema;
use convertalk::yaml::Diagnostic;
use convertalk::yaml::diagnostic::{Code, SourceFile};
use convertalk::yaml::scalar::{Scalar, resolve};
use convertalk::yaml::{self, NodeId, NodeKind, Tree};
use proptest::prelude::*;
use serde_json::Value as Json;

const CONFIG: &str = "version: 1\napi: { endpoint: sandbox }\nagents:\n  priya: 631aa793bcfa100487d13d0d\n  \
                      rahul: { id: 631aa793bcfa100487d13d0e, max_leads: 60 }\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("convertalk.yaml"), CONFIG).unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn load(dir: &Path) -> Loaded {
    let mut loaded = convertalk::lead_file::load(dir, &Overrides::default());
    // Short names stand for uuids in these tests, and each is warned of.
    let is_short = |made: &Diagnostic| made.code == Code::OddUuid;
    loaded.diagnostics.retain(|made| !is_short(made));
    for made in &loaded.diagnostics {
        assert!(made.help.is_some(), "{made:?}");
        assert!(
            yaml::render::render(made, false).contains(&*made.file),
            "{made:?}"
        );
        serde_json::to_string(made).unwrap();
    }
    loaded
}

fn rules(loaded: &Loaded) -> Vec<(&str, &str, u32)> {
    loaded
        .diagnostics
        .iter()
        .map(|made| (made.code.as_str(), &*made.file, made.line))
        .collect()
}

fn one(lead: &str) -> Vec<Diagnostic> {
    load(folder(&[("leads/a.yaml", lead)]).path()).diagnostics
}

/// Rules about what no schema can know: the agents and tags of the workspace, and other leads.
const BEYOND_THE_SCHEMA: [&str; 3] = ["unknown-agent", "tag-overlap", "duplicate-lead"];

/// Whether the loader finds nothing that a schema could find, and the file as JSON.
fn structural(text: &str) -> (bool, Json) {
    let source = SourceFile {
        file: "leads/a.yaml".into(),
        text,
    };
    let workspace = convertalk::config::parse(Path::new("/w"), CONFIG, &Overrides::default()).0;
    let files = vec![("leads/a.yaml".into(), text.to_owned())];
    let (_, diagnostics) = convertalk::lead_file::desired_of(files, &workspace.unwrap());
    let fine = !diagnostics
        .iter()
        .any(|made| made.is_error() && !BEYOND_THE_SCHEMA.contains(&made.code.as_str()));
    let json = match yaml::parse(&source, &mut Vec::new()) {
        Some(tree) if !tree.is_empty() => json(&tree, 0),
        _ => Json::Null,
    };
    (fine, json)
}

/// The node as JSON, as editors and schema validators see it: aliases and `<<` followed, keys as text, the last of repeated keys.
fn json(tree: &Tree<'_>, id: NodeId) -> Json {
    match tree.kind(id) {
        NodeKind::Sequence(_) => tree.children(id).map(|child| json(tree, child)).collect(),
        NodeKind::Mapping { .. } => {
            let key = |id| match tree.kind(id) {
                NodeKind::Scalar(text, style) if resolve(text, *style) != Scalar::Null => {
                    text.to_string()
                }
                _ => String::new(),
            };
            Json::Object(
                tree.pairs(id)
                    .map(|(name, value)| (key(name), json(tree, value)))
                    .collect(),
            )
        }
        NodeKind::Scalar(text, style) => match resolve(text, *style) {
            Scalar::Null => Json::Null,
            Scalar::Bool(truth) => truth.into(),
            Scalar::Number(_) => match text.parse::<i64>() {
                Ok(number) => number.into(),
                Err(_) => match resolve(text, *style) {
                    Scalar::Number(number) => number.into(),
                    _ => Json::Null,
                },
            },
            Scalar::Text => text.as_ref().into(),
        },
        NodeKind::Alias(_) => Json::Null,
    }
}

#[test]
fn workspace_is_found_from_below() {
    let dir = folder(&[("leads/deep/a.yaml", "version: 1\n")]);
    let root = fs::canonicalize(dir.path()).unwrap();
    assert_eq!(
        convertalk::config::find(&dir.path().join("leads/deep")).unwrap(),
        root
    );
    assert!(
        convertalk::config::find(Path::new("/"))
            .unwrap_err()
            .to_string()
            .contains("no convertalk.yaml in `/`")
    );
}

#[test]
fn duplicates_name_both_places() {
    let lead = "version: 1\nleads:\n  u1: { status: OPEN }\n  u2:\n";
    let loaded = load(folder(&[("leads/a.yaml", lead), ("leads/b.yaml", lead)]).path());
    assert_eq!(
        rules(&loaded),
        [
            ("duplicate-lead", "leads/b.yaml", 3),
            ("duplicate-lead", "leads/b.yaml", 4)
        ]
    );
    assert_eq!(
        (
            &*loaded.diagnostics[0].related[0].file,
            loaded.diagnostics[0].related[0].line
        ),
        ("leads/a.yaml", 3)
    );
    let twice = one("version: 1\nleads:\n  u1:\n  u1: { status: OPEN }\n");
    assert_eq!(
        (
            twice[0].code.as_str(),
            twice[0].line,
            twice[0].related[0].line
        ),
        ("duplicate-lead", 4, 3)
    );
}

#[test]
fn odd_things_on_the_disk() {
    use std::os::unix::fs::symlink;
    let good = "version: 1\nleads: { x: { status: OPEN } }\n";
    let outside = folder(&[("leads/z.yaml", good)]);
    let dir = folder(&[
        ("leads/a.yaml", good),
        ("leads/node_modules/b.yaml", good),
        ("leads/.hidden.yaml", good),
    ]);
    let at = |name: &str| dir.path().join("leads").join(name);
    fs::create_dir(at("dir.yaml")).unwrap();
    symlink(outside.path().join("leads/z.yaml"), at("out.yaml")).unwrap();
    symlink(outside.path(), at("outdir")).unwrap();
    symlink(at("a.yaml"), at("again.yaml")).unwrap();
    symlink(at("loop.yaml"), at("loop.yaml")).unwrap();
    symlink(dir.path(), at("round")).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(at("pipe.yaml"))
            .status()
            .unwrap()
            .success()
    );
    fs::write(at("bin.yaml"), b"version: 1\n\xff\xfe").unwrap();
    fs::write(at("nul.yaml"), b"version: 1\nleads:\0").unwrap();
    fs::write(at("utf16.yaml"), b"\xff\xfev\0e\0").unwrap();
    fs::write(
        at("bom.yaml"),
        "\u{feff}version: 1\r\nleads:\r\n  y: { status: OPEN }\r\n",
    )
    .unwrap();
    fs::write(at("empty.yaml"), "# nothing yet\n").unwrap();
    let loaded = load(dir.path());
    let all: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|made| (made.code.as_str(), &made.file["leads/".len()..]))
        .collect();
    assert_eq!(
        all,
        [
            ("not-utf8", "bin.yaml"),
            ("not-a-file", "dir.yaml"),
            ("empty-file", "empty.yaml"),
            ("broken-link", "loop.yaml"),
            ("not-utf8", "nul.yaml"),
            ("link-outside", "out.yaml"),
            ("link-outside", "outdir"),
            ("not-a-file", "pipe.yaml"),
            ("not-utf8", "utf16.yaml"),
        ]
    );
}

#[test]
fn bombs_are_refused_at_once() {
    let mut bomb = "version: 1\nleads:\n  a: &a { attributes: { k: v } }\n".to_owned();
    let mut lists = "version: 1\nx0: &x0 [a, a, a, a, a, a, a, a, a, a]\n".to_owned();
    for i in 1..40 {
        bomb += &format!(
            "  b{i}: &b{i} [{}]\n",
            format!(
                "*{},",
                if i == 1 {
                    "a".into()
                } else {
                    format!("b{}", i - 1)
                }
            )
            .repeat(10)
        );
        lists += &format!("x{i}: &x{i} [{}]\n", format!("*x{},", i - 1).repeat(10));
    }
    let deep = format!("version: 1\nleads: {}", "[".repeat(500_000));
    let block: String = (0..3000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    let cases = [
        (bomb.as_str(), "alias-bomb"),
        (&lists, "alias-bomb"),
        (&deep, "too-deep"),
        (&block, "too-deep"),
        ("version: 1\nleads: &a { x: *a }\n", "recursive-alias"),
        ("version: 1\n---\nversion: 1\n", "several-documents"),
        ("version: 1\nleads: { x: *nowhere }\n", "yaml-syntax"),
        ("version: 1\nleads: { x: !!binary aGk= }\n", "yaml-tag"),
        ("version: 1\nleads: { x: { <<: 5 } }\n", "merge-key"),
    ];
    for (text, rule) in cases {
        let made = one(text);
        assert!(
            made.iter().any(|made| made.code.as_str() == rule),
            "{rule}: {made:?}"
        );
    }
}

#[test]
fn nothing_shows_a_token() {
    let dir = folder(&[]);
    let secret = "s3cr3tS3cr3t";
    for line in [
        format!("CONVERTALK_TOKEN: {secret}"),
        format!("api: {{ read_token: {secret}, endpoint: sandbox }}"),
        format!("policy: {{ x: 1, tokens: [{secret}] }}"),
        format!("api: {{ endpoint: sandbox, read_header: 'x-bot-token: {secret}' }}"),
    ] {
        fs::write(
            dir.path().join("convertalk.yaml"),
            format!("version: 1\n{line}\n"),
        )
        .unwrap();
        let loaded = load(dir.path());
        assert!(loaded.workspace.is_none(), "{line}");
        for made in &loaded.diagnostics {
            assert!(
                !yaml::render::render(made, false).contains(secret),
                "{made:?}"
            );
            assert!(
                !serde_json::to_string(made).unwrap().contains(secret),
                "{made:?}"
            );
        }
    }
}

/// Each fixture in `tests/files` begins with the rules that it breaks, in order: `# rule:line …`.
#[test]
fn fixtures_break_what_they_say() {
    let validator = jsonschema::validator_for(schema::leads().as_value()).unwrap();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/leads");
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    for path in names {
        let text = fs::read_to_string(&path).unwrap();
        let said = text
            .lines()
            .next()
            .unwrap()
            .trim_start_matches("# ")
            .to_owned();
        let found: Vec<_> = one(&text)
            .iter()
            .map(|made| format!("{}:{}", made.code.as_str(), made.line))
            .collect();
        let found = if found.is_empty() {
            "fine".to_owned()
        } else {
            found.join(" ")
        };
        assert_eq!(said, found, "{}", path.display());
        let (fine, json) = structural(&text);
        assert_eq!(
            validator.is_valid(&json),
            fine,
            "{}: {json}",
            path.display()
        );
    }
}

const ODD: &[&str] = &[
    "",
    "~",
    "null",
    "\"\"",
    "'  '",
    "true",
    "no",
    "0123",
    "1e5",
    "1",
    "1.0",
    "'1'",
    "2024-01-01",
    "OPEN",
    "CLOSED",
    "closed",
    "none",
    "priya",
    "a@b",
    "https://x",
    "+91",
    "91",
    "'()-'",
    "vip",
    "[]",
    "{}",
    "[vip]",
    "[vip, ~]",
    "['']",
    "[[a]]",
    "!!str 5",
    "{ present: [a] }",
    "{ absent: [] }",
    "{ present: ~ }",
    "{ there: [a] }",
    "{ k: v }",
    "{ k: ~ }",
    "{ '': v }",
    "{ k: [v] }",
    "{ name: a }",
    "{ name: '' }",
    "{ email: a }",
    "{ email: 5 }",
    "{ email: a@b, phone: 5 }",
    "{ phone: '-' }",
    "{ fax: 1 }",
    "{ dial_code: 91 }",
    "{ dial_code: true }",
    "{ dial_code: x }",
    "{ picture: x }",
    "{ picture: 'http://x' }",
    "[{ title: a }]",
    "[{ title: a, description: ~ }]",
    "[{ description: a }]",
    "[{ title: '' }]",
    "[{ title: 5, x: 1 }]",
    "[a]",
    "123456789012345678901234",
    ".inf",
    "0x10",
    "'a b'",
];

const KEYS: [&str; 9] = [
    "label",
    "status",
    "agent",
    "tags",
    "attributes",
    "contact",
    "notes",
    "create",
    "statsu",
];

/// Each value under each key of a lead and of `defaults`, alone: no mistake hides another.
#[test]
fn schema_and_loader_agree_on_each_value() {
    let validator = jsonschema::validator_for(schema::leads().as_value()).unwrap();
    let mut count = [0, 0];
    for value in ODD {
        let mut texts = vec![
            format!("version: {value}\n"),
            format!("version: 1\ndefaults: {value}\n"),
            format!("version: 1\nleads: {value}\n"),
        ];
        texts.push(format!("version: 1\nleads: {{ a: {value} }}\n"));
        if !value.starts_with(['[', '{']) {
            texts.push(format!("version: 1\nleads:\n  {value}: {{}}\n"));
            texts.push(format!(
                "version: 1\nleads: {{ a: {{ attributes: {{ {value}: x }} }} }}\n"
            ));
            texts.push(format!(
                "version: 1\nleads: {{ a: {{ tags: [{}] }} }}\n",
                if value.is_empty() { "~" } else { value }
            ));
            for key in ["name", "email", "phone", "dial_code", "picture"] {
                texts.push(format!(
                    "version: 1\nleads: {{ a: {{ contact: {{ {key}: {value} }} }} }}\n"
                ));
            }
        }
        for key in KEYS {
            texts.push(format!("version: 1\nleads:\n  a:\n    {key}: {value}\n"));
            texts.push(format!("version: 1\ndefaults:\n  {key}: {value}\n"));
        }
        for text in texts {
            let (fine, json) = structural(&text);
            assert_eq!(validator.is_valid(&json), fine, "{text}{json}");
            count[usize::from(fine)] += 1;
        }
    }
    assert!(count[0] > 300 && count[1] > 200, "{count:?}");
}

fn scalars() -> impl Strategy<Value = String> {
    prop::sample::select(ODD).prop_map(str::to_owned)
}

fn fields() -> impl Strategy<Value = String> {
    let key = prop::sample::select(&KEYS);
    prop_oneof![
        8 => prop::collection::btree_map(key, scalars(), 0..3)
            .prop_map(|map| format!("{{ {} }}", map.iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>().join(", "))),
        1 => scalars(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Outside of the schema, because no schema can say it: repeated keys and uuids, YAML itself (tags, aliases, several
    /// documents), agents and tags that the workspace knows, present and absent at once, and the
    /// empty file, which is a warning.
    #[test]
    fn schema_and_loader_agree(
        version in prop_oneof![6 => Just("version: 1\n".to_owned()), 1 => scalars().prop_map(|s| format!("version: {s}\n")), 1 => Just(String::new())],
        defaults in prop::option::of(fields()),
        leads in prop_oneof![
            8 => prop::collection::btree_map(prop::sample::select(vec!["u1", "7e88", "'a b'", "no", "~", "''", "\"\\t\""]), fields(), 0..3)
                .prop_map(|map| map.iter().map(|(k, v)| format!("\n  {k}: {v}")).collect::<String>()),
            1 => scalars(),
        ],
        extra in prop_oneof![9 => Just(""), 1 => Just("lead: 5\n")],
    ) {
        let defaults = defaults.map(|fields| format!("defaults: {fields}\n")).unwrap_or_default();
        let text = format!("{version}{defaults}{extra}leads: {leads}\n");
        let (fine, json) = structural(&text);
        let validator = VALIDATOR.get_or_init(|| jsonschema::validator_for(schema::leads().as_value()).unwrap());
        prop_assert_eq!(validator.is_valid(&json), fine, "{}\n{}", text, json);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[-:{}\\[\\]a&*<!'\"|>#,?\n ~1é\u{202e}]{0,80}") {
        let base = convertalk::config::parse(Path::new("/w"), CONFIG, &Overrides::default()).0.unwrap();
        let lossy = String::from_utf8_lossy(&bytes).into_owned();
        for text in [lossy, text.clone(), format!("version: 1\nleads:\n  {text}")] {
            let (_, diagnostics) = convertalk::lead_file::desired_of(vec![("a.yaml".into(), text.clone())], &base);
            for made in diagnostics.iter().chain(&convertalk::config::parse(Path::new("/w"), &text, &Overrides::default()).1) {
                prop_assert!(made.help.is_some());
                yaml::render::render(made, true);
            }
        }
    }
}

static VALIDATOR: std::sync::OnceLock<jsonschema::Validator> = std::sync::OnceLock::new();

fn config(
    text: &str,
    overrides: &Overrides,
) -> (Option<convertalk::config::Workspace>, Vec<String>) {
    let (made, diagnostics) = convertalk::config::parse(Path::new("/w"), text, overrides);
    (
        made,
        diagnostics
            .iter()
            .map(|made| format!("{}:{}", made.code.as_str(), made.line))
            .collect(),
    )
}

#[test]
fn a_full_workspace_file() {
    let text = "version: 1\napi:\n  endpoint: https://api.v7.convertalk.com/\n  bot_id: 63d9ffa77a8d152facbe2f00\n  customer_id: \
                631aa793bcfa100487d13d01\n  timeout: 500ms\n  unassign: null\n  tags: string\nagents:\n  rahul: { id: \
                631aa793bcfa100487d13d0e, max_leads: 60 }\npolicy:\n  tags: [vip]\n  max_changes: 20%\n  transitions: { deny: [\"CLOSED -> \
                *\"], warn: [\"REVIEW -> OPEN\"] }\n  require_agent: [INPROGRESS]\n";
    let (made, wrong) = config(text, &Overrides::default());
    assert_eq!(wrong, [""; 0]);
    let made = made.unwrap();
    assert_eq!(
        (made.api.timeout, made.api.unassign.clone()),
        (Duration::from_millis(500), None)
    );
    assert_eq!(
        (
            made.agents["rahul"].place.line,
            made.policy.deny[0].place.line
        ),
        (10, 14)
    );
    let validator =
        |schema: schemars::Schema| jsonschema::validator_for(schema.as_value()).unwrap();
    let json = |text: &str| structural(text).1;
    assert!(validator(convertalk::config::schema::workspace()).is_valid(&json(text)));
    let own = validator(schema::leads_for(&made));
    assert!(own.is_valid(&json(
        "version: 1\nleads: { a: { agent: rahul, tags: { absent: [vip] } } }"
    )));
    assert!(!own.is_valid(&json("version: 1\nleads: { a: { agent: rahu } }")));
    assert!(!own.is_valid(&json("version: 1\nleads: { a: { tags: [cold] } }")));
}

#[test]
fn mistakes_of_a_workspace_file() {
    let none = Overrides::default();
    let cases = [
        ("version: 1\n", "missing-endpoint:1"),
        (
            "version: 1\napi: { endpoint: 'https://api.v7. Convertalk.com', bot_id: a, customer_id: '1,2' }\n",
            "bad-endpoint:2 odd-id:2 bad-id:2",
        ),
        (
            "version: 1\napi: { endpoint: 'http://example.com' }\n",
            "bad-endpoint:2",
        ),
        (
            "version: 1\napi: { endpoint: 'https://u:p@example.com' }\n",
            "bad-endpoint:2",
        ),
        (
            "version: 1\napi: { endpoint: 'https://example.com' }\n",
            "missing-id:1 missing-id:1",
        ),
        (
            "version: 1\napi: { endpoint: 'http://127.0.0.1:80', bot_id: ~, concurrency: 65 }\n",
            "missing-id:1 empty-value:2 missing-id:1 wrong-type:2",
        ),
        (
            "version: 1\napi: { endpoint: sandbox, rate: 0, page_cap: 0, seed: ../x, tags: list }\n",
            "wrong-type:2 wrong-type:2 bad-path:2 bad-value:2",
        ),
        (
            "version: 1\napi: { endpoint: sandbox }\nleads: [/etc/*, ../x, 'a[']\n",
            "bad-glob:3 bad-glob:3 bad-glob:3",
        ),
        (
            "version: 1\napi: { endpoint: sandbox }\nagents:\n  none: 631aa793bcfa100487d13d0d\n  b: 631aa793bcfa100487d13d0d\n  c: x\n",
            "bad-agent-name:4 duplicate-agent:5 bad-agent-id:6",
        ),
        (
            "version: 1\napi: { endpoint: sandbox }\npolicy: { max_changes: 200%, transitions: { deny: [CLOSE -> x] } }\n",
            "bad-max-changes:3 unknown-status:3 unknown-status:3",
        ),
    ];
    for (text, expected) in cases {
        let mut said: Vec<_> = expected.split(' ').map(str::to_owned).collect();
        let (_, mut found) = config(text, &none);
        said.sort();
        found.sort();
        assert_eq!(found, said, "{text}");
    }
    let over = Overrides {
        endpoint: Some("sandbox".into()),
        bot_id: Some(String::new()),
        customer_id: None,
    };
    assert!(
        config("version: 1\napi: { endpoint: nonsense }\n", &over)
            .0
            .is_some()
    );
    let bad = Overrides {
        endpoint: Some("nonsense".into()),
        ..none
    };
    let made = convertalk::config::parse(Path::new("/w"), "version: 1\n", &bad).1;
    assert!(made[0].message.contains("CONVERTALK_ENDPOINT"));
}

#[test]
fn names_and_values_become_desired_fields() {
    use convertalk::lead::{Field, LeadId};
    let text = "version: 1\ndefaults: { agent: priya, attributes: { tier: silver, from: web } }\nleads:\n  no:\n    tags: [no, 0123]\n    \
                attributes: { tier: 2024-01-01 }\n    contact: { phone: 98765 43210 }\n";
    let loaded = load(folder(&[("leads/a.yaml", text)]).path());
    assert!(
        !loaded.diagnostics.iter().any(Diagnostic::is_error),
        "{:?}",
        loaded.diagnostics
    );
    let desired = loaded.desired.unwrap();
    let lead = &desired[&LeadId::new("no")];
    let said: Vec<_> = lead
        .fields
        .iter()
        .map(|desired| (desired.field.to_string(), desired.line))
        .collect();
    let want = [
        ("agent", 2),
        ("tags", 5),
        ("attributes.from", 2),
        ("attributes.tier", 6),
        ("contact.phone", 7),
    ];
    assert_eq!(said, want.map(|(field, line)| (field.to_owned(), line)));
    let fields: Vec<&Field> = lead.fields.iter().map(|desired| &desired.field).collect();
    assert!(fields.is_sorted());
    let slip = one(
        "version: 1\nleads:\n  a:\n    agent: pria\n    tags: { present: [x, x], absent: [x, 'a,b'] }\n",
    );
    let said: Vec<_> = slip
        .iter()
        .map(|made| (made.code.as_str(), made.line))
        .collect();
    assert_eq!(
        said,
        [
            ("unknown-agent", 4),
            ("duplicate-tag", 5),
            ("tag-overlap", 5),
            ("tag-with-comma", 5)
        ]
    );
    assert_eq!(slip[0].help.as_deref(), Some("did you mean `priya`?"));
}

/// Names are checked, and agents resolved, whatever is warned of beside them; and an error elsewhere hides no other one.
#[test]
fn a_warning_puts_no_name_in_doubt_and_an_error_only_its_own() {
    let leads = [(
        "leads/a.yaml",
        "version: 1\nleads:\n  a: { agent: priya, tags: [vip] }\n  b: { agent: pirya, tags: [nope] }\n",
    )];
    let codes = |config: &str| {
        let dir = folder(&leads);
        fs::write(dir.path().join("convertalk.yaml"), config).unwrap();
        let loaded = load(dir.path());
        let codes: Vec<&str> = loaded
            .diagnostics
            .iter()
            .map(|made| made.code.as_str())
            .collect();
        codes.join(" ")
    };
    for tags in [
        "[vip, VIP]",
        "[vip, \"caf\u{e9}\", \"cafe\u{301}\"]",
        "[vip, \"a\u{a0}b\"]",
    ] {
        let config = format!("{CONFIG}policy: {{ tags: {tags} }}\n");
        let found = codes(&config);
        assert!(
            found.ends_with("unknown-agent unknown-tag"),
            "{tags}: {found}"
        );

        let dir = folder(&[(
            "leads/a.yaml",
            "version: 1\nleads:\n  a: { agent: priya }\n",
        )]);
        fs::write(dir.path().join("convertalk.yaml"), &config).unwrap();
        let desired = load(dir.path()).desired.expect("no error");
        let lead = desired.iter().next().expect("a lead");
        assert_eq!(lead.1.fields.len(), 1, "{tags}: the agent is not declared");
    }
    for (config, expected) in [
        (
            format!("{CONFIG}policy: {{ tags: [vip], max_changes: many }}\n"),
            "unknown-agent unknown-tag",
        ),
        (format!("{CONFIG}policy: {{ tags: [vip, {{}}] }}\n"), "unknown-agent"),
        (format!("{CONFIG}policy: {{ tag: [vip] }}\n"), "unknown-agent"),
        (
            "version: 1\napi: { endpoint: sandbox }\nagents: { priya: 7 }\npolicy: { tags: [vip] }\n".to_owned(),
            "unknown-tag",
        ),
        (
            "version: 1\napi: { endpoint: sandbox }\nagent: {}\npolicy: { tags: [vip] }\n".to_owned(),
            "",
        ),
    ] {
        let found = codes(&config);
        let names: Vec<&str> = found.split(' ').filter(|code| code.starts_with("unknown-agent") || *code == "unknown-tag").collect();
        assert_eq!(names.join(" "), expected, "{config}{found}");
    }
}
