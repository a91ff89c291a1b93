//! What verified deliveries tell of the node's generation. A word is only a reason to ask.

use tokio::sync::watch;

/// The newest word of the hub.
#[derive(Debug)]
pub(crate) struct Heard(watch::Sender<Word>);

/// What a delivery tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Word {
    /// The node's generation; `None` before the first delivery.
    pub(super) generation: Option<u64>,
    /// How often the hub has said that it was restored from a backup.
    pub(super) restored: u64,
}

impl Heard {
    /// Nothing was heard yet.
    pub(crate) fn new() -> Heard {
        Heard(watch::Sender::new(Word::default()))
    }

    /// A verified delivery tells of this generation.
    pub(crate) fn hear(&self, generation: u64, was_restored: bool) {
        self.0.send_if_modified(|word| {
            let before = *word;
            *word = Word { generation: Some(generation), restored: before.restored + u64::from(was_restored) };
            *word != before
        });
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Word> {
        self.0.subscribe()
    }
}

impl Word {
    /// Whether there may be something else than what was accepted. A hub that tells of less than that was restored
    /// from a backup: asked, it puts what it has above.
    pub(super) fn is_news(self, accepted: u64) -> bool {
        self.generation.is_some_and(|told| told != accepted)
    }
}
