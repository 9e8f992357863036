//! The files of a new workspace, by their paths. Pure.

use crate::lead_file::schema;

/// Where the leads are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// The API inside the program, with a few leads of its own.
    Sandbox,
    /// The inbox of a bot.
    Inbox {
        /// The address of the API.
        endpoint: String,
        /// The bot.
        bot_id: String,
        /// The customer.
        customer_id: String,
    },
}

/// The host that runs the pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Ci {
    /// GitHub: workflows that plan pull requests, apply main and check for drift
    Github,
    /// GitLab: one file with the same jobs
    Gitlab,
}

/// A path and the text of its file.
pub(crate) type Made = (String, String);

/// The address that the platform publishes.
pub(crate) const ENDPOINT: &str = "https://api.v7.convertalk.com";

/// What git must ignore: the program's own folder, and what pipelines write.
pub(crate) const IGNORED: &str = ".convertalk/\n/plan.*\n/run.jsonl\n/live.jsonl\n";

/// The first test of the policy.
const TESTS: &str = "tests/policy.yaml";

const SETTINGS: &str = r#"{
  "yaml.schemas": {
    "schema/leads.schema.json": "leads/**/*.yaml",
    "schema/tests.schema.json": "tests/*.yaml",
    "schema/workspace.schema.json": "convertalk.yaml"
  }
}
"#;

/// The files of a new workspace. The workspace file comes last, so that a partial result is not a workspace.
pub(crate) fn files(start: &Start) -> Vec<Made> {
    let made = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let (config, mut files) = match start {
        Start::Sandbox => {
            let leads = made(
                "leads/first.yaml",
                include_str!("scaffold/sandbox-leads.yaml"),
            );
            let seed = made("seed.yaml", include_str!("scaffold/seed.yaml"));
            (
                include_str!("scaffold/sandbox.yaml").to_owned(),
                vec![
                    leads,
                    seed,
                    made(TESTS, include_str!("scaffold/sandbox-tests.yaml")),
                ],
            )
        }
        Start::Inbox {
            endpoint,
            bot_id,
            customer_id,
        } => {
            let config = include_str!("scaffold/real.yaml").replace("{endpoint}", endpoint);
            let config = config
                .replace("{bot_id}", bot_id)
                .replace("{customer_id}", customer_id);
            (
                config,
                vec![
                    made("leads/first.yaml", include_str!("scaffold/real-leads.yaml")),
                    made(TESTS, include_str!("scaffold/real-tests.yaml")),
                ],
            )
        }
    };
    // Strings, numbers and lists: serializing them cannot fail.
    let json =
        |schema: schemars::Schema| serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n";
    files.push(("schema/leads.schema.json".to_owned(), json(schema::leads())));
    files.push((
        "schema/workspace.schema.json".to_owned(),
        json(crate::config::schema::workspace()),
    ));
    files.push((
        "schema/tests.schema.json".to_owned(),
        json(crate::config_test::schema()),
    ));
    files.push(made(".vscode/settings.json", SETTINGS));
    files.push(made(".gitignore", IGNORED));
    files.push(made("AGENTS.md", include_str!("scaffold/agents.md")));
    files.push((crate::config::FILE.to_owned(), config));
    files
}

/// The pipelines, with the address that the tokens are sent to.
pub(crate) fn pipelines(ci: Ci, start: &Start) -> Vec<Made> {
    let files: &[(&str, &str)] = match ci {
        Ci::Github => &[
            (
                ".github/workflows/plan.yml",
                include_str!("../../examples/ci/github/.github/workflows/plan.yml"),
            ),
            (
                ".github/workflows/plan-fork.yml",
                include_str!("../../examples/ci/github/.github/workflows/plan-fork.yml"),
            ),
            (
                ".github/workflows/apply.yml",
                include_str!("../../examples/ci/github/.github/workflows/apply.yml"),
            ),
            (
                ".github/workflows/undo.yml",
                include_str!("../../examples/ci/github/.github/workflows/undo.yml"),
            ),
            (
                ".github/workflows/drift.yml",
                include_str!("../../examples/ci/github/.github/workflows/drift.yml"),
            ),
            (
                ".github/workflows/pull.yml",
                include_str!("../../examples/ci/github/.github/workflows/pull.yml"),
            ),
            (
                ".github/workflows/snapshot.yml",
                include_str!("../../examples/ci/github/.github/workflows/snapshot.yml"),
            ),
        ],
        Ci::Gitlab => &[(
            ".gitlab-ci.yml",
            include_str!("../../examples/ci/gitlab/.gitlab-ci.yml"),
        )],
    };
    let endpoint = match start {
        Start::Sandbox => ENDPOINT,
        Start::Inbox { endpoint, .. } => endpoint,
    };
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.replace(ENDPOINT, endpoint)))
        .collect()
}

/// Finds the two ids in an embed script or in the address of the inbox: 24 hex digits each, the bot first, separated by a comma or a slash.
pub(crate) fn ids(text: &str) -> Option<(String, String)> {
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let id = |word: &&str| word.len() == 24 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut found = words
        .iter()
        .filter(|word| id(word))
        .map(|id| id.to_ascii_lowercase());
    Some((found.next()?, found.next()?)).filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ids_are_found_as_they_stand() {
        let both = Some((
            "63d9ffa77a8d152facbe2f00".to_owned(),
            "631aa793bcfa100487d13d01".to_owned(),
        ));
        for text in [
            "63d9ffa77a8d152facbe2f00,631aa793bcfa100487d13d01",
            " 63D9FFA77A8D152FACBE2F00 , 631aa793bcfa100487d13d01\n",
            "<script id=\"bot\" src=\"https://cdn.example/bot.js\">63d9ffa77a8d152facbe2f00,631aa793bcfa100487d13d01</script>",
            "https://app.example/inbox/63d9ffa77a8d152facbe2f00/631aa793bcfa100487d13d01",
        ] {
            assert_eq!(ids(text), both, "{text}");
        }
        assert_eq!(ids("63d9ffa77a8d152facbe2f00"), None);
        assert_eq!(ids("botId,customerId"), None);
    }
}
