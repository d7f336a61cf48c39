/**
 * Removes what crashed test runs left on the host: `deno run -A tests/testbed/clean.ts [--all]`.
 *
 * Only things called `kvmm-test-…` are touched, and of those only the ones whose maker is gone (`--all`: those of
 * runs that are going on as well). A test that has the product make something must therefore name it with `testName()`.
 */
import { ensureLibvirtd, virsh, virshUnless } from "./libvirt.ts";
import { claims, isTestName, testbedDir } from "./names.ts";
import { exists, run } from "./process.ts";
import {
  removeDomain,
  removeFiles,
  removeNetwork,
  removeNetworkNamespace,
  removePool,
  removeStoppedDomains,
  removeVolume,
} from "./removal.ts";

/** Names of the objects that a sweep removed. */
export interface Swept {
  readonly domains: string[];
  readonly networks: string[];
  /** In whatever pool they lie. */
  readonly volumes: string[];
  readonly pools: string[];
  /** Network namespaces, with the wires into them. */
  readonly namespaces: string[];
  /** Folders of disks, logs and definitions, and names given back. */
  readonly files: string[];
}

/** Sweeps. @param options.all also takes what processes that are still alive have made */
export async function sweep({ all = false }: { all?: boolean } = {}): Promise<Swept> {
  await ensureLibvirtd();
  const leftOver = (names: readonly string[]) => unclaimed(names, all);
  const list = async (...command: string[]) =>
    await leftOver((await virsh(...command, "--name")).split("\n").map((line) => line.trim()));

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
    for (const volume of await leftOver(await volumesOf(pool))) {
      await removeVolume(pool, volume);
      volumes.push(volume);
    }
  }
  const pools = await list("pool-list", "--all");
  for (const name of pools) await removePool(name);
  const namespaces = await leftOver(await networkNamespaces());
  for (const name of namespaces) await removeNetworkNamespace(name);
  const files = new Set(await leftOver([...await entries("claims"), ...await entries("files")]));
  for (const name of files) await removeFiles(name);
  await removeAbandonedBuilds();
  return { domains: [...running, ...stopped], networks, volumes, pools, namespaces, files: [...files] };
}

/**
 * The names of test things that no living process has claimed.
 *
 * The claims are read after the names were listed: a thing is claimed before it is made, so that none of those listed can
 * be one whose claim was not there yet.
 */
async function unclaimed(names: readonly string[], all: boolean): Promise<string[]> {
  const inUse = all ? [] : (await claims()).live;
  return names.filter((name) =>
    isTestName(name) && !inUse.some((claim) => name === claim || name.startsWith(`${claim}-`))
  );
}

/**
 * `vol-list` prints a table of names and paths; the name of a test thing holds no blank. A pool of another test may have gone
 * since it was listed: then it has none.
 */
async function volumesOf(pool: string): Promise<string[]> {
  const table = await virshUnless(/not found|failed to get pool|is not active/i, "vol-list", pool) ?? "";
  return table.split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
}

/** `ip netns list` prints a name a line, with an id behind it where it has one. */
async function networkNamespaces(): Promise<string[]> {
  if (Deno.uid() !== 0) return []; // only root can make them
  return (await run(["ip", "netns", "list"])).split("\n").map((line) => line.split(" ")[0] ?? "");
}

/** Half-built guests. A build takes seconds: after an hour it was abandoned. */
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
