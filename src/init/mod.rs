//! The loop that joins plan and act. Decides nothing.
//!
//! | File | What it is |
//! |---|---|
//! | `early` | before anything works: mounts, console, log, panic hook, signals |
//! | `event_loop` | waits for uevents, workers, the kernel's modprobe, signals, one timer |
//! | `translate` | kernel uevents to events |
//! | `dispatch` | actions to act calls: what is quick here, what is slow in a worker |
//! | `workers` | processes that do slow jobs: told an action line, answer an event line |
//! | `job` | what a worker does with one action |
//! | `connecting` | a worker's conversation with a server of blocks |
//! | `keeping` | the process that connects a network block device again, later, too |
//! | `leasing`, `leasing6` | a worker's conversation with DHCP servers, of IPv4 and of IPv6 |
//! | `lookup` | the same with name servers |
//! | `links` | what the kernel tells of network links |
//! | `kernel_requests` | answers the kernel's modprobe |
//! | `questions` | what is asked on the consoles |
//! | `secrets` | what was typed there, by number |
//! | `shutdown` | the end of the real system |
//! | `record` | the trace, kept in memory and left in `/run/landfall/trace` |

mod connecting;
mod dispatch;
mod early;
mod event_loop;
mod job;
mod keeping;
mod kernel_requests;
mod leasing;
mod leasing6;
mod links;
mod lookup;
mod questions;
mod record;
mod secrets;
mod shutdown;
mod translate;
mod workers;

use crate::act::{gather_words, modprobe_client};
use crate::format::wish::Wish;
use crate::sys::process;

/// Whatever this program was started as. Never returns.
pub fn main() -> ! {
    let arguments = process::own_arguments();
    if shutdown::is_meant(&arguments) {
        shutdown::main(&arguments)
    }
    if process::own_pid() == 1 {
        boot(&arguments)
    }
    let code = keeping::main(&arguments);
    process::exit_now(code.unwrap_or_else(|| modprobe_client::main(&arguments)))
}

/// The whole boot, as PID 1.
fn boot(arguments: &[Vec<u8>]) -> ! {
    early::prepare();
    let words = gather_words::gather("/");
    // From here on whatever fails ends as it was asked for.
    early::set_policy(Wish::from_cmdline(&words).end);
    let files = gather_words::files("/");
    let mut machine = event_loop::Machine::new(arguments);
    machine.run(words, files)
}
