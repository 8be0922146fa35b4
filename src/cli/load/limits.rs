//! The flags that end a run, or a connection, before its time.

use clap::Args;

use crate::cli::values;

/// Bounds on errors, and on the requests of a connection.
#[derive(Args, Clone, Debug)]
pub(super) struct LimitArgs {
    /// Stop after this number of errors, timeouts and unexpected bodies together, with exit code 1
    #[arg(short = 'B', long, value_name = "N", value_parser = super::counts::amount)]
    pub(super) bailout: Option<u64>,

    /// Close a connection after this number of requests and open another one
    #[arg(
        short = 'D',
        long = "reconnect-rate",
        alias = "reconnectRate",
        value_name = "N",
        value_parser = values::count,
        conflicts_with_all = ["rate", "find_rate"]
    )]
    pub(super) requests_per_connection: Option<usize>,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        limits: LimitArgs,
        #[arg(short = 'R')]
        rate: Option<f64>,
        #[arg(long)]
        find_rate: Option<String>,
    }

    fn parse(flags: &[&str]) -> Result<LimitArgs, String> {
        let cli = Cli::try_parse_from([&["load"], flags].concat());
        Ok(cli.map_err(|error| error.to_string())?.limits)
    }

    #[test]
    fn no_limit_is_the_default_and_autocannons_names_are_taken() {
        let none = parse(&[]).expect("valid");
        assert_eq!((none.bailout, none.requests_per_connection), (None, None));
        for flags in [
            &["-B", "3", "-D", "5"],
            &["--bailout", "3", "--reconnectRate", "5"],
        ] {
            let both = parse(flags).expect("valid");
            assert_eq!(
                (both.bailout, both.requests_per_connection),
                (Some(3), Some(5))
            );
        }
    }

    #[test]
    fn what_is_no_limit_names_the_flag() {
        for (flags, flag) in [
            (&["-B", "0"][..], "--bailout"),
            (&["-D", "0"], "--reconnect-rate"),
            (&["-D", "5", "-R", "9"], "--reconnect-rate"),
            (&["-D", "5", "--find-rate", "9"], "--reconnect-rate"),
        ] {
            let message = parse(flags).expect_err("no limit");
            assert!(message.contains(flag), "{flags:?}: {message}");
        }
    }
}
