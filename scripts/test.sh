#!/bin/sh
# Runs every test. Installs what the tests need, goes on after a failed stage, gives system and browser files that failed
# one more try alone, and ends with the sum:
#   N passed, N failed, N skipped
set -u
project=$(cd "$(dirname "$0")/.." && pwd) || exit 1
. "$project/scripts/lib.sh"
cd "$project" || exit 1

TEST_PACKAGES="$LIBVIRT_PACKAGES chromium virtinst busybox-static qemu-guest-agent cpio openssl python3-libvirt libxml2-utils
strace faketime slowhttptest bindfs sqlite3"

passed=0
failed=0
skipped=0
unsteady=
NO_COLOR=1
DENO_NO_UPDATE_CHECK=1
export NO_COLOR DENO_NO_UPDATE_CHECK
logs=$(mktemp -d) || fail "cannot make a temporary folder"
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM

# Prints what a stage took, since $began.
took() {
  say "--- $1: $2 ($(($(date +%s) - began)) s)"
}

# check NAME COMMAND… : a stage that counts as one.
check() {
  name=$1
  shift
  began=$(date +%s)
  if "$@" </dev/null; then
    passed=$((passed + 1))
    took "$name" passed
  else
    failed=$((failed + 1))
    took "$name" FAILED
  fi
}

# tests NAME ARGUMENT… : a stage of `deno test`, counted from its report.
tests() {
  name=$1
  shift
  began=$(date +%s)
  report=$logs/$name.xml
  "$deno" test -A --junit-path="$report" "$@" </dev/null
  status=$?
  counts=$("$deno" run -A scripts/junit.ts "$report" 2>"$logs/error") || counts=
  if [ -z "$counts" ]; then
    # No report: the runner crashed, or there are no tests where some must be
    cat "$logs/error" >&2
    failed=$((failed + 1))
    took "$name" "FAILED: no results (exit status $status)"
    return
  fi
  # "12 1 1 ./tests/x_test.ts": passed, failed, skipped, and the files with failures
  # shellcheck disable=SC2086
  set -- $counts
  # A runner that fails although every test passed (a module that does not load, a leak) failed as well
  [ "$status" -eq 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1 "$3"
  stage_passed=$1
  stage_failed=$2
  stage_skipped=$3
  shift 3
  if [ "$name" != unit ] && [ $# -gt 0 ] && again "$@"; then
    stage_passed=$((stage_passed + stage_failed))
    stage_failed=0
  fi
  passed=$((passed + stage_passed))
  failed=$((failed + stage_failed))
  skipped=$((skipped + stage_skipped))
  took "$name" "$stage_passed passed, $stage_failed failed, $stage_skipped skipped"
}

# again FILE… : what failed beside another file, on a machine with guests, has one more try by itself. Passing then it is
# no failure but a thing to mend: its names are printed last, above the sum.
again() {
  [ $# -le 5 ] || return 1
  say "--- once more, alone: $*"
  "$deno" test -A "$@" </dev/null || return 1
  unsteady="$unsteady $*"
}

if is_root && is_debian; then
  # Unquoted: a list of names
  # shellcheck disable=SC2086
  install_packages "the tests" $TEST_PACKAGES || say "Some packages are missing: the tests that need them will say so."
else
  say "Not root on Debian: tests whose tools are missing (of: $TEST_PACKAGES) will be skipped, and say so."
fi
find_deno
start_libvirt || say "libvirt does not answer: the tests that need it will say so."

# Whatever the tests call `deno` is the one that runs them
case $deno in */*) PATH=${deno%/*}:$PATH ;; esac
export PATH
say "Installing npm packages …"
quietly "$deno" install || say "npm packages could not be installed: the stages below will say what is missing."

check format "$deno" fmt --check
check lint "$deno" lint
check types "$deno" check .
check manifest "$deno" task manifest --check
tests unit --parallel --ignore=tests
check build "$deno" task build
# Two files at a time: they share one libvirtd, so each keeps to names of its own, and none stops it
DENO_JOBS=2
export DENO_JOBS
for folder in system browser; do
  if [ -d "tests/$folder" ]; then tests "$folder" --parallel "tests/$folder"; fi
done

[ -z "$unsteady" ] || echo "unsteady (failed, then passed alone):$unsteady"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
