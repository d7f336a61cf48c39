/**
 * Facts of each VM in addition to libvirt's: its tags, its group, and its identity against a later VM with the same id.
 * libvirt forgets both with a definition that another program makes: schedules, backups and rights that go by them
 * would end, or go over to another VM, without a word.
 */
import type { DatabaseSync } from "node:sqlite";
import type { LostLabels, VM, VmLabels } from "../../lib/contract/mod.ts";
import { isSameVm, isStillVm, lostLabels, type VmIdentity } from "../../lib/vm/identity.ts";
import type { Clock } from "../clock.ts";
import type { Migration } from "../store/migrations.ts";
import type { Store } from "../store/store.ts";
import { UnsavedRows } from "../store/unsaved_rows.ts";

/** VMs that are gone and are remembered, those that went last. */
const MOST_GONE = 5000;

export const KNOWN_VM_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE known_vms (
     vm_id  TEXT PRIMARY KEY,
     record TEXT NOT NULL  -- JSON: KnownVm
   ) STRICT, WITHOUT ROWID;`,
];

/** A VM as it was seen last. */
export interface KnownVm extends VmIdentity, VmLabels {
  readonly id: string;
  readonly name: string;
  /** Id of the host that it was on last. */
  readonly host: string;
  /** Milliseconds since 1970 from which on its id is this VM's; 0: from the beginning. */
  readonly since: number;
  /** Milliseconds since 1970 when it was gone; null while it is there. */
  readonly goneAt: number | null;
  /** Tags and group that it had, and that another program took away; null where there are none. */
  readonly lost: LostLabels | null;
}

/** Result of reading a VM. */
export interface Sighting {
  /** Tags and group that another program took away just now. */
  readonly lost?: LostLabels;
  /** The VM that had its id before, where that is another one. */
  readonly replaced?: KnownVm;
  /** Takes the id for that of the new VM. Called once nothing goes over to it from the one before. */
  readonly accept?: () => void;
}

export class KnownVms {
  readonly #vms = new Map<string, KnownVm>();
  #isRead = false;
  /** Those whose record is to be written, or removed. */
  readonly #unsaved: UnsavedRows;
  /** How many that change several at once are under way. */
  #together = 0;

  constructor(store: Store, private readonly clock: Clock) {
    this.#unsaved = new UnsavedRows(store, "known VMs", (database) => {
      const put = database.prepare("INSERT OR REPLACE INTO known_vms (vm_id, record) VALUES (?, ?)");
      const remove = database.prepare("DELETE FROM known_vms WHERE vm_id = ?");
      return (id) => {
        const vm = this.#vms.get(id);
        if (vm === undefined) remove.run(id);
        else put.run(id, JSON.stringify(vm));
      };
    });
    store.attach((database) => this.#read(database));
  }

  /** Whether what was written down is known: until then nothing can be told apart from it. */
  get isRead(): boolean {
    return this.#isRead;
  }

  get(vmId: string): KnownVm | undefined {
    return this.#vms.get(vmId);
  }

  /** Id of the host that a VM was on last; undefined for one that was never seen, or that is gone. */
  hostOf(vmId: string): string | undefined {
    const known = this.#vms.get(vmId);
    return known?.goneAt === null ? known.host : undefined;
  }

  /** VMs that are there, as far as is known; also those of hosts that were not read yet. */
  present(): KnownVm[] {
    return [...this.#vms.values()].filter(({ goneAt }) => goneAt === null);
  }

  /** Milliseconds since 1970 from which on an id is that of the VM which has it now, or had it last. */
  since(vmId: string): number {
    return this.#vms.get(vmId)?.since ?? 0;
  }

  /** KVM Manager gives a VM these tags and this group: what goes with it is meant to. Told before libvirt is. */
  meant(vmId: string, labels: VmLabels): void {
    const known = this.#vms.get(vmId);
    if (known === undefined) return;
    const { tags, group } = labels, { group: _group, ...rest } = known;
    this.#keep({ ...rest, tags, ...(group !== undefined && { group }), lost: null });
  }

  /**
   * A VM was read.
   *
   * @param isWatched whether libvirt has told what became of it since it was read before: it may have been deleted, else
   */
  seen(vm: VM, host: string, isWatched = true): Sighting {
    if (!this.#isRead) return {};
    const known = this.#vms.get(vm.id), { tags, group } = vm;
    const now = {
      id: vm.id,
      name: vm.name,
      host,
      tags,
      createdAt: vm.createdAt ?? null,
      ...(group !== undefined && { group }),
      macs: vm.networkInterfaces.map(({ mac }) => mac.toLowerCase()),
      disks: vm.disks.flatMap(({ device, source }) =>
        device === "disk" && source !== undefined ? [source] : []
      ),
    };
    if (known === undefined) {
      this.#keep({ ...now, since: 0, goneAt: null, lost: null });
      return {};
    }
    const isSame = known.goneAt !== null ? isSameVm(known, now) : isWatched || isStillVm(known, now);
    if (!isSame) {
      const accept = () => this.#keep({ ...now, since: this.clock.now(), goneAt: null, lost: null });
      return { replaced: known, accept };
    }
    const lost = lostLabels(known, now), before = known.lost ?? undefined;
    const left = before && lostLabels({ ...before }, now);
    const all = lost === undefined ? left : joined(left, lost);
    this.#keep({ ...now, since: known.since, goneAt: null, lost: all ?? null });
    return lost === undefined ? {} : { lost };
  }

  /** A VM is there no more. */
  gone(vmId: string): void {
    const known = this.#vms.get(vmId);
    if (known?.goneAt !== null) return;
    this.#keep({ ...known, goneAt: this.clock.now() });
    const gone = [...this.#vms.values()].filter(({ goneAt }) => goneAt !== null);
    if (gone.length > MOST_GONE) this.#forget(gone.sort((a, b) => a.goneAt! - b.goneAt!)[0]!.id);
  }

  /** A host was read whole: VMs that it had and that are not there were deleted meanwhile. @param there ids of every VM of it */
  reconcile(host: string, there: ReadonlySet<string>): void {
    for (const known of [...this.#vms.values()]) {
      if (known.host === host && !there.has(known.id)) this.gone(known.id);
    }
  }

  /** Writes what changes meanwhile as one transaction: each takes the time of the disk. */
  together(change: () => void): void {
    this.#together++;
    try {
      change();
    } finally {
      this.#together--;
      this.#save();
    }
  }

  #forget(vmId: string): void {
    this.#vms.delete(vmId);
    this.#unsaved.add(vmId);
    this.#save();
  }

  #keep(vm: KnownVm): void {
    if (JSON.stringify(vm) === JSON.stringify(this.#vms.get(vm.id))) return;
    this.#vms.set(vm.id, vm);
    this.#unsaved.add(vm.id);
    this.#save();
  }

  #save(): void {
    if (this.#together === 0) this.#unsaved.save();
  }

  #read(database: DatabaseSync): void {
    this.#isRead = true;
    for (const { vm_id, record } of database.prepare("SELECT vm_id, record FROM known_vms").all()) {
      const id = String(vm_id);
      if (!this.#unsaved.has(id)) this.#vms.set(id, JSON.parse(String(record)));
    }
  }
}

const joined = (a: LostLabels | undefined, b: LostLabels): LostLabels => {
  const group = b.group ?? a?.group;
  return { tags: [...new Set([...a?.tags ?? [], ...b.tags])], ...(group !== undefined && { group }) };
};
