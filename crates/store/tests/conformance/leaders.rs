//! Duties that one hub of several has.

use sortie_store::leaders::{self, Holder};
use sortie_store::{Store, StoreError, Tx};

use crate::setup::stories;

mod whole {
    use super::a_lock_is_held_while_the_bells_connection_stands;
    crate::setup::store_stories!(a_lock_is_held_while_the_bells_connection_stands,);
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
