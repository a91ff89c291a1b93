//! Which node may live on which: a guest on a host, and nothing deeper than that.

/// What is known of a node that somebody shall live on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// Whether it is the very node that shall live on it.
    pub is_itself: bool,
    /// Whether it lives on another.
    pub is_guest: bool,
    /// Whether it was shut out.
    pub is_revoked: bool,
}

/// Why a node cannot live on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It would live on itself.
    #[error("a node cannot live on itself")]
    Itself,
    /// Guests have no guests, so that there are no rings and nobody asks how deep it goes.
    #[error("that node is a guest itself; name the host that it lives on")]
    IsGuest,
    /// A host with guests does not become a guest.
    #[error("the node has guests of its own; a host cannot become a guest")]
    HasGuests,
    /// Nobody moves to a node that was shut out.
    #[error("that node was revoked; let it in again first, with an invite made with --replace")]
    Revoked,
}

/// Decides whether a node may live on `host`; `has_guests` says whether somebody lives on the node. Guests that live on
/// a host already stay there when it is revoked: only coming is refused.
pub fn may_live_on(host: Host, has_guests: bool) -> Result<(), Unfit> {
    match host {
        Host { is_itself: true, .. } => Err(Unfit::Itself),
        Host { is_guest: true, .. } => Err(Unfit::IsGuest),
        Host { is_revoked: true, .. } => Err(Unfit::Revoked),
        _ if has_guests => Err(Unfit::HasGuests),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIT: Host = Host { is_itself: false, is_guest: false, is_revoked: false };

    #[test]
    fn a_node_lives_on_a_host_that_lives_on_nobody() {
        assert_eq!(may_live_on(FIT, false), Ok(()));
        assert_eq!(may_live_on(FIT, true), Err(Unfit::HasGuests));
        assert_eq!(may_live_on(Host { is_itself: true, ..FIT }, false), Err(Unfit::Itself));
        assert_eq!(may_live_on(Host { is_guest: true, ..FIT }, false), Err(Unfit::IsGuest));
        assert_eq!(may_live_on(Host { is_revoked: true, ..FIT }, false), Err(Unfit::Revoked));
    }

    #[test]
    fn whatever_is_asked_in_whatever_order_nobody_s_host_is_a_guest() {
        // Every sequence of three moves among three nodes.
        let moves: Vec<(usize, usize)> = (0..9).map(|n| (n / 3, n % 3)).collect();
        for first in &moves {
            for second in &moves {
                for third in &moves {
                    let mut lives_on = [None; 3];
                    for (guest, host) in [*first, *second, *third] {
                        let there = Host { is_itself: guest == host, is_guest: lives_on[host].is_some(), ..FIT };
                        if may_live_on(there, lives_on.contains(&Some(guest))).is_ok() {
                            lives_on[guest] = Some(host);
                        }
                    }
                    assert!(lives_on.iter().flatten().all(|host| lives_on[*host].is_none()), "{lives_on:?}");
                }
            }
        }
    }
}
