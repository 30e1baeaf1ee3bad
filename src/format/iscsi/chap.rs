//! Questions of CHAP: who knows the password computes the answer, which tells nobody the password.
//!
//! Only the question is here; computing answers takes the password (`crypt::chap`).
//! Source: RFC 1994, RFC 7143 §12.1.3; IANA's "PPP Authentication Algorithms".

use super::text::{Pairs, binary, find, number};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Longest challenge, in bytes (RFC 7143 §12.1.3).
pub const CHALLENGE_MAX: usize = 1024;

/// What is offered: a target takes the first that it knows. The strongest comes first, but for 7:
/// to tgt and IET, which know neither 8 nor 6, that is SHA-1, as in drafts of the document.
pub const OFFERED: &str = "8,6,5,7";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha3,
}

impl Algorithm {
    pub fn by_number(number: u32) -> Option<Self> {
        Some(match number {
            5 => Self::Md5,
            6 => Self::Sha1,
            7 => Self::Sha256,
            8 => Self::Sha3,
            _ => return None,
        })
    }

    /// Bytes of an answer.
    pub fn answer_length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Sha3 => 32,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub algorithm: Algorithm,
    pub identifier: u8,
    pub challenge: Vec<u8>,
}

impl Question {
    /// What the target asks. The error is the end of a sentence.
    pub fn read(pairs: &Pairs) -> Result<Self, String> {
        let algorithm = match find(pairs, "CHAP_A") {
            None => return Err("it names no algorithm of CHAP".into()),
            Some(value) => number(value).and_then(Algorithm::by_number),
        };
        let algorithm = algorithm.ok_or("it takes no algorithm of CHAP that is known here")?;
        let identifier = find(pairs, "CHAP_I").and_then(number);
        let identifier = identifier.and_then(|id| u8::try_from(id).ok());
        let identifier = identifier.ok_or("its challenge has no number")?;
        let challenge = find(pairs, "CHAP_C").and_then(|value| binary(value, CHALLENGE_MAX));
        match challenge {
            Some(challenge) if !challenge.is_empty() => Ok(Self {
                algorithm,
                identifier,
                challenge,
            }),
            _ => Err(format!(
                "its challenge is none of 1 to {CHALLENGE_MAX} bytes"
            )),
        }
    }
}
