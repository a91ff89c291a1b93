//! The few words that all of it shares: by which way, for whom, in which language.

use serde::{Deserialize, Serialize};

use crate::time::Span;

/// By which way somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A mail.
    Mail,
    /// A request to somebody's own service.
    Webhook,
    /// The console.
    Console,
}

/// For whom the words are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Those who run the fleet: in English, every detail (B-30).
    Operator,
    /// Those whose box it is: in their language, without what only operators understand (B-31).
    Customer,
}

/// In which language somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Hungarian.
    Hu,
}

impl Channel {
    /// All of them.
    pub const ALL: [Channel; 3] = [Channel::Mail, Channel::Webhook, Channel::Console];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Channel::Mail => "mail",
            Channel::Webhook => "webhook",
            Channel::Console => "console",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|channel| channel.as_str() == word)
    }
}

impl Tier {
    /// For how long the same is not told again, if the rule does not say (B-30, B-31).
    pub const fn cool_down(self) -> Span {
        match self {
            Tier::Operator => Span::hours(1),
            Tier::Customer => Span::hours(6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for channel in Channel::ALL {
            assert_eq!(Channel::parse(channel.as_str()), Some(channel));
        }
        assert_eq!(Channel::parse("pager"), None);
        assert!(Tier::Operator.cool_down() < Tier::Customer.cool_down());
    }
}
