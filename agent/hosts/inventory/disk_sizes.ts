/**
 * Sizes of disks. Those of a running VM come with its statistics (`physical` is QEMU's `actual-size`; `allocation` is the
 * highest offset written since its start, 0 for a fresh qcow2). Those of a VM that is off are read from the images where
 * they are files of this host, else taken from the volumes of their pools. libvirt is not asked: for a VM that is off it
 * opens the images with the VM's lock held, and one on a server that is away stops all of libvirt (9.0, qemu_driver.c).
 */
import type { DomainStats } from "../../../ffi/calls/mod.ts";
import { forEachConcurrent } from "../../../lib/for_each_concurrent.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import type { Disk, VM } from "../../../lib/contract/vm.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { type Clock, SYSTEM_CLOCK } from "../../clock.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";
import { imageSize } from "../../storage/disk_images/size.ts";
import type { PoolVolume } from "../../storage/volumes.ts";
import type { Inventory } from "./inventory.ts";
import { isActiveState } from "./states.ts";

/** VMs whose images are read at the same time: each takes a moment of a thread. */
const LANES = 4;
/**
 * Milliseconds until the images of a VM that is off are looked at again: one that is missing may be put back, and is looked
 * at with each update; the others can only go missing, or be changed by who knows what he does.
 */
const AGAIN_MS = { missing: 0, unread: 10_000, still: 300_000 } as const;

type Size = { capacity: number; allocation: number };

/** Result of a look at one disk; `unread`: unknown for now; undefined: unknown for good. */
type Found = Size | "missing" | "unread" | undefined;

/** The sizes of its disks that a running VM's statistics tell, by target; none without the group `block`. Pure. */
export function sizesOfStats({ params }: Pick<DomainStats, "params">): Map<string, Size> {
  const sizes = new Map<string, Size>();
  const count = Number(params["block.count"] ?? 0);
  for (let index = 0; index < count; index++) {
    const {
      [`block.${index}.name`]: target,
      [`block.${index}.capacity`]: capacity,
      [`block.${index}.physical`]: physical,
    } = params;
    // Images below the top one have the target of their disk as well
    if (typeof target !== "string" || sizes.has(target)) continue;
    if (typeof capacity !== "number" || typeof physical !== "number") continue;
    sizes.set(target, { capacity, allocation: physical });
  }
  return sizes;
}

export class DiskSizes {
  /** Key of the disks and sources whose sizes were read, for each VM that is off. */
  readonly #known = new Map<string, { key: string; at: number; again: keyof typeof AGAIN_MS }>();
  #running = false;

  constructor(
    readonly link: Pick<LibvirtLink, "call" | "machine">,
    readonly inventory: Pick<Inventory, "vms" | "vm" | "record" | "update"> & {
      readonly storage: Pick<Inventory["storage"], "peek" | "poolOf" | "volumes">;
    },
    readonly clock: Clock = SYSTEM_CLOCK,
  ) {}

  /** Forgets everything: the next update reads all images again. */
  forget(): void {
    this.#known.clear();
  }

  /** Whether the image of a VM that is off is missing. */
  get anyMissing(): boolean {
    return [...this.#known].some(([id, { again }]) =>
      again === "missing" && this.inventory.vm(id) !== undefined
    );
  }

  /** Takes in what the statistics of a running VM tell. */
  take(record: DomainStats): void {
    const sizes = sizesOfStats(record);
    if (sizes.size === 0) return;
    const vm = this.inventory.vm(record.uuid);
    if (vm === undefined) return;
    const isSame = vm.disks.every(({ target, capacityBytes, allocationBytes }) => {
      const size = sizes.get(target);
      return size === undefined
        ? capacityBytes === undefined
        : size.capacity === capacityBytes && size.allocation === allocationBytes;
    });
    if (!isSame) this.inventory.update(record.uuid, { sizes, missing: new Set() });
  }

  /** Reads the images of VMs that are off and new, changed, or not looked at for long. */
  async update(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      await forEachConcurrent(
        LANES,
        this.inventory.vms().filter((vm) => this.#isDue(vm)),
        (vm) => this.#read(vm),
      );
    } finally {
      this.#running = false;
    }
  }

  /** Asks about one VM's disks now, after they were changed. What cannot be read is unknown. */
  async read(uuid: string): Promise<void> {
    const vm = this.inventory.vm(uuid);
    if (vm === undefined) return;
    if (!this.#isActive(vm)) return await this.#read(vm);
    const targets = vm.disks.filter(({ source }) => source !== undefined).map(({ target }) => target);
    try {
      const found = await this.link.call("domainDiskSizes", { uuid, targets });
      this.inventory.update(uuid, { sizes: new Map(found.map(({ target, ...size }) => [target, size])) });
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.debug("the sizes of a running VM's disks could not be read", { vm: vm.name, error });
    }
  }

  /** Bytes that guests see of these disks together; what cannot be read counts for nothing. Drives are none. */
  async totalBytes(disks: readonly Disk[]): Promise<number> {
    let total = 0;
    for (const disk of disks) {
      if (disk.source === undefined || (disk.device !== "disk" && disk.device !== "lun")) continue;
      const found = await this.#sizeOf(disk, disk.source);
      if (typeof found === "object") total += found.capacity;
    }
    return total;
  }

  #isActive({ id }: VM): boolean {
    return isActiveState(this.inventory.record(id)?.state ?? 0);
  }

  #isDue(vm: VM): boolean {
    if (this.#isActive(vm)) {
      this.#known.delete(vm.id);
      return false;
    }
    const key = keyOf(vm), known = this.#known.get(vm.id);
    if (known?.key !== key) return key !== "[]";
    return this.clock.monotonic() - known.at >= AGAIN_MS[known.again];
  }

  async #read(vm: VM): Promise<void> {
    const key = keyOf(vm), sizes = new Map<string, Size>(), missing = new Set<string | undefined>();
    let isUnread = false;
    for (const disk of vm.disks) {
      if (disk.source === undefined) continue;
      const found = await this.#sizeOf(disk, disk.source);
      if (found === "missing") missing.add(disk.source);
      else if (found === "unread") {
        isUnread = true;
        const { capacityBytes: capacity, allocationBytes: allocation } = disk;
        // What was known of it stays
        if (capacity !== undefined && allocation !== undefined) {
          sizes.set(disk.target, { capacity, allocation });
        }
      } else if (found !== undefined) sizes.set(disk.target, found);
    }
    const now = this.inventory.vm(vm.id);
    // It was started, or given other disks, meanwhile: this is of what it had
    if (now === undefined || this.#isActive(now) || keyOf(now) !== key) return;
    const again = isUnread ? "unread" : missing.size > 0 ? "missing" : "still";
    this.#known.set(vm.id, { key, at: this.clock.monotonic(), again });
    this.inventory.update(vm.id, { sizes, missing });
  }

  async #sizeOf(disk: Disk, source: string): Promise<Found> {
    try {
      const volume = await this.#volumeOf(disk, source);
      const { machine } = this.link;
      if (machine === null) return volume && sizeOfVolume(volume);
      const path = disk.type === "volume" ? volume?.path : source;
      if (path === undefined || !path.startsWith("/")) return volume && sizeOfVolume(volume);
      if (!["file", "block", "volume"].includes(disk.type)) return undefined;
      return await imageSize(machine, path, disk.format, volume) ?? (volume && sizeOfVolume(volume));
    } catch (error) {
      // A pool or a file system that does not respond
      if (!(error instanceof LibvirtError) && !(error instanceof ContractError)) throw error;
      log.debug("the size of a disk could not be read", { source, error });
      return "unread";
    }
  }

  /** The volume that a disk is, as far as its pool was read; of another host the pool is read for it. @throws {LibvirtError} */
  async #volumeOf({ type }: Disk, source: string): Promise<PoolVolume | undefined> {
    const { storage } = this.inventory;
    const slash = source.indexOf("/");
    const pool = type === "volume" ? source.slice(0, slash) : storage.poolOf(source);
    if (pool === undefined) return undefined;
    const isNeeded = type === "volume" || this.link.machine === null;
    const volumes = isNeeded ? await storage.volumes(pool) : storage.peek(pool);
    return volumes?.find(({ name, path }) =>
      type === "volume" ? name === source.slice(slash + 1) : path === source
    );
  }
}

const sizeOfVolume = ({ capacity, allocation }: PoolVolume): Size => ({ capacity, allocation });

/** Key of a VM's disks and their sources, which its sizes depend on. */
const keyOf = ({ disks }: VM): string =>
  JSON.stringify(
    disks.flatMap(({ target, source, format }) => source === undefined ? [] : [[target, source, format]]),
  );
