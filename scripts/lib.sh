# What start.sh and test.sh share. POSIX sh; sourced with `project` set to the project's folder.

DENO_VERSION=2.9.6
DENO_OLDEST="2 9"
LIBVIRT_PACKAGES="libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils dnsmasq-base xz-utils zstd bzip2"
LIBVIRT_PACKAGES="$LIBVIRT_PACKAGES nftables iproute2 ovmf swtpm swtpm-tools"
# Elsewhere systemd is the parent of orphans
[ -d /run/systemd/system ] || LIBVIRT_PACKAGES="$LIBVIRT_PACKAGES tini"

say() {
  echo "$*" >&2
}

# fail WHAT WHAT-TO-DO
fail() {
  say "error: $1"
  [ $# -lt 2 ] || say "       $2"
  exit 1
}

have() {
  command -v "$1" >/dev/null 2>&1
}

is_root() {
  [ "$(id -u)" = 0 ]
}

is_debian() {
  have apt-get && have dpkg-query
}

# Shows what a long step writes only when it fails.
quietly() {
  quiet_log=$(mktemp) || fail "cannot make a temporary file"
  if "$@" </dev/null >"$quiet_log" 2>&1; then
    rm -f "$quiet_log"
    return 0
  fi
  say "failed: $*"
  tail -n 20 "$quiet_log" >&2
  rm -f "$quiet_log"
  return 1
}

# step TEXT COMMAND… : a long step as one line: what it does, on a terminal also for how long it has run, and what it took.
# What it writes is shown only when it fails.
step() {
  step_text=$1
  shift
  step_began=$(date +%s)
  ticker=
  if [ -t 2 ]; then
    printf '%s …' "$step_text" >&2
    while sleep 1; do
      printf '\r%s … %s s' "$step_text" "$(($(date +%s) - step_began))" >&2
    done &
    ticker=$!
  else
    say "$step_text …"
  fi
  quietly "$@"
  step_status=$?
  if [ -n "$ticker" ]; then
    kill "$ticker" 2>/dev/null
    wait "$ticker" 2>/dev/null
    printf '\r%s … %s s\n' "$step_text" "$(($(date +%s) - step_began))" >&2
  fi
  return "$step_status"
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages WHY PACKAGE… : those Debian packages that are missing.
install_packages() {
  why=$1
  shift
  missing=
  for package in "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  # Unquoted: a list of names
  # shellcheck disable=SC2086
  set -- $missing
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  step "Reading Debian's package lists" apt-get update || say "the package lists are old; trying with them"
  step "Installing $# packages for $why" apt-get install -y --no-install-recommends "$@"
}

# deno_is_new_enough PROGRAM
deno_is_new_enough() {
  # "deno 2.9.6 (stable, …)" → 2 9
  # shellcheck disable=SC2046
  set -- $DENO_OLDEST $("$1" --version 2>/dev/null | sed -n 's/^deno \([0-9]*\)\.\([0-9]*\)\..*/\1 \2/p')
  [ $# -eq 4 ] && { [ "$3" -gt "$1" ] || { [ "$3" -eq "$1" ] && [ "$4" -ge "$2" ]; }; }
}

# Sets $deno: the one on PATH, else the one under .tools, which is fetched from npm when there is none. npm's package
# for this machine is the program itself; the `deno` package around it needs install scripts, which npm may not run.
find_deno() {
  case $(uname -m) in
  x86_64 | amd64) deno_package=@deno/linux-x64-glibc ;;
  aarch64 | arm64) deno_package=@deno/linux-arm64-glibc ;;
  *) deno_package= ;;
  esac
  own_deno=$project/.tools/node_modules/$deno_package/deno
  for deno in deno "$own_deno"; do
    if have "$deno" && deno_is_new_enough "$deno"; then return 0; fi
  done

  [ -n "$deno_package" ] || fail "Deno $DENO_VERSION is not here, and npm has none for $(uname -m)" \
    "Install Deno 2.9 or newer (docs.deno.com/runtime/getting_started/installation), then start again."
  if ! have npm; then
    { is_root && is_debian; } || fail "Deno is not here, and there is no npm to install it with" \
      "Install npm (Debian: apt-get install npm; Fedora: dnf install nodejs-npm; Arch: pacman -S npm) or Deno 2.9."
    install_packages "npm, to fetch Deno with" npm || fail "npm could not be installed" "See the lines above."
  fi
  step "Installing Deno $DENO_VERSION into .tools (about 40 MB)" npm install --prefix "$project/.tools" --no-audit --no-fund --no-save "$deno_package@$DENO_VERSION" ||
    fail "Deno could not be installed with npm" "See the lines above; behind a proxy, npm has to know it."
  deno=$own_deno
  chmod +x "$deno" 2>/dev/null
  deno_is_new_enough "$deno" || fail "the Deno that npm installed does not start" "Try: $deno --version"
}

has_library() {
  for folder in /usr/lib/*-linux-gnu /usr/lib64 /usr/lib /lib/*-linux-gnu; do
    [ -e "$folder/$1" ] && return 0
  done
  return 1
}

say_what_to_install() {
  say "       Debian: apt-get install -y --no-install-recommends $LIBVIRT_PACKAGES"
  say "       Fedora: dnf install -y libvirt-daemon-kvm libvirt-client qemu-kvm qemu-img dnsmasq nftables iproute edk2-ovmf swtpm swtpm-tools"
  say "       Arch:   pacman -S --needed libvirt qemu-base dnsmasq nftables iproute2 edk2-ovmf swtpm"
}

libvirt_answers() {
  quiet_timeout=timeout
  have timeout || quiet_timeout=
  ${quiet_timeout:+timeout 10} virsh -c qemu:///system version >/dev/null 2>&1 </dev/null
}

# Gives /dev/kvm the group and mode udev gives it, where no udev runs and nothing else was decided. With root's
# alone, libvirt 9.0 asks QEMU again what it can do at every define and start, which takes up to 48 s.
settle_kvm_access() {
  [ -c /dev/kvm ] && [ ! -e /run/udev/control ] || return 0
  [ "$(stat -c '%a %u %g' /dev/kvm)" = "600 0 0" ] && chgrp kvm /dev/kvm 2>/dev/null && chmod 660 /dev/kvm
  return 0
}

# Starts virtlogd where nothing else looks after it. Without it libvirtd answers, but no VM starts. Its socket
# outlives a daemon that was killed, and is no proof.
ensure_virtlogd() {
  is_root && [ ! -d /run/systemd/system ] || return 0
  virt-admin -c virtlogd:///system server-list >/dev/null 2>&1 </dev/null || quietly virtlogd -d
}

# Port forwards need nftables; everything else works without it.
ensure_nftables() {
  is_root && is_debian || return 0
  install_packages "port forwards" nftables iproute2 || say "Port forwards stay unavailable until nftables is installed."
}

# Starts libvirtd where nothing else looks after it, and comes back at once. It waits for a QEMU that has ended until the
# parent of orphans has taken note, which the first process of a container does seconds later, or never: tini does so at
# once. Without it, to stop a VM takes up to two seconds more.
launch_libvirtd() {
  if have tini; then
    setsid tini -s -- libvirtd </dev/null >>/var/log/libvirt/libvirtd.log 2>&1 &
  else
    libvirtd -d
  fi
}

# Makes qemu:///system answer; returns 1 when it cannot, having said why and what to do.
start_libvirt() {
  if ! { has_library libvirt.so.0 && have virsh && have qemu-img; }; then
    if is_root && is_debian; then
      # Unquoted: a list of names
      # shellcheck disable=SC2086
      install_packages "virtual machines" $LIBVIRT_PACKAGES || return 1
    else
      say "libvirt and QEMU are not (all) installed, and this is not root on Debian. To install them, as root:"
      say_what_to_install
      return 1
    fi
  fi
  ensure_nftables
  if libvirt_answers; then
    ensure_virtlogd
    return 0
  fi
  if ! is_root; then
    say "libvirt does not answer this user. Start it as root (systemctl enable --now libvirtd), and let the user in:"
    say "       usermod -aG libvirt $(id -un)    (then log in again)"
    return 1
  fi
  if [ -d /run/systemd/system ]; then
    step "Starting libvirtd" systemctl enable --now libvirtd || quietly systemctl start virtqemud.socket
  else
    settle_kvm_access
    ensure_virtlogd
    step "Starting libvirtd" launch_libvirtd
  fi
  waited=0
  until libvirt_answers; do
    waited=$((waited + 1))
    if [ "$waited" -ge 20 ]; then
      say "libvirtd was started, but qemu:///system does not answer. Try: virsh -c qemu:///system version"
      return 1
    fi
    sleep 0.5
  done
}

# Prints a digest of everything dist/kvm-manager is made of: names and contents, tests left out.
sources_digest() {
  (
    cd "$project" || exit 1
    find main.ts deno.json deno.lock fresh.gen.ts cli routes islands components static docs lib ffi agent scripts/*.ts \
      scripts/self_extract.sh guest/main.go guest/go.mod guest/internal \
      -type f ! -name '*_test.ts' ! -name '*_test.tsx' ! -name '*_test.go' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum |
      cut -c -64
  )
}

# Succeeds when dist/kvm-manager was made of the sources as they are: scripts/build.ts leaves their digest next to it.
build_is_new() {
  [ -x "$project/dist/kvm-manager" ] && [ -f "$project/dist/kvm-manager.sources" ] &&
    [ "$(cat "$project/dist/kvm-manager.sources")" = "$(sources_digest)" ]
}
