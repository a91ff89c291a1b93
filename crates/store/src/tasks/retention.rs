//! How old tasks go.

use sortie_rules::time::Millis;
use uuid::Uuid;

use crate::errors::StoreError;
use crate::tx::Tx;
use crate::value::Value;

/// Deletes up to `limit` tasks that ended before `before`, the oldest first. Returns how many.
pub async fn delete_finished_before(tx: &mut Tx, before: Millis, limit: u32) -> Result<u64, StoreError> {
    // What ended before then was made before then, and ids sort by the time they were made: the
    // tasks are found at the beginning of the table, without an index on their end.
    // A job's tasks stay until the job is over as long, for they are its table.
    const SQL: &str = "delete from tasks where id in (select id from tasks
        where id < $2 and finished_at is not null and finished_at < $1
            and (job is null or job in (select id from jobs where finished_at is not null and finished_at < $1))
        order by id limit $3)";
    tx.execute(SQL, &[before.into(), Value::Id(first_id_of(before)), limit.into()]).await
}

/// The lowest UUID version 7 of this millisecond.
pub(crate) fn first_id_of(at: Millis) -> Uuid {
    let millis = u128::try_from(at.0.max(0)).unwrap_or(0);
    Uuid::from_u128((millis << 80) | (0x7 << 76) | (0b10 << 62))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_the_same_millisecond_is_not_below_the_bound() {
        let first = first_id_of(Millis(0x0198_0c5e_7d1a));
        assert_eq!(first.to_string(), "01980c5e-7d1a-7000-8000-000000000000");
    }
}
