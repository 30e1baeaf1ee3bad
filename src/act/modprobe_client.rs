//! The kernel's own wish for a module: it runs what /proc/sys/kernel/modprobe names, with the
//! arguments `-q -- NAME`, and waits for its exit status (kernel/module/kmod.c).
//!
//! That program is `/init` again, a second, short-lived process: it hands the name to PID 1
//! through a socket, waits for the answer and exits. Nothing is loaded here.
//!
//! The protocol: one message with the name, one message of one byte back, 1 for "it is there".

use crate::base::fault::Fault;
use crate::sys::poll::Poll;
use crate::sys::socket::{self, Received};

/// Where PID 1 listens. `SOCK_SEQPACKET`.
pub const SOCKET: &str = "/run/landfall/modprobe";

/// How long a request waits for PID 1. Loading may take seconds on a slow machine, but a caller
/// in the kernel must not hang for ever.
const WAIT_MS: u64 = 120_000;

/// The whole life of the second process. Answers its exit status: 0, the module is there.
/// Where PID 1 does not listen any more, the answer is "no".
pub fn main(arguments: &[Vec<u8>]) -> i32 {
    let answer = requested(arguments).map(|name| ask(SOCKET, name));
    i32::from(!matches!(answer, Some(Ok(true))))
}

/// The module's name, if these are the arguments of a request by the kernel.
fn requested(arguments: &[Vec<u8>]) -> Option<&[u8]> {
    match arguments {
        [_, quiet, end, name] if quiet == b"-q" && end == b"--" => Some(name),
        _ => None,
    }
}

fn ask(path: &str, name: &[u8]) -> Result<bool, Fault> {
    let connection = socket::connect_to(path)?;
    socket::send_message(&connection, name)?;
    let poll = Poll::new()?;
    poll.add(&connection, 0)?;
    poll.wait(Some(WAIT_MS), &mut Vec::new())?;
    Ok(socket::receive_now(&connection)? == Received::Message(vec![1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_kernels_own_form_is_a_request() {
        let of = |words: &[&str]| -> Vec<Vec<u8>> {
            words.iter().map(|w| w.as_bytes().to_vec()).collect()
        };
        let request = of(&["/init", "-q", "--", "fs-ext4"]);
        assert_eq!(requested(&request), Some(&b"fs-ext4"[..]));
        for words in [
            &["/init"][..],
            &["/init", "-q", "--"],
            &["/init", "-q", "fs-ext4", "--"],
            &["/init", "-q", "--", "a", "b"],
        ] {
            assert_eq!(requested(&of(words)), None);
            assert_eq!(main(&of(words)), 1);
        }
    }

    /// A listener's answer to one request; `None` closes the connection instead.
    fn answered(name: &str, answer: Option<&[u8]>) -> Result<bool, Fault> {
        let path = std::env::temp_dir().join(format!("landfall-{}-{name}", std::process::id()));
        let path = path.to_str().unwrap();
        let listener = socket::listen_at(path).unwrap();
        let result = std::thread::scope(|scope| {
            let asker = scope.spawn(|| ask(path, name.as_bytes()));
            let poll = Poll::new().unwrap();
            poll.add(&listener, 0).unwrap();
            poll.wait(None, &mut Vec::new()).unwrap();
            let connection = socket::accept(&listener).unwrap().unwrap();
            let got = socket::receive(&connection).unwrap();
            assert_eq!(got, Received::Message(name.as_bytes().to_vec()));
            if let Some(answer) = answer {
                socket::send_now(&connection, answer).unwrap();
            }
            drop(connection);
            asker.join().unwrap()
        });
        std::fs::remove_file(path).unwrap();
        result
    }

    #[test]
    fn the_answer_is_pid_ones_and_silence_is_no() {
        assert_eq!(answered("fs-ext4", Some(&[1])), Ok(true));
        assert_eq!(answered("fs-xfs", Some(&[0])), Ok(false));
        assert_eq!(answered("fs-none", None), Ok(false));
        assert_eq!(
            ask("/nonesuch/socket", b"x").unwrap_err().errno,
            libc::ENOENT
        );
    }
}
