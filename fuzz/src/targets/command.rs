//! Readers of an operator's command line: the file of a key, and what an SSH agent answers.

use super::doors::told;
use super::target::{Target, of_bytes, of_text};

/// The readers.
pub(super) const TARGETS: &[Target] = &[
    of_text(
        "key_file",
        4096,
        &["{\"sortie_operator_key\":1,\"name\":\"ada\",\"public\":\"ssh-ed25519 \
           AAAAC3NzaC1lZDI1NTE5AAAAIKJ0Pw2M3mqLBt1TDBqRdQdUkl0J9dGVUHDNqlTHuOQF ada\",\"cost\":{\"memory_kib\":8,\
           \"passes\":1,\"lanes\":1},\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"nonce\":\"AAAAAAAAAAAAAAAA\",\"sealed\":\
           \"AAAA\"}"],
        |text| told(sortie::doors::key_file(text)),
    ),
    of_bytes(
        "ssh_agent",
        4096,
        &[
            "\x0c\0\0\0\x01\0\0\0\x33\0\0\0\x0bssh-ed25519\0\0\0\x200123456789abcdef0123456789abcdef\0\0\0\x03ada",
            "\x0e\0\0\0\x13\0\0\0\x0bssh-ed25519\0\0\0\0",
            "\x05",
        ],
        |answer| told(sortie::doors::ssh_agent_answer(answer)),
    ),
];
