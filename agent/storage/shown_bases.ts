/**
 * Images that are built on the disks of a VM, for pages. The uses of images are read for the whole host at
 * once, and cached while its VMs and its storage do not change: a page of one VM does not read the others.
 */
import type { Published } from "../events/hub.ts";
import type { StorageUser, VM } from "../../lib/contract/mod.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { ImageUses, isWritten, type SomeDisk } from "./image_conflicts.ts";
import type { PoolVolume } from "./volumes.ts";

/** Milliseconds for which it is kept: no event comes of a header that another program changes, nor of hidden VMs. */
const AGE_MS = 10_000;

interface KeptUses extends Disposable {
  readonly uses: Promise<ImageUses>;
  /** Monotonic milliseconds. */
  readonly until: number;
  readonly volumes: readonly PoolVolume[];
  readonly keepers: string;
}

const keptUses = new WeakMap<LibvirtHost, KeptUses>();

/** The fields of a VM that uses of images depend on. */
const keyOf = ({ name, disks }: Pick<VM, "name" | "disks">) =>
  JSON.stringify([
    name,
    disks.map(({ device, type, source, format, readOnly, shareable }) => [
      ...[device, type, source, format, readOnly, shareable],
    ]),
  ]);

/** Whether VMs have other disks by an event. @param keys of all VMs, by id */
function hasOtherDisks(keys: ReadonlyMap<string, string>, [name, data]: Published): boolean {
  if (name === "vm-created" || name === "vm-updated") return keyOf(data.vm) !== keys.get(data.vm.id);
  return name === "vm-deleted" && keys.has(data.vmId);
}

function usesOf(host: LibvirtHost): Promise<ImageUses> {
  const { inventory, clock } = host, now = clock.monotonic();
  const volumes = inventory.storage.known(), keepers = JSON.stringify(host.keepers.kept());
  const before = keptUses.get(host);
  const isCurrent = before !== undefined && now < before.until && before.volumes === volumes &&
    before.keepers === keepers;
  if (isCurrent) return before.uses;
  before?.[Symbol.dispose]();
  const keys = new Map(inventory.everyVm().map((vm) => [vm.id, keyOf(vm)]));
  // As long as it is kept only: a host that is taken away leaves no follower
  const following = host.events.follow((events) => {
    if (events.some((event) => hasOtherDisks(keys, event))) made[Symbol.dispose]();
  });
  const made: KeptUses = {
    uses: ImageUses.read(host, undefined, false),
    until: now + AGE_MS,
    volumes,
    keepers,
    [Symbol.dispose]: () => {
      following[Symbol.dispose]();
      if (keptUses.get(host) === made) keptUses.delete(host);
    },
  };
  keptUses.set(host, made);
  made.uses.catch(() => made[Symbol.dispose]()); // who waits for it is told
  return made.uses;
}

/** The disks of a VM, with what is built on each. */
export async function withBases<D extends SomeDisk>(
  host: LibvirtHost,
  { id }: Pick<VM, "id">,
  disks: readonly D[],
): Promise<(D & { baseOf?: StorageUser[] })[]> {
  if (!disks.some(isWritten)) return [...disks];
  const found = await (await usesOf(host)).conflicts({ id, disks });
  const bases = Map.groupBy(found.filter(({ isBase }) => isBase), ({ target }) => target);
  return disks.map((disk) => {
    const users = bases.get(disk.target)?.map(({ user }) => user);
    return users === undefined ? disk : { ...disk, baseOf: users };
  });
}
