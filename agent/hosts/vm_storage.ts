/**
 * The mounts that VMs' disks and pools' folders are on, asked regularly whether they respond: a server that has gone is named
 * before anything of libvirt waits for it.
 */
import { dirname } from "node:path";
import { describePool } from "../../lib/formats/xml/pool.ts";
import type { VM } from "../../lib/contract/vm.ts";
import {
  mountOf,
  notRespondingMounts,
  onMountsChange,
  responds,
  type UnresponsiveMount,
} from "../mount_gate.ts";
import type { Inventory } from "./inventory/inventory.ts";

type Known = Pick<Inventory, "vms" | "update"> & { readonly storage: Pick<Inventory["storage"], "records"> };

export class VmStorage {
  readonly #leave: () => void;

  /** @param changed told when a mount has stopped to respond, or responds again */
  constructor(private readonly inventory: Known, changed: () => void) {
    this.#leave = onMountsChange(() => {
      this.#tell();
      changed();
    });
  }

  /** The mounts that something here is on and that do not respond. */
  list(): readonly UnresponsiveMount[] {
    const silent = notRespondingMounts();
    if (silent.length === 0) return silent;
    const used = new Set(this.#paths().flatMap((path) => mountOf(path)?.at ?? []));
    return silent.filter(({ path }) => used.has(path));
  }

  /** The mount that does not respond and that a disk of a VM is on; undefined where all do. */
  of({ disks }: Pick<VM, "disks">): UnresponsiveMount | undefined {
    const silent = notRespondingMounts();
    if (silent.length === 0) return undefined;
    const mounts = new Set(
      disks.flatMap(({ source }) => source === undefined ? [] : mountOf(source)?.at ?? []),
    );
    return silent.find(({ path }) => mounts.has(path));
  }

  /** Asks each mount once. */
  async look(): Promise<void> {
    const places = new Map(
      this.#paths().flatMap((path) => {
        const at = mountOf(path)?.at;
        return at === undefined ? [] : [[at, path] as const];
      }),
    );
    await Promise.all([...places.values()].map((path) => responds(path)));
    this.#tell();
  }

  stop(): void {
    this.#leave();
  }

  #paths(): string[] {
    const sources = this.inventory.vms().flatMap(({ disks }) =>
      disks.flatMap(({ source, type }) => source?.startsWith("/") && type === "file" ? [dirname(source)] : [])
    );
    const folders = this.inventory.storage.records().flatMap(({ xml }) => describePool(xml).path ?? []);
    return [...new Set([...sources, ...folders])];
  }

  /** Has the VMs show it. */
  #tell(): void {
    for (const vm of this.inventory.vms()) {
      const silent = this.of(vm);
      this.inventory.update(vm.id, { silentMount: silent && { path: silent.path, since: silent.since } });
    }
  }
}
