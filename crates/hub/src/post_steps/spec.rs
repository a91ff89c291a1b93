//! What a pack says of a post-step.

use sortie_rules::post_steps::When;

/// A post-step of a task type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostStep {
    /// Its name, unique in the type.
    pub(crate) name: String,
    /// After which ends it is due.
    pub(crate) when: When,
    /// A JSON pointer to a list in the result: the step is done once for each of its items.
    pub(crate) for_each: Option<String>,
    /// What is done.
    pub(crate) act: Act,
}

/// What a post-step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Sends a mail.
    Mail(MailSpec),
    /// Calls a webhook of the settings, by its name there.
    Webhook(String),
    /// Takes fields from the result and keeps them.
    Status {
        /// Of what the fields are.
        of: HolderKind,
        /// Which.
        fields: Vec<Field>,
    },
}

/// A mail, as templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailSpec {
    /// To whom; each is a template.
    pub(crate) to: Vec<String>,
    /// The subject, a template.
    pub(crate) subject: String,
    /// The text, a template.
    pub(crate) body: String,
}

/// Of what fields are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HolderKind {
    /// Of the task's node.
    Node,
    /// Of its site.
    Site,
}

/// A field, and where the result has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: String,
    /// A JSON pointer into the result.
    pub(crate) pointer: String,
    /// Results may lack it.
    pub(crate) optional: bool,
}

impl Act {
    /// The word for it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Act::Mail(_) => "mail",
            Act::Webhook(_) => "webhook",
            Act::Status { .. } => "status",
        }
    }
}
