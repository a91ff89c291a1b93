//! Passwords and their hashes: argon2id with 19 MiB, two passes and one lane, as OWASP advises for it. Few
//! are hashed at once, few more wait, and whoever comes then is told to come again.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use sortie_rules::limits::{PASSWORDS_AT_ONCE, SIGN_INS_WAITING_MAX};
use sortie_wire::accounts::Password;
use sortie_wire::problem::ProblemCode;
use tokio::sync::Semaphore;

use crate::clock::Entropy;
use crate::fault::{Fault, refuse};

/// What no password fits: for names that nobody has, so that they take as long as others.
const NOBODY_S: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29ydGllLW5vYm9keS4\
                        $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Length of a salt.
const SALT_BYTES: usize = 16;

/// Where passwords are hashed.
#[derive(Debug)]
pub(crate) struct Hashing {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Hashing {
        Hashing {
            places: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE)),
            queue: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE + SIGN_INS_WAITING_MAX)),
        }
    }
}

impl Hashing {
    /// The hash under which a password is kept.
    pub(super) async fn hash(&self, entropy: &Entropy, password: Password) -> Result<String, Fault> {
        let salt: [u8; SALT_BYTES] = entropy.bytes();
        self.work(move || {
            let hash = Argon2::default().hash_password_with_salt(password.0.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|error| Fault::Broken(format!("a password's hash: {error}")))
        })
        .await?
    }

    /// Whether a password is the one that was hashed. Without a hash it is not, and takes as long.
    pub(super) async fn fits(&self, password: Password, hash: Option<String>) -> Result<bool, Fault> {
        self.work(move || {
            let known = hash.as_deref().unwrap_or(NOBODY_S);
            let fits = Argon2::default().verify_password(password.0.as_bytes(), known).is_ok();
            fits && hash.is_some()
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let full = || refuse(ProblemCode::RateLimited, "Too many sign in at this moment; try again in a moment.");
        let queued = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| full())?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|error| Fault::Broken(error.to_string()))?;
        // Both stay with the work: it goes on when whoever asked has hung up.
        let work = move || {
            let _held = (queued, place);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| Fault::Broken(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_nobody_s_fits_none() {
        let hashing = Hashing::default();
        let hash = hashing.hash(&Entropy::default(), password("correct horse battery")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hashing.fits(password("correct horse battery"), Some(hash.clone())).await.unwrap());
        assert!(!hashing.fits(password("correct horse batterie"), Some(hash)).await.unwrap());
        assert!(!hashing.fits(password("correct horse battery"), None).await.unwrap());
        assert!(argon2::password_hash::phc::PasswordHash::new(NOBODY_S).is_ok(), "it is a hash, so it takes its time");
    }

    #[tokio::test]
    async fn a_password_keeps_its_place_until_it_is_hashed_though_its_sender_hangs_up() {
        let hashing = Arc::new(Hashing::default());
        let ((begun, begins), (release, released)) =
            (tokio::sync::oneshot::channel(), std::sync::mpsc::sync_channel(1));
        let asker = tokio::spawn({
            let hashing = Arc::clone(&hashing);
            async move {
                let work = move || (begun.send(()), released.recv()).1.is_ok();
                hashing.work(work).await
            }
        });
        begins.await.unwrap();
        asker.abort();
        assert!(asker.await.unwrap_err().is_cancelled());
        assert_eq!(hashing.places.available_permits(), PASSWORDS_AT_ONCE - 1, "the work goes on");
        release.send(()).unwrap();
        let all = u32::try_from(PASSWORDS_AT_ONCE).unwrap();
        assert!(hashing.places.acquire_many(all).await.is_ok(), "and gives its place back at its end");
    }

    #[tokio::test]
    async fn whoever_comes_when_the_queue_is_full_is_told_so() {
        let hashing = Hashing { places: Arc::new(Semaphore::new(0)), queue: Arc::new(Semaphore::new(0)) };
        let refused = hashing.fits(password("x"), None).await.unwrap_err();
        assert_eq!(refused.to_problem().code, ProblemCode::RateLimited);
    }
}
