//! Computation on secrets: key derivation, anti-forensic merge, key slots. Pure; wipes what it
//! held.
//!
//! Empty until the storage stack arrives; the floor and its fence stand so that nothing else
//! grows here.
