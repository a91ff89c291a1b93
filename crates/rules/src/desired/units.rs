//! What the machine's service manager says of a service.

/// A service as systemd tells of it: `systemctl show --property=LoadState,ActiveState,UnitFileState`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Whether the manager knows it.
    pub is_known: bool,
    /// Whether it runs.
    pub runs: bool,
    /// Whether it is started with the machine; unknown for services that are made as the machine runs.
    pub enabled: Option<bool>,
}

/// Reads what `systemctl show` has written, if it has said enough.
pub fn read_unit(text: &str) -> Option<Unit> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let (load, active) = (value("LoadState")?, value("ActiveState")?);
    let enabled = match value("UnitFileState").unwrap_or_default() {
        "enabled" | "enabled-runtime" | "alias" | "static" | "indirect" | "generated" => Some(true),
        "disabled" | "masked" | "masked-runtime" => Some(false),
        _ => None,
    };
    Some(Unit { is_known: load == "loaded", runs: matches!(active, "active" | "reloading" | "refreshing"), enabled })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read() {
        let unit = |load, active, file| {
            read_unit(&format!("LoadState={load}\nActiveState={active}\nUnitFileState={file}\n")).unwrap()
        };
        let known = Unit { is_known: true, runs: true, enabled: Some(true) };
        assert_eq!(unit("loaded", "active", "enabled"), known);
        assert_eq!(unit("loaded", "failed", "disabled"), Unit { runs: false, enabled: Some(false), ..known.clone() });
        assert_eq!(unit("loaded", "activating", ""), Unit { runs: false, enabled: None, ..known });
        assert!(!unit("not-found", "inactive", "").is_known);
        assert_eq!(read_unit("System has not been booted with systemd"), None);
    }
}
