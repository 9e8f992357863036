//! One case of the model test, drawn from a seed: an inbox, files, a platform with its oddities and faults, and when to kill.

use serde_json::{Value as Json, json};

use crate::world::{PRIYA, RAHUL, record, uuid};

/// SplitMix64: small, and the same everywhere.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(super) fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    pub(super) fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    /// In so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub(super) fn some<T: Copy>(&mut self, of: &[T]) -> Vec<T> {
        of.iter().copied().filter(|_| self.chance(50)).collect()
    }
}

pub(super) const STATUSES: [&str; 6] = [
    "OPEN",
    "INPROGRESS",
    "REVIEW",
    "ONHOLD",
    "DEPENDANCY",
    "CLOSED",
];
const TAGS: [&str; 5] = ["vip", "cold", "web", "trial", "long tag"];
const KINDS: [&str; 9] = [
    "429",
    "500",
    "502-html",
    "503",
    "html",
    "truncated",
    "success-false",
    "drop-before",
    "drop-after",
];

pub(super) struct Case {
    /// `{ lead: […], non-lead: […] }`
    pub(super) seed: Json,
    /// What the files say of each lead, by uuid.
    pub(super) wanted: Vec<(String, Json)>,
    /// Files that say so.
    pub(super) files: Vec<(String, String)>,
    /// Flags of the sandbox.
    pub(super) flags: String,
    /// Flags of `apply`.
    pub(super) words: String,
    /// Whether a saved plan is applied.
    pub(super) saved: bool,
    /// Whether somebody is at a lead between plan and apply.
    pub(super) meddled: bool,
    /// Kill the first run when it has sent so many PUTs.
    pub(super) kill: Option<usize>,
    /// Whether the platform does all that is asked, sooner or later.
    pub(super) able: bool,
}

pub(super) fn draw(seed: u64) -> Case {
    let random = &mut Random::new(seed);
    let leads = random.between(5, 25);
    let mut lists = [Vec::new(), Vec::new()];
    for number in 0..leads {
        let list = usize::from(random.chance(15));
        lists[list].push(live(random, number));
    }
    let [lead, non_lead] = lists;
    let mut wanted: Vec<(String, Json)> = Vec::new();
    for number in 0..leads {
        if random.chance(60) {
            wanted.push((uuid(number), wants(random)));
        }
    }
    for number in 0..random.below(3) {
        let mut lead = wants(random);
        lead["create"] = true.into();
        wanted.push((uuid(900 + number), lead));
    }
    if wanted.is_empty() {
        wanted.push((uuid(0), wants(random)));
    }
    let files = files(random, &wanted);
    let able = !random.chance(10);
    let creates = wanted.iter().any(|(_, lead)| lead.get("create").is_some());
    let saved = random.chance(40);
    Case {
        seed: json!({ "lead": lead, "non-lead": non_lead }),
        flags: flags(random, able, creates),
        words: words(random),
        saved,
        meddled: saved && random.chance(50),
        kill: random.chance(50).then(|| random.between(1, wanted.len())),
        wanted,
        files,
        able,
    }
}

fn live(random: &mut Random, number: usize) -> Json {
    let agent = random.one(&[
        None,
        Some(PRIYA),
        Some(RAHUL),
        Some("00000000000000000000000a"),
    ]);
    let status = if random.chance(8) {
        "DELETED"
    } else {
        random.one(&STATUSES)
    };
    let mut record = record(number, status, agent, &random.some(&TAGS));
    let details = &mut record["profile"]["userDetails"];
    if random.chance(40) {
        details["attributes"] = json!([{ "key": "tier", "value": random.one(&["gold", "iron"]) }, { "key": "n", "value": 1.5 }]);
    }
    if random.chance(20) {
        details["contact"] = json!({});
    }
    if random.chance(30) {
        record["profile"]["notes"] = json!([]);
    }
    record
}

/// What a file says of one lead: of each field, in half of all cases, something or what is likely there already.
fn wants(random: &mut Random) -> Json {
    let mut lead = json!({ "label": format!("Lead {}", random.below(1000)) });
    if random.chance(50) {
        lead["status"] = random.one(&STATUSES).into();
    }
    if random.chance(50) {
        lead["agent"] = random
            .one(&["priya", "rahul", "none", "00000000000000000000000a"])
            .into();
    }
    if random.chance(50) {
        let (mut present, mut absent) = (Vec::new(), Vec::new());
        random.some(&TAGS).into_iter().for_each(|tag| {
            if random.chance(60) {
                present.push(tag)
            } else {
                absent.push(tag)
            }
        });
        let exact = absent.is_empty() && (present.is_empty() || random.chance(60));
        lead["tags"] = if exact {
            json!(present)
        } else {
            json!({ "present": present, "absent": absent })
        };
    }
    if random.chance(40) {
        lead["attributes"] =
            json!({ random.one(&["tier", "source", "new"]): random.one(&["gold", "web"]) });
        if random.chance(40) {
            lead["attributes"]["visits"] = random.one(&["7", "8"]).into();
        }
    }
    if random.chance(40) {
        let values = [
            ("name", "Asha Rao"),
            ("email", "asha@example.com"),
            ("phone", "98765 43210"),
            ("dial_code", "+49"),
            ("picture", "https://example.com/p.png"),
        ];
        for (key, value) in random.some(&values) {
            lead["contact"][key] = value.into();
        }
    }
    if random.chance(40) {
        let notes = [("Hello", "First words"), ("Second", "words"), ("Third", "")];
        let notes: Vec<Json> = random
            .some(&notes)
            .into_iter()
            .map(|(title, words)| json!({ "title": title, "description": words }))
            .collect();
        lead["notes"] = notes.into();
    }
    lead
}

/// JSON is YAML.
fn files(random: &mut Random, wanted: &[(String, Json)]) -> Vec<(String, String)> {
    let size = random.between(1, wanted.len());
    let file = |(number, leads): (usize, &[(String, Json)])| {
        let leads: String = leads
            .iter()
            .map(|(uuid, lead)| format!("  {uuid}: {lead}\n"))
            .collect();
        (
            format!("leads/{number}.yaml"),
            format!("version: 1\nleads:\n{leads}"),
        )
    };
    wanted.chunks(size).enumerate().map(file).collect()
}

/// Where leads may be created the inbox holds still: a lead that two sweeps of a moving listing miss would be created again. Chats do not
/// arrive faster than pages of one or two can be read: such a listing is longer after each sweep, and repeats itself from page to page.
fn flags(random: &mut Random, able: bool, creates: bool) -> String {
    let (seed, page_size) = (random.next(), random.between(1, 20));
    let mut flags = format!("--retry-after 0 --random-seed {seed} --page-size {page_size}");
    let end = random.one(&[
        "empty",
        "missing-data",
        "null-data",
        "not-found",
        "not-found-html",
        "repeat-last",
    ]);
    let sort = random.one(&["updated", "created", "none"]);
    let agent = random.one(&["missing", "null", "empty", "object"]);
    let (tags, attributes) = (
        random.one(&["array", "text"]),
        random.one(&["merge", "replace"]),
    );
    flags += &format!(
        " --end {end} --sort {sort} --agent-key {agent} --tags-shown {tags} --attributes {attributes}"
    );
    let mut share = random.below(26);
    while share > 0 && random.chance(80) {
        let part = random.between(1, share);
        share -= part;
        flags += &format!(
            " --fault {}{}={part}%",
            random.one(&KINDS),
            random.one(&["", "@read", "@write", "@write"])
        );
    }
    for (flag, percent, least, most) in [
        ("--lag-reads", 30, 1, 3),
        ("--churn", 20, 3, 12),
        ("--arrivals", 20, 3, 12),
        ("--promote", 20, 3, 12),
    ] {
        let is_too_fast = flag == "--arrivals" && page_size < 4;
        if random.chance(percent) && (!creates || flag == "--lag-reads") && !is_too_fast {
            flags += &format!(" {flag} {}", random.between(least, most));
        }
    }
    if random.chance(15) {
        flags += " --duplicates";
    }
    if !able {
        flags += random.one(&[
            " --put ignore",
            " --unassign never",
            " --unknown reject",
            " --unknown ignore",
            " --tags ignore",
        ]);
    }
    flags
}

fn words(random: &mut Random) -> String {
    let names = random.one(&["full", "initials", "none"]);
    let mut words = format!(
        "--canary {} --names {names}",
        random.one(&[0, 1, 1, 3, 100])
    );
    if random.chance(30) {
        words += " --full";
    }
    if random.chance(30) {
        words += " --max-failures 2";
    }
    words
}
