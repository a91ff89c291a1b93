//! Whether a delivery is the hub's, for this node, and in time. Pure: nothing has happened yet when
//! this says no.

use sortie_rules::ids::NodeId;
use sortie_rules::time::Millis;
use sortie_wire::deliveries::Delivery;
use sortie_wire::envelope::{DELIVERY, Distrust, Envelope, Verifier};

/// Why a delivery is refused. Nothing of it is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Its signature counts for nothing.
    #[error("{0}")]
    Distrusted(#[from] Distrust),
    /// It is signed, and no delivery.
    #[error("what the hub signed is no delivery that this agent can read: {0}")]
    Unreadable(String),
    /// It is another node's.
    #[error("it is for another node ({0})")]
    OtherNode(NodeId),
    /// Its time has passed.
    #[error("it was valid until {}, and it is {} by the hub's signed time (milliseconds since 1970)", .until.0, .now.0)]
    Expired {
        /// Until when it was valid.
        until: Millis,
        /// The hub's time.
        now: Millis,
    },
}

/// The delivery in an envelope, if a key of the hub's has signed it and it is for `me`.
pub(super) fn open(envelope: &Envelope, keys: &Verifier, me: NodeId) -> Result<Delivery, Refused> {
    let message = keys.open(envelope, DELIVERY)?;
    let delivery: Delivery =
        serde_json::from_slice(&message).map_err(|error| Refused::Unreadable(error.to_string()))?;
    if delivery.node != me {
        return Err(Refused::OtherNode(delivery.node));
    }
    Ok(delivery)
}

/// Whether it is still valid. One that was signed later than `now` only shows that it is later.
pub(super) fn in_time(delivery: &Delivery, now: Millis) -> Result<(), Refused> {
    if now > delivery.expires_at {
        return Err(Refused::Expired { until: delivery.expires_at, now });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;
    use sortie_wire::envelope::{Signer, TIME};
    use sortie_wire::keys::KeySet;

    fn node(n: u128) -> NodeId {
        Id::from_uuid(uuid::Uuid::from_u128(n))
    }
    fn signer() -> Signer {
        Signer::from_pkcs8(&rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_der()).unwrap()
    }
    fn trusting(signer: &Signer) -> Verifier {
        Verifier::new(&KeySet { version: 1, keys: vec![signer.public_key()] }).unwrap()
    }
    fn delivery() -> Delivery {
        Delivery {
            node: node(1),
            number: 1,
            issued_at: Millis(10),
            expires_at: Millis(20),
            tasks: vec![],
            cancel: vec![],
            results_wanted: false,
            keys_version: 1,
            operators_version: 0,
        }
    }

    #[test]
    fn only_what_the_hub_signed_for_this_node_is_a_delivery() {
        let (hub, stranger) = (signer(), signer());
        let json = serde_json::to_vec(&delivery()).unwrap();
        let opened = |envelope: &Envelope, me| open(envelope, &trusting(&hub), me).map(|delivery| delivery.number);
        assert_eq!(opened(&hub.sign(DELIVERY, &json), node(1)), Ok(1));
        assert_eq!(opened(&hub.sign(DELIVERY, &json), node(2)), Err(Refused::OtherNode(node(1))));
        assert_eq!(opened(&stranger.sign(DELIVERY, &json), node(1)), Err(Distrust::UnknownKey.into()));
        assert_eq!(opened(&hub.sign(TIME, &json), node(1)), Err(Distrust::OtherType.into()));
        assert!(matches!(opened(&hub.sign(DELIVERY, b"{}"), node(1)), Err(Refused::Unreadable(_))));
        let mut forged = stranger.sign(DELIVERY, &json);
        forged.signatures[0].keyid = hub.public_key().id;
        assert_eq!(opened(&forged, node(1)), Err(Distrust::BadSignature.into()));
    }

    #[test]
    fn a_delivery_holds_until_its_end_and_may_be_ahead_of_a_slow_clock() {
        assert_eq!(in_time(&delivery(), Millis(0)), Ok(()));
        assert_eq!(in_time(&delivery(), Millis(20)), Ok(()));
        assert!(matches!(in_time(&delivery(), Millis(21)), Err(Refused::Expired { .. })));
    }
}
