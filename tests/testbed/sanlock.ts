/**
 * Debian's sanlock for private libvirtds alone: unpacked, for its package starts a daemon where it is installed. Each
 * host sees it through overlays at the places of the packages, and has a daemon of its own, without a watchdog.
 */
import { built } from "./built.ts";
import { ensureLibvirtd } from "./libvirt.ts";
import { downloadWithDependencies, ensurePackages } from "./packages.ts";
import type { PrivateLibvirt } from "./private_libvirt.ts";
import { ProcessError, run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";
import { until } from "./wait.ts";

const PACKAGES = ["sanlock", "libvirt-sanlock"] as const;
/** Folders of the packages that a host sees over its own. */
const PLACES = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/libvirt", "/usr/sbin"] as const;
/** Place of its socket. */
const SOCKETS = "/run/sanlock";

/**
 * The daemon ends where it may not lock all of its memory, as in a container without CAP_SYS_RESOURCE. It is let believe
 * that it may: what it needs then is less than a container has.
 */
const NO_LIMITS = `#include <sys/resource.h>
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) { return 0; }
`;

let unpacking: Promise<string> | undefined;

/** The folder where the packages are unpacked. @throws {Unavailable} */
const packages = (): Promise<string> => unpacking ??= unpack();

async function unpack(): Promise<string> {
  return await built("sanlock", [await Deno.readTextFile(new URL(import.meta.url))], async (work) => {
    for (const file of await downloadWithDependencies(PACKAGES, `${work}/debs`)) {
      await run(["dpkg-deb", "--extract", file, `${work}/out`]);
    }
    if (!await mayLockMemory()) {
      await ensurePackages("gcc", "libc6-dev");
      await Deno.writeTextFile(`${work}/limits.c`, NO_LIMITS);
      await run(["gcc", "-shared", "-fPIC", "-o", `${work}/out/limits.so`, `${work}/limits.c`]);
    }
  });
}

async function succeeds(argv: readonly string[]): Promise<boolean> {
  try {
    await run(argv);
    return true;
  } catch (error) {
    if (error instanceof ProcessError) return false;
    throw error;
  }
}

const mayLockMemory = () => succeeds(["sh", "-c", "ulimit -l unlimited"]);

const overlayLine = (root: string, place: string) =>
  `mount -t overlay overlay -o lowerdir=${root}${place}:${place} ${place}`;

/** Its packages, and a kernel with overlays. @throws {Unavailable} */
export async function ensureSanlock(): Promise<void> {
  await ensureLibvirtd();
  if (Deno.uid() !== 0) throw new Unavailable("sanlock is started by root alone");
  if (Deno.build.arch !== "x86_64") throw new Unavailable("sanlock is unpacked for x86_64 alone");
  const root = await packages();
  if (!await succeeds(["unshare", "--mount", "sh", "-c", overlayLine(root, PLACES[0])])) {
    throw new Unavailable("this kernel mounts no overlay");
  }
}

/** sanlock on a private libvirtd's host. */
export interface Sanlock {
  /** Resources that are held there, as `sanlock client status` has them. */
  held(): Promise<string[]>;
  start(): Promise<void>;
  /** Ends the daemon without warning: it runs no watchdog. */
  kill(): Promise<void>;
}

/** Puts sanlock onto a host and starts it. A server there sees it from its next start on. */
export async function sanlockOn(libvirt: PrivateLibvirt): Promise<Sanlock> {
  const root = await packages(), sockets = `${libvirt.folder}/sanlock`;
  await Deno.mkdir(sockets);
  // The place of a mount is seen by all; where sanlock is installed, it is there
  await Deno.mkdir(SOCKETS, { recursive: true });
  const lines = [...PLACES.map((place) => overlayLine(root, place)), `mount --bind ${sockets} ${SOCKETS}`];
  await libvirt.inside("sh", "-ec", lines.join("\n"));
  const env = await mayLockMemory() ? [] : ["env", `LD_PRELOAD=${root}/limits.so`];
  // -w 0: no watchdog; -L, -S: no logs outside
  const options = ["-w", "0", "-U", "root", "-G", "root", "-L", "-1", "-S", "-1", "-e", libvirt.name];
  const status = () => libvirt.inside("sanlock", "client", "status");
  const sanlock: Sanlock = {
    held: async () => (await status()).split("\n").filter((line) => line.startsWith("r ")),
    start: async () => {
      await libvirt.inside(...env, "sanlock", "daemon", ...options);
      await until("sanlock to answer", () => succeeds(libvirt.argvInside("sanlock", "client", "status")));
    },
    kill: async () => {
      const pid = await libvirt.processOf("sanlock");
      if (pid === null) throw new Error("sanlock does not run");
      Deno.kill(pid, "SIGKILL");
      await until("sanlock to end", async () => await libvirt.processOf("sanlock") === null);
    },
  };
  await sanlock.start();
  return sanlock;
}
