use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::lead::Desired;
use crate::lead_file::assign::Assignment;

const A: &str = "aaaa1111";
const B: &str = "bbbb2222";
const C: &str = "cccc3333";

/// One workspace's leads in the layouts that people write.
const LAYOUTS: [&str; 6] = [
    "version: 1\nleads:\n  aaaa1111:\n    label: Acme  # of Acme\n    status: OPEN\n    tags: [a, b]  # two\n\n  # the second\n  bbbb2222:\n    hold: wait\n    status: REVIEW\n    attributes:\n      tier: gold\n      seats: 3\n\n  cccc3333: { status: CLOSED, tags: { present: [a], absent: [b] } }\n# the end\n",
    "# head\nversion: 1\ndefaults: { status: OPEN, tags: [a] }\nleads:\n  aaaa1111: {}\n  bbbb2222:\n  cccc3333:\n    status: REVIEW # own\n    attributes: { tier: gold, seats: 3 }\n",
    "version: 1\nleads: { aaaa1111: { status: OPEN }, bbbb2222: { tags: [] , label: 'B' }, cccc3333: {label: C, attributes: {tier: x}} }\n",
    "version: 1\r\nleads:\r\n    aaaa1111:\r\n        status: OPEN\r\n        tags:\r\n        - a   # first\r\n        - b\r\n    bbbb2222:\r\n        attributes:\r\n            tier: gold\r\n    cccc3333:\r\n        label: \"C\"\r\n",
    "version: 1\nleads:\n  aaaa1111: &one\n    status: OPEN\n    tags: &tags [a, b]\n  bbbb2222: *one\n  cccc3333:\n    <<: *one\n    label: C\n    tags: *tags\n",
    "version: 1\ndefaults:\n  agent: none\n  attributes:\n    tier: silver # default\nleads:\n  aaaa1111:\n    contact: { name: Ann, email: a@example.com }\n  bbbb2222:\n    label: |-\n      two\n      lines\n    tags: [x]\n  cccc3333:\n    attributes: { seats: 1 }\n",
];

fn assignment() -> impl Strategy<Value = Assignment> {
    prop::sample::select(vec![
        "status=CLOSED",
        "status=OPEN",
        "agent=none",
        "agent=631aa793bcfa100487d13d0d",
        "tags=a,b",
        "tags=",
        "tags=x",
        "tags+=a",
        "tags+=x,y",
        "tags-=a",
        "attributes.tier=gold",
        "attributes.tier=no",
        "attributes.new=0123",
        "contact.name=Bo",
        "label=T: # x",
        "label=",
        "hold=negotiating",
        "hold=",
    ])
    .prop_map(|text| Assignment::parse(text, Vocabulary::default()).expect("an assignment"))
}

fn declared(text: &str) -> Desired {
    let written = finish::written(&file(), text).expect("YAML");
    declared_in(&file(), &written, vocabulary()).expect("a file")
}

fn meanings(desired: &Desired) -> BTreeMap<LeadId, Meaning> {
    let one = |(id, lead): (&LeadId, &DesiredLead)| (id.clone(), one_meaning(lead));
    desired.iter().map(one).collect()
}

fn file() -> Arc<str> {
    "leads/a.yaml".into()
}

fn says(text: &str) -> BTreeMap<LeadId, Meaning> {
    meanings(&declared(text))
}

static AGENTS: BTreeMap<String, crate::policy::Agent> = BTreeMap::new();

fn vocabulary() -> Vocabulary<'static> {
    Vocabulary {
        agents: Some(&AGENTS),
        tags: None,
    }
}

proptest! {
    #[test]
    fn the_leads_say_the_goal_and_all_other_lines_stay(
        layout in 0..LAYOUTS.len(),
        chosen in prop::sample::subsequence(vec![A, B, C], 1..=3),
        assignments in vec(assignment(), 1..4),
    ) {
        let text = LAYOUTS[layout];
        let (known, before) = (declared(text), says(text));
        let mut goals = BTreeMap::new();
        for id in &chosen {
            let id = LeadId::new(*id);
            let mut goal = before[&id].clone();
            assignments.iter().for_each(|one| one.apply(&mut goal));
            prop_assert_eq!(goal.is_said_by(&known[&id]), goal == before[&id]);
            goals.insert(id, goal);
        }
        let made = rewrite(&file(), text, Some(&known.iter().collect()), &goals, vocabulary());
        let made = match made {
            Ok(made) => made,
            // What an alias or `<<` gives a lead cannot be taken from it alone.
            Err(refused) => {
                prop_assert_eq!(layout, 4, "{:?}", refused);
                return Ok(());
            }
        };
        let after = says(&made);
        for (id, lead) in &before {
            prop_assert_eq!(&after[id], goals.get(id).unwrap_or(lead), "{}", made);
        }
        // A second reader agrees that it is YAML.
        let second: Result<serde_yaml::Value, _> = serde_yaml::from_str(&made);
        prop_assert!(second.is_ok(), "{}", made);
        prop_assert_eq!(made.contains('\r'), text.contains('\r'));
        if goals.iter().all(|(id, goal)| before[id] == *goal) {
            prop_assert_eq!(&made, text, "nothing differs");
        }
        // Set again, it changes nothing.
        prop_assert_eq!(rewrite(&file(), &made, None, &goals, vocabulary()), Ok(made.clone()));
        // Leads that are not chosen keep their lines, but where they share a line or an alias.
        let untouched = [A, B, C].into_iter().filter(|id| !chosen.contains(id));
        for id in untouched.filter(|_| !matches!(layout, 2 | 4)) {
            let block = |text: &str| -> Vec<String> {
                let from = text.lines().skip_while(|line| !line.trim_start().starts_with(id));
                let own = |line: &&str| !(line.trim_start().ends_with(':') && line.contains("111") || line.contains("222") || line.contains("333"));
                let mut from = from.map(str::to_owned).collect::<Vec<_>>().into_iter();
                let first = from.next();
                first.into_iter().chain(from.take_while(|line| own(&line.as_str()))).collect()
            };
            let (was, now) = (block(text), block(&made));
            prop_assert_eq!(was, now, "{}", made);
        }
    }
}

/// A large file of leads in several layouts, none of which depends on another.
fn large() -> String {
    let mut text = "# head\nversion: 1\nleads:\n".to_owned();
    for number in 0..12 {
        let id = format!("{number:04}aaaa");
        text += &match number % 6 {
            0 => format!("  {id}:\n    label: Acme\n    status: OPEN\n    tags: [a, b]\n\n"),
            1 => format!("  {id}: {{ status: CLOSED, tags: {{ present: [a], absent: [b] }} }}\n"),
            2 => {
                format!("  # above\n  {id}:\n    status: REVIEW\n    tags:\n      - a\n      - b\n")
            }
            3 => format!("  {id}:\n    hold: wait\n    label: |-\n      two\n\n      lines\n\n"),
            4 => format!("  {id}: {{}}\n"),
            _ => format!(
                "  {id}:\n    status: OPEN # beside\n    attributes: {{ tier: gold, seats: 3 }}\n\n"
            ),
        };
    }
    text
}

proptest! {
    #[test]
    fn a_few_leads_are_edited_as_in_an_edit_of_the_whole_file(
        chosen in prop::sample::subsequence((0..12).collect::<Vec<u32>>(), 1..=4),
        assignments in vec(assignment(), 1..4),
        is_laid_out in any::<bool>(),
    ) {
        let mut text = large();
        if is_laid_out {
            text = crate::yaml::format::layout(&file(), &text, &emit::layout_rules()).expect("YAML").text;
        }
        let known = declared(&text);
        let before = meanings(&known);
        let mut goals = BTreeMap::new();
        for number in chosen {
            let id = LeadId::new(format!("{number:04}aaaa"));
            let mut goal = before[&id].clone();
            assignments.iter().for_each(|one| one.apply(&mut goal));
            prop_assert_eq!(goal.is_said_by(&known[&id]), goal == before[&id]);
            goals.insert(id, goal);
        }
        let written = finish::written(&file(), &text).expect("YAML");
        let whole = rewritten(&file(), &written, &known_of(&known), &goals, vocabulary());
        let whole = whole.map(|made| made.in_layout_of(&file(), &written));
        prop_assert_eq!(rewrite(&file(), &text, Some(&known.iter().collect()), &goals, vocabulary()), whole);
    }
}

fn goal(text: &str, id: &str, assignments: &[&str]) -> Result<String, Vec<Refused>> {
    let mut goal = says(text).remove(&LeadId::new(id)).unwrap_or_default();
    for one in assignments {
        let one = match one.strip_prefix("unset ") {
            Some(name) => Assignment::unset(name),
            None => Assignment::parse(one, vocabulary()),
        };
        one.expect("an assignment").apply(&mut goal);
    }
    rewrite(
        &file(),
        text,
        None,
        &[(LeadId::new(id), goal)].into(),
        vocabulary(),
    )
}

#[test]
fn an_entry_goes_with_the_comments_that_belong_to_it() {
    let text = "version: 1\nleads:\n  aaaa1111:\n    # about the lead\n    label: Acme\n    # why it waits\n    hold: legal # asked Ann\n    # the goal\n    status: OPEN\n";
    let made = goal(text, A, &["hold="]).expect("a file");
    assert_eq!(
        made,
        "version: 1\nleads:\n  aaaa1111:\n    # about the lead\n    label: Acme\n    # the goal\n    status: OPEN\n"
    );
}

#[test]
fn the_last_member_takes_its_key_along() {
    let text =
        "version: 1\nleads:\n  aaaa1111:\n    status: OPEN\n    attributes:\n      tier: gold\n";
    let made = goal(text, A, &["unset attributes.tier"]).expect("a file");
    assert_eq!(made, "version: 1\nleads:\n  aaaa1111:\n    status: OPEN\n");
}

#[test]
fn a_default_changes_where_all_its_leads_are_to_have_the_same() {
    let text = "version: 1\ndefaults: { agent: none } # d\nleads:\n  aaaa1111: {}\n  bbbb2222: { agent: none }\n";
    let id = "631aa793bcfa100487d13d0d";
    let made = goal(text, A, &[&format!("agent={id}")]).expect("a file");
    assert_eq!(
        made,
        text.replace("{ agent: none } # d", &format!("{{ agent: {id} }} # d"))
    );
    let two = format!("{text}  cccc3333:\n");
    let made = goal(&two, A, &[&format!("agent={id}")]).expect("a file");
    assert_eq!(
        made,
        two.replace("aaaa1111: {}", &format!("aaaa1111: {{ agent: {id} }}"))
    );
}

#[test]
fn what_comes_from_defaults_cannot_be_unset() {
    let text = "version: 1\ndefaults: { agent: none }\nleads:\n  aaaa1111: { status: OPEN }\n";
    let refused = goal(text, A, &["unset agent"]).expect_err("refused");
    assert_eq!(refused.len(), 1);
    assert!(
        refused[0].1.contains("`defaults` (leads/a.yaml:2)"),
        "{refused:?}"
    );
}

#[test]
fn new_leads_come_last_in_the_layout_of_the_file() {
    let id = "dddd4444";
    let add = |text: &str| goal(text, id, &["label=D", "status=OPEN"]).expect("a file");
    assert_eq!(
        add("version: 1\nleads:\n  aaaa1111:\n    status: OPEN\n    # more of it\n# the end\n"),
        "version: 1\nleads:\n  aaaa1111:\n    status: OPEN\n    # more of it\n\n  dddd4444:\n    label: D\n    status: OPEN\n# the end\n"
    );
    assert_eq!(
        add("version: 1\nleads:\n"),
        "version: 1\nleads:\n  dddd4444:\n    label: D\n    status: OPEN\n"
    );
    assert_eq!(
        add("version: 1\nleads: {}\n"),
        "version: 1\nleads:\n  dddd4444:\n    label: D\n    status: OPEN\n"
    );
    assert_eq!(
        add("version: 1\nleads: { aaaa1111: { status: OPEN } }\n"),
        "version: 1\nleads: { aaaa1111: { status: OPEN }, dddd4444: { label: D, status: OPEN } }\n"
    );
    let crlf = add("version: 1\r\nleads:\r\n  aaaa1111:\r\n    status: OPEN\r\n");
    assert_eq!(crlf.matches('\n').count(), crlf.matches("\r\n").count());
}
