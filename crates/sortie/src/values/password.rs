//! Passwords as they are typed: at a terminal without being shown, else the first line of standard input.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use sortie_wire::accounts::Password;

use crate::exit::Failure;

/// Asks for a password. Twice at a terminal if it is a new one, since it is not seen.
pub(crate) fn read_password(what: &str, is_new: bool) -> Result<Password, Failure> {
    let failed = |error: io::Error| Failure::other(format!("what is typed cannot be read: {error}"));
    if !io::stdin().is_terminal() {
        return read_line().map(Password).map_err(failed);
    }
    let first = ask(&format!("{what}: ")).map_err(failed)?;
    if is_new && ask("Again: ").map_err(failed)? != first {
        return Err(Failure::usage("the two are not the same"));
    }
    Ok(Password(first))
}

/// Asks something that is answered with yes or no; whatever is not yes is no.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    let asked = || {
        let mut err = io::stderr().lock();
        write!(err, "{question} [y/N] ")?;
        err.flush()?;
        read_line()
    };
    match asked() {
        Ok(answer) => Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(Failure::other(format!("the answer cannot be read: {error}"))),
    }
}

fn ask(what: &str) -> io::Result<String> {
    let mut err = io::stderr().lock();
    write!(err, "{what}")?;
    err.flush()?;
    let _hidden = Hidden::begin()?;
    let line = read_line();
    writeln!(err)?;
    line
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "standard input has ended"));
    }
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// While it lives the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> io::Result<Hidden> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &quiet)?;
        Ok(Hidden(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
