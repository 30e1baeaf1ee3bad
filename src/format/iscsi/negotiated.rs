//! What both sides agree on: offered, answered, and what follows from it.
//!
//! What is offered is what Linux does best; none of it is insisted on. Digests are not asked for
//! (TCP and the link have checksums of their own, and the root file system often has), but taken
//! from a target that wants them: the kernel computes them. A key that a target does not answer
//! keeps the document's default.
//! Source: RFC 7143 §13 (keys), drivers/scsi/libiscsi.c (Linux 6.12).

use super::text::{List, Pairs, is_declined, number};
use crate::base::text::Text;
use alloc::format;
use alloc::string::String;

/// Lengths that are offered, in bytes.
const SEGMENT: u32 = 262_144;
const FIRST_BURST: u32 = 262_144;
const MAX_BURST: u32 = 16_776_192;

/// Limits of the document, in bytes.
const LENGTH_MIN: u32 = 512;
const LENGTH_MAX: u32 = 0x00ff_ffff;

/// Longest alias kept, in bytes.
const ALIAS_MAX: usize = 255;

/// Keys that a target declares, or that belong to its proof of who it is: nothing to answer.
const SILENT: [&str; 10] = [
    "AuthMethod",
    "CHAP_A",
    "CHAP_C",
    "CHAP_I",
    "CHAP_N",
    "CHAP_R",
    "MaxConnections",
    "TargetAddress",
    "TargetName",
    "SessionType",
];

/// Everything that the kernel must be told. Lengths in bytes, times in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    pub header_digest: bool,
    pub data_digest: bool,
    /// Longest data of one message: to this machine, and to the target.
    pub max_recv: u32,
    pub max_xmit: u32,
    pub initial_r2t: bool,
    pub immediate_data: bool,
    pub max_burst: u32,
    pub first_burst: u32,
    pub max_outstanding_r2t: u32,
    pub time_to_wait: u32,
    pub time_to_retain: u32,
    pub pdu_in_order: bool,
    pub sequence_in_order: bool,
    pub error_recovery: u32,
    /// What the target calls itself. Empty: nothing.
    pub alias: String,
    pub portal_group: Option<u16>,
    /// The session's identifiers, the initiator's and the target's; the connection's.
    pub isid: [u8; 6],
    pub tsih: u16,
    pub cid: u16,
    /// Number of the first command, and of the next answer.
    pub cmd_sn: u32,
    pub exp_stat_sn: u32,
}

impl Default for Negotiated {
    /// What is true of a session in which nothing was said.
    fn default() -> Self {
        Self {
            header_digest: false,
            data_digest: false,
            max_recv: SEGMENT,
            max_xmit: 8192,
            initial_r2t: true,
            immediate_data: true,
            max_burst: 262_144,
            first_burst: 65_536,
            max_outstanding_r2t: 1,
            time_to_wait: 2,
            time_to_retain: 20,
            pdu_in_order: true,
            sequence_in_order: true,
            error_recovery: 0,
            alias: String::new(),
            portal_group: None,
            isid: [0; 6],
            tsih: 0,
            cid: 0,
            cmd_sn: 1,
            exp_stat_sn: 0,
        }
    }
}

/// What is offered in the operational stage.
pub fn offer(list: &mut List) {
    for (key, value) in [
        ("HeaderDigest", "None,CRC32C"),
        ("DataDigest", "None,CRC32C"),
        ("InitialR2T", "No"),
        ("ImmediateData", "Yes"),
        ("MaxOutstandingR2T", "1"),
        ("MaxConnections", "1"),
        ("ErrorRecoveryLevel", "0"),
        ("DefaultTime2Wait", "2"),
        ("DefaultTime2Retain", "0"),
        ("DataPDUInOrder", "Yes"),
        ("DataSequenceInOrder", "Yes"),
    ] {
        list.add(key, value);
    }
    for (key, value) in [
        ("MaxRecvDataSegmentLength", SEGMENT),
        ("MaxBurstLength", MAX_BURST),
        ("FirstBurstLength", FIRST_BURST),
    ] {
        list.add(key, &format!("{value}"));
    }
}

impl Negotiated {
    /// Takes what the target says; what it asks is answered in `answers`. The error is the end of a
    /// sentence.
    pub fn hear(&mut self, pairs: &Pairs, answers: &mut List) -> Result<(), String> {
        for (key, value) in pairs {
            match self.take(key, value) {
                Some(true) => {}
                Some(false) if is_declined(value) => {}
                // Markers were taken out of the protocol: targets of its old form may offer them.
                Some(false) if matches!(*key, "IFMarker" | "OFMarker") => answers.add(key, "No"),
                Some(false) => answers.add(key, "NotUnderstood"),
                None => {
                    let (key, value) = (Text::from(*key), Text::from(*value));
                    let value = Text::from(value.0.get(..64).unwrap_or(&value.0));
                    return Err(format!("it answers {key} by {value}, which is impossible"));
                }
            }
        }
        Ok(())
    }

    /// `Some(false)`: the key is not known. `None`: the value is impossible.
    fn take(&mut self, key: &str, value: &str) -> Option<bool> {
        if SILENT.contains(&key) {
            return Some(true);
        }
        let known = is_declined(value);
        match key {
            "TargetAlias" => {
                let whole = value.char_indices().take_while(|(at, _)| *at < ALIAS_MAX);
                self.alias = whole.map(|(_, c)| c).collect();
            }
            "TargetPortalGroupTag" => {
                self.portal_group = Some(u16::try_from(number(value)?).ok()?);
            }
            "HeaderDigest"
            | "DataDigest"
            | "InitialR2T"
            | "ImmediateData"
            | "DataPDUInOrder"
            | "DataSequenceInOrder"
            | "MaxRecvDataSegmentLength"
            | "MaxBurstLength"
            | "FirstBurstLength"
            | "MaxOutstandingR2T"
            | "ErrorRecoveryLevel"
            | "DefaultTime2Wait"
            | "DefaultTime2Retain"
                if known => {}
            "HeaderDigest" => self.header_digest = digest(value)?,
            "DataDigest" => self.data_digest = digest(value)?,
            // Offered was No: either side's Yes counts.
            "InitialR2T" => self.initial_r2t = yes(value)?,
            // Offered was Yes: both sides' counts.
            "ImmediateData" => self.immediate_data = yes(value)?,
            // Offered was Yes, which either side may insist on.
            "DataPDUInOrder" | "DataSequenceInOrder" => {
                yes(value)?;
            }
            "MaxRecvDataSegmentLength" => self.max_xmit = length(value)?,
            "MaxBurstLength" => self.max_burst = length(value)?.min(MAX_BURST),
            "FirstBurstLength" => self.first_burst = length(value)?.min(FIRST_BURST),
            "MaxOutstandingR2T" => {
                number(value).filter(|n| (1..=65_535).contains(n))?;
            }
            "ErrorRecoveryLevel" => {
                number(value).filter(|n| *n <= 2)?;
            }
            "DefaultTime2Wait" => {
                self.time_to_wait = number(value).filter(|n| *n <= 3600)?.max(2);
            }
            "DefaultTime2Retain" => {
                number(value).filter(|n| *n <= 3600)?;
                self.time_to_retain = 0;
            }
            _ => return Some(false),
        }
        Some(true)
    }

    /// What follows at the end: the first burst is a part of the longest.
    pub fn settle(&mut self) {
        self.first_burst = self.first_burst.min(self.max_burst);
    }
}

fn yes(value: &str) -> Option<bool> {
    match value {
        "Yes" => Some(true),
        "No" => Some(false),
        _ => None,
    }
}

fn digest(value: &str) -> Option<bool> {
    match value {
        "None" => Some(false),
        "CRC32C" => Some(true),
        _ => None,
    }
}

fn length(value: &str) -> Option<u32> {
    number(value).filter(|length| (LENGTH_MIN..=LENGTH_MAX).contains(length))
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    fn heard(list: &[u8]) -> Result<(Negotiated, List), String> {
        let mut found = Negotiated::default();
        let mut answers = List::default();
        found.hear(&text::read(list).unwrap(), &mut answers)?;
        found.settle();
        Ok((found, answers))
    }

    #[test]
    fn the_smaller_length_and_the_stricter_order_count() {
        let (found, answers) = heard(
            b"HeaderDigest=CRC32C\0DataDigest=None\0InitialR2T=Yes\0ImmediateData=No\0\
              MaxBurstLength=131072\0FirstBurstLength=262144\0MaxRecvDataSegmentLength=65536\0\
              MaxOutstandingR2T=8\0DefaultTime2Wait=5\0DefaultTime2Retain=20\0\
              DataPDUInOrder=No\0ErrorRecoveryLevel=2\0TargetAlias=a disk\0\
              TargetPortalGroupTag=3\0MaxConnections=1\0",
        )
        .unwrap();
        let expected = Negotiated {
            header_digest: true,
            max_xmit: 65_536,
            initial_r2t: true,
            immediate_data: false,
            max_burst: 131_072,
            first_burst: 131_072,
            time_to_wait: 5,
            time_to_retain: 0,
            alias: "a disk".into(),
            portal_group: Some(3),
            ..Negotiated::default()
        };
        assert_eq!((found, answers), (expected, List::default()));
        let (found, _) = heard(b"MaxBurstLength=0xffffff\0FirstBurstLength=16777215\0").unwrap();
        assert_eq!((found.max_burst, found.first_burst), (MAX_BURST, SEGMENT));
    }

    #[test]
    fn unknown_keys_are_answered_and_declined_ones_keep_their_defaults() {
        let (found, answers) = heard(
            b"X-com.example=1\0OFMarker=Yes\0TaskReporting=Reject\0DataDigest=Reject\0\
              MaxBurstLength=Irrelevant\0iSCSIProtocolLevel=NotUnderstood\0",
        )
        .unwrap();
        assert_eq!(found, Negotiated::default());
        assert_eq!(answers.0, b"X-com.example=NotUnderstood\0OFMarker=No\0");
    }

    #[test]
    fn impossible_values_are_told() {
        for (list, words) in [
            (&b"HeaderDigest=SHA\0"[..], "HeaderDigest by SHA"),
            (b"MaxBurstLength=511\0", "MaxBurstLength by 511"),
            (b"MaxRecvDataSegmentLength=16777216\0", "16777216"),
            (b"InitialR2T=yes\0", "InitialR2T by yes"),
            (b"MaxOutstandingR2T=0\0", "by 0"),
            (b"TargetPortalGroupTag=65536\0", "65536"),
            (b"ErrorRecoveryLevel=\x1b[2J\0", "by \\x1b[2J"),
        ] {
            let why = heard(list).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
    }

    #[test]
    fn what_is_offered_is_agreed_to_as_it_is() {
        let mut list = List::default();
        offer(&mut list);
        let pairs = text::read(&list.0).unwrap();
        assert_eq!(text::find(&pairs, "InitialR2T"), Some("No"));
        assert_eq!(text::find(&pairs, "MaxBurstLength"), Some("16776192"));
        assert_eq!(pairs.len(), 14);
    }
}
