#!/bin/sh
# Starts KVM Manager from its sources, on a machine that may have nothing but npm. See --help.
set -u
project=$(cd "$(dirname "$0")/.." && pwd) || exit 1
. "$project/scripts/lib.sh"

usage() {
  cat <<'END'
Usage: sh scripts/start.sh [--demo] [option of `kvm-manager serve`]…

Installs what is missing (Deno through npm; libvirt and QEMU from Debian when this is root), starts libvirt when
nothing does, builds when the sources changed, then runs `dist/kvm-manager serve`, which serves on
http://127.0.0.1:8440. What is already there is left alone.

  --demo     show made-up VMs on three hosts: needs only libvirt's client library, touches nothing real (docs/demo.md)
  --help     this text
END
}

demo=false
for argument in "$@"; do
  case $argument in
  --help | -h)
    usage
    exit 0
    ;;
  --demo) demo=true ;;
  esac
done

find_deno

if $demo; then
  if ! has_library libvirt.so.0; then
    { is_root && is_debian; } || fail "libvirt's client library is not here" \
      "Install it: Debian: apt-get install libvirt0; Fedora: dnf install libvirt-libs; Arch: pacman -S libvirt"
    install_packages "the demo" libvirt0 || fail "libvirt0 could not be installed" "See the lines above."
  fi
else
  start_libvirt || say "Going on without: KVM Manager starts, and says so, until libvirt answers."
fi

if ! build_is_new; then
  if ! have go && is_root && is_debian; then
    install_packages "the guest tools" golang-go || say "Going on without: the guest tools are left out."
  fi
  step "Building" "$deno" task --cwd "$project" build || fail "the build failed" "See the lines above."
fi

exec "$project/dist/kvm-manager" serve "$@"
