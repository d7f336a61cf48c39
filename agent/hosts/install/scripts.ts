/**
 * Scripts for sh that are run on a host where KVM Manager is installed; texts of users are passed as
 * arguments alone. Temporary files are in one folder of root's, which also notes the state before: another
 * run continues from it, or undoes all.
 */
import { CREDENTIAL_FILE } from "../../../lib/system/install/credential.ts";
import { layoutOf, NAME } from "../../../lib/system/install/layout.ts";

const { binary, library, configDir, dataDir, keyDir, cacheDir, prefix } = layoutOf("/usr/local");

/** The folder. */
export const WORK = `${prefix}/lib/${NAME}-install`;
/** The copy in it. */
export const COPIED = `${WORK}/${NAME}`;
/** Seconds that a script waits for an earlier one, which a cut connection left running. */
const LOCK_S = 60;

/** Parts that may have existed before, each with the test for it. */
const PARTS = { config: `-e ${configDir}`, data: `-e ${dataDir}`, cache: `-e ${cacheDir}` };

const TELL_PARTS = Object.entries(PARTS).map(([name, test]) => `[ ${test} ] && tell part ${name}`).join("; ");

/** One at a time: what an earlier connection began goes on when that is cut. */
const ALONE =
  `exec 9>${WORK}/lock && { flock -w ${LOCK_S} 9 || { echo "another installation is under way there" >&2; exit 4; }; }`;

/** Tells what the host is like, and what is there; `readLook()` reads it. */
export const LOOK = `
tell() { printf "%s=%s\\n" "$1" "$2"; }
tell architecture "$(uname -m)"
tell libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
[ -d /run/systemd/system ] && tell systemd yes
for file in /usr/lib/*/libvirt.so.0 /usr/lib64/libvirt.so.0 /usr/lib/libvirt.so.0; do
  [ -e "$file" ] && tell libvirt yes && break
done
for file in ${binary} ${layoutOf("/usr").binary}; do
  [ -e "$file" ] && tell program "$file" && break
done
if [ -e ${WORK}/before ]; then
  tell begun yes
  [ -f ${COPIED} ] && tell copied "$(sha256sum < ${COPIED} | cut -d" " -f1)"
  while read -r part; do tell part "$part"; done < ${WORK}/before
else
  ${TELL_PARTS}
  id -u ${NAME} >/dev/null 2>&1 && tell part user
fi
for folder in ${prefix} /var/cache /var/lib; do
  tell room "$(df -Pk "$folder" | tail -n 1)"
done
exit 0`;

/**
 * Takes the program from standard input: it is in its place whole or not at all. Arguments: its SHA-256, and what was there
 * before.
 */
export const COPY = `
umask 077
mkdir -p ${WORK} || exit 1
if [ -L ${WORK} ] || [ "$(stat -c %u ${WORK})" != "$(id -u)" ]; then
  echo "${WORK} is a link, or another user's: remove it there" >&2
  exit 1
fi
chmod 700 ${WORK} || exit 1
sum=$1
shift
if [ ! -e ${WORK}/before ]; then
  printf "%s\\n" "$@" > ${WORK}/before.new && mv ${WORK}/before.new ${WORK}/before || exit 1
fi
rm -f ${WORK}/copy.*
new=$(mktemp ${WORK}/copy.XXXXXXXX) || exit 1
trap "rm -f $new" EXIT
cat > "$new" || exit 1
if [ "$(sha256sum < "$new" | cut -d" " -f1)" != "$sum" ]; then
  echo "the copy differs from the program: the connection was cut, or the disk is full" >&2
  exit 1
fi
chmod 755 "$new" && mv -f "$new" ${COPIED}`;

/**
 * Examines the host by the copy. Arguments: where KVM Manager would listen. The status says the worst that was found, or 3
 * where the copy does not start.
 */
export const EXAMINE = `${ALONE}
${COPIED} --version >/dev/null || exit 3
exec ${COPIED} doctor -o json --listen "$1"`;

/** Installs the copy. Arguments: where it listens. */
export const INSTALL = `${ALONE}\nexec ${COPIED} install --listen "$1"`;

/** Waits until KVM Manager answers there. Arguments: its path, seconds. */
export const WAIT = `
end=$(($(date +%s) + $2))
until out=$("$1" host peers -o json 2>&1); do
  [ "$(date +%s)" -lt "$end" ] || { printf "%s\\n" "$out" >&2; exit 1; }
  sleep 1
done`;

/** Has an invitation made. Arguments: path, role. */
export const INVITE = `exec "$1" host invite --role "$2" --minutes 10 -o json`;
/** Lists who may act there. Arguments: path. */
export const PEERS = `exec "$1" host peers -o json`;
/** Lets one act there no more. Arguments: path, its id. */
export const REVOKE = `exec "$1" host revoke "$2" --yes`;

/** Ends the installation: what is needed for it alone goes. */
export const FINISH = `rm -rf ${WORK}`;

/**
 * Takes an installation back: all that was not there before it. Where that fails the folder stays, so that it is found.
 * Arguments: what was there before, where the folder has gone already.
 */
export const UNDO = `
umask 077
mkdir -p ${WORK} || exit 1
[ -e ${WORK}/before ] || printf "%s\\n" "$@" > ${WORK}/before || exit 1
${ALONE}
had() { grep -qx "$1" ${WORK}/before; }
program=
for file in ${COPIED} ${binary}; do [ -x "$file" ] && program=$file && break; done
if [ -e ${binary} ] || [ -e ${library} ]; then
  purge=--purge
  for part in ${Object.keys(PARTS).filter((name) => name !== "cache").join(" ")} user; do
    if had "$part"; then purge=; fi
  done
  [ -n "$program" ] && "$program" uninstall --yes $purge >&2 || exit 1
fi
if ! had user && id -u ${NAME} >/dev/null 2>&1; then userdel ${NAME} || exit 1; fi
had config || rm -rf ${configDir} || exit 1
had data || rm -rf ${dataDir} ${keyDir} ${CREDENTIAL_FILE} || exit 1
had cache || rm -rf ${cacheDir} || exit 1
rm -rf ${WORK}`;
