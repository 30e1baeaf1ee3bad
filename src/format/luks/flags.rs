//! How a volume wants to be mapped: LUKS2's persistent flags, crypttab's options, dm-crypt's words.

/// A set of [`Flag`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

/// One wish for the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    AllowDiscards = 1,
    SameCpuCrypt = 2,
    SubmitFromCryptCpus = 4,
    NoReadWorkqueue = 8,
    NoWriteWorkqueue = 16,
    HighPriority = 32,
    /// For the integrity layer only.
    NoJournal = 64,
}

/// Each flag, its name in a LUKS2 header, and its word in a dm-crypt table (none: not its
/// business), in the order in which cryptsetup writes the words.
const NAMES: [(Flag, &str, &str); 7] = [
    (Flag::AllowDiscards, "allow-discards", "allow_discards"),
    (Flag::SameCpuCrypt, "same-cpu-crypt", "same_cpu_crypt"),
    (
        Flag::SubmitFromCryptCpus,
        "submit-from-crypt-cpus",
        "submit_from_crypt_cpus",
    ),
    (
        Flag::NoReadWorkqueue,
        "no-read-workqueue",
        "no_read_workqueue",
    ),
    (
        Flag::NoWriteWorkqueue,
        "no-write-workqueue",
        "no_write_workqueue",
    ),
    (Flag::HighPriority, "high_priority", "high_priority"),
    (Flag::NoJournal, "no-journal", ""),
];

impl Flags {
    pub fn has(self, flag: Flag) -> bool {
        self.0 & flag as u8 != 0
    }

    pub fn set(&mut self, flag: Flag) {
        self.0 |= flag as u8;
    }

    pub fn clear(&mut self, flag: Flag) {
        self.0 &= !(flag as u8);
    }

    /// Both sets together.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Sets the flag of this name; unknown ones have no effect, as the specification asks.
    pub fn set_by_name(&mut self, name: &str) {
        if let Some((flag, ..)) = NAMES.iter().find(|(_, known, _)| *known == name) {
            self.set(*flag);
        }
    }

    /// What is left with a dm-crypt of this version, as in `(1, 24)`.
    pub fn known_to(mut self, version: (u32, u32)) -> Self {
        let since = [
            (Flag::AllowDiscards, (1, 11)),
            (Flag::SameCpuCrypt, (1, 14)),
            (Flag::SubmitFromCryptCpus, (1, 14)),
            (Flag::NoReadWorkqueue, (1, 22)),
            (Flag::NoWriteWorkqueue, (1, 22)),
            (Flag::HighPriority, (1, 26)),
        ];
        for (flag, _) in since.iter().filter(|(_, since)| version < *since) {
            self.clear(*flag);
        }
        self
    }

    /// The names of those that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let set = NAMES.iter().filter(move |(flag, ..)| self.has(*flag));
        set.map(|(_, name, _)| *name)
    }

    /// The words for dm-crypt, in their order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let set = NAMES.iter().filter(move |(flag, ..)| self.has(*flag));
        set.map(|(.., word)| *word).filter(|word| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn flags_are_written_in_one_order() {
        let mut flags = Flags::default();
        for name in ["no-write-workqueue", "no-journal", "x", "allow-discards"] {
            flags.set_by_name(name);
        }
        let words: Vec<_> = flags.words().collect();
        assert_eq!(words, ["allow_discards", "no_write_workqueue"]);
        assert!(flags.has(Flag::NoJournal) && !flags.has(Flag::HighPriority));
        let words: Vec<_> = flags.known_to((1, 21)).words().collect();
        assert_eq!(words, ["allow_discards"]);
        flags.clear(Flag::NoJournal);
        assert!(!flags.has(Flag::NoJournal));
    }
}
