//! `set --share` over any leads, agents and caps, by the binary.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::laws::{read, runner};
use crate::oracle::leads;
use crate::world::{BOT, CUSTOMER, World, uuid};

/// A lead to share out or to leave, and the agent that it has.
type Shared = (bool, Option<usize>);

const AGENTS: [&str; 4] = ["priya", "rahul", "asha", "mei"];

fn agents_of(world: &World) -> Vec<Option<usize>> {
    let leads = leads(&read(world, "leads/all.yaml")).into_values();
    leads
        .map(|lead| {
            let name = lead.texts.get("agent")?;
            AGENTS.iter().position(|agent| agent == name)
        })
        .collect()
}

fn count(agents: &[Option<usize>], agent: usize) -> usize {
    agents.iter().filter(|other| **other == Some(agent)).count()
}

/// Shares leads out over the first of the agents, each with its cap.
fn check_share(world: &World, all: &[Shared], caps: &[Option<usize>]) {
    let agent = |(at, cap): (usize, &Option<usize>)| {
        let cap = cap.map_or(String::new(), |cap| format!(", max_leads: {cap}"));
        format!("  {}: {{ id: {at:024x}{cap} }}\n", AGENTS[at])
    };
    let agents: String = AGENTS
        .iter()
        .enumerate()
        .map(|(at, _)| agent((at, caps.get(at).unwrap_or(&None))))
        .collect();
    world.write(
        "convertalk.yaml",
        &format!("version: 1\napi: {{ endpoint: sandbox, bot_id: {BOT}, customer_id: {CUSTOMER} }}\nagents:\n{agents}"),
    );
    let lead = |(number, (is_chosen, agent)): (usize, &Shared)| {
        let tag = if *is_chosen { "share" } else { "leave" };
        let agent = agent.map_or(String::new(), |agent| format!(", agent: {}", AGENTS[agent]));
        format!(
            "  {}: {{ tags: [{tag}]{agent} }} # {number}\n",
            uuid(number)
        )
    };
    world.declare(&all.iter().enumerate().map(lead).collect::<String>());
    let before = read(world, "leads/all.yaml");
    let words = format!(
        "set --only tag=share --share {}",
        AGENTS[..caps.len()].join(",")
    );
    let ran = world.run(&words);
    let left: Vec<Option<usize>> = all
        .iter()
        .filter(|(is_chosen, _)| !is_chosen)
        .map(|(_, agent)| *agent)
        .collect();
    let rooms: Vec<usize> = caps
        .iter()
        .enumerate()
        .map(|(at, cap)| cap.map_or(usize::MAX, |cap| cap.saturating_sub(count(&left, at))))
        .collect();
    let room = rooms
        .iter()
        .fold(0_usize, |all, room| all.saturating_add(*room));
    let chosen = all.len() - left.len();
    if chosen > room {
        assert_eq!(ran.exit, 3, "{}", ran.err);
        assert_eq!(
            read(world, "leads/all.yaml"),
            before,
            "a refusal changes nothing"
        );
        return;
    }
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let now = agents_of(world);
    let is_chosen = |at: &usize| all[*at].0;
    let (shared, others): (Vec<usize>, Vec<usize>) = (0..all.len()).partition(is_chosen);
    assert!(
        others.iter().all(|at| now[*at] == all[*at].1),
        "a lead that is not selected changes"
    );
    let shared: Vec<Option<usize>> = shared.iter().map(|at| now[*at]).collect();
    let counts: Vec<usize> = (0..caps.len()).map(|at| count(&shared, at)).collect();
    assert_eq!(
        counts.iter().sum::<usize>(),
        chosen,
        "each gets one of the agents"
    );
    let most = counts.iter().max().copied().unwrap_or_default();
    for (count, room) in counts.iter().zip(&rooms) {
        assert!(count <= room, "{counts:?} of {rooms:?}");
        assert!(
            count == room || count + 1 >= most,
            "{counts:?} of {rooms:?}"
        );
    }
    let after = read(world, "leads/all.yaml");
    let lines = before.lines().zip(after.lines());
    assert!(
        lines
            .clone()
            .all(|(one, other)| one.split('#').next_back() == other.split('#').next_back())
    );
    world.run(&words).exits(0);
    assert_eq!(
        read(world, "leads/all.yaml"),
        after,
        "shared out again, something changes"
    );
    world.write("leads/all.yaml", &before);
    world.run(&words).exits(0);
    assert_eq!(
        read(world, "leads/all.yaml"),
        after,
        "the same input, another result"
    );
}

#[test]
fn shares_are_even_within_caps_and_the_same_for_the_same_files() {
    let world = World::new(&[], "");
    let leads = vec((prop::bool::weighted(0.7), of(0..AGENTS.len())), 1..24);
    let caps = vec(of(0..14_usize), 1..=AGENTS.len());
    let ran = runner(60).run(&(leads, caps), |(mut leads, caps)| {
        leads[0].0 = true;
        check_share(&world, &leads, &caps);
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
}
