//! The codes of diagnostics: stable names that programs, annotations and suppressions go by.

use std::fmt;

/// Declares each code once, with its name in output.
macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)+) => {
        /// Which rule a diagnostic is about. Its name in output is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])+ $name,)+
        }

        impl Code {
            /// The name in output, in kebab case.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

// In the order of their names, so that diagnostics of one place sort by name.
codes! {
    /// Aliases stand for far more than the file holds.
    AliasBomb = "alias-bomb",
    /// Two settings say different things about how requests sign in.
    AuthConflict = "auth-conflict",
    /// An agent's id is not 24 hex digits.
    BadAgentId = "bad-agent-id",
    /// An agent's name cannot be used.
    BadAgentName = "bad-agent-name",
    /// A contact value does not have the form of its field.
    BadContact = "bad-contact",
    /// The endpoint is not an address to send tokens to.
    BadEndpoint = "bad-endpoint",
    /// A freeze window cannot be one.
    BadFreeze = "bad-freeze",
    /// A glob cannot be parsed, or leads out of the workspace.
    BadGlob = "bad-glob",
    /// A header cannot be sent.
    BadHeader = "bad-header",
    /// A bot or customer id cannot be one.
    BadId = "bad-id",
    /// The limit of changes is neither a number nor a percentage.
    BadMaxChanges = "bad-max-changes",
    /// A path leads out of the workspace.
    BadPath = "bad-path",
    /// A rule of the policy is incomplete, or says two things.
    BadRule = "bad-rule",
    /// A selector of a rule cannot be used.
    BadSelector = "bad-selector",
    /// A test of the configuration cannot be run.
    BadTest = "bad-test",
    /// A timeout is not a duration.
    BadTimeout = "bad-timeout",
    /// A transition is not `FROM -> TO`.
    BadTransition = "bad-transition",
    /// A key under `leads` cannot be a uuid.
    BadUuid = "bad-uuid",
    /// A setting is not one of its choices.
    BadValue = "bad-value",
    /// A link leads nowhere.
    BrokenLink = "broken-link",
    /// An agent has two names.
    DuplicateAgent = "duplicate-agent",
    /// A mapping has a key twice.
    DuplicateKey = "duplicate-key",
    /// A lead is declared twice.
    DuplicateLead = "duplicate-lead",
    /// Two rules have one name.
    DuplicateRule = "duplicate-rule",
    /// A list has a tag twice.
    DuplicateTag = "duplicate-tag",
    /// A file has no content.
    EmptyFile = "empty-file",
    /// A file declares no lead, and does not say that it means to.
    EmptyLeads = "empty-leads",
    /// A value is empty where that means nothing.
    EmptyValue = "empty-value",
    /// A character that no one can see, or that moves what one sees.
    InvisibleCharacter = "invisible-character",
    /// A link leads out of the workspace.
    LinkOutside = "link-outside",
    /// Markers that git writes into a file with a merge conflict.
    MergeConflict = "merge-conflict",
    /// `<<` has a value that cannot be merged.
    MergeKey = "merge-key",
    /// There is no endpoint.
    MissingEndpoint = "missing-endpoint",
    /// An id is missing.
    MissingId = "missing-id",
    /// A note has no title.
    MissingTitle = "missing-title",
    /// A file does not say its version.
    MissingVersion = "missing-version",
    /// A glob matches no file.
    NoLeadFiles = "no-lead-files",
    /// Something other than a file is where a file is expected.
    NotAFile = "not-a-file",
    /// A file is not UTF-8 text.
    NotUtf8 = "not-utf8",
    /// An id does not look like one.
    OddId = "odd-id",
    /// A space that looks like another.
    OddSpace = "odd-space",
    /// A key under `leads` is not a canonical uuid.
    OddUuid = "odd-uuid",
    /// A file would be a lead file if its name ended in another way.
    OtherEnding = "other-ending",
    /// An alias is inside what it stands for.
    RecursiveAlias = "recursive-alias",
    /// A file has more than one document.
    SeveralDocuments = "several-documents",
    /// Two tags differ only in letter case or Unicode form.
    SimilarTags = "similar-tags",
    /// A tag is to be present and absent.
    TagOverlap = "tag-overlap",
    /// A tag has a comma.
    TagWithComma = "tag-with-comma",
    /// `tags` names no tag.
    TagsSayNothing = "tags-say-nothing",
    /// A file holds a token.
    TokenInFile = "token-in-file",
    /// Collections are nested too deep.
    TooDeep = "too-deep",
    /// A file is too large.
    TooLarge = "too-large",
    /// No agent has this name.
    UnknownAgent = "unknown-agent",
    /// A mapping does not have this key.
    UnknownKey = "unknown-key",
    /// Not one of the statuses.
    UnknownStatus = "unknown-status",
    /// The policy does not list this tag.
    UnknownTag = "unknown-tag",
    /// This program does not read this version.
    UnknownVersion = "unknown-version",
    /// A file or folder cannot be read.
    Unreadable = "unreadable",
    /// A value is of another kind than its key takes.
    WrongType = "wrong-type",
    /// The text is not YAML.
    YamlSyntax = "yaml-syntax",
    /// A YAML tag has no meaning here.
    YamlTag = "yaml-tag",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
