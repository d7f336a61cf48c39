/** The machine's libvirt: its daemons, and the one door to virsh and to the processes of guests. */
import { ensurePackages } from "./packages.ts";
import { commandOf } from "./pid.ts";
import { exists, ProcessError, run } from "./process.ts";
import { PROJECT } from "./product_binary.ts";
import { Unavailable } from "./unavailable.ts";
import { connectTo, URI } from "./virsh.ts";
import { until } from "./wait.ts";

export { freeze, thaw } from "./pid.ts";
export { URI, virsh, virshBatch, virshUnless, virshXml } from "./virsh.ts";

const PACKAGES = [
  "libvirt-daemon-system",
  "libvirt-clients",
  "qemu-system-x86",
  "qemu-utils",
  "dnsmasq-base",
  "iptables",
] as const;
const PID_FILE = "/run/libvirtd.pid";
const SYSTEMD = "/run/systemd/system";

/** Functions of a libvirtd other than the machine's that the test bed needs. */
export interface OwnLibvirtd {
  readonly uri: string;
  /** Starts it where it does not run, and waits until it answers. */
  start(): Promise<void>;
  /** The QEMU of a domain, or null. */
  qemuOf(domain: string): Promise<number | null>;
}

let own: OwnLibvirtd | undefined;

/** Has every helper use this libvirtd instead of the machine's from now on. Called by `own_libvirtd.ts` alone. */
export function useLibvirtd(libvirtd: OwnLibvirtd): void {
  own = libvirtd;
  connectTo(libvirtd.uri);
}

/** Whether {@link URI} answers within 5 s. */
export async function libvirtAnswers(): Promise<boolean> {
  try {
    await run(["timeout", "5", "virsh", "--quiet", "--connect", URI, "version"]);
    return true;
  } catch (error) {
    if (error instanceof ProcessError || error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Makes sure that {@link URI} answers: installs and starts what is missing.
 *
 * @throws {Unavailable} when that is not possible here
 */
export async function ensureLibvirtd(): Promise<void> {
  if (own !== undefined) return await startLibvirtd();
  await settleKvmAccess();
  if (await libvirtAnswers()) return await ensureVirtlogd();
  await ensurePackages(...PACKAGES);
  if (Deno.uid() !== 0) throw new Unavailable(`nothing answers on ${URI}, and only root can start libvirtd`);
  await startLibvirtd();
}

/** The process id of libvirtd, or null when it does not run. */
async function libvirtdPid(): Promise<number | null> {
  if (!await exists(PID_FILE)) return null;
  const pid = Number(await Deno.readTextFile(PID_FILE));
  // The file outlives a killed daemon, and its number may belong to somebody else by now.
  return await commandOf(pid) === "libvirtd" ? pid : null;
}

/** Starts virtlogd and libvirtd where they do not run, and waits until {@link URI} answers. */
export async function startLibvirtd(): Promise<void> {
  if (own !== undefined) {
    if (!await libvirtAnswers()) await own.start();
    return;
  }
  if (await exists(SYSTEMD)) {
    await run(["systemctl", "start", "libvirtd"]); // takes virtlogd along
  } else {
    await ensureVirtlogd();
    if (await libvirtdPid() === null) await launch();
  }
  await until("libvirtd to answer", libvirtAnswers, { seconds: 30 });
}

/** `launch_libvirtd` of scripts/lib.sh: a QEMU that has ended must not live on as a zombie. */
async function launch(): Promise<void> {
  await run(["sh", "-c", 'project=$1; . "$1/scripts/lib.sh"; launch_libvirtd', "sh", PROJECT]);
}

/** The QEMU process of a running domain, or null. */
export async function qemuPid(domain: string): Promise<number | null> {
  if (own !== undefined) return await own.qemuOf(domain);
  const file = `/run/libvirt/qemu/${domain}.pid`;
  if (!await exists(file)) return null;
  const pid = Number(await Deno.readTextFile(file));
  return (await commandOf(pid))?.startsWith("qemu-system") ? pid : null;
}

/**
 * Gives /dev/kvm the group and mode that udev gives it (root:kvm 0660) on a machine where no udev runs.
 *
 * Without that, libvirt 9.0 probes QEMU again for every define and start, which takes up to 48 s: the probe may
 * override permissions and finds KVM, the check of the cached answer may not and takes it for out of date.
 */
async function settleKvmAccess(): Promise<void> {
  if (Deno.uid() !== 0 || await exists("/run/udev/control") || !await exists("/dev/kvm")) return;
  const { mode, gid } = await Deno.stat("/dev/kvm");
  if (mode === null || (mode & 0o777) !== 0o600 || gid !== 0) return; // somebody has decided about it
  const groups = await Deno.readTextFile("/etc/group");
  const kvm = /^kvm:[^:]*:(\d+):/m.exec(groups)?.[1];
  if (kvm === undefined) return;
  await Deno.chown("/dev/kvm", 0, Number(kvm));
  await Deno.chmod("/dev/kvm", 0o660);
}

/** Starts virtlogd where nothing else looks after it: without it libvirtd answers, but no machine starts. */
async function ensureVirtlogd(): Promise<void> {
  if (Deno.uid() !== 0 || await exists(SYSTEMD) || await withoutVirtlogd()) return;
  const file = "/run/virtlogd.pid";
  const pid = await exists(file) ? Number(await Deno.readTextFile(file)) : null;
  if (pid === null || await commandOf(pid) !== "virtlogd") await run(["virtlogd", "--daemon"]);
}

/** Whether QEMU writes its logs itself here, as in the namespaces of a private libvirtd. */
async function withoutVirtlogd(): Promise<boolean> {
  const file = "/etc/libvirt/qemu.conf";
  return await exists(file) && /^stdio_handler\s*=\s*"file"/m.test(await Deno.readTextFile(file));
}
