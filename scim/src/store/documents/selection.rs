//! Selections of rows, as the planner composes them.

use super::composed::Sql;

/// The row key of a row `r`.
const ROW: &str = "r.rid";

/// How few rows a selection is likely to have, fewest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    One,
    Few,
    Some,
    Many,
    Most,
}

/// A `SELECT` of row keys, under the name `rid`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Select {
    /// The expression that is the row key.
    key: &'static str,
    /// Whether each row is selected once only because SQLite sees to it.
    is_distinct: bool,
    /// The text that follows the column, ` FROM` included.
    rest: Sql,
}

impl Select {
    /// Returns the selection of all rows `r` of a type. The tenant is a parameter, or each tenant would have statements of
    /// its own.
    pub(super) fn of_type(resource_type: i64, tenant: i64) -> Self {
        let from = format!(" FROM scim_resource r WHERE r.tenant = ? AND r.type = {resource_type}");
        Self::of(ROW, Sql::new(from).with(tenant))
    }

    /// Returns those of its rows for which a condition holds, too, as `condition` writes it.
    pub(super) fn and(mut self, condition: impl FnOnce(&mut Sql)) -> Self {
        self.rest.push(" AND ");
        condition(&mut self.rest);
        self
    }

    /// Returns the selection of an expression in rows, which are named by what follows ` FROM `.
    pub(super) fn of(key: &'static str, rest: Sql) -> Self {
        Self {
            key,
            is_distinct: false,
            rest,
        }
    }

    /// Returns the statement.
    pub(super) fn sql(&self) -> Sql {
        let distinct = if self.is_distinct { "DISTINCT " } else { "" };
        self.showing(&format!("{distinct}{} AS rid", self.key))
    }

    /// Returns the statement with other columns of the rows in place of their keys, in any order; `None` where something else
    /// than the rows themselves is gone through.
    pub(super) fn showing_rows(&self, columns: &str) -> Option<Sql> {
        (self.key == ROW && !self.is_distinct).then(|| self.showing(columns))
    }

    /// Returns the statement with other columns than the key.
    pub(super) fn showing(&self, columns: &str) -> Sql {
        Sql {
            text: ["SELECT ", columns, &self.rest.text].concat(),
            params: self.rest.params.clone(),
        }
    }
}

/// A selection of rows by indexes.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) rank: Rank,
    /// The statements in one of which each selected row is. There is at least one.
    arms: Vec<Select>,
    /// Whether a row may be selected more than once.
    repeats: bool,
}

impl Selection {
    pub(super) fn new(rank: Rank, select: Select) -> Self {
        Self {
            rank,
            arms: vec![select],
            repeats: false,
        }
    }

    /// Returns a selection that may select a row more than once.
    pub(super) fn repeating(rank: Rank, select: Select) -> Self {
        Self {
            repeats: true,
            ..Self::new(rank, select)
        }
    }

    /// Joins it with another.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.rank = self.rank.max(other.rank);
        self.arms.extend(other.arms);
        self.repeats = true;
        self
    }

    /// Returns what a statement makes of its rows that selects none of them more often.
    pub(super) fn narrowed(self, narrow: impl FnOnce(Select) -> Select) -> Self {
        let (rank, repeats) = (self.rank, self.repeats);
        Self {
            repeats,
            ..Self::new(rank, narrow(self.repeating_select()))
        }
    }

    /// Returns how many statements it joins.
    pub(super) fn arms(&self) -> usize {
        self.arms.len()
    }

    /// Returns the `SELECT`, by which a row may be selected more than once.
    pub(super) fn repeating_select(mut self) -> Select {
        if self.arms.len() == 1
            && let Some(arm) = self.arms.pop()
        {
            return arm;
        }
        let mut union = Sql::new(" FROM (");
        for (position, arm) in self.arms.into_iter().enumerate() {
            if position > 0 {
                union.push(" UNION ALL ");
            }
            // An arm may have a clause that may not stand in a union.
            union.push("SELECT rid FROM (");
            union.append(arm.sql());
            union.push(")");
        }
        union.push(")");
        Select::of("rid", union)
    }

    /// Returns the `SELECT` that selects each row once.
    pub(super) fn distinct_select(self) -> Select {
        let is_distinct = self.repeats;
        Select {
            is_distinct,
            ..self.repeating_select()
        }
    }
}
