//! Second factors: codes of an authenticator application (RFC 6238), and recovery codes that stand in for them.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use totp_rs::{Algorithm, Builder, Secret, Totp, TotpError};

use super::fault::{Fault, Result};
use super::secret::{Fingerprint, random};

/// The digits of a code, and the seconds that one is shown for: as every application supports.
const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;

/// How many steps the clock of a telephone may be wrong by.
const SKEW: u16 = 1;

/// The bytes of a secret (RFC 4226 section 4 recommends 160 bits).
const SECRET: usize = 20;

/// The secret that an authenticator application shares with the server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FactorSecret([u8; SECRET]);

impl fmt::Debug for FactorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactorSecret(…)")
    }
}

impl FactorSecret {
    /// Makes a secret from the random source of the system.
    ///
    /// # Errors
    /// The system has none.
    pub(crate) fn generate() -> Result<Self> {
        random().map(Self)
    }

    /// Takes back what was stored.
    ///
    /// # Errors
    /// It has another length.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes.try_into().map(Self);
        bytes.map_err(|cause: std::array::TryFromSliceError| {
            Fault::internal("A second factor is stored in an unknown form.", cause)
        })
    }

    /// Returns the bytes that are sealed.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the secret as people type it: base32 (RFC 4648 section 6), in groups of four.
    pub(crate) fn typed_form(&self) -> String {
        let text = Secret::new_stack(self.0).to_base32();
        let letters: Vec<char> = text.chars().collect();
        let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
        groups.collect::<Vec<_>>().join(" ")
    }

    /// Returns the `otpauth` URL that an application reads from a picture: `issuer` is who asks for codes, `name` whose
    /// they are.
    ///
    /// # Errors
    /// One of the two cannot stand in such a URL.
    pub(crate) fn url(&self, issuer: &str, name: &str) -> Result<String> {
        let plain = |text: &str| text.replace(':', " ");
        let totp = self.totp(&plain(issuer), &plain(name))?;
        totp.to_url().map_err(|cause| indescribable(&cause))
    }

    /// Returns the step of time whose code this is, around a moment: `None` if it is the code of none.
    pub(crate) fn matching_step(&self, code: &str, now: Timestamp) -> Option<i64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let is_code = digits.len() == usize::from(DIGITS) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let time = u64::try_from(now.as_second()).ok().filter(|_| is_code)?;
        let totp = self.totp("-", "-").ok()?;
        totp.check(&digits, time)
            .and_then(|step| i64::try_from(step).ok())
    }

    /// Returns the code that applications show at a moment.
    #[cfg(test)]
    pub(crate) fn code(&self, at: Timestamp) -> String {
        let time = u64::try_from(at.as_second()).unwrap();
        self.totp("-", "-").unwrap().generate(time).to_string()
    }

    fn totp(&self, issuer: &str, name: &str) -> Result<Totp> {
        let builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_skew(SKEW)
            .with_step_duration(STEP_SECONDS)
            .with_secret(Secret::new_stack(self.0))
            .with_issuer(Some(issuer))
            .with_account_name(name);
        builder.build().map_err(|cause| indescribable(&cause))
    }
}

fn indescribable(cause: &TotpError) -> Fault {
    Fault::internal("The second factor could not be described.", cause.to_string())
}

/// Returns whether a code of this step may still be used: each is accepted once, and none before one that was (RFC 6238
/// section 5.2).
pub(crate) fn is_unused(step: i64, last: Option<i64>) -> bool {
    last.is_none_or(|last| step > last)
}

/// How many recovery codes somebody has at a time.
pub(crate) const CODES: usize = 10;

/// The letters of recovery codes: none that can be mistaken for another. Their number divides 256.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The letters of a code: 80 random bits.
const LENGTH: usize = 16;

/// A code that stands in for a second factor once.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RecoveryCode(String);

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

impl RecoveryCode {
    /// Makes the codes that somebody keeps.
    ///
    /// # Errors
    /// The system has no random source.
    pub(crate) fn generate_all() -> Result<Vec<Self>> {
        (0..CODES).map(|_| random().map(Self::from_random)).collect()
    }

    fn from_random(bytes: [u8; LENGTH]) -> Self {
        let letter = |byte: u8| LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
        Self(bytes.into_iter().map(|byte| char::from(letter(byte))).collect())
    }

    /// Reads a code that somebody has typed: with or without its dashes, in small or capital letters, and with letters in
    /// place of digits that look like them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let letters: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| match c.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                other => other,
            })
            .collect();
        let is_code = letters.len() == LENGTH && letters.bytes().all(|byte| LETTERS.contains(&byte));
        is_code.then_some(Self(letters))
    }

    /// Returns the code as people read it: groups of four, with dashes between.
    pub(crate) fn shown(&self) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
        groups.collect::<Vec<_>>().join("-")
    }

    /// Returns the part that is kept and compared.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_bytes(Sha256::digest(self.0.as_bytes()).into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 6238 appendix B, whose secret has 160 bits: the last six digits of its codes.
    const RFC: FactorSecret = FactorSecret(*b"12345678901234567890");

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Feature row 90 and RFC 6238 appendix B: codes are those of every authenticator application.
    #[test]
    fn codes_are_those_of_the_standard() {
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(RFC.matching_step(code, at(time)), Some(time / 30), "{time}");
            assert_eq!(
                RFC.matching_step(code, at(time + 30)),
                Some(time / 30),
                "a slow clock"
            );
            assert_eq!(RFC.matching_step(code, at(time + 90)), None, "a code of long ago");
        }
        for typed in ["287 082", " 287082\n"] {
            assert_eq!(RFC.matching_step(typed, at(59)), Some(1));
        }
        for bad in [
            "",
            "287083",
            "28708",
            "0287082",
            "２８７０８２",
            "-87082",
            "287082287082",
        ] {
            assert_eq!(RFC.matching_step(bad, at(59)), None, "{bad:?}");
        }
    }

    /// Feature row 90: a code is accepted once.
    #[test]
    fn a_code_is_accepted_once() {
        assert!(is_unused(5, None) && is_unused(6, Some(5)));
        assert!(!is_unused(5, Some(5)) && !is_unused(4, Some(5)));
    }

    /// Feature row 90: an application reads the secret from a picture or from typed letters.
    #[test]
    fn an_application_can_read_the_secret() {
        assert_eq!(RFC.typed_form(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let url = RFC.url("Halden: Freight", "ida@halden.example").unwrap();
        assert!(url.starts_with("otpauth://totp/"), "{url}");
        assert!(url.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{url}");
        assert_eq!(format!("{RFC:?}"), "FactorSecret(…)");
        assert!(FactorSecret::from_bytes(&[1; 19]).is_err());
        assert_eq!(FactorSecret::from_bytes(RFC.as_bytes()).unwrap(), RFC);
    }

    proptest! {
        /// Feature row 90: a recovery code reads however it is typed, and no other is the same.
        #[test]
        fn a_recovery_code_reads_however_it_is_typed(a: [u8; LENGTH], b: [u8; LENGTH]) {
            let (code, other) = (RecoveryCode::from_random(a), RecoveryCode::from_random(b));
            for typed in [code.shown(), code.shown().to_uppercase(), code.shown().replace('-', " "),
                code.shown().replace('0', "O").replace('1', "l")] {
                let read = RecoveryCode::parse(&typed).unwrap();
                prop_assert!(read.fingerprint().matches(&code.fingerprint()));
            }
            let is_same = a.map(|byte| byte % 32) == b.map(|byte| byte % 32);
            prop_assert_eq!(code.fingerprint().matches(&other.fingerprint()), is_same);
            prop_assert!(RecoveryCode::parse(&code.shown()[1..]).is_none());
        }
    }
}
