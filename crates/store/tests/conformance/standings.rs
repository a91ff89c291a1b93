//! How nodes stand to what is meant for them: in lists, by whichever words they are narrowed, and in numbers.

use sortie_rules::desired::{Standing, Standings, stands_now};
use sortie_rules::ids::DEFAULT_ORG;
use sortie_store::desired::observed::{self, ObservedRow};
use sortie_store::desired::pins::{self, PinsRow};
use sortie_store::nodes::{self, NodeFilter, NodeRow, OutOfOrder};
use sortie_store::{StoreError, Tx};

use crate::setup::{NOW, OTHER_ORG, id, node, stories};

stories!(
    a_list_is_narrowed_by_how_nodes_stand_as_the_rules_say,
    those_who_are_not_in_order_are_listed_page_by_page,
    nodes_that_are_not_in_order_are_counted,
);

/// Of which generation a node has said how it stands, if it has.
type Said = Option<(u64, Standing)>;

/// What is meant for a node, and what it said: every case; at the end two that are shut out, and a client of the trust
/// API.
const CASES: [(Option<u64>, Said); 15] = [
    (None, None),
    (None, Some((0, Standing::Failing))),
    (Some(0), None),
    (Some(0), Some((0, Standing::Converged))),
    (Some(0), Some((0, Standing::Failing))),
    (Some(2), None),
    (Some(2), Some((2, Standing::Converged))),
    (Some(2), Some((1, Standing::Converged))),
    (Some(2), Some((3, Standing::Converged))),
    (Some(2), Some((2, Standing::Converging))),
    (Some(2), Some((1, Standing::Drifted))),
    (Some(2), Some((2, Standing::Failing))),
    (Some(2), Some((2, Standing::Failing))),
    (Some(2), None),
    (Some(2), None),
];
const SHUT_OUT: [usize; 2] = [13, 14];
const CLIENT: usize = 15;

/// One node for each case, called by its place, from 1.
async fn fill(tx: &mut Tx) -> Result<(), StoreError> {
    for (place, (meant, said)) in (1_u128..).zip(CASES) {
        let at = usize::try_from(place).unwrap();
        let key_fingerprint = if at == CLIENT { "key:client".to_owned() } else { format!("key-{place}") };
        nodes::insert(tx, &NodeRow { name: format!("n{place:02}"), key_fingerprint, ..node(place) }).await?;
        if let Some(generation) = meant {
            let org_revision = generation.min(1);
            let row = PinsRow {
                node: id(place),
                org: DEFAULT_ORG,
                site: None,
                generation,
                org_revision,
                site_revision: 0,
                node_revision: 0,
                changed_at: NOW,
            };
            pins::put(tx, &row).await?;
        }
        if let Some((generation, standing)) = said {
            let document = "{}".to_owned();
            let row = ObservedRow { node: id(place), org: DEFAULT_ORG, generation, standing, document, heard_at: NOW };
            observed::put(tx, &row).await?;
        }
        if SHUT_OUT.contains(&at) {
            nodes::revoke(tx, DEFAULT_ORG, id(place), NOW).await?;
        }
    }
    // Another org's is nobody else's.
    nodes::insert(tx, &NodeRow { org: OTHER_ORG, ..node(90) }).await?;
    let (standing, document) = (Standing::Failing, "{}".to_owned());
    observed::put(tx, &ObservedRow { node: id(90), org: OTHER_ORG, generation: 0, standing, document, heard_at: NOW })
        .await
}

/// The place of each case that is asked for, by the rules.
fn by_the_rules(asked: &Standings) -> Vec<String> {
    let stands = |place: usize, (meant, said): (Option<u64>, _)| {
        stands_now(said, meant.unwrap_or(0)).filter(|_| place != CLIENT && !SHUT_OUT.contains(&place))
    };
    let asked = (1..).zip(CASES).filter(|(place, case)| asked.contain(stands(*place, *case)));
    asked.map(|(place, _)| format!("n{place:02}")).collect()
}

async fn names(tx: &mut Tx, filter: &NodeFilter, after: Option<&str>, limit: u32) -> Result<Vec<String>, StoreError> {
    let rows = nodes::list(tx, DEFAULT_ORG, filter, after, limit).await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

fn standing(text: &str) -> NodeFilter {
    NodeFilter { standing: Some(Standings::parse(text).unwrap()), ..NodeFilter::default() }
}

async fn a_list_is_narrowed_by_how_nodes_stand_as_the_rules_say(tx: &mut Tx) -> Result<(), StoreError> {
    fill(tx).await?;
    for text in [
        "none",
        "converged",
        "converging",
        "drifted",
        "failing",
        "drifted,failing",
        "converging,failing",
        "failing,none",
        "converging,drifted,failing",
        "converged,converging,drifted,failing,none",
    ] {
        let expected = by_the_rules(&Standings::parse(text).unwrap());
        assert!(!expected.is_empty());
        assert_eq!(names(tx, &standing(text), None, 99).await?, expected, "{text}");
    }
    for row in nodes::list(tx, DEFAULT_ORG, &NodeFilter::default(), None, 99).await? {
        let place: usize = row.name[1..].parse().unwrap();
        let (meant, said) = CASES[place - 1];
        let expected = stands_now(said, meant.unwrap_or(0)).filter(|_| row.revoked_at.is_none() && place != CLIENT);
        assert_eq!(row.standing, expected, "{}", row.name);
        assert_eq!(nodes::get_any_org(tx, row.id).await?.map(|row| row.standing), Some(expected));
    }
    Ok(())
}

async fn those_who_are_not_in_order_are_listed_page_by_page(tx: &mut Tx) -> Result<(), StoreError> {
    fill(tx).await?;
    let all = by_the_rules(&Standings::parse("converging,drifted,failing").unwrap());
    for text in ["converging,drifted,failing", "drifted,failing"] {
        let expected = by_the_rules(&Standings::parse(text).unwrap());
        let first = names(tx, &standing(text), None, 2).await?;
        assert_eq!(first, expected[..2]);
        assert_eq!(names(tx, &standing(text), Some(&first[1]), 99).await?, expected[2..]);
    }
    // The other parts of a filter narrow it as well.
    let elsewhere = NodeFilter { kind: Some("gpu".into()), ..standing("converging,failing") };
    assert!(names(tx, &elsewhere, None, 99).await?.is_empty());
    let prefixed = NodeFilter { name_prefix: Some(all[0].clone()), ..standing("converging,drifted,failing") };
    assert_eq!(names(tx, &prefixed, None, 99).await?, all[..1]);
    Ok(())
}

async fn nodes_that_are_not_in_order_are_counted(tx: &mut Tx) -> Result<(), StoreError> {
    assert_eq!(nodes::count_out_of_order(tx, DEFAULT_ORG).await?, OutOfOrder::default());
    fill(tx).await?;
    let count = |text: &str| by_the_rules(&Standings::parse(text).unwrap()).len() as u64;
    let expected = OutOfOrder { converging: count("converging"), drifted: count("drifted"), failing: count("failing") };
    assert_eq!(nodes::count_out_of_order(tx, DEFAULT_ORG).await?, expected);
    assert_eq!(expected, OutOfOrder { converging: 3, drifted: 1, failing: 3 });
    let elsewhere = nodes::count_out_of_order(tx, OTHER_ORG).await?;
    assert_eq!(elsewhere, OutOfOrder { failing: 1, ..OutOfOrder::default() });
    Ok(())
}
