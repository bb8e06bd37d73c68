//! E-mail addresses, as far as a machine can tell them from other names.

/// The longest local part and the longest address (RFC 5321 section 4.5.3.1).
const LOCAL_MAX: usize = 64;
const ADDRESS_MAX: usize = 254;

/// Returns whether a text has the form of an e-mail address. Whether somebody reads it, only a mail can tell.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.len() <= ADDRESS_MAX && is_local(local) && is_domain(domain)
}

/// Returns the form in which addresses are compared: without the case of the letters of ASCII. Other letters count as they
/// are, so that none that only looks like another is taken for it.
pub(crate) fn key(address: &str) -> String {
    address.trim().to_ascii_lowercase()
}

fn is_local(local: &str) -> bool {
    let allowed = |character: char| {
        !character.is_whitespace() && !character.is_control() && !"@,;:<>()[]\\\"".contains(character)
    };
    (1..=LOCAL_MAX).contains(&local.len()) && local.chars().all(allowed)
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        let allowed = |character: char| character.is_alphanumeric() || character == '-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(allowed)
    };
    domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_person_and_a_domain() {
        // Feature row 33.
        for good in [
            "a@x.example",
            "Barbara.Jensen+x@sub.example.com",
            "jörg@bücher.example",
            "o'neil@x.example",
        ] {
            assert!(is_email(good), "{good}");
        }
        let long = format!("{}@x.example", "a".repeat(65));
        for bad in [
            "",
            "jdoe",
            "@x.example",
            "a@",
            "a b@x.example",
            "a@x..example",
            "a@-x.example",
            "a@b@c.example",
            "a@x\n",
            &long,
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
    }
}
