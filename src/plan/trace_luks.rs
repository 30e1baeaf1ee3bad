//! Lines of encrypted volumes and of questions: both directions, as in [`super::trace`] and
//! [`super::trace_read`].

use super::action::{Action, Question, Shown};
use super::event::{Event, Ticket};
use super::trace::{answer, failed};
use super::trace_read::{all, fault, list, ticket};
use crate::base::list::Listed;
use crate::base::text::{Joined, Text};
use crate::base::words::{Line, Words};
use crate::format::crypttab::Echo;
use crate::format::luks::flags::Flags;
use crate::format::luks::order::{Key, KeyFile, Order, Refusal, Spot};
use alloc::string::String;
use alloc::vec::Vec;

const ECHOES: [(Echo, &str); 3] = [
    (Echo::Masked, "masked"),
    (Echo::Nothing, "silent"),
    (Echo::Plain, "plain"),
];

pub(super) fn event_line(event: &Event) -> String {
    match event {
        Event::Unlocked { ticket } => answer("unlocked", *ticket).done(),
        Event::UnlockFailed { ticket, why, fault } => {
            let why = Refusal::ALL.iter().find(|(known, _)| known == why);
            let line = failed("unlock-failed", *ticket, fault);
            line.word(why.map_or("", |(_, word)| word)).done()
        }
        Event::Answered { ticket, secret } => {
            let line = answer("answered", *ticket);
            line.num(u64::from(*secret)).done()
        }
        Event::Agreed { ticket, yes } => answer("agreed", *ticket).flag("yes", *yes).done(),
        Event::Said { ticket, text } => answer("said", *ticket).word(text.as_bytes()).done(),
        Event::Typing { ticket } => answer("typing", *ticket).done(),
        Event::AskFailed { ticket, fault } => failed("ask-failed", *ticket, fault).done(),
        _ => String::new(),
    }
}

/// How opening a volume ended.
pub(super) fn answer_of(verb: &str, ticket: Ticket, w: &mut Words) -> Option<Event> {
    Some(match verb {
        "unlocked" => Event::Unlocked { ticket },
        "unlock-failed" => {
            let known = Refusal::ALL.iter().find(|(_, word)| w.flag(word));
            Event::UnlockFailed {
                ticket,
                why: known?.0,
                fault: fault(w),
            }
        }
        _ => return None,
    })
}

/// What a person did who was asked.
pub(super) fn reply(verb: &str, ticket: Ticket, w: &mut Words) -> Option<Event> {
    Some(match verb {
        "answered" => Event::Answered {
            ticket,
            secret: w.need_small(),
        },
        "agreed" => Event::Agreed {
            ticket,
            yes: w.flag("yes"),
        },
        "said" => Event::Said {
            ticket,
            text: Text(w.need_value()),
        },
        "typing" => Event::Typing { ticket },
        "ask-failed" => Event::AskFailed {
            ticket,
            fault: fault(w),
        },
        _ => return None,
    })
}

pub(super) fn action_line(action: &Action) -> String {
    match action {
        Action::Unlock { ticket, order } => order_words(answer("unlock", *ticket), order).done(),
        Action::Ask { ticket, question } => {
            let Question {
                notes,
                prompt,
                echo,
                yes_or_no,
                command,
            } = &**question;
            let echo = ECHOES.iter().find(|(known, _)| known == echo);
            let line = answer("ask", *ticket).word(prompt);
            let line = line.word(echo.map_or("", |(_, word)| word));
            let line = line.flag("yes-or-no", *yes_or_no);
            let line = line.flag("command", *command);
            let note = |line: Line, note: &String| line.key("note", note);
            notes.iter().fold(line, note).done()
        }
        Action::Withdraw { ticket } => answer("withdraw", *ticket).done(),
        Action::Abandon { ticket } => answer("abandon", *ticket).done(),
        Action::Forget { secret } => Line::new("forget").num(u64::from(*secret)).done(),
        Action::Show { what: Shown::Log } => "show log".into(),
        Action::Show { what: Shown::Trace } => "show trace".into(),
        _ => String::new(),
    }
}

pub(super) fn action(verb: &str, w: &mut Words) -> Option<Action> {
    Some(match verb {
        "show" => Action::Show {
            what: match w.need_text().as_str() {
                "log" => Shown::Log,
                "trace" => Shown::Trace,
                _ => return None,
            },
        },
        "unlock" => Action::Unlock {
            ticket: ticket(w),
            order: order(w)?.into(),
        },
        "ask" => Action::Ask {
            ticket: ticket(w),
            question: Question {
                prompt: w.need_text(),
                echo: ECHOES.iter().find(|(_, word)| w.flag(word))?.0,
                yes_or_no: w.flag("yes-or-no"),
                command: w.flag("command"),
                notes: texts(w, "note")?,
            }
            .into(),
        },
        "withdraw" => Action::Withdraw { ticket: ticket(w) },
        "abandon" => Action::Abandon { ticket: ticket(w) },
        "forget" => Action::Forget {
            secret: w.need_small(),
        },
        _ => return None,
    })
}

fn order_words(line: Line, order: &Order) -> Line {
    let line = line.word(&order.device).word(&order.name);
    let line = match &order.header {
        Some(spot) => spot_words(line, "header", spot),
        None => line,
    };
    let line = match &order.key {
        Key::Typed(number) => line.key_num("typed", u64::from(*number)),
        Key::Empty => line.flag("empty", true),
        Key::Usual(paths) => paths.iter().fold(line, |line, p| line.key("usual", p)),
        Key::At(file) => {
            let line = spot_words(line, "key", &file.spot);
            let line = line.key_num("offset", file.offset);
            let line = line.opt("size", file.size.map(|size| alloc::format!("{size}")));
            line.flag("erase", file.erase)
        }
    };
    let line = line.opt("slot", order.slot.map(|slot| alloc::format!("{slot}")));
    let flags: Vec<&str> = order.flags.names().listed();
    let line = line.opt("flags", (!flags.is_empty()).then(|| flags.joined(",")));
    line.word(if order.read_only { "ro" } else { "rw" })
}

/// `KIND=PATH`, `KIND=` and device of type, or `KIND-bytes=` a device.
fn spot_words(line: Line, kind: &str, spot: &Spot) -> Line {
    let word = |what: &str| alloc::format!("{kind}-{what}");
    match spot {
        Spot::File(path) => line.key(&word("file"), path),
        Spot::Device(device) => line.key(&word("bytes"), device),
        Spot::On {
            device,
            fstype,
            path,
        } => {
            let line = line.key(&word("file"), path).key(&word("on"), device);
            line.key(&word("type"), fstype)
        }
    }
}

fn spot(w: &mut Words, kind: &str) -> Option<Spot> {
    let mut word = |what: &str| w.key_text(&alloc::format!("{kind}-{what}"));
    match (word("file"), word("on"), word("type"), word("bytes")) {
        (Some(path), None, None, None) => Some(Spot::File(path)),
        (Some(path), Some(device), Some(fstype), None) => Some(Spot::On {
            device,
            fstype,
            path,
        }),
        (None, None, None, Some(device)) => Some(Spot::Device(device)),
        _ => None,
    }
}

fn order(w: &mut Words) -> Option<Order> {
    let (device, name) = (w.need_text(), w.need_text());
    let key = match (w.key_num("typed"), w.flag("empty"), spot(w, "key")) {
        (Some(number), false, None) => Key::Typed(u32::try_from(number).ok()?),
        (None, true, None) => Key::Empty,
        (None, false, Some(spot)) => Key::At(KeyFile {
            spot,
            offset: w.key_num("offset")?,
            size: w.key_num("size"),
            erase: w.flag("erase"),
        }),
        (None, false, None) => Key::Usual(texts(w, "usual")?),
        _ => return None,
    };
    let mut flags = Flags::default();
    let names = list(w.key_text("flags"));
    names.iter().for_each(|name| flags.set_by_name(name));
    let slot = match w.key_num("slot") {
        Some(slot) => Some(u32::try_from(slot).ok()?),
        None => None,
    };
    Some(Order {
        device,
        name,
        header: spot(w, "header"),
        key,
        slot,
        flags,
        read_only: match w.need_text().as_str() {
            "ro" => true,
            "rw" => false,
            _ => return None,
        },
    })
}

fn texts(w: &mut Words, key: &'static str) -> Option<Vec<String>> {
    let texts = all(w, key).map(String::from_utf8);
    texts.all_ok().ok()
}

#[cfg(test)]
mod tests {
    use super::super::{trace, trace_read};

    #[test]
    fn lines_come_back_as_they_were() {
        for line in [
            "crypttab home UUID=1 none luks\\x0a# two\\x09words",
            "unlocked 3",
            "unlock-failed 3 errno=0 text=no wrong-key",
            "unlock-failed 3 errno=2 text=no no-key",
            "unlock-failed 3 errno=5 text=no volume",
            "answered 4 1",
            "said 4 root\\x20LABEL\\x3da",
            "ask-failed 4 errno=0 text=no",
        ] {
            let event = trace_read::event(line).unwrap_or_else(|| panic!("unknown: {line}"));
            assert_eq!(trace::event_line(&event), line);
        }
        for line in [
            "unlock 3 vda2 home typed=7 rw",
            "unlock 3 vda2 a empty ro",
            "unlock 3 vda2 a usual=/a usual=/b slot=2 flags=allow-discards,no-journal rw",
            "unlock 3 vda2 a header-file=/h key-file=/k offset=0 erase rw",
            "unlock 3 vda2 a header-bytes=vdb key-file=/k key-on=sda1 key-type=vfat offset=5 size=9 ro",
            "unlock 3 vda2 a header-file=/h header-on=sda1 header-type=ext4 key-bytes=sdb offset=0 rw",
            "ask 5 passphrase\\x20of\\x20a masked note=x\\x20y note=z",
            "ask 5 p silent",
            "ask 5 rescue plain command note=x",
            "show log",
            "show trace",
            "withdraw 5",
            "forget 7",
        ] {
            let action = trace_read::action(line).unwrap_or_else(|| panic!("unknown: {line}"));
            assert_eq!(trace::action_line(&action), line);
        }
    }
}
