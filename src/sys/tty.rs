//! Terminal settings. termios(3), tty_ioctl(4), asm-generic/termbits.h.
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;
use rustix::termios::{ControlModes, InputModes, LocalModes, OutputModes};
use rustix::termios::{OptionalActions, QueueSelector, SpecialCodeIndex};
use rustix::termios::{tcflush, tcgetattr, tcsetattr};
use std::ops::IndexMut;

/// Opens a terminal for writing only, without waiting: not for a carrier, and not for room when
/// bytes are written. Anything else by that name is refused with `ENOTTY`, and not touched.
pub fn open_listener(path: &str) -> Outcome<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    // Asked before it is opened: to open some devices is to use them.
    let place = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    let place = place.and_then(fstat).map_err(Fail::of("open", &path))?;
    if FileType::from_raw_mode(place.st_mode) != FileType::CharacterDevice {
        return Err(Fail::of("open", &path)(Errno::NOTTY));
    }
    let fd = open(path, flags, Mode::empty()).map_err(Fail::of("open", &path))?;
    tcgetattr(&fd).map_err(Fail::of("tcgetattr", &path))?;
    Ok(fd)
}

/// Writes what there is room for; how much that was.
pub fn write_some(tty: impl AsFd, bytes: &[u8]) -> Outcome<usize> {
    match rustix::io::write(tty, bytes) {
        Ok(count) => Ok(count),
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        Err(errno) => Err(Fail::of("write", &"terminal")(errno)),
    }
}

/// Line editing, echo, signals from keys, line breaks translated both ways; the speed stays.
/// What a person expects who finds a shell there.
pub fn make_sane(tty: impl AsFd) -> Outcome<()> {
    let mut settings = tcgetattr(&tty).map_err(Fail::of("tcgetattr", &"terminal"))?;
    settings.control_modes -= ControlModes::CSIZE;
    settings.control_modes |= ControlModes::CREAD | ControlModes::CS8 | ControlModes::HUPCL;
    settings.input_modes &= InputModes::IUTF8;
    settings.input_modes |= InputModes::ICRNL | InputModes::IXON | InputModes::BRKINT;
    settings.output_modes = OutputModes::OPOST | OutputModes::ONLCR;
    settings.local_modes = LocalModes::ISIG
        | LocalModes::ICANON
        | LocalModes::IEXTEN
        | LocalModes::ECHO
        | LocalModes::ECHOE
        | LocalModes::ECHOK
        | LocalModes::ECHOCTL
        | LocalModes::ECHOKE;
    // INIT_C_CC of linux/termios_internal.h.
    for (index, code) in [
        (SpecialCodeIndex::VINTR, 0x03),
        (SpecialCodeIndex::VQUIT, 0x1c),
        (SpecialCodeIndex::VERASE, 0x7f),
        (SpecialCodeIndex::VKILL, 0x15),
        (SpecialCodeIndex::VEOF, 0x04),
        (SpecialCodeIndex::VMIN, 1),
        (SpecialCodeIndex::VTIME, 0),
        (SpecialCodeIndex::VSTART, 0x11),
        (SpecialCodeIndex::VSTOP, 0x13),
        (SpecialCodeIndex::VSUSP, 0x1a),
    ] {
        *settings.special_codes.index_mut(index) = code;
    }
    tcsetattr(&tty, OptionalActions::Now, &settings).map_err(Fail::of("tcsetattr", &"terminal"))
}

/// How a terminal was set before.
pub struct Settings(rustix::termios::Termios);

/// Each key at once, and nothing shown by itself; what was typed before is thrown away.
pub fn make_raw(tty: impl AsFd) -> Outcome<Settings> {
    let before = tcgetattr(&tty).map_err(Fail::of("tcgetattr", &"terminal"))?;
    let mut settings = before.clone();
    settings.input_modes -= InputModes::ICRNL | InputModes::IXON | InputModes::ISTRIP;
    settings.local_modes -=
        LocalModes::ISIG | LocalModes::ICANON | LocalModes::IEXTEN | LocalModes::ECHO;
    settings.output_modes |= OutputModes::OPOST | OutputModes::ONLCR;
    *settings.special_codes.index_mut(SpecialCodeIndex::VMIN) = 1;
    *settings.special_codes.index_mut(SpecialCodeIndex::VTIME) = 0;
    // Now: a line that takes nothing would be waited for.
    let set = tcsetattr(&tty, OptionalActions::Now, &settings);
    set.map_err(Fail::of("tcsetattr", &"terminal"))?;
    let _ = tcflush(&tty, QueueSelector::IFlush);
    Ok(Settings(before))
}

pub fn restore(tty: impl AsFd, before: &Settings) {
    let _ = tcflush(&tty, QueueSelector::IFlush);
    let _ = tcsetattr(&tty, OptionalActions::Now, &before.0);
}

/// Reads what was typed, without waiting, if the terminal was opened so. `None`: nothing yet; 0: it
/// is gone.
pub fn read_some(tty: impl AsFd, buffer: &mut [u8]) -> Outcome<Option<usize>> {
    match rustix::io::read(tty, buffer) {
        Ok(count) => Ok(Some(count)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(errno) => Err(Fail::of("read", &"terminal")(errno)),
    }
}

/// Makes the terminal the controlling one of the caller, whosever it was before. The caller has
/// called setsid(2): `process::new_session`.
pub fn make_controlling(tty: impl AsFd) -> Outcome<()> {
    let fd = tty.as_fd().as_raw_fd();
    // SAFETY: TIOCSCTTY takes an int by value; `fd` is borrowed for the call.
    if unsafe { libc::ioctl(fd, libc::TIOCSCTTY as _, 1) } == 0 {
        return Ok(());
    }
    Err(Fail::last("ioctl TIOCSCTTY", &"terminal"))
}
