/** Taking test things off the host again, whatever state they are in. Never called for other names. */
import { qemuPid, thaw, virshBatch, virshUnless } from "./libvirt.ts";
import { filesOf, isTestName, releaseName } from "./names.ts";
import { exists, run } from "./process.ts";

const GONE = /not found|failed to get (domain|network|pool)/i;
const INACTIVE = /is not running|is not active/i;
const GONE_OR_INACTIVE = new RegExp(`${GONE.source}|${INACTIVE.source}`, "i");

/** All that libvirt keeps in addition to a definition. The disks are files of ours, removed with their folder. */
const UNDEFINE = ["--managed-save", "--snapshots-metadata", "--checkpoints-metadata", "--nvram"] as const;

/** Stops and undefines a domain with its managed save, snapshot metadata and NVRAM. Gone already is fine. */
export async function removeDomain(name: string): Promise<void> {
  guard(name);
  const frozen = await qemuPid(name);
  if (frozen !== null) await thaw(frozen); // libvirt would wait in vain for a stopped QEMU to end
  await virshUnless(GONE_OR_INACTIVE, "destroy", name);
  await virshUnless(GONE, "undefine", name, ...UNDEFINE); // a transient domain is gone after destroy
}

/** Undefines many stopped domains at once, which is much faster. */
export async function removeStoppedDomains(names: readonly string[]): Promise<void> {
  names.forEach(guard);
  const plain = names.filter((name) => /^[\w.-]+$/.test(name)); // what virsh's own parser leaves as it is
  await virshBatch(plain.map((name) => `undefine ${name} ${UNDEFINE.join(" ")}`), GONE);
  for (const name of names) if (!plain.includes(name)) await removeDomain(name);
}

/** Stops and undefines a network; libvirt removes its leases. Gone already is fine. */
export async function removeNetwork(name: string): Promise<void> {
  guard(name);
  await virshUnless(GONE_OR_INACTIVE, "net-destroy", name);
  await virshUnless(GONE, "net-undefine", name);
}

/** Removes a network namespace, with the wires into it. Gone already is fine. */
export async function removeNetworkNamespace(name: string): Promise<void> {
  guard(name);
  if (await exists(`/run/netns/${name}`)) await run(["ip", "netns", "delete", name]);
}

/** Stops and undefines a pool. Its volumes are left to {@link removeVolume} and {@link removeFiles}. Gone is fine. */
export async function removePool(name: string): Promise<void> {
  guard(name);
  await virshUnless(GONE_OR_INACTIVE, "pool-destroy", name);
  await virshUnless(GONE, "pool-undefine", name);
}

/** Deletes a volume with the name of a test thing from any pool. Gone already is fine. */
export async function removeVolume(pool: string, volume: string): Promise<void> {
  guard(volume);
  await virshUnless(/not found|failed to get (pool|vol)/i, "vol-delete", volume, "--pool", pool);
}

/** Deletes the cloud-init seeds of a test VM from a pool. A pool that is gone is fine. */
export async function removeSeeds(pool: string, vmName: string): Promise<void> {
  guard(vmName);
  const listed = await virshUnless(/failed to get pool/i, "vol-list", pool);
  const names = (listed ?? "").split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
  const seeds = names.filter((each) =>
    each.startsWith(`${vmName}-`) && /^-[0-9a-f]{8}-seed\.iso$/.test(each.slice(vmName.length))
  );
  for (const seed of seeds) await removeVolume(pool, seed);
}

/** Removes the files of a test thing and gives its name back. The last step: until then a sweep can find it. */
export async function removeFiles(name: string): Promise<void> {
  guard(name);
  const folder = filesOf(name);
  await unmountBelow(folder);
  if (await exists(folder)) await Deno.remove(folder, { recursive: true });
  await releaseName(name);
}

/** Takes away what a test that was killed left mounted there. */
async function unmountBelow(folder: string): Promise<void> {
  for (const line of (await Deno.readTextFile("/proc/self/mounts")).split("\n").toReversed()) {
    const [, place = ""] = line.split(" ");
    if (place.startsWith(`${folder}/`)) await run(["umount", "--lazy", place]);
  }
}

function guard(name: string): void {
  if (!isTestName(name) || name.includes("/")) throw new Error(`not a thing of a test, left alone: ${name}`);
}
