/**
 * Images that a snapshot which was cut short has left: QEMU has opened them and does not use them. While it has them open they
 * stay, and then the VM could not start, as its disk is what they are built on: they go once the VM is off. Only what is sure
 * goes: an image that an operation of ours has made, that nothing uses or has open, and in which nothing was written.
 */
import { LibvirtError } from "../../../ffi/error.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { HostOverlays, MadeFile } from "../../hosts/left_files.ts";
import { isSystemError } from "../../machine/files.ts";
import { ProgramLate } from "../../machine/programs.ts";
import { ToolError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import { identityAt } from "../../operations/file_identity.ts";
import type { OperationRecord } from "../../operations/operation_record.ts";
import { backingOf } from "../../storage/disk_images/backing.ts";
import { holdsNothing } from "../../storage/qemu_img.ts";
import { LeftFiles, type LeftFileTable } from "../../storage/left_files.ts";
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

/** The table of unused overlays. */
export const UNUSED_OVERLAYS: LeftFileTable = { table: "unused_overlays", logName: "unused image" };

/** The disk of a snapshot for which an image was made. */
const diskOf = ({ steps }: OperationRecord, path: string) =>
  steps.flatMap((step) => step.kind === "disks-switched" ? step.disks : []).find(({ overlay }) =>
    overlay === path
  );

export class UnusedOverlays implements HostOverlays, Disposable {
  readonly #made: LeftFiles;
  /** VMs that have just stopped, with an image that a program still has open. */
  readonly #waiting = new Set<string>();
  /** Sweeps that are under way, by VM. */
  readonly #sweeps = new Map<string, Promise<void>>();

  constructor(private readonly host: LibvirtHost, store: Store) {
    this.#made = new LeftFiles(host, store, UNUSED_OVERLAYS);
  }

  [Symbol.dispose](): void {
    this.#made[Symbol.dispose]();
  }

  async keep(operation: OperationRecord, step: MadeFile): Promise<boolean> {
    const { path } = step, file = await identityAt(path);
    if (operation.vmId === undefined || diskOf(operation, path) === undefined || file === null) return false;
    const switched = operation.steps.filter(({ kind }) => kind === "disks-switched");
    this.#made.put(operation, { ...step, file }, switched);
    return true;
  }

  /** Whether one is to be looked at again soon: the QEMU of a VM that has just stopped may have its images a moment longer. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Those of all VMs. */
  async sweepAll(): Promise<void> {
    const ids = new Set(this.#made.all().flatMap(({ operation: { vmId } }) => vmId ?? []));
    await Promise.all([...ids].map((id) => this.sweep(id)));
  }

  of(vmId: string): { target: string; path: string }[] {
    return this.#made.all().flatMap(({ operation, step: { path } }) => {
      const disk = operation.vmId === vmId ? diskOf(operation, path) : undefined;
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
    const file = this.#made.get(path);
    if (file === undefined) return "over";
    const base = diskOf(file.operation, path)?.chain[0]?.path;
    return await this.#made.remove(
      file,
      async () => (await backingOf(path))?.path === base && await holdsNothing(path),
    );
  }
}

/** Errors that keep an image from being checked now: it is checked again later. */
const isExpected = (error: unknown): boolean =>
  error instanceof LibvirtError || error instanceof ContractError || error instanceof ToolError ||
  error instanceof ProgramLate || isSystemError(error);
