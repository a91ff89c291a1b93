//! A rule in the edge's own words, and the mark by which it is known whose it is.

use aws_lc_rs::digest::{SHA256, digest};
use sortie_rules::desired::ResourceKey;
use sortie_rules::enforcement::{EdgeRule, GeoMode, GeoRules};
use sortie_rules::ids::NodeId;

/// Whose rule it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) node: NodeId,
    pub(crate) node_name: &'a str,
    pub(crate) resource: &'a ResourceKey,
}

/// The mark of a resource of a node: no other of any hub has it.
pub(crate) fn mark(node: NodeId, resource: &ResourceKey) -> String {
    let resource = hex::encode(digest(&SHA256, resource.to_string().as_bytes()));
    format!("sortie-{node}-{}", &resource[..16])
}

/// The rule that blocks whoever does not come from where they may. All that stands in it was checked by whoever read
/// the spec. The edge tells large letters from small ones, and serves a name in either.
pub(crate) fn rule(owner: Owner<'_>, rules: &GeoRules) -> EdgeRule {
    let set = |words: &[String]| {
        let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        format!("{{{}}}", quoted.join(" "))
    };
    let (hosts, countries) = (set(&rules.hostnames), set(&rules.countries));
    let not = match rules.mode {
        GeoMode::Allow => "not ",
        GeoMode::Block => "",
    };
    let Owner { node, node_name, resource } = owner;
    EdgeRule {
        mark: mark(node, resource),
        expression: format!("(lower(http.host) in {hosts} and {not}ip.src.country in {countries})"),
        description: format!("{resource} of {node_name}, kept by Sortie"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;
    use uuid::Uuid;

    #[test]
    fn rules_are_said_as_the_edge_says_them() {
        let node = Id::from_uuid(Uuid::from_u128(7));
        let resource = "geo.rules/main".parse().unwrap();
        let owner = Owner { node, node_name: "box-7", resource: &resource };
        let mut rules = GeoRules {
            zone: "z".into(),
            hostnames: vec!["a.example.org".into(), "b.example.org".into()],
            mode: GeoMode::Allow,
            countries: vec!["AT".into(), "HU".into()],
            token: "edge".into(),
        };
        let said = rule(owner, &rules);
        let hosts = r#"lower(http.host) in {"a.example.org" "b.example.org"}"#;
        assert_eq!(said.expression, format!(r#"({hosts} and not ip.src.country in {{"AT" "HU"}})"#));
        assert_eq!(said.description, "geo.rules/main of box-7, kept by Sortie");
        assert!(said.mark.starts_with("sortie-00000000-") && said.mark == mark(node, &resource));
        assert_ne!(said.mark, mark(node, &"geo.rules/other".parse().unwrap()));
        rules.mode = GeoMode::Block;
        assert_eq!(rule(owner, &rules).expression, format!(r#"({hosts} and ip.src.country in {{"AT" "HU"}})"#));
    }
}
