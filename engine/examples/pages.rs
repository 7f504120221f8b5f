//! Writes the manual pages and the completions of `tidegate` into a folder, for its package: `pages FOLDER`.
//!
//! Both follow from the commands as the binary has them, so neither can be out of date. Bound: a file a command, and one a shell.

use clap_complete::{Shell, generate_to};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use tidegate::{Registries, command};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name the folder: pages FOLDER")?);
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    for made in [&man, &completions] {
        fs::create_dir_all(made)?;
    }
    clap_mangen::generate_to(command(&Registries::default()), &man)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command(&Registries::default()), "tidegate", &completions)?;
    }
    Ok(())
}
