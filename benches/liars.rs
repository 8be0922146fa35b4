//! Servers whose truth is known, under `bareloop load` and the load generators that are installed:
//! the figure that each tool prints, and its warnings.
//!
//! ```text
//! cargo bench --bench liars -- -d 3 --rows freeze,hang --tools wrk
//! ```
//!
//! `load` has to print the truth, or to fail the self-test that names the trouble: a row with
//! neither is a failure. Other tools are not judged: the table says whether their figure is within
//! the truth, and whether they printed an error.

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
