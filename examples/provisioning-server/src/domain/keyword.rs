//! Choices that have a name: one list of words serves flags, JSON, the database and error messages.

/// A choice between a few named values.
pub(crate) trait Keyword: Copy + Eq + Send + Sync + 'static {
    /// Every value, in the order in which people should see them.
    const ALL: &'static [Self];

    /// The word for this value.
    fn word(self) -> &'static str;

    /// The value that a word stands for.
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == word)
    }
}

/// Declares an enum whose values have words, and its JSON form.
macro_rules! keywords {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum $name {
            $($(#[$value_doc])* $value,)*
        }

        impl $crate::domain::keyword::Keyword for $name {
            const ALL: &'static [Self] = &[$(Self::$value),*];

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
