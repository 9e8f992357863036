//! A session: a valid workspace, an API that can be reached, and the tokens for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use super::ui::Ui;
use crate::api::Endpoint;
use crate::api::{self, ApiToken, Auth, Client, ReadOnly, RequestCounts};
use crate::cancel::Cancellation;
use crate::config::{Overrides, Workspace};
use crate::error::Error;
use crate::git::base::BaseError;
use crate::git::head::head;
use crate::git::repository;
use crate::git::runner::GitError;
use crate::lead::desired::Desired;
use crate::lead_file::FileTexts;
use crate::plan::{Head, Target};
use crate::redaction::RedactionKey;
use crate::sandbox::{self, Sandbox};
use crate::yaml::Diagnostic;
use crate::{config, lead_file};

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

/// Frees the memory of many leads beside what follows, which may be the end of the process.
pub(super) fn free(leads: impl Send + 'static) {
    rayon::spawn(move || drop(leads));
}

/// Finds and loads the workspace; prints every error in it.
pub(super) fn files(directory: &Path, ui: &Ui) -> Result<Files, Error> {
    files_to_edit(directory, ui).map(|(files, _)| files)
}

/// The same, with the texts that were read: an edit is made to what its decisions were made from.
pub(super) fn files_to_edit(directory: &Path, ui: &Ui) -> Result<(Files, FileTexts), Error> {
    let found = read_files(directory, ui)?;
    found.map_err(|InvalidFiles { errors, .. }| Error::Invalid { errors })
}

/// Files with errors, which were printed.
pub(super) struct InvalidFiles {
    pub(super) root: PathBuf,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) errors: usize,
}

/// The same, with all that is wrong with files that are not valid.
pub(super) fn read_files(
    directory: &Path,
    ui: &Ui,
) -> Result<Result<(Files, FileTexts), InvalidFiles>, Error> {
    let root = config::find(directory)?;
    let loaded = lead_file::load(&root, &overrides());
    let errors = ui.diagnostics(&loaded.diagnostics);
    match (loaded.workspace, loaded.desired) {
        (Some(workspace), Some(desired)) => {
            let files = Files {
                workspace,
                desired,
                head: FilesHead::WorkTree,
            };
            Ok(Ok((files, loaded.texts)))
        }
        _ => Ok(Err(InvalidFiles {
            root,
            diagnostics: loaded.diagnostics,
            errors,
        })),
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

/// The commit that the files of a workspace are of.
pub(super) fn head_of(files: &Files) -> Result<Head, BaseError> {
    match &files.head {
        FilesHead::Known(Some(head)) => Ok(head.clone()),
        FilesHead::Known(None) => Err(GitError::NoRepository.into()),
        FilesHead::WorkTree => head(&files.workspace.root, &files.workspace.leads),
    }
}

/// The same where the command does without it: `None` outside of a repository and before its first commit; a warning where there is a
/// repository that git does not read.
pub(super) fn head_if_known(files: &Files, ui: &Ui) -> Option<Head> {
    match head_of(files) {
        Ok(head) => Some(head),
        Err(BaseError::Git(GitError::NoRepository) | BaseError::NoCommits) => None,
        Err(error) => {
            if repository::top(&files.workspace.root).is_some() {
                ui.git(&error, "the commit of the files is not known");
            }
            None
        }
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
                let sandbox = start_sandbox(workspace).await?;
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

/// Starts the sandbox of a workspace, which keeps its state in `.convertalk/`.
async fn start_sandbox(workspace: &Workspace) -> Result<Sandbox, Error> {
    let state = crate::state::folder(&workspace.root).map_err(|source| Error::Io {
        what: "make .convertalk/".to_owned(),
        source,
    })?;
    let kept = state.join("sandbox.json");
    crate::state::refuse_links(&workspace.root, &kept).map_err(|source| Error::Io {
        what: "keep the sandbox's state".to_owned(),
        source,
    })?;
    let api = &workspace.api;
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
    Ok(Sandbox::start(options).await?)
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

/// The current time (RFC 3339, UTC, seconds).
pub(super) fn now() -> String {
    format!("{:.0}", Timestamp::now())
}
