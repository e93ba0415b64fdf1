//! The second factor of staff: six digits every thirty seconds (TOTP, RFC 6238). It knows no accounts and
//! stores nothing; which step was used last is kept in `staff`.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use totp_rs::{Algorithm, TOTP};

use crate::clock::Timestamp;
use crate::seal::MasterKey;

/// Seconds of one step.
const STEP: u64 = 30;

/// Length of a secret in bytes (RFC 4226 section 4).
const LENGTH: usize = 20;

/// What a person needs to set up an authenticator app.
#[derive(Clone, PartialEq, Eq)]
pub struct NewTotp {
    /// The secret to type, base 32.
    pub secret: String,
    /// The same as a link for a QR code.
    pub url: String,
    /// Names this secret; the form carries it along, so that a second try keeps what the app has already
    /// read.
    pub nonce: String,
}

impl std::fmt::Debug for NewTotp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewTotp(…)")
    }
}

/// The secret of one visit to a link, stored nowhere before it is used. `nonce` is new for each visit:
/// whoever made the link and looked at its page does not know the secret that its receiver sets up later.
pub(super) fn secret_of_link(master: &MasterKey, token: &str, nonce: &str) -> Vec<u8> {
    let text = master.blind("staff.totp", &format!("{token}\n{nonce}"));
    let digits =
        |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    text.as_bytes().chunks_exact(2).filter_map(digits).take(LENGTH).collect()
}

/// The secret as people need it. `issuer` and `name` are shown in the app.
pub(super) fn new_totp(secret: &[u8], issuer: &str, name: &str, nonce: String) -> NewTotp {
    let totp = totp(secret, Some(issuer), name);
    NewTotp { secret: totp.get_secret_base32(), url: totp.get_url(), nonce }
}

/// The step to which `code` belongs: the present one, the one before or the one after. Spaces don't count.
pub(super) fn matching_step(secret: &[u8], code: &str, now: Timestamp) -> Option<i64> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let present = u64::try_from(now.0).ok()? / 1000 / STEP;
    let totp = totp(secret, None, "");
    let steps = present.saturating_sub(1)..=present + 1;
    steps.rev().find_map(|step| {
        let right = totp.generate(step * STEP);
        verify_slices_are_equal(right.as_bytes(), code.as_bytes()).ok()?;
        i64::try_from(step).ok()
    })
}

/// The code of a moment, as the app would show it.
#[cfg(test)]
pub(super) fn code_at(secret: &[u8], now: Timestamp) -> String {
    totp(secret, None, "").generate(u64::try_from(now.0).expect("after 1970") / 1000)
}

fn totp(secret: &[u8], issuer: Option<&str>, name: &str) -> TOTP {
    TOTP::new_unchecked(
        Algorithm::SHA1,
        6,
        1,
        STEP,
        secret.to_vec(),
        issuer.map(str::to_owned),
        name.to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_the_test_vectors_of_rfc_6238() {
        // Appendix B, SHA-1; the last six of eight digits.
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code_at(b"12345678901234567890", Timestamp(seconds * 1000)), code);
        }
    }

    #[test]
    fn a_code_is_good_for_its_own_step_and_the_neighbours() {
        let secret = b"12345678901234567890";
        let code = code_at(secret, Timestamp(59_000));
        for (seconds, step) in
            [(0, Some(1)), (30, Some(1)), (59, Some(1)), (89, Some(1)), (90, None), (119, None)]
        {
            assert_eq!(matching_step(secret, &code, Timestamp(seconds * 1000)), step, "{seconds}");
        }
        assert_eq!(matching_step(secret, "287 082", Timestamp(59_000)), Some(1));
        for wrong in ["", "28708", "2870820", "287083", "abcdef"] {
            assert_eq!(matching_step(secret, wrong, Timestamp(59_000)), None, "{wrong}");
        }
    }

    #[test]
    fn each_visit_to_a_link_has_a_secret_of_its_own() {
        let master = MasterKey::from_bytes(&[1; 32]);
        let secret = secret_of_link(&master, "token", "visit");
        assert_eq!(secret.len(), LENGTH);
        assert_eq!(secret, secret_of_link(&master, "token", "visit"));
        assert_ne!(secret, secret_of_link(&master, "other", "visit"));
        assert_ne!(secret, secret_of_link(&master, "token", "later"));
        let shown = new_totp(&secret, "Kreis Paderborn", "m.weber", "visit".to_owned());
        assert!(shown.url.starts_with("otpauth://totp/Kreis%20Paderborn:m.weber?secret="), "{}", shown.url);
        assert!(shown.url.contains(&shown.secret));
    }
}
