//! Doors for the fuzzer: readers of what others hand to an operator's command line.

use crate::operator_keys::{KeyFile, identities_of, signature_of};

/// Reads the text of an operator's key.
pub fn key_file(text: &str) -> Result<(), String> {
    let file = KeyFile::parse(text).map_err(|error| error.to_string())?;
    // With more the memory would be filled by whoever made the file.
    file.parts().map(drop).map_err(|failure| failure.to_string())
}

/// Reads what an SSH agent answers, as keys or as a signature.
pub fn ssh_agent_answer(answer: &[u8]) -> Result<(), String> {
    let keys = identities_of(answer).map(|_| ());
    keys.or_else(|_| signature_of(answer).map(|_| ())).map_err(|error| error.to_string())
}
