//! Choices that have a name: one list of words serves flags, JSON, the database and error messages.

/// A choice between a few named values.
pub(crate) trait Keyword: Copy + Eq + Send + Sync + 'static {
    /// Every value, in the order in which people should see them.
    const ALL: &'static [Self];

    /// Words that older versions had for some values. They are read and never written.
    const FORMER: &'static [(&'static str, Self)];

    /// Returns the word for this value.
    fn word(self) -> &'static str;

    /// Returns the value that a word stands for, or once stood for.
    fn from_word(word: &str) -> Option<Self> {
        let present = Self::ALL.iter().copied().find(|value| value.word() == word);
        present.or_else(|| Self::from_former_word(word))
    }

    /// Returns the value that a word once stood for.
    fn from_former_word(word: &str) -> Option<Self> {
        let former = Self::FORMER.iter().find(|(former, _)| *former == word);
        former.map(|(_, value)| *value)
    }
}

/// Declares an enum whose values have words, and its JSON form. A word that a value once had stands in parentheses.
macro_rules! keywords {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$value_doc:meta])* $value:ident = $word:literal $(($former:literal))?,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum $name {
            $($(#[$value_doc])* $value,)*
        }

        impl $crate::domain::keyword::Keyword for $name {
            const ALL: &'static [Self] = &[$(Self::$value),*];

            const FORMER: &'static [(&'static str, Self)] = &[$($(($former, Self::$value),)?)*];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)*
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::domain::keyword::Keyword::word(*self))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                $crate::domain::keyword::Keyword::from_word(&word).ok_or_else(|| {
                    serde::de::Error::custom(format!(concat!(stringify!($name), " cannot be {:?}"), word))
                })
            }
        }
    };
}
pub(crate) use keywords;
