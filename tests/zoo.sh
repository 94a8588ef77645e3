#!/usr/bin/env bash
# Puts one bug at a time into the crate, and shows which tools catch it: `tests/zoo.sh` for all bugs,
# `tests/zoo.sh NAME...` for some, `tests/zoo.sh --check` only to see that each still goes in and builds.
#
# A bug is a patch in `tests/zoo`, which says what is wrong then, and which channels have or had that, in
# the versions that README names unless others are given. What nobody has is what might come to this crate.
#
# A tool catches a bug if its tests fail, or do not end in twice the time that they take without a bug
# and ten seconds more. Fails if a tool finds fault with the crate as it is, or if fewer than two catch
# a bug.
source "$(dirname "${BASH_SOURCE[0]}")/../ci/common"

least=2
work=$target/zoo
crate=$work/crate
table=$work/table.md
tools=(unit scenarios memory model histories storm loom shuttle)
declare -A limit

# What the tests ask of themselves; a bug that needs more has got the better of them.
export HCHAN_HISTORIES=6000 HCHAN_CANCELS=60000 HCHAN_SCHEDULES=2000
export CARGO_PROFILE_DEV_DEBUG=false RUST_BACKTRACE=0

bugs=()
for patch in tests/zoo/*.patch; do
    bugs+=("$(basename "$patch" .patch)")
done

# Makes the copy of the crate that bugs go into.
copy() {
    rm -rf "$crate"
    mkdir -p "$crate"
    git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$crate"
    [[ ! -e Cargo.lock ]] || cp Cargo.lock "$crate"
}

# Puts the bug into the copy, or with `-R` takes it out again.
put() {
    [[ $bug == none ]] ||
        GIT_CEILING_DIRECTORIES=$work git -C "$crate" apply "$@" "$crate/tests/zoo/$bug.patch"
}

# Sets `build`, how the tool's tests are built, and `tests`, which they are.
describe() {
    case $1 in
        unit) build=checked tests=(--lib) ;;
        scenarios) build=checked tests=(--test={blocking,cancel,channel,close,lease,owned,select,select_any,select_futures,sink,stream,values,waker}) ;;
        memory) build=plain tests=(--test=allocs) ;;
        model) build=fast tests=(--test={model,select_model}) ;;
        histories) build=plain tests=(--test=linearizable) ;;
        storm) build=plain tests=(--test=storm) ;;
        *) build=$1 tests=(--test="$1") ;;
    esac
}

# Runs cargo for a build of the copy. The crate checks its invariants only in the build `checked`, and is
# optimised only where that saves more time than it takes.
cargo_for() {
    local build=$1 flags='' level=0 profile=(--release)
    shift
    case $build in
        checked) profile=() ;;
        fast) level=1 ;;
        loom | shuttle) flags="--cfg hchan_$build" ;;
    esac
    RUSTFLAGS=$flags cargo test --manifest-path "$crate/Cargo.toml" \
        --target-dir "$work/${flags:+$build}" "${profile[@]}" \
        --config "profile.release.package.hchan.opt-level=$level" "$@"
}

build_tests() {
    put
    local build tests tool
    declare -A of
    for tool in "${tools[@]}"; do
        describe "$tool"
        of[$build]+=" ${tests[*]}"
    done
    for build in "${!of[@]}"; do
        # shellcheck disable=SC2086
        cargo_for "$build" --no-run ${of[$build]}
    done
}

# Runs a tool's tests, and writes down how they ended and after how many seconds. Those that break the
# model's rules have nothing to say about the crate's.
try() {
    local tool=$1 build tests start=$SECONDS status=0
    describe "$tool"
    export -f cargo_for
    export work crate
    timeout --kill-after=5 "${limit[$tool]:-600}" bash -c 'cargo_for "$@"' - "$build" --quiet \
        "${tests[@]}" -- --skip each_broken_rule >"$work/logs/$bug-$tool.log" 2>&1 || status=$?
    echo "$status $((SECONDS - start))" >"$work/logs/$bug-$tool.end"
}

# Runs all tools at once.
try_all() {
    local tool
    for tool in "${tools[@]}"; do
        try "$tool" &
    done
    wait
}

# Adds the bug's row to the table, and counts in `caught` the tools that caught it.
row() {
    local tool status seconds cells=''
    caught=0
    for tool in "${tools[@]}"; do
        read -r status seconds <"$work/logs/$bug-$tool.end"
        case $status in
            0) cells+=' |' ;;
            124 | 137) cells+=' hangs |' ;;
            *) cells+=' fails |' ;;
        esac
        ((status == 0)) || ((caught += 1))
        [[ $bug != none ]] || limit[$tool]=$((2 * seconds + 10))
    done
    echo "| $bug |$cells" >>"$table"
}

check() {
    put
    cargo check --manifest-path "$crate/Cargo.toml" --target-dir "$work" --lib
    put -R
}

copy
if [[ ${1-} == --check ]]; then
    for bug in "${bugs[@]}"; do
        name="put in $bug" log=$logs/zoo-check.log
        check >"$log" 2>&1
    done
    exit
fi

(($#)) || set -- "${bugs[@]}"
for bug; do
    [[ " ${bugs[*]} " == *" $bug "* ]] || { name="no such bug: $bug" && exit 1; }
done

mkdir -p "$work/logs"
printf '| bug |%s\n|--|%s\n' "$(printf ' %s |' "${tools[@]}")" "$(printf -- '--|%.0s' "${tools[@]}")" >"$table"
escaped=()
for bug in none "$@"; do
    step "build $bug" build_tests
    step "try $bug" try_all
    put -R
    row
    if [[ $bug == none ]]; then
        name='the tools without a bug' log=$table
        ((caught == 0))
        continue
    fi
    ((caught >= least)) || escaped+=("$bug")
done
cat "$table"
name="fewer than $least tools catch: ${escaped[*]}" log=/dev/null
((${#escaped[@]} == 0))
