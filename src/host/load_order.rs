//! In which order the modules of a resolution are loaded, one after the other.
//!
//! `plan::modules` loads side by side what does not depend on each other; this is the same wish
//! as a list, in the order of modprobe(8): what a module needs, each with its soft dependencies
//! around it, then the module.

use crate::format::kmod::{Module, Resolution};
use std::collections::BTreeSet;

/// One module to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub module: String,
    /// Loaded only if these, which provide the same, do not load.
    pub instead_of: Vec<String>,
}

/// All modules of `found`, each once.
pub fn order(found: &Resolution) -> Vec<Step> {
    let mut order = Order {
        found,
        certain: certain(found),
        visited: BTreeSet::new(),
        placed: BTreeSet::new(),
        steps: Vec::new(),
    };
    for answer in &found.answers {
        order.visit(answer, &[]);
    }
    order.steps
}

fn module<'a>(found: &'a Resolution, name: &str) -> Option<&'a Module> {
    found.modules.iter().find(|m| m.name == name)
}

/// The answers, what they need, and the best provider of each soft dependency.
fn certain(found: &Resolution) -> BTreeSet<String> {
    let mut todo = found.answers.clone();
    let mut certain = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if !certain.insert(name.clone()) {
            continue;
        }
        if let Some(module) = module(found, &name) {
            let soft = module.before.iter().chain(&module.after);
            let best = soft.filter_map(|group| group.first());
            todo.extend(module.needs.iter().chain(best).cloned());
        }
    }
    certain
}

struct Order<'a> {
    found: &'a Resolution,
    certain: BTreeSet<String>,
    visited: BTreeSet<String>,
    placed: BTreeSet<String>,
    steps: Vec<Step>,
}

impl Order<'_> {
    /// What `name` needs, then itself.
    fn visit(&mut self, name: &str, instead_of: &[String]) {
        if !self.visited.insert(name.into()) {
            return;
        }
        let needs = module(self.found, name).map_or(&[][..], |m| &m.needs);
        for need in needs {
            self.place(need, &[]);
        }
        self.place(name, instead_of);
    }

    /// Soft dependencies, the module between them.
    fn place(&mut self, name: &str, instead_of: &[String]) {
        let module = module(self.found, name);
        self.groups(module.map_or(&[], |m| &m.before));
        if self.placed.insert(name.into()) {
            let certain = self.certain.contains(name);
            let instead_of = if certain { &[] } else { instead_of };
            self.steps.push(Step {
                module: name.into(),
                instead_of: instead_of.to_vec(),
            });
        }
        self.groups(module.map_or(&[], |m| &m.after));
    }

    fn groups(&mut self, groups: &[Vec<String>]) {
        for group in groups {
            for (i, provider) in group.iter().enumerate() {
                self.visit(provider, group.get(..i).unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::event::Event;
    use crate::plan::trace_read;

    #[test]
    fn what_is_needed_comes_first_and_a_second_provider_only_if_the_first_fails() {
        let check = |line: &str, expected: &str| {
            let event = trace_read::event(&format!("resolved 1 {line}"));
            let Some(Event::Resolved { resolution, .. }) = event else {
                panic!("{line}");
            };
            let steps = order(&resolution);
            let steps = steps.iter().map(|s| match s.instead_of.as_slice() {
                [] => s.module.clone(),
                others => format!("{}({})", s.module, others.join("|")),
            });
            assert_eq!(steps.collect::<Vec<_>>().join(" "), expected);
        };
        check("answers=a module=a:c,b:: module=b::: module=c:::", "c b a");
        check(
            "answers=a module=a:b:x|y:z module=b::: module=x::: module=y::: module=z:::",
            "b x y(x) a z",
        );
        // The second provider is needed by another: no doubt about it.
        check(
            "answers=a,b module=a::x|y: module=b:y:: module=x::: module=y:::",
            "x y a b",
        );
        // A circle of wishes ends.
        check("answers=a module=a::b: module=b::a:", "b a");
        check("", "");
    }
}
