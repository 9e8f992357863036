//! A session: a valid workspace, an API that can be reached, and the tokens for it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use super::ledger::{APPLIED, Recording, head_if_known, head_of};
use super::options::{OnMissing, Scope};
use super::ui::Ui;
use crate::api::Endpoint;
use crate::api::{self, ApiToken, Auth, Client, ReadOnly, RequestCounts};
use crate::cancel::{Cancellation, Reason};
use crate::config::{Overrides, Workspace};
use crate::error::Error;
use crate::git::base::BaseError;
use crate::hints::with_hints;
use crate::lead::desired::Desired;
use crate::lead::{Field, FieldMask, LeadId};
use crate::observe::{Live, ObserveError, Reader, observe_declared};
use crate::plan::{Base, DifferencePolicy, Head, Input, Plan, Refusal, Target, make};
use crate::policy::Guard;
use crate::redaction::RedactionKey;
use crate::sandbox::{self, Sandbox};
use crate::select::Selection;
use crate::{config, git, lead_file};

/// A workspace whose files are all valid.
pub(super) struct Files {
    pub(super) workspace: Workspace,
    pub(super) desired: Desired,
    pub(super) head: FilesHead,
}

/// Which commit files are of.
pub(super) enum FilesHead {
    /// They are those of the work tree: git is asked where it matters.
    WorkTree,
    /// This was found out when they were read; `None` outside of a repository.
    Known(Option<Head>),
}

/// Finds and loads the workspace; prints every error in it.
pub(super) fn files(directory: &Path, ui: &Ui) -> Result<Files, Error> {
    let root = config::find(directory)?;
    let loaded = lead_file::load(&root, &overrides());
    let errors = ui.diagnostics(&loaded.diagnostics);
    match (loaded.workspace, loaded.desired) {
        (Some(workspace), Some(desired)) => Ok(Files {
            workspace,
            desired,
            head: FilesHead::WorkTree,
        }),
        _ => Err(Error::Invalid { errors }),
    }
}

pub(super) fn overrides() -> Overrides {
    let set = |name| {
        std::env::var(name)
            .ok()
            .filter(|text| !text.trim().is_empty())
    };
    Overrides {
        endpoint: set("CONVERTALK_ENDPOINT"),
        bot_id: set("CONVERTALK_BOT_ID"),
        customer_id: set("CONVERTALK_CUSTOMER_ID"),
    }
}

/// Locks the workspace against other runs until the result is dropped: from before the listing is read until the sandbox is saved.
pub(super) fn lock(workspace: &Workspace) -> Result<std::fs::File, Error> {
    let lock = crate::state::lock(&workspace.root).map_err(|source| Error::Io {
        what: "lock the workspace".to_owned(),
        source,
    })?;
    lock.ok_or(Error::Locked)
}

/// Runs an asynchronous command to its end, and stops it on Ctrl-C, SIGTERM or SIGHUP.
pub(super) fn block_on<T>(
    stop: &Cancellation,
    command: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Io {
            what: "start the threads for the network".to_owned(),
            source,
        })?;
    let stop = stop.clone();
    let outcome = runtime.block_on(async {
        tokio::spawn(listen_to_signals(stop));
        command.await
    });
    runtime.shutdown_background();
    outcome
}

async fn listen_to_signals(stop: Cancellation) {
    for first in [true, false] {
        signal().await;
        if !first {
            #[allow(
                clippy::exit,
                reason = "a second signal stops at once, whatever is running"
            )]
            std::process::exit(i32::from(crate::error::Exit::Interrupted as u8));
        }
        stop.ask(Reason::Interrupted);
    }
}

async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (terminate, hangup) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        );
        if let (Ok(mut terminate), Ok(mut hangup)) = (terminate, hangup) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            return;
        }
    }
    let _no_signal_will_come = tokio::signal::ctrl_c().await;
}

/// The inbox of a workspace.
pub(super) fn target(workspace: &Workspace) -> Target {
    let api = &workspace.api;
    let endpoint = match &api.endpoint {
        Endpoint::Url(url) => url.as_str().trim_end_matches('/').to_owned(),
        Endpoint::Sandbox => "sandbox".to_owned(),
    };
    Target {
        endpoint,
        bot_id: api.bot_id.clone(),
        customer_id: api.customer_id.clone(),
    }
}

/// How a session signs in, and what counts its requests.
#[derive(Default)]
pub(super) struct Access {
    pub(super) requests: Arc<RequestCounts>,
    /// In place of those in the environment.
    token: Option<ApiToken>,
}

impl Access {
    /// With one token for everything, whatever the environment says.
    #[cfg(test)]
    pub(super) fn with_token(secret: &str) -> Self {
        Self {
            requests: Arc::default(),
            token: Some(ApiToken {
                secret: SecretString::from(secret.to_owned()),
                variable: "the test",
            }),
        }
    }

    fn token(&self, name: &'static str) -> Result<ApiToken, Error> {
        self.token.clone().map_or_else(|| token(name), Ok)
    }

    /// Checks that there are the tokens that a workspace needs.
    pub(super) fn check(&self, workspace: &Workspace, writes: bool) -> Result<(), Error> {
        if workspace.api.endpoint == Endpoint::Sandbox {
            return Ok(());
        }
        self.token("CONVERTALK_READ_TOKEN")?;
        if writes {
            self.token("CONVERTALK_WRITE_TOKEN")?;
        }
        Ok(())
    }
}

/// An API that can be reached, with the token to read it.
pub(super) struct Session {
    endpoint: Url,
    target: Target,
    read_token: ApiToken,
    embedded: Option<Sandbox>,
    given: Option<ApiToken>,
    stop: Cancellation,
    /// What the requests of this session are counted in.
    pub(super) requests: Arc<RequestCounts>,
}

impl Session {
    /// Reads the tokens and, where the endpoint is the sandbox, starts it.
    async fn open(
        workspace: &Workspace,
        stop: &Cancellation,
        access: &Access,
    ) -> Result<Self, Error> {
        let requests = Arc::clone(&access.requests);
        let (api, target) = (&workspace.api, target(workspace));
        let stop = stop.clone();
        match &api.endpoint {
            Endpoint::Url(url) => Ok(Self {
                endpoint: url.clone(),
                target,
                read_token: access.token("CONVERTALK_READ_TOKEN")?,
                embedded: None,
                given: access.token.clone(),
                stop,
                requests,
            }),
            Endpoint::Sandbox => {
                let state = crate::state::folder(&workspace.root).map_err(|source| Error::Io {
                    what: "make .convertalk/".to_owned(),
                    source,
                })?;
                let kept = state.join("sandbox.json");
                crate::state::refuse_links(&workspace.root, &kept).map_err(|source| Error::Io {
                    what: "keep the sandbox's state".to_owned(),
                    source,
                })?;
                let options = sandbox::Options {
                    listen: ([127, 0, 0, 1], 0).into(),
                    state: Some(kept),
                    auth: match api.auth {
                        Auth::Token => sandbox::SignedBy::Token,
                        Auth::Bearer => sandbox::SignedBy::Bearer,
                    },
                    seed: api.seed.as_ref().map(|seed| workspace.root.join(seed)),
                    ..sandbox::Options::default()
                };
                let sandbox = Sandbox::start(options).await?;
                let endpoint = Url::parse(&sandbox.url())
                    .map_err(|_| Error::Internal("the sandbox has no address"))?;
                let read_token = ApiToken {
                    secret: SecretString::from("sandbox".to_owned()),
                    variable: "the sandbox",
                };
                Ok(Self {
                    endpoint,
                    target,
                    read_token,
                    embedded: Some(sandbox),
                    given: None,
                    stop,
                    requests,
                })
            }
        }
    }

    /// Opens a session, uses it, and closes it whatever the result.
    pub(super) async fn with<T>(
        workspace: &Workspace,
        stop: &Cancellation,
        work: impl AsyncFnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        Self::with_access(workspace, stop, &Access::default(), work).await
    }

    /// The same, with an access that outlives the session.
    pub(super) async fn with_access<T>(
        workspace: &Workspace,
        stop: &Cancellation,
        access: &Access,
        work: impl AsyncFnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let session = Self::open(workspace, stop, access).await?;
        let outcome = work(&session).await;
        let closed = session.close().await;
        let outcome = outcome?;
        closed.map(|()| outcome)
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn seal_key(&self) -> RedactionKey {
        RedactionKey::new(&self.read_token.secret)
    }

    /// A client that cannot write.
    pub(super) fn reader(&self, workspace: &Workspace) -> Result<Client<ReadOnly>, Error> {
        Ok(Client::new(
            &self.endpoint,
            &workspace.api,
            &self.read_token,
            self.stop.clone(),
            Arc::clone(&self.requests),
        )?)
    }

    /// A client that can write.
    pub(super) fn writer(&self, workspace: &Workspace) -> Result<Client<api::Write>, Error> {
        let token = match (&self.embedded, &self.given) {
            (Some(_), _) => self.read_token.clone(),
            (None, Some(given)) => given.clone(),
            (None, None) => token("CONVERTALK_WRITE_TOKEN")?,
        };
        Ok(self
            .reader(workspace)?
            .with_write(&self.endpoint, &workspace.api, &token)?)
    }

    /// Stops the sandbox, if there is one, and saves its state.
    async fn close(self) -> Result<(), Error> {
        match self.embedded {
            Some(sandbox) => Ok(sandbox.stop().await?),
            None => Ok(()),
        }
    }
}

/// The token of a variable, or of CONVERTALK_TOKEN where that is not set.
pub(super) fn token(name: &'static str) -> Result<ApiToken, Error> {
    let set = |variable| {
        let text = std::env::var(variable).ok()?;
        (!text.trim().is_empty()).then(|| ApiToken {
            secret: SecretString::from(text),
            variable,
        })
    };
    set(name)
        .or_else(|| set("CONVERTALK_TOKEN"))
        .ok_or(Error::NoToken { name })
}

/// What a plan is compared with, and what is done about differences that the files did not make.
#[derive(Default)]
pub(super) struct Compared {
    /// The commit that the files are of.
    pub(super) head: Option<Head>,
    /// The base, and what the files said there.
    pub(super) base: Option<(Base, Desired)>,
    pub(super) policy: DifferencePolicy,
    /// Fields that are left as the inbox has them.
    pub(super) left_alone: BTreeSet<(LeadId, Field)>,
    /// Why the applied record refuses the plan.
    pub(super) refusal: Option<Refusal>,
    /// The applied record only begins: nothing is written.
    pub(super) begins_live: bool,
    /// Nothing is recorded, hints neither.
    pub(super) is_dry: bool,
    /// What is to be known of the base.
    pub(super) warning: Option<Refusal>,
}

impl Compared {
    /// With the base of a plan or an apply.
    pub(super) fn new(
        files: &Files,
        scope: &Scope,
        recording: &Recording,
        policy: DifferencePolicy,
        target: &Target,
        ui: &Ui,
    ) -> Result<Self, Error> {
        match scope.base.as_deref() {
            Some(APPLIED) => {
                let head = head_of(files)?;
                let applied = recording.base(files, target, &head, &scope.allow, ui)?;
                // A record that only begins writes nothing.
                let policy = if applied.begins_live {
                    DifferencePolicy::default()
                } else {
                    policy
                };
                Ok(Self {
                    head: Some(head),
                    base: Some(applied.base),
                    policy,
                    left_alone: BTreeSet::new(),
                    refusal: applied.refusal,
                    begins_live: applied.begins_live,
                    is_dry: false,
                    warning: None,
                })
            }
            reference => Ok(Self {
                head: head_if_known(files, ui),
                base: reference
                    .map(|reference| base(&files.workspace, reference))
                    .transpose()?,
                policy,
                ..Self::default()
            }),
        }
    }

    /// Without a base, because the files at the base cannot be used.
    pub(super) fn without_base(
        files: &Files,
        policy: DifferencePolicy,
        error: &BaseError,
        ui: &Ui,
    ) -> Self {
        Self {
            head: head_if_known(files, ui),
            policy,
            warning: Some(Refusal {
                rule: Guard::Base,
                message: format!("{error}; differences are shown without classes"),
                source: None,
                lift: "once the files of the base are valid, plan again; apply refuses this base"
                    .to_owned(),
                leads: Vec::new(),
            }),
            ..Self::default()
        }
    }
}

/// A fresh plan of the leads that `scope` selects, and the listing that it was made from.
pub(super) async fn plan<R: Reader>(
    files: &Files,
    scope: &Scope,
    compared: &Compared,
    target: &Target,
    reader: &R,
    ui: &Ui,
) -> Result<(Plan, Live), Error>
where
    Error: From<ObserveError<R::Error>>,
{
    let Files {
        workspace, desired, ..
    } = files;
    let selection = Selection::parse(&scope.only, &workspace.agents)?;
    let said = compared.base.as_ref().map(|(_, said)| said);
    let selected = select(&selection, desired, said, ui)?;
    let limits = scope.limits(workspace, reader.writes())?;
    let ruled = FieldMask::covering(&workspace.policy.fields());
    let full = scope.reads_all(workspace);
    let keeps_hints = (!compared.is_dry).then_some(desired);
    let live = with_hints(
        reader,
        &workspace.root,
        target,
        keeps_hints,
        async |hints| observe_declared(reader, &selected, ruled, full, hints).await,
    )
    .await?;
    let mut plan = make(Input {
        desired: &selected,
        all: desired,
        live: &live,
        agents: &workspace.agents,
        limits: &limits,
        target: target.clone(),
        base: compared
            .base
            .as_ref()
            .map(|(base, desired)| (base.clone(), desired)),
        whose: compared.policy,
        left_alone: &compared.left_alone,
        created_at: now(),
    });
    plan.skips_missing = scope.missing == OnMissing::Skip;
    plan.head.clone_from(&compared.head);
    plan.refusals.extend(compared.refusal.clone());
    plan.warnings.extend(compared.warning.clone());
    if !scope.only.is_empty() {
        plan.selected = Some(selected.keys().cloned().collect());
    }
    Ok((plan, live))
}

/// The declared leads that are selected; warns about selectors that match nothing while others do.
pub(super) fn select<'d>(
    selection: &Selection,
    desired: &'d Desired,
    base: Option<&Desired>,
    ui: &Ui,
) -> Result<Cow<'d, Desired>, Error> {
    let selected = selection.of_desired(desired, base)?;
    ui.unmatched(&selected.unmatched);
    Ok(selected.leads)
}

/// The files at a commit. `auto` is where the branch of a pull request left its target branch.
pub(super) fn base(workspace: &Workspace, reference: &str) -> Result<(Base, Desired), Error> {
    let root = &workspace.root;
    let found = match reference {
        "auto" => super::pull_request::merge_base(root)?,
        other => other.to_owned(),
    };
    let git::base::BaseFiles { commit, desired } = git::base::read(root, &found, &overrides())?;
    Ok((
        Base {
            reference: reference.to_owned(),
            commit,
        },
        desired,
    ))
}

/// The current time (RFC 3339, UTC, seconds).
pub(super) fn now() -> String {
    format!("{:.0}", Timestamp::now())
}
