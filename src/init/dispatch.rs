//! Actions to act calls. What is quick is done here and answered at once; what may block goes to
//! a worker.

use super::event_loop::Machine;
use super::job::NEW_ROOT;
use super::questions::WITHDRAWN;
use super::{early, translate};
use crate::act::{
    coldplug, console_log, end, find_init, flash, hand_over, kernel_lines, keyboards,
    leave_network, leave_shutdown, mdadm_map, shell, trace_file, watch_drives,
};
use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::format::wish::{End, Talk};
use crate::plan::action::{Action, Level, NetAction, Scope, Shown};
use crate::plan::bus::LIKELY;
use crate::plan::event::{Event, Ticket};

impl Machine {
    /// Does one action; events that answer it at once go to the queue.
    pub(super) fn dispatch(&mut self, action: Action) {
        match action {
            Action::Walk { ticket, scope } => self.walk(ticket, scope),
            Action::Resolve { ticket, alias } => {
                let resolution = self.catalog.resolve(alias.as_bytes());
                self.queue.push(Event::Resolved {
                    ticket,
                    resolution: resolution.into(),
                });
            }
            Action::Net {
                ticket,
                order: NetAction::WatchLinks,
            } => self.watch_links(ticket),
            Action::Load { .. }
            | Action::Probe { .. }
            | Action::Read { .. }
            | Action::Links { .. }
            | Action::AskFirmware { .. }
            | Action::Unlock { .. }
            | Action::Map { .. }
            | Action::Assemble { .. }
            | Action::Announce { .. }
            | Action::Attach { .. }
            | Action::Net { .. }
            | Action::Check { .. }
            | Action::Hook { .. }
            | Action::Mount { .. }
            | Action::Layer { .. }
            | Action::FindInit { .. } => {
                let answer = self.workers.submit(action, &self.catalog, &self.poll);
                self.queue.extend(answer);
            }
            Action::Resume { .. } => {
                // All that is in memory may be replaced.
                self.record.write();
                let answer = self.workers.submit(action, &self.catalog, &self.poll);
                self.queue.extend(answer);
            }
            Action::Ask { ticket, question } => self.ask(ticket, &question),
            Action::Abandon { ticket } => self.workers.abandon(ticket, &self.poll),
            Action::Withdraw { .. } => self.close_question(WITHDRAWN),
            Action::Forget { secret } => self.workers.secrets.forget(secret),
            Action::HandOver {
                ticket,
                init,
                arrays,
                net,
            } => {
                mdadm_map::leave(NEW_ROOT, &arrays);
                leave_network::leave(&net);
                self.hand_over(ticket, &init);
            }
            Action::Stay { ticket, init } => self.stay(ticket, init.as_ref()),
            Action::WatchDrives => {
                watch_drives::start();
                self.watching = true;
            }
            Action::LeaveShutdown => leave_shutdown::leave(),
            Action::Reply { request, ok } => self.reply(request, ok),
            Action::Say { level, text } => log::log!(log_level(level), "{text}"),
            Action::Page { lines } => self.page(&lines),
            Action::Fallback { lines } => trace_file::leave_fallback(&lines),
            Action::Show { what } => self.show(what),
            Action::Shell { ticket } => self.open_shell(ticket),
            Action::End { end } => self.end(end),
            Action::Reboot => end::reboot(),
        }
    }

    fn page(&mut self, lines: &[String]) {
        self.record.write();
        console_log::page(lines);
    }

    fn show(&self, what: Shown) {
        console_log::show(&match what {
            Shown::Log => kernel_lines::last(),
            Shown::Trace => self.record.last(),
        });
    }

    fn reply(&mut self, request: u32, ok: bool) {
        if let Some(requests) = &mut self.requests {
            requests.reply(request, ok);
        }
    }

    /// Takes over what the wish says about ourselves.
    pub(super) fn heed_wish(&mut self) {
        let wish = self.plan.wish();
        early::set_policy(wish.end);
        self.record.loud = wish.talk == Talk::Debug;
        self.record.listener = wish.trace.clone();
        console_log::set_debug(wish.talk == Talk::Debug);
    }

    fn walk(&mut self, ticket: Ticket, scope: Scope) {
        let queue = &mut self.queue;
        let buses = match scope {
            Scope::Likely => Some(LIKELY),
            Scope::All => None,
        };
        let walked = coldplug::walk(buses, &mut |uevent| {
            queue.extend(translate::event(&uevent));
            queue.extend(translate::bound(&uevent));
        });
        flash::walk(&mut |uevent| queue.extend(translate::event(&uevent)));
        if let Err(fault) = walked {
            log::error!("{fault}");
        }
        self.queue.push(Event::Walked { ticket });
    }

    /// Becomes the init of the image.
    fn stay(&mut self, ticket: Ticket, init: Option<&Text>) {
        let fault = match find_init::find_in_image("/", init.map(Text::as_bytes)) {
            Ok(path) => {
                self.leave();
                hand_over::stay(&path, &self.arguments, &self.environment)
            }
            Err(fault) => fault,
        };
        self.queue.push(Event::InitMissing { ticket, fault });
    }

    /// Leaves everything as the real init expects it, and becomes it.
    fn hand_over(&mut self, ticket: Ticket, init: &Text) {
        self.leave();
        let fault = hand_over::hand_over(
            NEW_ROOT,
            init,
            &self.arguments,
            &self.environment,
            self.began,
        );
        self.queue.push(Event::HandOverFailed { ticket, fault });
    }

    /// Nothing of us runs on.
    fn leave(&mut self) {
        self.record.write();
        self.close_question(WITHDRAWN);
        self.workers.secrets.forget_all();
        self.workers.dismiss();
        if self.watching {
            watch_drives::stop();
        }
        if let Some(requests) = self.requests.take() {
            requests.restore();
        }
    }

    fn open_shell(&mut self, ticket: Ticket) {
        log::info!("{}", keyboards::sentence());
        match shell::open() {
            Ok(pid) => self.shell = Some((pid, ticket)),
            Err(fault) => {
                let fault = Some(fault);
                self.queue.push(Event::ShellLeft { ticket, fault });
            }
        }
    }

    /// A child of ours, or an orphan, is gone.
    pub(super) fn reaped(&mut self, pid: i32) {
        if let Some((shell, ticket)) = self.shell
            && shell == pid
        {
            self.shell = None;
            self.queue.push(Event::ShellLeft {
                ticket,
                fault: None,
            });
        }
    }

    fn end(&mut self, end: End) {
        self.workers.secrets.forget_all();
        self.workers.dismiss();
        match end {
            // The loop goes on: it reaps, and ctrl-alt-del still works.
            End::Halt => log::error!("halted; ctrl-alt-del reboots ({})", keyboards::sentence()),
            End::Reboot(_) => end::reboot(),
            End::PowerOff => end::power_off(),
        }
    }
}

fn log_level(level: Level) -> log::Level {
    match level {
        Level::Error => log::Level::Error,
        Level::Warning => log::Level::Warn,
        Level::Notice | Level::Info => log::Level::Info,
        Level::Debug => log::Level::Debug,
    }
}

/// A system interface that every boot needs refused to work.
pub(super) fn hopeless(what: &str, fault: impl Into<Fault>) -> ! {
    let fault = fault.into();
    // ON PURPOSE: the panic hook ends the boot as the command line says.
    panic!("{what}: {fault}")
}
