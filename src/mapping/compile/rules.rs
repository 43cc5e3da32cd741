//! The rules of a data set that a mapping names.

use super::{Compiler, RULES};
use crate::mapping::submission::row::RowRules;
use crate::mapping::submission::rule::Rules;

impl Compiler<'_> {
    /// Those that look at one row alone, of the table that this mapping reads.
    pub(super) fn rules(&mut self) -> Option<RowRules> {
        let named = self.raw.rules.as_ref()?;
        let Some(source) = self.codes.rules(&named.value) else {
            let hint = "rules stand in `mappings/rules/<source>/<name>.csv`; leave `rules` out for none";
            self.advise(&named.span, format!("there are no rules `{}`", named.value), hint);
            return None;
        };
        let rules = match Rules::parse(&source) {
            Ok(rules) => rules,
            Err(faults) => {
                self.faults.extend(faults.0);
                return None;
            }
        };
        self.used.insert(format!("{RULES}{}", named.value));
        let of = RowRules::of(rules, &self.raw.name.value);
        if of.is_none() {
            let hint = format!("they name each table's mapping: `# table: <table> {}`", self.raw.name.value);
            self.advise(
                &named.span,
                format!("the rules `{}` know no table of this mapping", named.value),
                hint,
            );
        }
        of
    }
}
