//! `bareloop generate`: man pages and shell completions, from the same flags as `--help`.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::{Cli, Exit, output};

/// Write man pages and shell completions into a folder
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// The folder, which is made if it does not exist
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Writes all of them.
pub fn run(args: &GenerateArgs) -> Exit {
    match write_all(&args.folder) {
        Ok(()) => Exit::Fine,
        Err(error) => {
            let folder = args.folder.display();
            output::fail(&format!("cannot write into {folder}: {error}"));
            Exit::Failed
        }
    }
}

fn write_all(folder: &Path) -> io::Result<()> {
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    std::fs::create_dir_all(&man)?;
    std::fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(shown(), man)?;
    for &shell in Shell::value_variants() {
        clap_complete::generate_to(shell, &mut shown(), "bareloop", &completions)?;
    }
    Ok(())
}

/// The command line without what is hidden, which completions would show.
fn shown() -> Command {
    let cli = Cli::command();
    let is_shown = |command: &&Command| !command.is_hide_set();
    let shown: Vec<Command> = cli.get_subcommands().filter(is_shown).cloned().collect();
    Command::new("bareloop")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .about(cli.get_about().cloned().unwrap_or_default())
        .after_help(cli.get_after_help().cloned().unwrap_or_default())
        .subcommands(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shown_command_has_a_man_page_and_every_shell_its_completions() {
        let folder = tempfile::tempdir().expect("a folder");
        write_all(folder.path()).expect("it can be written to");
        let page = |name: &str| std::fs::read_to_string(folder.path().join("man").join(name));
        for name in ["bareloop.1", "bareloop-load.1", "bareloop-serve-http.1"] {
            assert!(page(name).expect("a page").contains(".SH"), "{name}");
        }
        assert!(page("bareloop-supervise.1").is_err(), "that is hidden");
        for file in std::fs::read_dir(folder.path().join("completions")).expect("a folder") {
            let path = file.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("text");
            assert!(text.contains("pipelining"), "{}", path.display());
            assert!(!text.contains("supervise"), "{}", path.display());
        }
    }
}
