//! Pages of lists in the order of names.

/// The part of an order by name at which a page begins. `K` tells apart those of one name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page<K> {
    /// The beginning of the names; of any name if it is empty.
    pub(crate) prefix: String,
    /// The name and the key of the last one before the page.
    pub(crate) behind: Option<(String, K)>,
    pub(crate) size: u32,
}

/// The keys of names between which a page is.
pub(super) struct Range {
    pub(super) from: String,
    pub(super) to: String,
    /// The key that the page is behind.
    pub(super) behind: String,
}

impl<K: Clone> Page<K> {
    /// Returns the same with one more, so that it shows whether others follow.
    pub(crate) fn with_one_more(&self) -> Self {
        Self {
            size: self.size.saturating_add(1),
            ..self.clone()
        }
    }

    /// Takes out what was found beyond the page, and returns whether there was anything.
    pub(crate) fn cut<T>(&self, found: &mut Vec<T>) -> bool {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let has_more = found.len() > size;
        found.truncate(size);
        has_more
    }

    /// Returns the range of a page, with names in the form in which `key` compares them.
    pub(super) fn range(&self, key: fn(&str) -> String) -> Range {
        let from = key(&self.prefix);
        Range {
            to: format!("{from}\u{10ffff}"),
            behind: self
                .behind
                .as_ref()
                .map_or_else(|| from.clone(), |(name, _)| key(name)),
            from,
        }
    }
}
