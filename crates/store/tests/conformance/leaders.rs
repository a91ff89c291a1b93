//! Duties that one hub of several has.

use sortie_store::leaders::{self, Holder};
use sortie_store::{StoreError, Tx};

use crate::setup::stories;

stories!(a_duty_goes_to_whoever_saw_it_as_it_stands,);

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
