/**
 * Removes what crashed test runs left on the host: `deno run -A tests/testbed/clean.ts [--all]`.
 *
 * Only things called `kvmm-test-…` are touched, and of those only the ones whose maker is gone (`--all`: those of
 * runs that are going on as well). A test that has the product make something must therefore name it with `testName()`.
 */
import { ensureLibvirtd, virsh } from "./libvirt.ts";
import { claims, isTestName, testbedDir } from "./names.ts";
import { exists } from "./process.ts";
import {
  removeDomain,
  removeFiles,
  removeNetwork,
  removePool,
  removeStoppedDomains,
  removeVolume,
} from "./removal.ts";

/** What a sweep removed, by name. */
export interface Swept {
  readonly domains: string[];
  readonly networks: string[];
  /** In whatever pool they lie. */
  readonly volumes: string[];
  readonly pools: string[];
  /** Folders of disks, logs and definitions, and names given back. */
  readonly files: string[];
}

/** Sweeps. @param options.all also takes what processes that are still alive have made */
export async function sweep({ all = false }: { all?: boolean } = {}): Promise<Swept> {
  await ensureLibvirtd();
  const { live, dead } = await claims();
  const inUse = all ? [] : live;
  const leftOver = (name: string) =>
    isTestName(name) && !inUse.some((claim) => name === claim || name.startsWith(`${claim}-`));
  const list = async (...command: string[]) =>
    (await virsh(...command, "--name")).split("\n").map((line) => line.trim()).filter(leftOver);

  const running = await list("list"); // and paused: all that have a QEMU
  const stopped = await list("list", "--inactive");
  for (const name of running) await removeDomain(name);
  await removeStoppedDomains(stopped);
  const networks = await list("net-list", "--all");
  for (const name of networks) await removeNetwork(name);
  const volumes: string[] = [];
  for (
    const pool of (await virsh("pool-list", "--name")).split("\n").map((line) => line.trim()).filter(Boolean)
  ) {
    for (const volume of (await volumesOf(pool)).filter(leftOver)) {
      await removeVolume(pool, volume);
      volumes.push(volume);
    }
  }
  const pools = await list("pool-list", "--all");
  for (const name of pools) await removePool(name);
  const files = new Set([...dead, ...(all ? live : []), ...await entries("files")].filter(leftOver));
  for (const name of files) await removeFiles(name);
  await removeAbandonedBuilds();
  return { domains: [...running, ...stopped], networks, volumes, pools, files: [...files] };
}

/** `vol-list` prints a table of names and paths; the name of a test thing holds no blank. */
async function volumesOf(pool: string): Promise<string[]> {
  return (await virsh("vol-list", pool)).split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
}

/** Half-built guests. A build takes seconds: after an hour nobody is at it any more. */
async function removeAbandonedBuilds(): Promise<void> {
  for (const name of (await entries(".")).filter((name) => name.endsWith(".part"))) {
    const path = `${testbedDir()}/${name}`;
    const { mtime } = await Deno.stat(path);
    if (mtime !== null && Date.now() - mtime.getTime() > 3_600_000) {
      await Deno.remove(path, { recursive: true });
    }
  }
}

async function entries(folder: string): Promise<string[]> {
  const path = `${testbedDir()}/${folder}`;
  return await exists(path) ? (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name) : [];
}

if (import.meta.main) {
  for (const [kind, names] of Object.entries(await sweep({ all: Deno.args.includes("--all") }))) {
    console.log(`${kind}: ${names.length === 0 ? "nothing" : names.join(" ")}`);
  }
}
