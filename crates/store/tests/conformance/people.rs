//! Accounts and sessions.

use sortie_rules::access::Role;
use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::time::{Millis, Span};
use sortie_store::accounts::AccountRow;
use sortie_store::sessions::SessionRow;
use sortie_store::tokens::TokenRow;
use sortie_store::{Store, StoreError, Tx, accounts, orgs, sessions, tokens};

use crate::setup::{NOW, OTHER_ORG, id, store_stories, stories};

stories!(
    an_account_is_read_back_by_id_and_by_name,
    an_account_is_changed_by_its_org_only,
    those_who_can_administer_an_org_are_counted,
    a_session_is_read_back_and_listed,
    a_session_s_secret_is_replaced_by_the_quickest,
    the_last_use_of_a_session_never_moves_back,
    sessions_end_and_are_forgotten,
);

fn account(number: u128, name: &str) -> AccountRow {
    AccountRow {
        id: id(number),
        org: DEFAULT_ORG,
        name: name.into(),
        role: Role::Operator,
        password_hash: "$argon2id$…".into(),
        created_by: "admin".into(),
        created_at: NOW,
        disabled_at: None,
        signed_in_at: None,
    }
}

fn session(number: u128) -> SessionRow {
    SessionRow {
        id: id(number),
        org: DEFAULT_ORG,
        subject: "account:1".into(),
        name: "anna".into(),
        role: Role::Viewer,
        secret_hash: vec![0, 255, number as u8],
        previous_hash: None,
        rotated_at: NOW,
        confirmed: true,
        provider: Some(vec![0, 7]),
        created_at: NOW,
        last_used_at: NOW,
        ends_at: NOW + Span::hours(12),
    }
}

async fn an_account_is_read_back_by_id_and_by_name(tx: &mut Tx) -> Result<(), StoreError> {
    for (number, name) in [(2, "bela"), (1, "anna")] {
        accounts::insert(tx, &account(number, name)).await?;
    }
    assert_eq!(accounts::get(tx, DEFAULT_ORG, id(1)).await?, Some(account(1, "anna")));
    assert_eq!(accounts::get(tx, OTHER_ORG, id(1)).await?, None);
    assert_eq!(accounts::named(tx, "bela").await?, Some(account(2, "bela")));
    assert_eq!(accounts::named(tx, "cili").await?, None);
    assert_eq!(accounts::list(tx, DEFAULT_ORG, None, 9).await?, [account(1, "anna"), account(2, "bela")]);
    assert_eq!(accounts::list(tx, DEFAULT_ORG, Some(id(1)), 9).await?, [account(2, "bela")]);
    assert_eq!(accounts::list(tx, OTHER_ORG, None, 9).await?, []);
    assert!(accounts::sign_in(tx, &account(1, "anna"), NOW).await?);
    let signed_in = accounts::get(tx, DEFAULT_ORG, id(1)).await?.and_then(|account| account.signed_in_at);
    assert_eq!(signed_in, Some(NOW));
    Ok(())
}

async fn an_account_is_changed_by_its_org_only(tx: &mut Tx) -> Result<(), StoreError> {
    accounts::insert(tx, &account(1, "anna")).await?;
    let changed =
        AccountRow { role: Role::Admin, password_hash: "other".into(), disabled_at: Some(NOW), ..account(1, "anna") };
    let before = account(1, "anna");
    assert!(!accounts::update(tx, &before, &AccountRow { org: OTHER_ORG, ..changed.clone() }).await?);
    assert_eq!(accounts::get(tx, DEFAULT_ORG, id(1)).await?, Some(account(1, "anna")));
    assert!(accounts::update(tx, &before, &changed).await?);
    assert!(!accounts::update(tx, &before, &before).await?, "it is not as it was any more");
    assert!(!accounts::sign_in(tx, &before, NOW).await?, "nor is it for a sign-in that was under way");
    assert!(!accounts::sign_in(tx, &changed, NOW).await?, "a disabled one signs nobody in");
    assert_eq!(accounts::get(tx, DEFAULT_ORG, id(1)).await?, Some(changed));
    Ok(())
}

async fn a_session_is_read_back_and_listed(tx: &mut Tx) -> Result<(), StoreError> {
    for number in [2, 1] {
        sessions::insert(tx, &session(number)).await?;
    }
    assert_eq!(sessions::get(tx, id(1)).await?, Some(session(1)));
    assert_eq!(sessions::get(tx, id(3)).await?, None);
    assert_eq!(sessions::list(tx, DEFAULT_ORG, None, 9).await?, [session(2), session(1)]);
    assert_eq!(sessions::list(tx, DEFAULT_ORG, Some(id(2)), 9).await?, [session(1)]);
    assert_eq!(sessions::list(tx, OTHER_ORG, None, 9).await?, []);
    assert_eq!(sessions::of_subject(tx, DEFAULT_ORG, "account:1").await?, [session(1), session(2)]);
    assert_eq!(sessions::of_subject(tx, OTHER_ORG, "account:1").await?, []);
    Ok(())
}

async fn a_session_s_secret_is_replaced_by_the_quickest(tx: &mut Tx) -> Result<(), StoreError> {
    sessions::insert(tx, &session(1)).await?;
    let (old, later) = (session(1).secret_hash, NOW + Span::minutes(20));
    assert!(sessions::rotate(tx, id(1), &old, b"new", later).await?);
    assert!(!sessions::rotate(tx, id(1), &old, b"newer", later).await?);
    let row = sessions::get(tx, id(1)).await?.expect("it is there");
    assert_eq!((row.secret_hash, row.previous_hash, row.rotated_at), (b"new".to_vec(), Some(old), later));
    assert!(!row.confirmed, "nobody has shown it yet");
    for (hash, is_confirmed) in [(&b"other"[..], false), (b"new", true)] {
        sessions::confirm(tx, id(1), hash).await?;
        assert_eq!(sessions::get(tx, id(1)).await?.map(|row| row.confirmed), Some(is_confirmed));
    }
    Ok(())
}

async fn the_last_use_of_a_session_never_moves_back(tx: &mut Tx) -> Result<(), StoreError> {
    sessions::insert(tx, &session(1)).await?;
    sessions::flush_used(tx, &[(id(1), NOW + Span::seconds(2)), (id(9), NOW)]).await?;
    sessions::flush_used(tx, &[(id(1), NOW + Span::seconds(1))]).await?;
    let used = sessions::get(tx, id(1)).await?.map(|session| session.last_used_at);
    assert_eq!(used, Some(NOW + Span::seconds(2)));
    Ok(())
}

async fn sessions_end_and_are_forgotten(tx: &mut Tx) -> Result<(), StoreError> {
    for number in 1..=4 {
        sessions::insert(tx, &session(number)).await?;
    }
    assert!(sessions::delete(tx, id(1)).await?);
    assert!(!sessions::delete(tx, id(1)).await?);
    let end = session(2).ends_at;
    assert_eq!(sessions::forget_ended(tx, Millis(end.0 - 1), 9).await?, 0);
    assert_eq!(sessions::forget_ended(tx, end, 2).await?, 2);
    assert_eq!(sessions::list(tx, DEFAULT_ORG, None, 9).await?.len(), 1);
    Ok(())
}

mod taken {
    use super::*;
    store_stories!(a_name_is_taken_in_every_org);

    async fn a_name_is_taken_in_every_org(store: Store) {
        let insert = async |row| store.write(|tx| Box::pin(async move { accounts::insert(tx, &row).await })).await;
        insert(account(1, "anna")).await.unwrap();
        let again = insert(AccountRow { org: OTHER_ORG, ..account(2, "anna") }).await;
        assert!(again.unwrap_err().is_taken(accounts::NAME_TAKEN));
    }
}

async fn those_who_can_administer_an_org_are_counted(tx: &mut Tx) -> Result<(), StoreError> {
    orgs::hold(tx, DEFAULT_ORG).await?;
    let admin =
        |number: u128, org| AccountRow { role: Role::Admin, org, ..account(number, &format!("admin-{number}")) };
    accounts::insert(tx, &account(1, "operator")).await?;
    accounts::insert(tx, &AccountRow { disabled_at: Some(NOW), ..admin(2, DEFAULT_ORG) }).await?;
    accounts::insert(tx, &admin(3, OTHER_ORG)).await?;
    assert_eq!(accounts::count_admins(tx, DEFAULT_ORG).await?, 0);
    accounts::insert(tx, &admin(4, DEFAULT_ORG)).await?;
    assert_eq!(accounts::count_admins(tx, DEFAULT_ORG).await?, 1);
    let token = |number: u128| TokenRow {
        id: id(number),
        org: DEFAULT_ORG,
        name: "admin".into(),
        role: Role::Admin,
        scopes: None,
        secret_hash: vec![1],
        created_by: "hub".into(),
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    tokens::insert(tx, &TokenRow { role: Role::Operator, ..token(11) }).await?;
    tokens::insert(tx, &TokenRow { scopes: "people:write".parse().ok(), ..token(12) }).await?;
    tokens::insert(tx, &TokenRow { expires_at: Some(NOW), ..token(13) }).await?;
    tokens::insert(tx, &TokenRow { revoked_at: Some(NOW), ..token(14) }).await?;
    tokens::insert(tx, &TokenRow { org: OTHER_ORG, ..token(15) }).await?;
    assert_eq!(tokens::count_admins(tx, DEFAULT_ORG, NOW).await?, 0);
    tokens::insert(tx, &token(16)).await?;
    tokens::insert(tx, &TokenRow { expires_at: Some(NOW + Span::hours(1)), ..token(17) }).await?;
    assert_eq!(tokens::count_admins(tx, DEFAULT_ORG, NOW).await?, 2);
    assert_eq!(tokens::count_admins(tx, DEFAULT_ORG, NOW + Span::hours(2)).await?, 1);
    Ok(())
}
