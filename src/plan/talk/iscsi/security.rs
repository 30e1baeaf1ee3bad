//! Who both sides are. RFC 7143 §12.1.

use super::{At, Login};
use crate::base::text::Text;
use crate::format::iscsi::chap::{self, Question};
use crate::format::iscsi::text::{List, Pairs, find};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Shown of what a target calls itself, in bytes.
const NAME_SHOWN: usize = 64;

const EACCES: i32 = 13;

/// How far the stage has come.
pub(super) enum Security {
    /// It was said how this machine can prove who it is.
    Offered,
    /// It was said which algorithms of CHAP it knows.
    Algorithms,
    /// The target asks; the answer is computed elsewhere.
    Proving(Question),
    /// The answer was sent.
    Proven(Question, Vec<u8>),
    /// The target answers; that it is right is found out elsewhere. Does it go on?
    Verifying(bool),
    /// Nothing is left to be said.
    Ending,
}

impl Login {
    pub(super) fn is_waiting_for_proof(&self) -> bool {
        let waits = |at: &Security| matches!(at, Security::Proving(_) | Security::Verifying(_));
        matches!(&self.at, At::Security(at) if waits(at))
    }

    pub(super) fn begin_security(&mut self) {
        let options = &self.options;
        let method = match (&options.user, &options.user_in) {
            (None, _) => "None",
            (Some(_), None) => "CHAP,None",
            (Some(_), Some(_)) => "CHAP",
        };
        let mut list = List::default();
        list.add("InitiatorName", &options.initiator);
        list.add("TargetName", &options.target);
        list.add("SessionType", "Normal");
        list.add("AuthMethod", method);
        let nothing_to_prove = options.user.is_none();
        self.at = At::Security(Security::Offered);
        self.send(nothing_to_prove, list);
    }

    pub(super) fn hear_security(&mut self, pairs: &Pairs, transit: bool) {
        let At::Security(at) = &mut self.at else {
            return;
        };
        match core::mem::replace(at, Security::Ending) {
            Security::Offered => self.hear_method(pairs, transit),
            Security::Algorithms => self.asked(pairs),
            Security::Proven(question, answer) => {
                if self.options.user_in.is_some() {
                    self.answered(pairs, transit, question, &answer);
                } else {
                    self.end_security(transit);
                }
            }
            Security::Ending => self.end_security(transit),
            // Nothing is heard meanwhile.
            Security::Proving(_) | Security::Verifying(_) => {}
        }
    }

    fn end_security(&mut self, transit: bool) {
        match transit {
            true => self.begin_operational(),
            false => self.send(true, List::default()),
        }
    }

    fn hear_method(&mut self, pairs: &Pairs, transit: bool) {
        let method = find(pairs, "AuthMethod");
        let has_user = self.options.user.is_some();
        match method {
            Some("CHAP") if has_user => {
                let mut list = List::default();
                list.add("CHAP_A", chap::OFFERED);
                self.at = At::Security(Security::Algorithms);
                self.send(false, list);
            }
            Some("None") | None if self.options.user_in.is_none() => self.end_security(transit),
            Some("None") | None => self.impostor("it does not prove who it is"),
            Some("CHAP") => self.refused(
                EACCES,
                "it wants to know who this machine is: a user and a password are missing",
            ),
            Some(_) if has_user => self.refused(EACCES, "it does not take CHAP"),
            Some(_) => self.refused(EACCES, "it wants an authentication that is not known here"),
        }
    }

    /// The target asks.
    fn asked(&mut self, pairs: &Pairs) {
        match Question::read(pairs) {
            // It could use the answer to pass for this machine elsewhere.
            Ok(question) if question.challenge == self.options.challenge => {
                self.impostor("it asks back what this machine is about to ask: a reflection");
            }
            Ok(question) => {
                self.out.push(super::Step::Prove(question.clone()));
                self.at = At::Security(Security::Proving(question));
            }
            Err(why) => self.fail(&why),
        }
    }

    /// The answer to the target's question is there.
    pub(super) fn proven(&mut self, proof: &[u8]) {
        let At::Security(at) = &mut self.at else {
            return;
        };
        let Security::Proving(question) = core::mem::replace(at, Security::Ending) else {
            return self.fail("an answer came that nobody asked for");
        };
        let mut list = List::default();
        list.add("CHAP_N", self.options.user.as_deref().unwrap_or_default());
        list.add_binary("CHAP_R", proof);
        let Question {
            algorithm,
            identifier,
            ..
        } = question;
        let back = Question {
            algorithm,
            // Not the same number, either.
            identifier: identifier.wrapping_add(1),
            challenge: self.options.challenge.clone(),
        };
        if self.options.user_in.is_some() {
            list.add("CHAP_I", &format!("{}", back.identifier));
            list.add_binary("CHAP_C", &back.challenge);
        }
        self.at = At::Security(Security::Proven(back, proof.to_vec()));
        self.send(true, list);
    }

    /// The target answers what it was asked.
    fn answered(&mut self, pairs: &Pairs, transit: bool, question: Question, own: &[u8]) {
        let most = question.algorithm.answer_length();
        let answer = find(pairs, "CHAP_R").map(|value| {
            let bytes = crate::format::iscsi::text::binary(value, most);
            bytes.filter(|bytes| bytes.len() == most)
        });
        let name = find(pairs, "CHAP_N").unwrap_or_default();
        let answer = match answer {
            None => return self.impostor("it does not prove who it is"),
            Some(None) => return self.impostor("its proof of who it is has a wrong length"),
            Some(Some(answer)) => answer,
        };
        if answer == own {
            return self.impostor("it sends this machine's own answer back: a reflection");
        }
        if self.options.user_in.as_deref() != Some(name) {
            let name = name.as_bytes();
            let name: String = format!("{}", Text::from(name.get(..NAME_SHOWN).unwrap_or(name)));
            return self.impostor(&format!("it is somebody else: it calls itself \"{name}\""));
        }
        self.at = At::Security(Security::Verifying(transit));
        self.out.push(super::Step::Verify { question, answer });
    }

    /// Whether the target's answer is right.
    pub(super) fn verified(&mut self, right: bool) {
        match (&self.at, right) {
            (At::Security(Security::Verifying(transit)), true) => {
                let transit = *transit;
                self.at = At::Security(Security::Ending);
                self.end_security(transit);
            }
            (At::Security(Security::Verifying(_)), false) => {
                self.impostor("it does not know its password: see that of rd.iscsi.in.password=")
            }
            _ => self.fail("a verdict came that nobody asked for"),
        }
    }

    fn impostor(&mut self, why: &str) {
        self.refused(EACCES, why);
    }
}
