//! Flags that decide when two servers count as the same.

use crate::compare::statistics::Margin;

/// How sure an answer has to be, and of what.
#[derive(Clone, Debug, clap::Args)]
pub struct JudgementArgs {
    /// Servers whose speeds differ by less than this count as the same [default: 2%]
    #[arg(long, value_name = "PERCENT", value_parser = margin)]
    same_within: Option<Margin>,
}

impl JudgementArgs {
    /// The flag, then the suite's margin, then the default.
    pub fn same_within(&self, suite: Option<Margin>) -> Margin {
        let given = self.same_within.or(suite);
        given.unwrap_or_else(|| Margin::new(0.02).expect("positive"))
    }
}

/// A share of more than 0 and less than 100 %, such as `2%` or `0.5 %`.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn margin(text: &str) -> Result<Margin, String> {
    let remedy = || format!("'{text}' is not a percentage between 0 and 100; write 2% or 0.5%");
    let number = text.strip_suffix('%').ok_or_else(remedy)?;
    let percent: f64 = number.trim_end().parse().map_err(|_| remedy())?;
    let share = Some(percent / 100.0).filter(|&share| share < 1.0);
    share.and_then(Margin::new).ok_or_else(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_a_percentage_between_0_and_100() {
        assert_eq!(margin("2%").unwrap().share(), 0.02);
        assert_eq!(margin("0.5 %").unwrap().share(), 0.005);
        for text in ["2", "0%", "-1%", "100%", "x%", "%", "NaN%", ""] {
            let error = margin(text).unwrap_err();
            assert!(error.contains("write 2%"), "{text}: {error}");
        }
    }
}
