//! The house rules, as a scan of the text. (Being filled.)
