//! Why something did not arrive.

/// Why a try did not go well.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    /// In a word.
    pub(crate) code: &'static str,
    /// In a sentence.
    pub(crate) why: String,
    /// Whether another try may go better.
    pub(crate) retry: bool,
}

impl Trouble {
    /// Another try may go better.
    pub(crate) fn later(code: &'static str, why: impl Into<String>) -> Trouble {
        Trouble { code, why: why.into(), retry: true }
    }

    /// No other try would go better.
    pub(crate) fn final_(code: &'static str, why: impl Into<String>) -> Trouble {
        Trouble { code, why: why.into(), retry: false }
    }
}
