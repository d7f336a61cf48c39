#!/bin/sh
# Runs every test. Installs what the tests need, goes on after a failed stage, gives files that failed next to others one
# more try alone, and ends with the sum:
#   N passed, N failed, N skipped
# Slow proofs that have passed with their sources as they are (scripts/testing/proofs.ts) are left out and named; with
# --all, as for a release, they are run too, and what has a long form (tests/testbed/hang_forms.ts) has that.
set -u
project=$(cd "$(dirname "$0")/.." && pwd) || exit 1
. "$project/scripts/lib.sh"
cd "$project" || exit 1

all=
limits="--minutes-per-file=10"
again_limit=10m
case ${1:-} in
'') ;;
--all)
  all=--all
  # A long form takes over half an hour
  limits="--minutes-per-file=50 --minutes=240"
  again_limit=50m
  KVMM_TEST_LONG=1
  export KVMM_TEST_LONG
  ;;
*) fail "unknown argument: $1" "Usage: sh scripts/test.sh [--all]" ;;
esac

TEST_PACKAGES="$LIBVIRT_PACKAGES chromium-headless-shell bubblewrap virtinst busybox-static qemu-guest-agent cpio openssl python3-libvirt libxml2-utils
strace faketime slowhttptest bindfs sqlite3 genisoimage python3-yaml golang-go libguestfs-tools rpm kmod tmux
sasl2-bin libsasl2-modules libsasl2-modules-db libsasl2-modules-gssapi-mit krb5-kdc krb5-admin-server krb5-user python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
grpc-proto"
# libguestfs boots the host's kernel, which containers lack.
ls /boot/vmlinuz-* >/dev/null 2>&1 || TEST_PACKAGES="$TEST_PACKAGES linux-image-amd64"

passed=0
failed=0
skipped=0
unsteady=
again_failed=
NO_COLOR=1
DENO_NO_UPDATE_CHECK=1
export NO_COLOR DENO_NO_UPDATE_CHECK
logs=$(mktemp -d) || fail "cannot make a temporary folder"
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM

# Seconds of processor that this machine has spent so far, all its work together.
processor() {
  awk '/^cpu / { print int(($2 + $3 + $4 + $7 + $8) / 100); exit }' /proc/stat
}

# begin: notes when a stage begins.
begin() {
  began=$(date +%s)
  began_processor=$(processor)
}

# Prints what a stage took, since begin.
took() {
  say "--- $1: $2 ($(($(date +%s) - began)) s, $(($(processor) - began_processor)) s of processor)"
}

# check NAME COMMAND… : runs what counts as one, and adds how it ended to $logs/checks.
check() {
  name=$1
  shift
  start=$(date +%s)
  if "$@" </dev/null >"$logs/check" 2>&1; then
    echo passed >>"$logs/checks"
    say "--- $name: passed ($(($(date +%s) - start)) s)"
  else
    echo failed >>"$logs/checks"
    cat "$logs/check"
    say "--- $name: FAILED ($(($(date +%s) - start)) s)"
  fi
}

# What needs no tests, one after the other, at the same time as the unit tests.
checks() {
  check format "$deno" fmt --check
  check lint "$deno" lint
  # Workers once more alone: together with pages they are checked with what pages have, too.
  check types "$deno" task check
  check manifest "$deno" task manifest --check
  check build "$deno" task build
}

# tests NAME COMMAND… : a stage of tests, counted from the report that the command writes to $report. The types stage has
# checked their types.
tests() {
  name=$1
  shift
  KVMM_TEST_TIMES=$logs/$name.times "$@" </dev/null
  status=$?
  counts=$("$deno" run -A scripts/junit.ts "$report" 2>"$logs/error") || counts=
  if [ -z "$counts" ]; then
    # No report: the runner crashed, or there are no tests where some must be
    cat "$logs/error" >&2
    failed=$((failed + 1))
    took "$name" "FAILED: no results (exit status $status)"
    return
  fi
  "$deno" run -A scripts/testing/slowest.ts --times="$logs/$name.times" "$report" >&2
  # "12 1 1 ./tests/x_test.ts": passed, failed, skipped, and the files with failures
  # shellcheck disable=SC2086
  set -- $counts
  # A runner that fails although every test passed (a module that does not load, a leak) failed as well
  [ "$status" -eq 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1 "$3"
  stage_passed=$1
  stage_failed=$2
  stage_skipped=$3
  shift 3
  if [ $# -gt 0 ]; then
    failing=0
    again "$@"
    # What passed now has passed; a file that failed again counts once
    stage_passed=$((stage_passed + stage_failed - failing))
    stage_failed=$failing
  fi
  passed=$((passed + stage_passed))
  failed=$((failed + stage_failed))
  skipped=$((skipped + stage_skipped))
  took "$name" "$stage_passed passed, $stage_failed failed, $stage_skipped skipped"
}

# again FILE… : what failed at the same time as another file, on a machine with guests, has one more try by itself. Passing then it is
# no failure but a thing to mend: its names are printed last, above the sum. One that was unsteady on this machine in an
# earlier run, and has not changed since, has failed. Sets failing, the number of files that failed.
again() {
  if [ $# -gt 10 ]; then
    failing=$stage_failed
    return
  fi
  # What a file that failed has left would make others fail, too
  sweep
  for file; do
    say "--- once more, alone: $file"
    # What hangs would have the whole run end without a result
    if timeout -s KILL "$again_limit" "$deno" test -A --no-check "$file" </dev/null >"$logs/again" 2>&1; then
      unsteady="$unsteady $file"
      "$deno" run -A scripts/testing/unsteady.ts "$file" || failing=$((failing + 1))
    else
      cat "$logs/again"
      say "--- failed again: $file"
      again_failed="$again_failed $file"
      # Said again at the end: of a long output the end alone may be kept
      {
        echo "$file:"
        grep -E -A4 '(^error:| => )' "$logs/again" | cut -c1-400 | head -40
      } >>"$logs/reasons"
      failing=$((failing + 1))
    fi
  done
}

# Makes the pool that hosts in use have. Without it, what goes into the usual pool goes into whichever another test has
# just then, and takes away.
ensure_default_pool() {
  libvirt_answers && is_root || return 0
  virsh -q pool-info default >/dev/null 2>&1 ||
    quietly virsh -q pool-define-as default dir --target /var/lib/libvirt/images
  virsh -q pool-list --name | grep -qx 'default *' || quietly virsh -q pool-start default --build
}

# Removes what tests have left that were killed in earlier runs.
sweep() {
  libvirt_answers && is_root || return 0
  quietly "$deno" run -A tests/testbed/clean.ts || say "What killed tests have left could not be removed."
}

# Starts a libvirtd again that was started without tini and has no guests: see launch_libvirtd.
relaunch_libvirtd() {
  is_root && have tini && [ ! -d /run/systemd/system ] && libvirt_answers || return 0
  pid=$(cat /run/libvirtd.pid 2>/dev/null) && read -r _ _ _ parent _ <"/proc/$pid/stat" || return 0
  [ "$(cat "/proc/$parent/comm")" != tini ] && [ -z "$(virsh -q list --name)" ] || return 0
  kill "$pid"
  while [ -d "/proc/$pid" ] && [ "$(cut -d ' ' -f 3 "/proc/$pid/stat")" != Z ]; do sleep 0.1; done
}

if is_root && is_debian; then
  # Unquoted: a list of names
  # shellcheck disable=SC2086
  install_packages "the tests" $TEST_PACKAGES || say "Some packages are missing: the tests that need them will say so."
else
  say "Not root on Debian: tests whose tools are missing (of: $TEST_PACKAGES) will be skipped, and say so."
fi
find_deno
relaunch_libvirtd
start_libvirt || say "libvirt does not answer: the tests that need it will say so."
ensure_default_pool

# Whatever the tests call `deno` is the one that runs them
case $deno in */*) PATH=${deno%/*}:$PATH ;; esac
export PATH
step "Installing npm packages" "$deno" install || say "npm packages could not be installed: the stages below will say what is missing."
sweep

begin
checks &
checking=$!
report=$logs/unit.xml
tests unit "$deno" test -A --no-check --junit-path="$report" --parallel --ignore=tests
wait "$checking"
# Unpacked here, no first starts race for it
[ ! -x dist/kvm-manager ] || quietly dist/kvm-manager --version
passed=$((passed + $(grep -c passed "$logs/checks")))
failed=$((failed + $(grep -c failed "$logs/checks")))
took "checks and unit tests" "done"
begin
# Three files at a time, and up to ten while the processors are idle: they share one libvirtd, so each keeps to names of its own,
# and none stops it
if files=$("$deno" run -A scripts/testing/plan.ts $all); then
  report=$logs/machine.xml
  # Unquoted: lists of options and of files
  # shellcheck disable=SC2086
  tests machine "$deno" run -A scripts/testing/run.ts --jobs=3 $limits --report="$report" --failed="$logs/failed" $files
  if [ -f "$logs/machine.xml" ]; then
    "$deno" run -A scripts/testing/slow_proofs.ts "$logs/machine.xml"
    "$deno" run -A scripts/testing/slowest.ts --record "$logs/machine.xml" >/dev/null
  fi
else
  failed=$((failed + 1))
fi

if [ -s "$logs/failed" ]; then
  echo "--- what the files that did not pass at once have printed"
  cat "$logs/failed"
fi
[ ! -s "$logs/reasons" ] || cat "$logs/reasons"
[ -z "$again_failed" ] || echo "failed twice:$again_failed"
[ -z "$unsteady" ] || echo "unsteady (failed, then passed alone):$unsteady"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
