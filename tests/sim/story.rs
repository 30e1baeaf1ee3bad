//! The record of one simulated boot, and how it is shown to a person.

use landfall::base::millis::Millis;
use landfall::format::wish::End;
use landfall::plan::action::Action;
use landfall::plan::event::Event;
use landfall::plan::trace;
use std::fmt;

/// Whatever decides: the plan, or a mutant of it.
pub trait Decider {
    fn handle(&mut self, now: Millis, event: Event) -> Vec<Action>;
    fn deadline(&self) -> Option<Millis>;
}

pub type Make<'a> = &'a dyn Fn() -> Box<dyn Decider>;

/// One event, and what the plan made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub now: Millis,
    pub event: Event,
    pub actions: Vec<Action>,
    /// `deadline()` after the event was handled.
    pub deadline: Option<Millis>,
}

/// How a world ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    HandedOver,
    Ended(End),
    Rebooted,
    /// Somebody sits in the shell and stays there.
    InShell,
    /// Nothing will happen any more, and the plan waits for it.
    Waiting,
    /// Far more steps than anything in this world can explain.
    Runaway,
    Panicked(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    pub steps: Vec<Step>,
    pub outcome: Outcome,
}

impl Story {
    /// The device of the last mount that succeeded.
    pub fn root(&self) -> Option<(String, Millis)> {
        let mut asked = std::collections::BTreeMap::new();
        let mut root = None;
        for step in &self.steps {
            if let Event::Mounted { ticket } = &step.event {
                root = asked.get(ticket).cloned().or(root);
            }
            for action in &step.actions {
                if let Action::Mount { ticket, mount } = action {
                    asked.insert(*ticket, (mount.device.clone(), step.now));
                }
            }
        }
        root
    }

    /// Every line of every failure page.
    pub fn pages(&self) -> Vec<(Millis, String)> {
        let mut pages = Vec::new();
        for step in &self.steps {
            for action in &step.actions {
                if let Action::Page { lines } = action {
                    pages.push((step.now, lines.join("\n")));
                }
            }
        }
        pages
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{}", trace::event_record(step.now, &step.event))?;
            for action in &step.actions {
                writeln!(f, "{}", trace::action_record(step.now, action))?;
            }
        }
        writeln!(f, "outcome: {:?}", self.outcome)
    }
}
