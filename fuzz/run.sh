#!/usr/bin/env bash
# Fuzzes for so many seconds, and fails if crate and model differ: fuzz/run.sh SECONDS
#
# It needs a stable toolchain, and installs `cargo-fuzz` into a cache folder. It begins with `corpus`; the inputs
# that it finds interesting are kept beside the build, and the next run continues with them.
# On a difference it prints the script, and leaves the input in `artifacts`.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?for how many seconds}

# The fuzzer's instrumentation is unstable, and no cargo tool may ask rustup for a nightly.
export RUSTC_BOOTSTRAP=1 RUSTUP_DIST_SERVER=file:///nonexistent
export RUST_BACKTRACE=0

cache=${XDG_CACHE_HOME:-$HOME/.cache}/hchan-ci/cargo-fuzz
fuzz=$cache/bin/cargo-fuzz
[[ -x $fuzz ]] || cargo install cargo-fuzz --version 0.13.2 --locked --root "$cache"

target=${CARGO_TARGET_DIR:-$PWD/../target}/fuzz
found=$target/corpus
mkdir -p "$found"

# Without a sanitizer: the crate has no unsafe code, and values that are dropped are counted.
"$fuzz" run --fuzz-dir . --target-dir "$target" --sanitizer none model "$found" corpus/model -- \
    -max_total_time="$seconds" -max_len=300 -timeout=20 -print_final_stats=1
