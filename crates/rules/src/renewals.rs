//! When a node renews its certificate: at half its life, and so that a fleet that enrolled in one hour, or
//! was cut off for a day, does not come back in one hour.
//!
//! Each node draws its moment from the last twentieth of the first half, which is a day and a half of the
//! usual thirty days. There is another half life left then, so a try that fails is in no hurry either: the
//! next one is drawn from as long as a tenth of the life, and only where little life is left do tries come
//! faster. A node that is told to renew, because the hub's authority changes, does so within the time that
//! the hub names, which is the longer the more nodes there are.

use crate::backoff::Backoff;
use crate::time::{Millis, Span};

/// Moments are drawn from one part in so many of a certificate's life, before its half.
pub const SPREAD_PARTS: i64 = 20;
/// A try that failed is repeated within one part in so many of the life.
const AGAIN_PARTS: i64 = 10;
/// And within one part in so many of what is left of it.
const LEFT_PARTS: i64 = 4;
/// Where hardly any life is left, or none.
const LAST: Backoff = Backoff { first: Span::minutes(1), cap: Span::hours(1) };
/// No certificate is renewed sooner after it was issued.
const SOONEST: Span = Span::minutes(1);

/// A certificate's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// From when it holds.
    pub from: Millis,
    /// Until when it holds.
    pub until: Millis,
}

/// A hub's wish that nodes renew before their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// When the node heard of it.
    pub at: Millis,
    /// Within which time it shall happen.
    pub within: Span,
}

/// When a certificate is to be renewed. `draw` is uniform in `0..=u32::MAX`.
pub fn renewal_due(life: Life, told: Option<Told>, draw: u32) -> Millis {
    let length = life.until.since(life.from).0;
    let half = life.from + Span(length / 2);
    let due = (half - part(Span(length / SPREAD_PARTS), draw)).max(life.from + SOONEST);
    told.map_or(due, |told| due.min(told.at + part(told.within, draw)))
}

/// How long to wait after so many tries in a row have failed (1 is the first). `asked` is what the hub asked
/// for, if it answered; it is added, so that those who heard the same wish do not come back together.
pub fn renewal_again(
    life: Life,
    told: Option<Told>,
    now: Millis,
    failures: u32,
    asked: Option<Span>,
    draw: u32,
) -> Span {
    let (length, left) = (life.until.since(life.from).0, life.until.since(now).0);
    let longest = Span((length / AGAIN_PARTS).min(left / LEFT_PARTS));
    let own = if longest <= LAST.cap {
        LAST.wait(failures, draw)
    } else if let Some(told) = told {
        Backoff { first: told.within, cap: longest }.wait(failures, draw)
    } else {
        LAST.first + part(Span(longest.0 - LAST.first.0), draw)
    };
    own + asked.unwrap_or(Span::ZERO)
}

/// A part of a span, by chance.
fn part(span: Span, draw: u32) -> Span {
    let part = i128::from(span.0.max(0)) * i128::from(draw) / i128::from(u32::MAX);
    Span(i64::try_from(part).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{BACKDATE, NODE_CERTIFICATE_LIFE, RENEWALS_PER_SECOND};
    use proptest::prelude::*;

    const NODES: usize = 19_000;
    const HUB_AWAY: Span = Span::hours(24);

    fn life(issued: Millis) -> Life {
        Life { from: issued - BACKDATE, until: issued + NODE_CERTIFICATE_LIFE }
    }

    /// Chance that can be had again (splitmix64).
    struct Chance(u64);
    impl Chance {
        fn draw(&mut self) -> u32 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed >> 32) as u32
        }
        fn within(&mut self, span: Span) -> Span {
            part(span, self.draw())
        }
    }

    /// When each of many nodes renews that enrolled within `enrolled` from the time 0 on, if the hub is away
    /// from `away` on for a day.
    fn renewals(chance: &mut Chance, enrolled: Span, away: Option<Millis>) -> Vec<Millis> {
        let is_away = |at: Millis| away.is_some_and(|from| at >= from && at < from + HUB_AWAY);
        let one = |_| {
            let life = life(Millis(0) + chance.within(enrolled));
            let (mut at, mut failures) = (renewal_due(life, None, chance.draw()), 0);
            while is_away(at) {
                failures += 1;
                at = at + renewal_again(life, None, at, failures, None, chance.draw());
            }
            at
        };
        (0..NODES).map(one).collect()
    }

    /// The most renewals in any window, as a multiple of the mean over the time from which moments are drawn.
    fn peak(renewals: &[Millis], spread: Span, window: Span) -> f64 {
        let mut counts = std::collections::BTreeMap::new();
        for at in renewals {
            *counts.entry(at.0.div_euclid(window.0)).or_insert(0_u32) += 1;
        }
        let mean = renewals.len() as f64 * window.0 as f64 / spread.0 as f64;
        f64::from(counts.into_values().max().unwrap_or(0)) / mean
    }

    /// The window is a quarter of an hour: some 130 renewals of a second or two of the hub's time in all, so
    /// that whatever crowds within it is worked off within it. In shorter ones chance alone makes peaks.
    const WINDOW: Span = Span::minutes(15);

    #[test]
    fn nineteen_thousand_renewals_have_no_peak_above_twice_the_mean() {
        let spread = Span(NODE_CERTIFICATE_LIFE.0 / SPREAD_PARTS);
        for seed in 0..20 {
            let mut chance = Chance(seed);
            for enrolled in [Span::ZERO, Span::hours(1)] {
                let peak = peak(&renewals(&mut chance, enrolled, None), spread, WINDOW);
                assert!(peak < 2.0, "{peak} times the mean, enrolled within {enrolled}, seed {seed}");
            }
        }
    }

    #[test]
    fn nor_if_the_hub_was_away_for_a_day_when_they_were_due() {
        let spread = Span(NODE_CERTIFICATE_LIFE.0 / SPREAD_PARTS);
        let (half, mut worst) = (Millis(0) + Span(NODE_CERTIFICATE_LIFE.0 / 2), 0.0_f64);
        for seed in 0..20 {
            let mut chance = Chance(seed);
            for hours_before_half in [36, 30, 24, 12] {
                let away = half - Span::hours(hours_before_half);
                let all = renewals(&mut chance, Span::hours(1), Some(away));
                assert!(all.iter().all(|at| *at < life(Millis(0)).until), "each in time");
                worst = worst.max(peak(&all, spread, WINDOW));
            }
        }
        assert!(worst < 2.0, "{worst} times the mean");
    }

    #[test]
    fn nor_when_all_are_told_at_once() {
        let within = Span::seconds(NODES as i64 / RENEWALS_PER_SECOND);
        for seed in 0..20 {
            let mut chance = Chance(seed);
            let told = Some(Told { at: Millis(5), within });
            let issued = Millis(0);
            let all: Vec<_> = (0..NODES).map(|_| renewal_due(life(issued), told, chance.draw())).collect();
            let peak = peak(&all, within, Span::seconds(30));
            assert!(peak < 2.0, "{peak} times the mean, seed {seed}");
        }
    }

    proptest! {
        #[test]
        fn a_renewal_is_due_before_half_life_and_not_at_once(days in 1i64..400, draw: u32) {
            let life = Life { from: Millis(1000), until: Millis(1000) + Span::days(days) };
            let due = renewal_due(life, None, draw);
            prop_assert!(due <= life.from + Span(Span::days(days).0 / 2));
            prop_assert!(due >= life.from + Span(Span::days(days).0 * 9 / 20));
        }

        #[test]
        fn who_is_told_to_renew_does_so_within_the_time(at in 0i64..2_000_000_000, draw: u32, seconds in 0i64..3600) {
            let life = Life { from: Millis(0), until: Millis(0) + Span::days(30) };
            let told = Told { at: Millis(at), within: Span::seconds(seconds) };
            let due = renewal_due(life, Some(told), draw);
            prop_assert!(due <= told.at + told.within);
            prop_assert!(due <= renewal_due(life, None, draw));
        }

        #[test]
        fn tries_come_before_the_end_and_the_hub_s_wish_is_obeyed(
            left_h in 5i64..360, failures in 1u32..50, draw: u32, asked in 0i64..3600, is_told: bool,
        ) {
            let life = Life { from: Millis(0), until: Millis(0) + Span::days(30) };
            let now = life.until - Span::hours(left_h);
            let told = is_told.then_some(Told { at: now, within: Span::seconds(30) });
            let own = renewal_again(life, told, now, failures, None, draw);
            prop_assert!(own > Span::ZERO && now + own < life.until);
            let wait = renewal_again(life, told, now, failures, Some(Span::seconds(asked)), draw);
            prop_assert_eq!(wait, own + Span::seconds(asked));
        }

        #[test]
        fn after_the_end_tries_go_on_with_a_back_off(after_h in 0i64..9000, failures in 1u32..50, draw: u32) {
            let life = Life { from: Millis(0), until: Millis(0) + Span::days(30) };
            let wait = renewal_again(life, None, life.until + Span::hours(after_h), failures, None, draw);
            prop_assert!(wait >= Span::seconds(30) && wait <= Span::hours(1));
        }
    }
}
