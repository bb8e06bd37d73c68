//! The hashing of passwords: Argon2id.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};

use super::turns::Turns;
use crate::domain::fault::{Fault, Result};
use crate::domain::password::Password;
use crate::domain::secret::random;

/// Returns Argon2 with 19 MiB, two passes, one lane: what OWASP asks for at least.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// Threads that hash passwords, of which there are few.
#[derive(Debug, Clone)]
pub(crate) struct Hashing {
    turns: Turns,
    /// The hash that is compared with where there is none, so that it takes as long.
    nobody: Arc<str>,
    verifications: Arc<AtomicU64>,
}

impl Hashing {
    /// Hashes in these turns.
    ///
    /// # Errors
    /// The system has no random source.
    pub(super) fn new(turns: Turns) -> Result<Self> {
        Ok(Self {
            turns,
            nobody: of_nobody()?.into(),
            verifications: Arc::default(),
        })
    }

    /// Returns the hash of a password, with its salt and parameters.
    ///
    /// # Errors
    /// Too many wait already.
    pub(crate) async fn hash(&self, password: Password) -> Result<String> {
        self.turns.take(move || hash(password.as_bytes())).await?
    }

    /// Returns whether a password is the one of a hash. If one of the two is missing it is not, after the same work.
    ///
    /// # Errors
    /// Too many wait already.
    pub(crate) async fn verify(&self, password: Option<Password>, hash: Option<String>) -> Result<bool> {
        self.verifications.fetch_add(1, Ordering::Relaxed);
        let nobody = Arc::clone(&self.nobody);
        self.turns
            .take(move || {
                let is_whole = password.is_some() && hash.is_some();
                let typed = password.as_ref().map_or(&[][..], Password::as_bytes);
                let known = hash.as_deref().unwrap_or(&nobody);
                argon2().verify_password(typed, known).is_ok() && is_whole
            })
            .await
    }

    /// Returns how many passwords were compared.
    pub(crate) fn verifications(&self) -> u64 {
        self.verifications.load(Ordering::Relaxed)
    }
}

/// Returns whether a hash was made with other parameters than those of now, so that it is to be made anew.
pub(super) fn is_outdated(hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return true;
    };
    let is_present = hash.algorithm.as_str() == Algorithm::Argon2id.as_str()
        && hash.version == Some(Version::V0x13.into())
        && Params::try_from(&hash).is_ok_and(|params| {
            let present = Params::DEFAULT;
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (present.m_cost(), present.t_cost(), present.p_cost())
        });
    !is_present
}

/// Returns a hash that takes as long to compare with as any, and that nothing was hashed for: a server that starts would
/// keep the memory of it.
fn of_nobody() -> Result<String> {
    let failed = |cause: String| Fault::internal("The hash of nobody could not be made.", cause);
    let (salt, output) = (random::<16>()?, random::<{ Params::DEFAULT_OUTPUT_LEN }>()?);
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(Params::DEFAULT).map_err(|cause| failed(cause.to_string()))?,
        salt: Some(Salt::new(&salt).map_err(|cause| failed(cause.to_string()))?),
        hash: Some(Output::new(&output).map_err(|cause| failed(cause.to_string()))?),
    };
    Ok(hash.to_string())
}

fn hash(password: &[u8]) -> Result<String> {
    let failed = |cause: argon2::password_hash::Error| {
        Fault::internal("The password could not be hashed.", cause.to_string())
    };
    let salt = random::<16>()?;
    let hash: PasswordHash = argon2()
        .hash_password_with_salt(password, &salt)
        .map_err(failed)?;
    Ok(hash.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns the hash of a password as an earlier version could have made it, with less work.
    pub(in crate::login) fn outdated(password: &str) -> String {
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let earlier = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash: PasswordHash = earlier
            .hash_password_with_salt(password.as_bytes(), &[7; 16])
            .unwrap();
        hash.to_string()
    }

    /// OWASP's cheat sheet on storing passwords: a hash of less work is known as such.
    #[test]
    fn a_hash_tells_whether_it_is_outdated() {
        assert!(!is_outdated(&hash(b"secret").unwrap()));
        assert!(is_outdated(&outdated("secret")));
        assert!(is_outdated("$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"));
        assert!(is_outdated("nothing of ours"));
    }

    /// Whoever has no password is compared with what is, but for its bytes, the hash of one: it costs the same work.
    #[test]
    fn the_hash_of_nobody_is_a_hash_of_now() {
        let (nobody, somebody) = (of_nobody().unwrap(), hash(b"secret").unwrap());
        assert!(!is_outdated(&nobody));
        let parts = |hash: &str| {
            let parts: Vec<_> = hash.split('$').map(str::to_owned).collect();
            (parts[..4].join("$"), parts[4].len(), parts[5].len())
        };
        assert_eq!(parts(&nobody), parts(&somebody));
        assert_ne!(of_nobody().unwrap(), nobody);
    }

    /// Feature row 18: a password is kept as a hash of its own, and only it is taken for it.
    #[tokio::test]
    async fn only_the_password_is_taken_for_itself() {
        let hashing = Hashing::new(Turns::default()).unwrap();
        let (right, wrong) = (
            Password::typed("correct horse battery"),
            Password::typed("Correct horse battery"),
        );
        let kept = hashing.hash(right.clone().unwrap()).await.unwrap();
        let again = hashing.hash(right.clone().unwrap()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_ne!(kept, again, "each has its salt");
        assert!(hashing.verify(right.clone(), Some(kept.clone())).await.unwrap());
        assert!(!hashing.verify(wrong, Some(kept.clone())).await.unwrap());
        assert!(!hashing.verify(None, Some(kept)).await.unwrap());
        assert!(!hashing.verify(right, None).await.unwrap());
        assert_eq!(hashing.verifications(), 4);
    }
}
