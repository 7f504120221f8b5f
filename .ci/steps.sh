# What `.ci/run` and `.ci/long` share: numbered steps with their time, what they need, the verdict. Sourced, from the root.

export TIDEGATE_DATA="${TIDEGATE_DATA:-$PWD/../shared/data}"
export CARGO_TERM_COLOR=never
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"
logs="$target/ci"
venv="$target/oracles"
export target logs venv
names=() results=() seconds=() waiting=()

# Stops where the data that the tests are judged by is missing: an ignored test is no passed test.
need_data() {
    local file missing=0
    for file in nasdaq_itch/locate-13-10k.bin moldudp64_pcap databento/nautilus databento/dbn \
        lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip; do
        [ -e "$TIDEGATE_DATA/$file" ] || { echo "missing: $TIDEGATE_DATA/$file"; missing=1; }
    done
    [ "$missing" = 0 ] || { echo "set TIDEGATE_DATA to the folder of the test data"; echo "0 passed, 1 failed"; exit 1; }
}

# Installs the Debian packages among the arguments that are not there yet.
need_packages() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ "${#missing[@]}" = 0 ] && return
    local root=(env DEBIAN_FRONTEND=noninteractive)
    [ "$(id -u)" = 0 ] || root=(sudo env DEBIAN_FRONTEND=noninteractive)
    "${root[@]}" apt-get update -q && "${root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# Java, and the QuestDB server of the tests in the local Maven repository: without them its tests would be ignored.
need_questdb() {
    local jar="${TIDEGATE_QUESTDB_JAR:-$HOME/.m2/repository/org/questdb/questdb/9.3.4/questdb-9.3.4.jar}"
    command -v java >/dev/null || need_packages openjdk-17-jre-headless || need_packages default-jre-headless
    [ -e "$jar" ] && return
    command -v mvn >/dev/null || need_packages maven
    mvn -q -B dependency:get -Dartifact=org.questdb:questdb:9.3.4 -Dtransitive=false
    [ -e "$jar" ] || { echo "missing: $jar, which is where the tests look for the server"; return 1; }
}

# Installs a Cargo tool of an exact version unless that version is there. Its build folder is kept apart from ours. Without
# optimisation: it works for seconds and is built for minutes.
need_tool() {
    cargo install --list | grep -q "^$1 v$2:" && return
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$target/tools" cargo install "$1" --version "$2" --locked --quiet --debug
}

# The libraries of the oracles, in a folder of their own.
need_oracles() {
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement tests/oracles/requirements.txt
}
export -f need_packages need_questdb need_tool need_oracles

# Where the output of a step is kept.
log_of() { echo "$logs/$(tr -c 'a-z0-9\n' - <<<"${1,,}").log"; }

# step NAME COMMANDS: runs the commands in a shell that stops at the first failure; what they print is also kept.
step() {
    local name="$1" start=$SECONDS result=passed log
    log="$(log_of "$name")"
    printf '\n=== %s\n' "$name"
    bash -euo pipefail -c "$2" 2>&1 | tee "$log" || result=FAILED
    names+=("$name") results+=("$result") seconds+=($((SECONDS - start)))
    printf '=== %s: %s in %d s\n' "$name" "$result" "${seconds[-1]}"
}

# beside NAME COMMANDS: a step that only judges what is built, beside others of its sort, one a processor: each has one thread.
# What it prints comes when `gather` is called.
beside() {
    local log
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
    log="$(log_of "$1")"
    waiting+=("$1")
    {
        local start=$SECONDS result=passed
        bash -euo pipefail -c "$2" >"$log" 2>&1 || result=FAILED
        echo "$result $((SECONDS - start))" >"$log.result"
    } &
}

# Waits for the steps that run beside each other, and prints them.
gather() {
    local name log result
    wait
    for name in "${waiting[@]}"; do
        log="$(log_of "$name")"
        read -r -a result <"$log.result"
        printf '\n=== %s\n' "$name"
        cat "$log"
        names+=("$name") results+=("${result[0]}") seconds+=("${result[1]}")
        printf '=== %s: %s in %d s\n' "$name" "${result[@]}"
    done
    waiting=()
}

# Sum of one number over the result lines of all logs: passed, failed or ignored.
tests() {
    grep -hs '^test result:' "$logs"/*.log | grep -o "[0-9]* $1" | awk '{ sum += $1 } END { print sum + 0 }'
}

# What the tests that failed said, the table of steps, the counts (steps and tests together), and the exit code.
verdict() {
    local i passed failed=0
    printf '\n'
    # Both harnesses: `---- name stdout ----` and `---- name ----`.
    grep -hs -A 12 '^---- .* ----$' "$logs"/*.log | cut -c 1-300 | head -n 120 || true
    printf '\n%-44s %-8s %s\n' step result seconds
    for i in "${!names[@]}"; do
        printf '%-44s %-8s %d\n' "${names[i]}" "${results[i]}" "${seconds[i]}"
        [ "${results[i]}" = passed ] || failed=$((failed + 1))
    done
    passed=$((${#names[@]} - failed))
    printf '%d of %d steps passed in %d s; %d tests ignored\n' "$passed" "${#names[@]}" "$SECONDS" "$(tests ignored)"
    # By name, and what ended without a result: a test binary that died.
    grep -hsE '^test .* (FAILED|failed)$|^error: test failed|process didn.t exit successfully' "$logs"/*.log | cut -c 1-200 | sort -u || true
    printf '%d passed, %d failed\n' "$((passed + $(tests passed)))" "$((failed + $(tests failed)))"
    [ "$failed" = 0 ]
}

rm -rf "$logs" && mkdir -p "$logs"
