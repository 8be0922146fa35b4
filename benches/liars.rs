//! Accuracy of `bareloop load`, and of the other load generators that are installed, on servers
//! with known behaviour: the figure that each tool reports, and its warnings.
//!
//! ```text
//! cargo bench --bench liars -- -d 3 --rows freeze,hang --tools wrk
//! ```
//!
//! `load` has to report the true figure, or to fail the self-test for what is wrong: otherwise the
//! bench fails. Other tools are not judged: the table says whether their figure is true, and
//! whether they printed an error.

#![forbid(unsafe_code)]

#[path = "support/mod.rs"]
mod support;

#[path = "liars"]
mod liars {
    mod rows;
    pub mod runner;
    mod tools;
}

fn main() -> std::process::ExitCode {
    liars::runner::main()
}
