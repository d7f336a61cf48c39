/**
 * The mounts that VMs' disks and pools' folders are on, asked regularly whether they respond: a server that has gone is named
 * before anything of libvirt waits for it.
 */
import { dirname } from "node:path";
import { describePool } from "../../lib/formats/xml/pool.ts";
import type { VM } from "../../lib/contract/vm.ts";
import {
  gatedMountOf,
  isNotResponding,
  mountAnswersWithin,
  mountAt,
  notRespondingMounts,
  onMountsChange,
  responds,
  type UnresponsiveMount,
} from "./mount_gate.ts";

/** The parts of a host's inventory that are read, and that show the results. */
export interface StoredVms {
  vms(): readonly VM[];
  /** Has a VM show the mount that does not respond, or no more. */
  update(
    vmId: string,
    change: { readonly silentMount: { readonly path: string; readonly since: string } | undefined },
  ): void;
  readonly storage: {
    record(pool: string): { readonly xml: string } | undefined;
    records(): readonly { readonly xml: string }[];
  };
}

export class VmStorage {
  readonly #leave: () => void;
  /** Folder → where the mount is that it leads to, links followed. */
  readonly #mounts = new Map<string, string>();
  /** VMs that are shown to be on a mount that does not respond. */
  #shown = new Set<string>();

  /** @param changed told when a mount has stopped to respond, or responds again */
  constructor(private readonly inventory: StoredVms, changed: () => void) {
    this.#leave = onMountsChange(() => {
      this.#show();
      changed();
    });
  }

  /** The mounts that something here is on and that do not respond. */
  list(): readonly UnresponsiveMount[] {
    const used = new Set(this.#mounts.values());
    return notRespondingMounts().filter(({ path }) => used.has(path));
  }

  /** The mount that does not respond and that a disk of a VM is on; undefined where all do. */
  of(vm: Pick<VM, "disks">): UnresponsiveMount | undefined {
    const silent = notRespondingMounts();
    if (silent.length === 0) return undefined;
    const mounts = this.#mountsOf(vm);
    return silent.find(({ path }) => mounts.has(path));
  }

  /**
   * The VMs that have a disk on a mount which does not answer within so many milliseconds, asked now: what libvirt is asked
   * about their disks could wait for it.
   */
  async unanswered<V extends Pick<VM, "disks">>(vms: readonly V[], ms: number): Promise<V[]> {
    const mountsOf = new Map(vms.map((vm) => [vm, this.#mountsOf(vm)]));
    const all = [...new Set([...mountsOf.values()].flatMap((mounts) => [...mounts]))];
    const answers = await Promise.all(all.map((at) => mountAnswersWithin(ms, at)));
    const silent = new Set(all.filter((_, index) => !answers[index]));
    return vms.filter((vm) => !mountsOf.get(vm)!.isDisjointFrom(silent));
  }

  /** Mount points that a VM's disks are on. */
  #mountsOf(vm: Pick<VM, "disks">): Set<string> {
    const found = this.#foldersOf(vm).map((folder) => this.#mounts.get(folder) ?? gatedMountOf(folder)?.at);
    return new Set(found.filter((at) => at !== undefined));
  }

  /** Asks each mount once. */
  async look(): Promise<void> {
    const folders = this.#folders();
    for (const folder of this.#mounts.keys()) if (!folders.has(folder)) this.#mounts.delete(folder);
    const places = new Map<string, string>();
    for (const folder of folders) {
      try {
        const at = (await mountAt(folder))?.at;
        if (at === undefined) continue;
        this.#mounts.set(folder, at);
        places.set(at, folder);
      } catch (error) {
        if (!isNotResponding(error)) throw error;
        // The way to it leads through a mount that does not respond: what was known of it stays
        const at = error.details?.path ?? gatedMountOf(folder)?.at;
        if (!this.#mounts.has(folder)) this.#mounts.set(folder, String(at));
      }
    }
    await Promise.all([...places.values()].map((folder) => responds(folder)));
    this.#show();
  }

  stop(): void {
    this.#leave();
  }

  #foldersOf({ disks }: Pick<VM, "disks">): string[] {
    return disks.flatMap(({ source, type }) => {
      if (source === undefined) return [];
      if (source.startsWith("/")) return type === "file" ? [dirname(source)] : [];
      if (type !== "volume") return [];
      const pool = this.inventory.storage.record(source.slice(0, source.indexOf("/")));
      return (pool && describePool(pool.xml).path) ?? [];
    });
  }

  #folders(): Set<string> {
    const pools = this.inventory.storage.records().flatMap(({ xml }) => describePool(xml).path ?? []);
    return new Set([...this.inventory.vms().flatMap((vm) => this.#foldersOf(vm)), ...pools]);
  }

  /** Has the VMs show it. */
  #show(): void {
    if (this.#shown.size === 0 && notRespondingMounts().length === 0) return;
    const shown = new Set<string>();
    for (const vm of this.inventory.vms()) {
      const silent = this.of(vm);
      if (silent !== undefined) shown.add(vm.id);
      if (silent === undefined && !this.#shown.has(vm.id)) continue;
      this.inventory.update(vm.id, { silentMount: silent && { path: silent.path, since: silent.since } });
    }
    this.#shown = shown;
  }
}
