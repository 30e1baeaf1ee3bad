//! Answers to questions of CHAP, by which one side shows that it knows a password.
//!
//! The answer is the hash of the question's number, the password and the challenge. MD5 is what
//! nearly every target has; that it is broken otherwise does not help to find a password in it. A
//! short password is guessed from one exchange that somebody overhears, whatever the hash.
//! Source: RFC 1994 §4.1, RFC 7143 §12.1.3.

use super::hash::{Hash, digest_by};
use crate::base::secret::Secret;
use crate::format::iscsi::chap::{Algorithm, Question};
use crate::format::iscsi::password::Password;
use alloc::vec::Vec;

pub fn answer(question: &Question, password: &Password) -> Vec<u8> {
    let hash = match question.algorithm {
        Algorithm::Md5 => Hash::Md5,
        Algorithm::Sha1 => Hash::Sha1,
        Algorithm::Sha256 => Hash::Sha256,
        Algorithm::Sha3 => Hash::Sha3(32),
    };
    let pieces = [
        &[question.identifier],
        password.as_bytes(),
        &question.challenge,
    ];
    digest_by(hash, &pieces)
}

/// Whether somebody who gives this answer knows the password, in a time that does not tell where
/// a wrong answer is wrong.
pub fn is_answer(question: &Question, password: &Password, given: &[u8]) -> bool {
    !password.is_empty() && Secret::from(answer(question, password)).same(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hex;

    /// By Python's hashlib: of the byte 39, `secret of 12 b`, and the bytes 0 to 15.
    #[test]
    fn answers_are_hashes_of_number_password_and_challenge() {
        let password = Password::new(b"secret of 12 b");
        let (md5, sha1) = (
            "2236657ba4859575764ae63e30bed241",
            "c3b3bbec1e1390e0596a07239410c47ab1a3ed27",
        );
        let (sha256, sha3) = (
            "f377d620feffb2cb8bc57e9a7f0acc9f803ab0125b64c8f3c9a05c83e2dcf442",
            "e482cf3ba3634c3272edcf9502ddd3aa6c429a5e606e37b81b0a0c88f06b967e",
        );
        for (number, expected) in [(5, md5), (6, sha1), (7, sha256), (8, sha3)] {
            let algorithm = Algorithm::by_number(number).unwrap();
            let question = Question {
                algorithm,
                identifier: 39,
                challenge: (0..16).collect(),
            };
            let found = answer(&question, &password);
            assert_eq!(hex::encode(&found), expected);
            assert_eq!(found.len(), algorithm.answer_length());
            assert!(is_answer(&question, &password, &found));
            assert!(!is_answer(&question, &password, &found[1..]));
            assert!(!is_answer(&question, &Password::new(b"other"), &found));
            // Nobody proves anything by an empty password.
            let none = Password::default();
            assert!(!is_answer(&question, &none, &answer(&question, &none)));
        }
    }
}
