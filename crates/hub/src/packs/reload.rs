//! Reads the packs again and takes them all at once, or keeps those that are in use.

use std::sync::Arc;

use super::load::{PacksError, load};
use crate::app::App;

/// Takes the packs as they are now. Tasks that wait keep what they were submitted with. Returns how
/// many task types there are.
pub(crate) fn reload(app: &App) -> Result<usize, PacksError> {
    let packs = load(&app.settings.packs, &app.settings.packs_folder())?;
    let count = packs.types.all().count();
    app.types.store(Arc::new(packs.types));
    app.kinds.store(Arc::new(packs.kinds));
    app.alarms.rules.set_packs(packs.alarms);
    // What the former rules judged is over.
    app.alarms.ring();
    Ok(count)
}
