//! The program: calls the command line of the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    convertalk::cli::main()
}
