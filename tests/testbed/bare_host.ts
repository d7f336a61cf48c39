/**
 * A host that has nothing of KVM Manager, reached by SSH: a throwaway copy of this machine's files in namespaces of its
 * own, with Debian's sshd, users, sudo, and a network of its own that leads here alone. No systemd runs in it: a stand-in
 * for systemctl starts and stops what the unit of KVM Manager says, as its user, without its sandbox. Its libvirt is
 * `test:///default`, by a drop-in of the unit and by the environment of sshd.
 */
import { run } from "./process.ts";
import { type Ran, type Throwaway, throwaway } from "./throwaway.ts";
import { until } from "./wait.ts";

/** Users in addition to root: one that sudo takes by its password, one by none, one that it does not take. */
export const PASSWORDS = {
  root: "far away root",
  ann: "ann's far password",
  ned: "ned's far password",
  eve: "eve's far password",
} as const;

/** A libvirt without VMs: those of `test:///default` have the same ids everywhere, which only one host can have. */
export const NO_VMS =
  "<node><cpu><mhz>1000</mhz><model>i686</model><active>2</active><nodes>1</nodes><sockets>1</sockets>" +
  "<cores>2</cores><threads>1</threads></cpu><memory>4000000</memory></node>";

const UNIT = "/etc/systemd/system/kvm-manager.service";
const PID_FILE = "/run/stand-in.pid", SSHD_PID = "/run/sshd-test.pid";
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Stops the SSH sessions where a file says so: once, and for a process that has its text in its or its parent's arguments. */
const CUT = `cut_here() {
  flag=/run/cut-$1
  [ -e "$flag" ] || return 0
  cat /proc/$$/cmdline /proc/$PPID/cmdline | tr "\\0" " " | grep -q -- "$(cat "$flag")" || return 0
  /bin/rm "$flag"
  pkill -9 -P "$(cat ${SSHD_PID})"
  sleep 0.3
}`;

/** A program of that name that may cut the connection first. */
const cutting = (name: string) => `#!/bin/bash\n${CUT}\ncut_here ${name}\nexec /usr/bin/${name} "$@"\n`;

const SYSTEMCTL = `#!/bin/bash
exec 9>&-
${CUT}
cut_here systemctl
[ ! -e /run/slow-systemctl ] || sleep 4
unit=${UNIT}
values() { cat "$unit" "$unit".d/*.conf 2>/dev/null | sed -n "s/^$1=//p"; }
is_up() { [ -s ${PID_FILE} ] && kill -0 "$(cat ${PID_FILE})" 2>/dev/null; }
stop() {
  is_up || return 0
  kill "$(cat ${PID_FILE})"
  for _ in $(seq 100); do is_up || break; sleep 0.1; done
  rm -f ${PID_FILE}
}
start() {
  install -d -m 750 -o kvm-manager -g kvm-manager /run/kvm-manager
  for line in "$(values ExecStartPre)"; do env -i PATH=${PATH} \${line#+} >/dev/null || exit 1; done
  # shellcheck disable=SC2046
  env -i PATH=${PATH} $(values Environment) setsid setpriv --reuid kvm-manager --regid kvm-manager --init-groups \\
    $(values ExecStart) </dev/null >/dev/null 2>>/run/stand-in.log &
  echo $! > ${PID_FILE}
}
case $1 in
enable) touch /run/stand-in.enabled ;;
disable) rm -f /run/stand-in.enabled; [ "$2" != --now ] || stop ;;
restart) stop; start ;;
try-restart) if is_up; then stop; start; fi ;;
is-enabled) [ -e /run/stand-in.enabled ] ;;
show) if is_up; then echo active; else echo failed; fi ;;
esac
`;

/** Programs to kill in the middle of each step of an installation, each with its parent. */
export const CUTS: Readonly<Record<string, readonly [program: string, parent: string]>> = {
  look: ["df", ""],
  copy: ["mktemp", ""],
  check: ["gzip", ""],
  install: ["systemctl", ""],
  answer: ["date", ""],
  invite: ["ls", "host invite"],
  join: ["rm", "rm -rf /usr/local/lib/kvm-manager-install"],
};

/** Places of which an installation that was undone leaves none. */
export const TRACES = [
  ...["/usr/local/bin/kvm-manager", "/usr/local/lib/kvm-manager", "/usr/local/lib/kvm-manager-install", UNIT],
  ...["/etc/sysusers.d/kvm-manager.conf", "/etc/tmpfiles.d/kvm-manager.conf", "/etc/kvm-manager"],
  ...["/var/lib/kvm-manager", "/var/cache/kvm-manager"],
];

export class BareHost implements AsyncDisposable {
  constructor(
    private readonly files: Throwaway,
    /** Its address, which this machine alone reaches. */
    readonly address: string,
    /** `SHA256:…`, as ssh-keygen shows it. */
    readonly hostKey: string,
    private readonly cleanup: AsyncDisposableStack,
  ) {}

  /** Runs a shell script in it, as root. */
  run(script: string): Promise<Ran> {
    return this.files.run("bash", "-c", script);
  }

  /** The same, which must end well. @returns what it wrote */
  async well(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(script);
    if (code !== 0) throw new Error(`${script}: ${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Those of the paths that exist. */
  async present(paths: readonly string[]): Promise<string[]> {
    const text = await this.well(`for file in ${paths.join(" ")}; do [ ! -e $file ] || echo $file; done`);
    return text.split("\n").filter((line) => line !== "");
  }

  /** Traces of an installation: files, the account, processes, lines in any user's authorized_keys. */
  async traces(): Promise<string[]> {
    const more = await this.well(
      `id -un kvm-manager 2>/dev/null; pgrep -u kvm-manager 2>/dev/null; cat /root/.ssh/authorized_keys ` +
        `/home/*/.ssh/authorized_keys 2>/dev/null; true`,
    );
    return [...await this.present(TRACES), ...more.split("\n").filter((line) => line !== "")];
  }

  /** Has the connection be cut in the middle of a step, once. */
  async cutIn(step: string): Promise<void> {
    const [program, parent] = CUTS[step]!;
    await this.well(`printf '%s' '${parent}' > /run/cut-${program}`);
  }

  /** Steps whose cut has not come. */
  async cutsLeft(): Promise<string> {
    return await this.well("cd /run && ls -d cut-* 2>/dev/null || true");
  }

  /** Bounds all that is written in it. @param bytes beyond what it has now; undefined: half of the memory, as at first */
  async bound(bytes: number | undefined): Promise<void> {
    const top = this.files.root.replace(/\/root$/, "");
    const inside = ["nsenter", "--target", String(this.files.pid), "--mount", "--"];
    const used = Number((await run([...inside, "df", "-k", "--output=used", top])).trim().split("\n")[1]);
    const size = bytes === undefined ? "50%" : `${used + Math.ceil(bytes / 1024)}k`;
    await run([...inside, "mount", "-o", `remount,size=${size}`, top]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup.disposeAsync();
  }
}

/** Makes one, where the needs `ssh` and `sudo` are met. */
export async function bareHost(): Promise<BareHost> {
  await using undo = new AsyncDisposableStack();
  const files = undo.use(await throwaway());
  const well = async (script: string, ...args: string[]) => {
    const { code, stdout, stderr } = await files.run("bash", "-ec", script, "bash", ...args);
    if (code !== 0) throw new Error(`a bare host: ${stdout}${stderr}`);
    return stdout.trim();
  };
  const write = (path: string, text: string, mode = "644") =>
    well(`mkdir -p "$(dirname "$1")"; printf '%s' "$2" > "$1"; chmod "$3" "$1"`, path, text, mode);
  const number = crypto.getRandomValues(new Uint8Array(2)), [a, b] = number;
  const here = `198.18.${a}.${b! & 0xfc | 1}`, address = `198.18.${a}.${b! & 0xfc | 2}`;
  const name = `kvmt${a!.toString(16)}${b!.toString(16)}`;
  await run(["ip", "link", "add", name, "type", "veth", "peer", "name", "far0", "netns", String(files.pid)]);
  await run(["ip", "address", "add", `${here}/30`, "dev", name]);
  await run(["ip", "link", "set", name, "up"]);
  await well(`ip address add ${address}/30 dev far0; ip link set far0 up`);

  await write("/usr/bin/systemctl", SYSTEMCTL, "755");
  for (const [program] of Object.values(CUTS)) {
    if (program !== "systemctl") await write(`/usr/local/sbin/${program}`, cutting(program), "755");
  }
  await write(`${UNIT}.d/test.conf`, "[Service]\nEnvironment=KVMM_URI=test:///default\n");
  await write(
    "/etc/sudoers.d/test",
    'Defaults env_keep += "KVMM_URI"\nann ALL=(ALL) ALL\nned ALL=(ALL) NOPASSWD: ALL\n',
    "440",
  );
  await write(
    "/etc/ssh/test_config",
    [
      ...["HostKey /etc/ssh/test_host_key", `PidFile ${SSHD_PID}`, "PasswordAuthentication yes", "UsePAM no"],
      ...["PermitRootLogin yes", "SetEnv KVMM_URI=test:///default", ""],
    ].join("\n"),
  );
  await well(`
    mkdir -p /run/systemd/system /run/sshd
    rm -rf /root/.ssh
    for user in ann ned eve; do useradd --create-home --shell /bin/bash $user; done
    ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/test_host_key`);
  for (const [user, password] of Object.entries(PASSWORDS)) {
    await well(`printf '%s:%s\\n' "$1" "$2" | chpasswd`, user, password);
  }
  await well("/usr/sbin/sshd -f /etc/ssh/test_config -E /run/sshd.log");
  await until("sshd", async () => (await files.run("test", "-s", SSHD_PID)).code === 0);
  const hostKey = (await well("ssh-keygen -l -f /etc/ssh/test_host_key.pub")).split(" ")[1]!;
  return new BareHost(files, address, hostKey, undo.move());
}
