//! LUKS against the tool that everybody else unlocks with: headers made by the real cryptsetup, on
//! plain files, without root and without device-mapper.
//!
//! `made`: the headers, each made once; `oracle`: what cryptsetup says of them.
//! `headers`: reading them; `damage`: bent and hostile ones; `keys`: unlocking them; `within`: what
//! `landfall explain` finds inside.

mod damage;
mod headers;
mod keys;
mod made;
mod oracle;
mod within;
