#!/bin/sh
# Fuzzes each parser, and the plan, for SECONDS each (60), two at a time on two CPUs.
# sh tests/fuzz.sh [SECONDS | COUNTx [TARGET…]]; an hour each: sh tests/fuzz.sh 3600
# COUNTx: so many inputs, the same each time, so that a run on another machine ends as here.
# What was found is kept in target/fuzz/corpus, what breaks something in target/fuzz/corpus/crashes.
set -eu
cd "$(dirname "$0")/.."
length=${1:-60}
[ $# -eq 0 ] || shift

# LLVM counts the edges that are passed: what cargo-fuzz passes, too, and stable compilers take it.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Ccodegen-units=1 -Cdebug-assertions=on \
-Coverflow-checks=on --cfg fuzzing" \
    cargo build --quiet --profile fuzz --example fuzz --target-dir target/fuzz \
    --target "$(rustc -vV | sed -n 's/^host: //p')"
fuzz=$(echo target/fuzz/*/fuzz/examples/fuzz)
[ $# -gt 0 ] || set -- $("$fuzz" list)
echo "fuzzing $# targets, $length each"
printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' "$fuzz" '{}' "$length" 'target/fuzz/corpus/{}'
