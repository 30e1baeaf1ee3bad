//! Small worlds, completely: every order in which their devices can arrive.
