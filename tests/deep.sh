#!/usr/bin/env bash
# All that `ci/run` checks, with more of everything, and what is too slow for it. Takes hours.
#
#   tests/deep.sh               all stages
#   tests/deep.sh loom storm    these
#   tests/deep.sh --record      puts the last table into VERIFICATION.md
#
# A stage that passes leaves its row in `target/deep`, under the commit, and is not run again for that commit.
# So after an interruption the same command continues: models, cancellations, seconds of fuzzing, repeats and
# mutants are counted on the way. A stage that fails does not stop the others. At the end the table of all rows is
# printed; it is also `target/deep/table.md`.
#
# HCHAN_DEEP, HCHAN_SCHEDULES, HCHAN_HISTORIES, HCHAN_CANCELS, HCHAN_LEASES, HCHAN_FUZZ, HCHAN_REPEATS and
# HCHAN_SHARDS ask for other numbers than those below.
source "$(dirname "${BASH_SOURCE[0]}")/../ci/common"

if [[ ${1-} == --record ]]; then
    name=record
    [[ -s $target/deep/table.md ]]
    sed -i -e '/^<!-- figures -->$/,/^<!-- end of figures -->$/ { //!d }' \
        -e "/^<!-- figures -->\$/r $target/deep/table.md" VERIFICATION.md
    exit
fi

stages=(loom shuttle histories storm leases fuzz address leak thread coverage targets machines runtimes wasm
    interrupt comparison release zoo mutants repeats)
declare -A amounts=(
    [loom]=${HCHAN_DEEP:-1}             # more preemptions than on each change
    [shuttle]=${HCHAN_SCHEDULES:-500000} # orders of each model, at random and by priorities
    [histories]=${HCHAN_HISTORIES:-50000}
    [storm]=${HCHAN_CANCELS:-10000000}   # cancellations
    [leases]=${HCHAN_LEASES:-10000000}   # that are dropped
    [fuzz]=${HCHAN_FUZZ:-240}            # seconds
    [mutants]=${HCHAN_SHARDS:-8}         # parts of eight that are tried
    [repeats]=${HCHAN_REPEATS:-1000}     # of all tests
)

# The commit, and a hash of what is not committed, if anything.
state_of_tree() {
    local commit changes
    commit=$(git rev-parse --short=12 HEAD)
    changes=$(git status --porcelain --untracked-files=all)
    [[ -z $changes ]] || commit+=-$({ echo "$changes"; git diff HEAD; } | sha1sum | cut -c1-7)
    echo "$commit"
}

commit=$(state_of_tree)
work=$target/deep/$commit
mkdir -p "$work"

# Fails if the sources have changed since the start.
assert_same_tree() {
    [[ $(state_of_tree) == "$commit" ]] || {
        name='the sources have changed meanwhile' log=''
        return 1
    }
}

# row WHAT FIGURES COMMAND: the last thing that a stage does.
row() {
    assert_same_tree
    printf '| %s | %s | `%s` |\n' "$1" "$2" "$3" >"$state.new"
    mv "$state.new" "$state.row"
}

# in_parts EACH COMMAND...: runs the command for a part of the amount at a time, as `COMMAND FIRST COUNT`,
# starting where the last run was interrupted.
in_parts() {
    local each=$1 first count
    shift
    first=$(cat "$state.count" 2>/dev/null || echo 0)
    while ((first < amount)); do
        count=$((amount - first < each ? amount - first : each))
        assert_same_tree
        step "$stage $(printf %08d "$first") and $count more" "$@" "$first" "$count"
        first=$((first + count))
        echo "$first" >"$state.new"
        mv "$state.new" "$state.count"
    done
}

# The logs of the parts.
part_logs() {
    echo "$logs/$stage-"*-and-*
}

# thousands NUMBER: 1234567 is 1 234 567.
thousands() {
    sed -E ':more; s/^([0-9]+)([0-9]{3})/\1 \2/; t more' <<<"$1"
}

# The models, one by one, under a checker.

build_models() {
    RUSTFLAGS="--cfg hchan_$stage" CARGO_TARGET_DIR=$target/$stage \
        cargo test --release --test "$stage" --no-run
}

# Runs those models that have not passed yet.
run_models() {
    "$program" --list --format terse | sed -n 's/: test$//p' >"$state/list"
    local model
    while read -r model; do
        [[ -e $state/$model ]] || echo "$model"
    done <"$state/list" | xargs -r -P "$(nproc)" -n 1 bash -c '
        if "$0" --exact "$2" --nocapture >"$1/new-$2" 2>&1; then
            mv "$1/new-$2" "$1/$2"
        else
            cat "$1/new-$2"
            exit 255
        fi' "$program" "$state"
}

models() {
    mkdir -p "$state"
    step "build the models for $stage" build_models
    program=$(sed -nE 's/^ *Executable .* \((.*)\)$/\1/p' "$log")
    step "models under $stage" run_models
    count=$(wc -l <"$state/list")
    runs=$(thousands "$(sed -nE 's/.*\((Complete|Bounded.*)\): ([0-9]+) runs, .*/\2/p' "$state"/models::* |
        awk '{ sum += $1 } END { print sum }')")
}

stage_loom() {
    export HCHAN_DEEP=$amount
    models
    row "the models under loom; where preemptions are bounded, $amount more than on each change" \
        "$count models, $runs executions, each outcome seen and no other" 'tests/deep.sh loom'
}

stage_shuttle() {
    export HCHAN_SCHEDULES=$amount
    models
    row "the models under shuttle, $(thousands "$amount") orders at random and as many by priorities, depth 3" \
        "$count models, $runs executions, each outcome seen and no other" 'tests/deep.sh shuttle'
}

# Threads.

stage_histories() {
    HCHAN_HISTORIES=$amount step 'histories' \
        cargo test --release --test linearizable -- --nocapture --test-threads 1
    # Each test rounds up.
    local figures
    figures=$(
        grep -oE 'Tally \{.*\}' "$log" | tr -d ',}' | awk '
            { for (i = 3; i < NF; i += 2) sum[$i] += $(i + 1) }
            END { printf "%d histories of %d calls, %d of them only in another order than they began, %d undecided, none wrong",
                sum["histories:"], sum["calls:"], sum["reordered:"], sum["undecided:"] }'
    )
    row 'recorded histories against the model' "$figures" 'tests/deep.sh histories'
}

storm() {
    # No game comes twice.
    HCHAN_SEED=$1 HCHAN_CANCELS=$2 cargo test --release --test storm -- --nocapture
}

stage_storm() {
    in_parts 1000000 storm
    local figures
    # shellcheck disable=SC2046
    figures=$(
        sed -nE 's/.*parked: \[([^]]*)\], served: \[([^]]*)\], leases: ([0-9]+), received: ([0-9]+).*/\1; \2; \3; \4/p' $(part_logs) |
            awk -F '; ' '
                function sum(list, all, n, total) { for (n = split(list, all, ", "); n; n--) total += all[n]; return total }
                { parked += sum($1); served += sum($2); leases += $3; received += $4 }
                END { printf "%d cancellations, %d of them after the future was served, and %d leases dropped; %d values received; none lost, twice, stuck or out of order",
                    parked + served, served, leases, received; exit !received }'
    )
    row 'cancellations by four threads' "$figures" 'tests/deep.sh storm'
}

stage_leases() {
    HCHAN_LEASES=$amount step 'leases' cargo test --release --test storm -- --nocapture leases_that
    local figures
    figures=$(
        sed -nE 's/.*leases, .*: ([0-9]+) dropped, ([0-9]+) values taken.*/\1 \2/p' "$log" |
            awk '{ dropped += $1; taken += $2 }
                END { printf "%d dropped in any order, %d values taken; none lost, twice or out of order", dropped, taken; exit !taken }'
    )
    row 'leases, beside three threads that send' "$figures" 'tests/deep.sh leases'
}

# One thread.

fuzz() {
    fuzz/run.sh "$2"
}

stage_fuzz() {
    in_parts 60 fuzz
    local figures
    # shellcheck disable=SC2046
    figures=$(scripts_played $(part_logs) | sed 's/^ *//')
    row "$amount seconds of fuzzing against the model" "$figures" 'tests/deep.sh fuzz'
}

# script COMMAND...: runs one of `ci`, and keeps what it says in `said`.
script() {
    said=$state.said
    "$@" | tee "$said"
}

# from_script WHAT SED: its row, with what the expression finds in what the script has said, or with
# the reason why it has checked nothing.
from_script() {
    local figures
    figures=$(sed -nE "s/^ *(NOT CHECKED.*)/\\1/p; $2" "$said" | paste -sd ';' | sed 's/;/; /g')
    [[ -n $figures ]]
    row "$1" "$figures" "tests/deep.sh $stage"
}

sanitizer() {
    script ci/sanitizers "$stage"
    from_script "the tests under $1" "s/^ *tests under $1: (.*)/\\1, 0 reports, 0 suppressions/p"
}

stage_address() {
    sanitizer AddressSanitizer
}

stage_leak() {
    sanitizer LeakSanitizer
}

stage_thread() {
    sanitizer ThreadSanitizer
}

stage_coverage() {
    script ci/coverage
    from_script 'coverage of `src`' \
        's/^all +([0-9]+) +([0-9.]+ %) +([0-9]+) +([0-9.]+ %)/\2 of \1 lines, \4 of \3 branches/p'
}

bare=(thumbv7em-none-eabi riscv32imac-unknown-none-elf wasm32-unknown-unknown)
# Those that cannot compare and swap.
plain=(thumbv6m-none-eabi riscv32imc-unknown-none-elf)

# The library alone, for machines that have no `std`. Nothing runs there.
build_bare() {
    local libs=("$rust"/lib/*-linux-gnu) machine features
    for machine in "${bare[@]}" "${plain[@]}"; do
        features=sink
        [[ " ${plain[*]} " != *" $machine "* ]] || features+=,portable-atomic,critical-section
        RUSTC=$rust/bin/rustc LD_LIBRARY_PATH=${libs[0]} RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target/bare \
            RUSTFLAGS='--cfg portable_atomic_unsafe_assume_single_core' \
            cargo build --lib --no-default-features --features "$features" -Zbuild-std=core,alloc \
            --target "$machine"
    done
}

stage_targets() {
    step 'fetch the library' fetch_library
    local figures='NOT CHECKED: the source of the library cannot be had here'
    if [[ -n $rust ]]; then
        step 'builds without std' build_bare
        figures="${bare[*]}, and with \`portable-atomic\` and \`critical-section\` ${plain[*]}"
    fi
    row 'builds without `std`' "$figures" 'tests/deep.sh targets'
}

stage_machines() {
    script ci/targets --all
    from_script 'all tests on other machines' 's/^ *tests on (.*: .*)/\1/p'
}

runtimes() {
    CARGO_TARGET_DIR=$target/runtimes \
        cargo test --manifest-path tests/runtimes/Cargo.toml --features glommio -- --nocapture
}

# glommio refuses to run where the system refuses io_uring: then this fails, and says so.
stage_runtimes() {
    step 'tests on actix, embassy, glommio and monoio' runtimes
    row 'any two of actix, embassy, glommio, monoio and plain threads' \
        "$(sed -n 's/^test result: ok\. \([0-9]* passed\).*/\1/p' "$log" | head -1); $(grep -m 1 '^monoio has' "$log")" \
        'tests/deep.sh runtimes'
}

stage_wasm() {
    script ci/wasm --all
    from_script 'WebAssembly' 's/^ *(tests|examples) in (.*: .*)/\2/p'
}

stage_interrupt() {
    script ci/interrupt
    from_script 'an interrupt that sends to what it interrupts' 's/^ *tests in an interrupt, (.*: .*)/\1/p'
}

comparison() {
    CARGO_TARGET_DIR=$target/compare cargo test --release --manifest-path benches/compare/Cargo.toml
}

stage_comparison() {
    step 'what COMPARE claims, and every rival in every cell' comparison
    row 'the claims of COMPARE' "$(grep -c '^test .* ok$' "$log") tests, each rival in each cell among them" \
        'tests/deep.sh comparison'
}

stage_release() {
    script ci/release
    from_script 'what the library brings along, and what a release may change' 's/^ *(cargo-.*|no advisories)/\1/p'
}

stage_zoo() {
    if [[ ! -x tests/zoo.sh ]]; then
        row 'bugs put in on purpose' 'NOT CHECKED: there is no zoo' 'tests/deep.sh zoo'
        return
    fi
    script tests/zoo.sh
    local bugs
    bugs=$(grep -c '^|' "$target/zoo/table.md")
    # Its table has a head of two lines, and a row without a bug.
    row 'bugs put in on purpose' "$((bugs - 3)) bugs, each caught by two tools or more" 'tests/deep.sh zoo'
}

# One of eight shards: whether its own score is enough does not matter, if it has one.
mutants() {
    ci/mutants --shard "$1/8" || grep -q ' of [0-9]* noticed: ' "$log"
}

stage_mutants() {
    in_parts 1 mutants
    name='mutants of which at least 95 % are noticed'
    # shellcheck disable=SC2046
    set -- $(part_logs)
    grep -h 'not noticed: \|hangs: ' "$@" | sort >"$state.list" || true
    local figures
    figures=$(awk '/ of [0-9]+ noticed: / { noticed += $1; all += $3 }
        END { printf "%d of %d noticed: %.1f %%", noticed, all, 100 * noticed / all; exit noticed * 100 < all * 95 }' "$@")
    row 'the library broken in one place at a time' "$figures" 'tests/deep.sh mutants'
}

# Again and again.

# These try all there is on one thread, and nothing about them is left to chance.
exhaustive='test(/in_every_short_script/)'

fetch_nextest() {
    cargo nextest --version ||
        cargo install cargo-nextest --locked --root "$cache/cargo-nextest" --target-dir "$target/nextest"
}

repeat() {
    cargo nextest run --release --status-level fail --stress-count "$2" -E "not $exhaustive"
}

stage_repeats() {
    PATH=$PATH:$cache/cargo-nextest/bin
    step 'fetch nextest' fetch_nextest
    step 'tests that leave nothing to chance' cargo nextest run --release -E "$exhaustive"
    local once figures
    once=$(sed -nE 's/^ *Starting ([0-9]+) tests.*/\1/p' "$log")
    in_parts 20 repeat
    figures=$(
        # shellcheck disable=SC2046
        sed -nE 's/^ *Stress test .* iteration [0-9/]+: ([0-9]+) tests run: ([0-9]+) passed.*/\1 \2/p' $(part_logs) |
            awk -v all="$amount" '{ repeats++; run += $1; passed += $2 }
                END { printf "%d repeats, %d tests run, %d failed", repeats, run, run - passed; exit run != passed || repeats != all }'
    )
    row "all tests in release again and again, but for those $once that leave nothing to chance" \
        "$figures" 'tests/deep.sh repeats'
}

# The stages, each in a process of its own, so that one may fail.

print_table() {
    echo "Commit $commit, $(rustc --version | cut -d ' ' -f 1,2), on $(uname -m) with $(nproc) processors."
    echo
    echo '| what | figures | command |'
    echo '|---|---|---|'
    for stage in "${stages[@]}"; do
        cat "$work/$stage-${amounts[$stage]:-all}.row" 2>/dev/null ||
            [[ " ${failed[*]} " != *" $stage "* ]] ||
            printf '| %s | **failed** | `tests/deep.sh %s` |\n' "$stage" "$stage"
    done
}

# The whole file is read before anything runs, so it may change meanwhile.
main() {
    local stage status
    failed=()
    for stage in "${@:-${stages[@]}}"; do
        declare -F "stage_$stage" >/dev/null || {
            name="there is no stage $stage, but ${stages[*]}"
            exit 2
        }
        amount=${amounts[$stage]:-all}
        state=$work/$stage-$amount
        if [[ -e $state.row ]]; then
            echo "==> $stage: done before"
            continue
        fi
        echo "==> stage $stage"
        name=$stage log='' logs=$state.logs
        mkdir -p "$logs"
        # Not `if (...)`, which would let it go on after an error.
        set +e
        (
            set -e
            trap finish EXIT
            "stage_$stage"
        )
        status=$?
        set -e
        ((status == 0)) || failed+=("$stage")
    done

    name=table log=''
    print_table | tee "$target/deep/table.md"
    if ((${#failed[@]})); then
        name="stages ${failed[*]}"
        exit 1
    fi
}

main "$@"; exit
