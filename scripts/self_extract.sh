#!/bin/sh
# @NAME@: one file that unpacks itself once, then starts what it holds. Below the last line of this script is a
# tar.gz: the Deno runtime, the program, its static files. Needs: sh, tail, gzip, tar, mkdir, mktemp, mv, rm, id; find and readlink to tidy up.
#
#   KVMM_CACHE_DIR   where to unpack; /var/cache/@NAME@ for root, else ~/.cache/@NAME@

name=@NAME@
id=@ID@
PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
export PATH

fail() {
  echo "$name: $1" >&2
  exit 1
}

# Only a folder that no other user can write to is trusted: what lies in it gets executed. In a shared /tmp, another
# user could have put a folder or a symbolic link of that name there.
is_ours() {
  [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] || return 1
  case $(ls -ld "$1" 2>/dev/null) in d????-??-*) return 0 ;; esac
  return 1
}

# Prints the first usable of the folders given.
choose_cache() {
  for folder in "$@"; do
    [ -d "$folder" ] || (umask 077 && mkdir -p "$folder") 2>/dev/null
    if is_ours "$folder" && [ -w "$folder" ]; then
      echo "$folder"
      return
    fi
  done
  return 1
}

# Each program that is started here is a delay before every verb: what the shell can do by itself, it does.
case $0 in
/*) KVMM_BINARY=$0 ;;
*) KVMM_BINARY=$(cd "$(dirname "$0")" && pwd)/${0##*/} ;;
esac
export KVMM_BINARY
shared=/var/cache/$name
user=
if [ -r /proc/self/status ]; then
  while read -r key _ effective _; do
    [ "$key" = Uid: ] && user=$effective && break
  done </proc/self/status
fi
[ -n "$user" ] || user=$(id -u) || fail "cannot tell the user's id"

# What root unpacked in root's own folder is as good for everyone else, who cannot change it: a service runs from there.
is_roots() {
  [ -d "$1" ] && [ ! -L "$1" ] || return 1
  # Mode, links and owner, as `ls -n` has them
  # shellcheck disable=SC2046
  set -- $(ls -ldn "$1" 2>/dev/null)
  case ${1:-} in d????-??-*) [ "${3:-}" = 0 ] ;; *) return 1 ;; esac
}

is_shared() {
  [ -z "${KVMM_CACHE_DIR:-}" ] && [ "$user" != 0 ] && is_roots "$shared" && is_roots "$shared/$id" &&
    [ -x "$shared/$id/deno" ] && [ -f "$shared/$id/main.js" ]
}

# Sets $cache and $home.
choose_home() {
  if [ -n "${KVMM_CACHE_DIR:-}" ]; then
    set_by="KVMM_CACHE_DIR"
    cache=$(choose_cache "$KVMM_CACHE_DIR")
  elif [ "$user" = 0 ]; then
    cache=$(choose_cache "$shared" "/tmp/$name-0")
  else
    own=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    cache=$(choose_cache ${own:+"$own/$name"} "${TMPDIR:-/tmp}/$name-$user")
  fi
  [ -n "$cache" ] || fail "${set_by:-the cache folder} cannot be used: it must be a folder that this user owns and \
nobody else can write to. Set KVMM_CACHE_DIR to one."
  case $cache in /*) ;; *) cache=$(cd "$cache" && pwd) || fail "cannot enter the cache folder" ;; esac
  home=$cache/$id
}

# Marks a folder that this script unpacked: no other is ever removed.
mark=.unpacked-by-$name
# How a folder begins that is being unpacked; its maker's process id follows, and what makes the name its own: two
# containers that share this cache have the same process ids.
staging=.$name-new-

unpack() {
  new=$(mktemp -d "$cache/$staging$$.XXXXXXXX") || return 1
  # A pipe only tells how its last command ended
  tail -n +@LINE@ "$0" | { gzip -dc || : >"$new/.failed"; } | tar -xof - -C "$new" && [ ! -e "$new/.failed" ] || {
    rm -rf "$new"
    return 1
  }
  : >"$new/$mark" || return 1
  # What is there is either whole (renamed at once, by another start) or damaged. Looked at in this order, what
  # another start puts there meanwhile is never taken for damaged.
  if { [ -e "$home" ] || [ -L "$home" ]; } && ! is_complete; then mv "$home" "$new.damaged" 2>/dev/null; fi
  # Another start may have been faster: then its folder stays, and ours goes, also where mv put it into that one
  is_complete || mv "$new" "$home" 2>/dev/null
  rm -rf "$new" "$new.damaged" "$home/${new##*/}"
  is_complete
}

is_complete() {
  is_ours "$home" && [ -x "$home/deno" ] && [ -f "$home/main.js" ]
}

# Folders of other versions go, unless a process runs from them. The cache may be anybody's folder: what this script
# did not put there stays. In a namespace of processes, as containers have, not all of them are seen: there a version
# stays that was started in the last 30 days.
forget_others() {
  unseen=yes
  [ "$(readlink /proc/self/ns/pid 2>/dev/null)" = "pid:[4026531836]" ] && unseen= # the kernel's first namespace
  for other in "$cache"/* "$cache/$staging"*; do
    [ "$other" != "$home" ] && is_ours "$other" || continue
    case ${other##*/} in
    "$staging"*)
      maker=${other##*"$staging"}
      maker=${maker%%.*}
      case $maker in '' | *[!0-9]*) continue ;; esac
      [ ! -d "/proc/$maker" ] || continue
      # Its maker may be in another namespace of processes, and at work
      [ -n "$(find "$other" -prune -mmin +60 2>/dev/null)" ] || continue
      ;;
    *)
      [ -f "$other/$mark" ] && [ ! -L "$other/$mark" ] || continue
      [ -z "$unseen" ] || [ -n "$(find "$other/$mark" -mtime +30 2>/dev/null)" ] || continue
      for exe in /proc/[0-9]*/exe; do
        [ "$exe" -ef "$other/deno" ] && continue 2
      done
      # Moved away first: a start of that version finds it whole or not at all
      gone=$(mktemp -d "$cache/$staging$$.XXXXXXXX") || return 0
      mv "$other" "$gone/" 2>/dev/null || { rmdir "$gone" && continue; }
      other=$gone
      ;;
    esac
    rm -rf "$other"
  done
}

# Others may look into what root unpacked for all.
share() {
  if [ "$user" = 0 ] && [ "$cache" = "$shared" ] && [ -z "${KVMM_CACHE_DIR:-}" ]; then chmod 755 "$cache" "$home"; fi
}

if is_shared; then
  home=$shared/$id
else
  choose_home
  if ! is_complete; then
    (umask 077 && unpack) || fail "cannot unpack into $cache. Is the disk full, or this file incomplete?"
    share
    forget_others
  else
    { true >"$home/$mark"; } 2>/dev/null || : # its time is that of the last start
  fi
fi

DENO_DIR=$home/cache
DENO_NO_UPDATE_CHECK=1
# glibc gives every thread an arena of its own; a server that mostly waits does with two, and takes megabytes less
MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-2}
export DENO_DIR DENO_NO_UPDATE_CHECK MALLOC_ARENA_MAX
case ${1:-} in
@ALL_VERBS@) rights="@ALL_RIGHTS@" ;;
*)
  case "${1:-} ${2:-}" in
  @PROGRAM_VERBS@) rights="@PROGRAM_RIGHTS@" ;;
  *) rights="@CLIENT_RIGHTS@" ;; # what only speaks to a server
  esac
  ;;
esac
# Unquoted: a list of flags
# shellcheck disable=SC2086
exec "$home/deno" run $rights @FLAGS@ "$home/main.js" "$@"
exit 1
