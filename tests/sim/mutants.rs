//! Mutants of the plan's rules: the laws must find each.
