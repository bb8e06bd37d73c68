//! The person who is signed in, as every page shows them.

use crate::login::Current;

/// The person at the top of a page.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(super) display: String,
    /// The name under which they sign in.
    pub(super) name: String,
}

impl Person {
    /// Returns the person of a session.
    pub(super) fn of(current: &Current) -> Self {
        Self {
            display: current.account().display.clone(),
            name: current.account().name.clone(),
        }
    }

    /// Returns the first letters of the first and the last word of their name.
    pub(super) fn initials(&self) -> String {
        initials(&self.display)
    }
}

/// Returns the first letters of the first and the last word of a name.
pub(super) fn initials(display: &str) -> String {
    let mut words = display.split_whitespace();
    let first = words.next().and_then(initial);
    let last = words.next_back().and_then(initial);
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

fn initial(word: &str) -> Option<char> {
    word.chars().find(|letter| letter.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_by_two_letters() {
        for (display, initials) in [
            ("Ida Sørensen", "IS"),
            ("noor.haddad@halden.example", "N"),
            ("Anna Maria de la Cruz", "AC"),
            ("(ops) 7", "O7"),
            ("", ""),
        ] {
            let person = Person {
                display: display.to_owned(),
                name: String::new(),
            };
            assert_eq!(person.initials(), initials);
        }
    }
}
