/**
 * Linked hosts that ids of VMs belong to: the one that listed the VM first, until that one no longer has it.
 * It is written down, so that no other host gets the calls and the rights of a VM whose host is away when KVM
 * Manager starts.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../clock.ts";
import type { Store } from "../../store/store.ts";
import { UnsavedRows } from "../../store/unsaved_rows.ts";

export const VM_OWNER_MIGRATION = `CREATE TABLE linked_vms (
  vm_id TEXT PRIMARY KEY,
  host  TEXT NOT NULL -- id of the linked host
) STRICT, WITHOUT ROWID;`;

/** Milliseconds until changes are written. */
const SAVE_MS = 1000;

export class VmOwners {
  readonly #hosts = new Map<string, string>();
  readonly #unsaved: UnsavedRows;
  /** Calls off the writing of what has changed; undefined while nothing has. */
  #saving: (() => void) | undefined;

  constructor(store: Store, private readonly clock: Clock) {
    this.#unsaved = new UnsavedRows(store, "VMs of linked hosts", (database) => {
      const put = database.prepare("INSERT OR REPLACE INTO linked_vms (vm_id, host) VALUES (?, ?)");
      const remove = database.prepare("DELETE FROM linked_vms WHERE vm_id = ?");
      return (vmId) => {
        const host = this.#hosts.get(vmId);
        if (host === undefined) remove.run(vmId);
        else put.run(vmId, host);
      };
    });
    store.attach((database) => this.#read(database));
  }

  /** Id of the host; undefined where no linked host has listed the VM. */
  hostOf(vmId: string): string | undefined {
    return this.#hosts.get(vmId);
  }

  /** A host has listed a VM. It becomes its own where it is no other's. */
  claim(vmId: string, hostId: string): void {
    if (this.#hosts.has(vmId)) return;
    this.#set(vmId, hostId);
    this.#saveSoon();
  }

  /** A host does not have a VM any more. */
  release(vmId: string, hostId: string): void {
    if (this.#hosts.get(vmId) !== hostId) return;
    this.#set(vmId, undefined);
    this.#saveSoon();
  }

  /** A host has listed all its VMs. */
  reconcile(hostId: string, vmIds: ReadonlySet<string>): void {
    for (const [vmId, host] of [...this.#hosts]) {
      if (host === hostId && !vmIds.has(vmId)) this.#set(vmId, undefined);
    }
    for (const vmId of vmIds) if (!this.#hosts.has(vmId)) this.#set(vmId, hostId);
    this.save();
  }

  /** Writes what has changed. */
  save(): void {
    this.#saving?.();
    this.#saving = undefined;
    this.#unsaved.save();
  }

  /** A host lists as many VMs as it likes: they are written together. */
  #saveSoon(): void {
    this.#saving ??= this.clock.after(SAVE_MS, () => this.save());
  }

  #set(vmId: string, host: string | undefined): void {
    if (host === undefined) this.#hosts.delete(vmId);
    else this.#hosts.set(vmId, host);
    this.#unsaved.add(vmId);
  }

  #read(database: DatabaseSync): void {
    for (const { vm_id, host } of database.prepare("SELECT vm_id, host FROM linked_vms").all()) {
      const vmId = String(vm_id);
      if (!this.#unsaved.has(vmId)) this.#hosts.set(vmId, String(host));
    }
  }
}
