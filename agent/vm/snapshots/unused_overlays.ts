/**
 * Images that a snapshot which was cut short has left: QEMU has opened them and does not use them. While it has them open they
 * stay, and then the VM could not start, as its disk is what they are built on: they go once the VM is off. Only what is sure
 * goes: an image that an operation of ours has made, that nothing uses or has open, and in which nothing was written.
 */
import type { DatabaseSync } from "node:sqlite";
import { message, vmName } from "../../../lib/i18n/message.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { HostOverlays, MadeFile } from "../../hosts/unused_overlays.ts";
import { isSystemError } from "../../machine/files.ts";
import { ProgramLate } from "../../machine/programs.ts";
import { ToolError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import { identityAt } from "../../operations/file_identity.ts";
import { t } from "../../operations/outcome.ts";
import type { OperationRecord } from "../../operations/step.ts";
import { backingOf } from "../../storage/disk_images/backing.ts";
import { holdsNothing } from "../../storage/qemu_img.ts";
import { removeUnused } from "../../storage/volume_steps.ts";
import type { Migration } from "../../store/migrations.ts";
import type { Store } from "../../store/store.ts";
import { isOff } from "../lifecycle/undefine.ts";
import { qemuOf } from "./disks_switched.ts";

export const UNUSED_OVERLAY_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE unused_overlays (
     host      TEXT NOT NULL,
     path      TEXT NOT NULL,
     operation TEXT NOT NULL, -- JSON: the operation that made it, with the step that did and what it was made for
     PRIMARY KEY (host, path)
   ) STRICT;`,
];

/** Forgets those of a host that was removed. */
export const forgetUnusedOverlays = (store: Store, host: string): void =>
  store.keep(
    `unused images of ${host}`,
    () => void store.database!.prepare("DELETE FROM unused_overlays WHERE host = ?").run(host),
  );

/** The disk of a snapshot for which an image was made. */
const diskOf = ({ steps }: OperationRecord, path: string) =>
  steps.flatMap((step) => step.kind === "disks-switched" ? step.disks : []).find(({ overlay }) =>
    overlay === path
  );

export class UnusedOverlays implements HostOverlays, Disposable {
  /** By path: what made it. */
  readonly #made = new Map<string, OperationRecord>();
  /** VMs that have just stopped, with an image that a program still has open. */
  readonly #waiting = new Set<string>();
  /** Sweeps that are under way, by VM. */
  readonly #sweeps = new Map<string, Promise<void>>();
  readonly #attached: Disposable;

  constructor(private readonly host: LibvirtHost, private readonly store: Store) {
    this.#attached = store.attach((database) => this.#read(database));
  }

  [Symbol.dispose](): void {
    this.#attached[Symbol.dispose]();
  }

  async keep(operation: OperationRecord, step: MadeFile): Promise<boolean> {
    const { path } = step, file = await identityAt(path);
    if (operation.vmId === undefined || diskOf(operation, path) === undefined || file === null) return false;
    const switched = operation.steps.filter(({ kind }) => kind === "disks-switched");
    const record = { ...operation, keys: [], steps: [{ ...step, file }, ...switched] };
    this.#made.set(path, record);
    this.store.keep(`unused image ${path}`, () => {
      this.store.database!.prepare(
        "INSERT OR REPLACE INTO unused_overlays (host, path, operation) VALUES (?, ?, ?)",
      ).run(this.host.id, path, JSON.stringify(record));
    });
    return true;
  }

  /** Whether one is to be looked at again soon: the QEMU of a VM that has just stopped may have its images a moment longer. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Those of all VMs. */
  async sweepAll(): Promise<void> {
    const ids = new Set([...this.#made.values()].flatMap(({ vmId }) => vmId ?? []));
    await Promise.all([...ids].map((id) => this.sweep(id)));
  }

  of(vmId: string): { target: string; path: string }[] {
    return [...this.#made].flatMap(([path, record]) => {
      const disk = record.vmId === vmId ? diskOf(record, path) : undefined;
      return disk === undefined ? [] : [{ target: disk.target, path }];
    });
  }

  sweep(vmId: string): Promise<void> {
    const paths = this.of(vmId).map(({ path }) => path);
    if (paths.length === 0) return Promise.resolve();
    let work = this.#sweeps.get(vmId);
    if (work === undefined) {
      work = this.#sweep(vmId, paths).finally(() => this.#sweeps.delete(vmId));
      this.#sweeps.set(vmId, work);
    }
    return work;
  }

  async #sweep(vmId: string, paths: readonly string[]): Promise<void> {
    let left: string | undefined;
    this.#waiting.delete(vmId);
    for (const path of paths) {
      try {
        if (!await this.#isOff(vmId)) {
          // Its event comes before libvirt says so, or its process has ended
          if (!this.host.inventory.active().includes(vmId)) this.#waiting.add(vmId);
          break;
        }
        const outcome = await this.#remove(path);
        if (outcome === "has-data") left ??= path;
        else if (outcome === "in-use") this.#waiting.add(vmId);
      } catch (error) {
        if (!isExpected(error)) throw error;
        log.debug("an image that a snapshot has left cannot be looked at now", { path, error });
      }
    }
    this.host.inventory.update(vmId, { leftImage: left });
  }

  async #isOff(uuid: string): Promise<boolean> {
    const domain = await this.host.link.call("domainRead", { uuid });
    return (domain === null || isOff(domain)) && await qemuOf(this.host, uuid) === undefined;
  }

  /** @throws {LibvirtError} and what reading the image gives */
  async #remove(path: string): Promise<"over" | "in-use" | "has-data"> {
    const operation = this.#made.get(path), step = operation?.steps[0];
    if (operation === undefined || step?.kind !== "volume-made") return "over";
    const base = diskOf(operation, path)?.chain[0]?.path;
    const isEmpty = async () => (await backingOf(path))?.path === base && await holdsNothing(path);
    const outcome = await removeUnused({ vms: this.host, operation }, { ...step, path }, isEmpty);
    if (outcome === "in-use" || outcome === "has-data") return outcome;
    this.#forget(path);
    if (outcome.did === "done") this.#tell(operation, path);
    return "over";
  }

  #tell({ actor, command, vmId, subject }: OperationRecord, path: string): void {
    this.host.record({
      ...{ actor, door: "agent", action: command, result: "ok" },
      message: message`${vmName({ vmId: vmId!, name: subject })}: ${t("operations.removed", { what: path })}`,
      ...{ vmId: vmId!, vmName: subject },
    });
  }

  #forget(path: string): void {
    this.#made.delete(path);
    this.store.keep(`unused image ${path}`, () => {
      this.store.database!.prepare("DELETE FROM unused_overlays WHERE host = ? AND path = ?")
        .run(this.host.id, path);
    });
  }

  #read(database: DatabaseSync): void {
    const rows = database.prepare("SELECT path, operation FROM unused_overlays WHERE host = ?").all(
      this.host.id,
    );
    for (const { path, operation } of rows) {
      const record = JSON.parse(String(operation)) as OperationRecord;
      // Another libvirt that the host's id was given later has none of what it made
      if (record.uri === this.host.link.uri) this.#made.set(String(path), record);
    }
  }
}

/** What keeps an image from being looked at now: it is looked at again. */
const isExpected = (error: unknown): boolean =>
  error instanceof LibvirtError || error instanceof ContractError || error instanceof ToolError ||
  error instanceof ProgramLate || isSystemError(error);
