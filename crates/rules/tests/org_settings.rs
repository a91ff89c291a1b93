//! The guide to the org settings has the keys that there are, with their defaults and limits.

use std::fs;
use std::path::Path;

use sortie_rules::org_settings::ALL;

#[test]
fn the_guide_has_each_key_as_the_table_has_it_and_no_other() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/org-settings.md");
    let guide = fs::read_to_string(guide).unwrap();
    let rows: Vec<&str> = guide.lines().filter(|line| line.starts_with("| `")).collect();
    let row = |setting: &sortie_rules::org_settings::OrgSetting| {
        format!("| `{}` | {} | {} | {} |", setting.key, setting.default, setting.shape, setting.meaning)
    };
    assert_eq!(rows, ALL.map(row), "docs/org-settings.md is not what the table says");
}
