//! Duties that one hub of several has.

use sortie_store::leaders::{self, Holder};
use sortie_store::{Rung, Store, StoreError, Tx};

use crate::setup::stories;

mod whole {
    use super::{a_lock_is_held_while_the_bells_connection_stands, a_lock_is_taken_while_bells_ring_without_end};
    crate::setup::store_stories!(
        a_lock_is_held_while_the_bells_connection_stands,
        a_lock_is_taken_while_bells_ring_without_end,
    );
}

stories!(a_duty_goes_to_whoever_saw_it_as_it_stands, a_lock_is_free_where_nobody_holds_it,);

async fn a_duty_goes_to_whoever_saw_it_as_it_stands(tx: &mut Tx) -> Result<(), StoreError> {
    let holder = |name: &str, beat| Holder { name: name.to_owned(), beat };
    assert_eq!(leaders::holder(tx, "loops").await?, None);
    assert!(leaders::take(tx, "loops", None, "one").await?);
    assert!(!leaders::take(tx, "loops", None, "other").await?);
    assert!(leaders::take(tx, "loops", Some(&holder("one", 1)), "one").await?);
    assert!(!leaders::take(tx, "loops", Some(&holder("one", 1)), "other").await?, "it beats still");
    assert_eq!(leaders::holder(tx, "loops").await?, Some(holder("one", 2)));
    assert!(leaders::take(tx, "loops", Some(&holder("one", 2)), "other").await?);
    leaders::let_go(tx, "loops", "one").await?;
    assert_eq!(leaders::holder(tx, "loops").await?, Some(holder("other", 3)));
    leaders::let_go(tx, "loops", "other").await?;
    assert_eq!(leaders::holder(tx, "loops").await?, None);
    assert_eq!(leaders::holder(tx, "other").await?, None);
    Ok(())
}

async fn a_lock_is_free_where_nobody_holds_it(tx: &mut Tx) -> Result<(), StoreError> {
    // Alone on SQLite, a hub holds no locks, and nothing is concluded from that.
    assert_eq!(leaders::lock_is_free(tx, 7).await?, leaders::lock_is_free(tx, -1).await?);
    Ok(())
}

async fn a_lock_is_held_while_the_bells_connection_stands(store: Store) {
    let is_free = async |lock| {
        store.read(move |tx| Box::pin(async move { leaders::lock_is_free(tx, lock).await })).await.expect("it is told")
    };
    let Some(mut bells) = store.bells(Some(9)).expect("the address is right") else {
        assert!(!is_free(9).await, "alone on SQLite, a hub holds no locks, and nothing is concluded from that");
        return;
    };
    bells.holds_lock.wait_for(|time| *time > 0).await.expect("the bells stand");
    assert!(!is_free(9).await && is_free(10).await);
    // Of two who want the same one has it, and the other gets it afterwards.
    let mut second = store.bells(Some(9)).expect("the address is right").expect("as above");
    assert_eq!(*second.holds_lock.borrow(), 0);
    drop(bells);
    second.holds_lock.wait_for(|time| *time > 0).await.expect("the bells stand");
    drop(second);
    while !is_free(9).await {}
}

async fn a_lock_is_taken_while_bells_ring_without_end(store: Store) {
    let Some(mut first) = store.bells(Some(11)).expect("the address is right") else { return };
    first.holds_lock.wait_for(|time| *time > 0).await.expect("the bells stand");
    let mut second = store.bells(Some(11)).expect("the address is right").expect("as above");
    // Each bell that is heard rings the next, far sooner than the lock is tried for again.
    second.ring.send("one".to_owned()).await.expect("the bells stand");
    let mut heard = 0;
    while heard < 3 {
        heard += u32::from(matches!(second.rung.recv().await, Some(Rung::Bell(_))));
        second.ring.send("and another".to_owned()).await.expect("the bells stand");
    }
    assert_eq!(*second.holds_lock.borrow(), 0, "the first one has it");
    drop(first);
    loop {
        tokio::select! {
            held = second.holds_lock.wait_for(|time| *time > 0) => {
                held.expect("the bells stand");
                break;
            }
            rung = second.rung.recv() => {
                rung.expect("the bells stand");
                second.ring.send("and another".to_owned()).await.expect("the bells stand");
            }
        }
    }
}
