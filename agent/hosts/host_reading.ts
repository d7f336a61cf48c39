/** Reads a host: all of it once it is connected, and regularly what events did not tell. Knows whether it was read. */
import { LibvirtError } from "../../ffi/error.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { isHang } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { within } from "../within.ts";
import type { HostFeatures } from "./host_features.ts";
import type { Addresses } from "./inventory/addresses.ts";
import { findPending } from "./inventory/pending.ts";
import type { LibvirtHost } from "./libvirt_host.ts";
import type { LostVms } from "./lost_vms.ts";
import type { OtherLibvirts } from "./other_libvirts.ts";

/** Milliseconds the first calls after the start wait for libvirt: they would fail for no reason a person knows of. */
const SETTLE_MS = 5000;

type ReadHost = Pick<
  LibvirtHost,
  "fullName" | "id" | "inventory" | "link" | "machine" | "make" | "operations" | "sampler" | "sizes"
>;

/** Parts that only the host itself has. */
interface ReadingParts {
  readonly addresses: Addresses;
  readonly features: () => HostFeatures;
  readonly lost: LostVms;
  readonly others: OtherLibvirts;
  /** Told whenever the host was read, or it is known that it cannot be. */
  wasRead(): void;
}

export class HostReading {
  /** A connection was made whose state is not wholly read yet. */
  #isUnread = false;
  /** Resolved once the first attempt to connect has succeeded or failed, or takes too long to wait for. */
  readonly #attempted = Promise.withResolvers<void>();
  #isSettled = false;
  #reading: Promise<void> = Promise.resolve();

  constructor(private readonly host: ReadHost, private readonly parts: ReadingParts) {}

  /** Begins to wait for the first attempt to connect. @param stopping the host is being stopped */
  start(stopping: AbortSignal): void {
    setTimeout(this.#attempted.resolve, SETTLE_MS);
    void this.settled().then(() => {
      this.#isSettled = true;
      if (!stopping.aborted) this.parts.wasRead();
    });
  }

  /** Whether the host was read since the start, or is known not to answer. */
  get isSettled(): boolean {
    return this.#isSettled || this.host.inventory.filled;
  }

  /** Waits, a bounded time, until the host was read for the first time, or it is known that it cannot be. */
  async settled(): Promise<void> {
    await this.#attempted.promise;
    if (this.host.inventory.filled) return;
    await within(SETTLE_MS, this.#reading);
  }

  /** There is a fresh connection. */
  connected(): void {
    this.#reading = this.#read();
    this.#attempted.resolve();
  }

  /** There is none. */
  disconnected(): void {
    this.#attempted.resolve();
  }

  /** Reads everything of a fresh connection. What fails is tried again by the reconcile. */
  async #read(): Promise<void> {
    const { host, parts } = this;
    this.#isUnread = true;
    parts.others.compare().catch((error) =>
      log.error("hosts could not be compared", { host: host.id, error })
    );
    try {
      await host.inventory.resync();
      // Before anything is done with the disks of VMs that are off
      await parts.lost.look();
      this.#isUnread = false;
      parts.wasRead();
    } catch (error) {
      log.warn("the host could not be read", { host: host.id, error });
      return;
    }
    host.operations.settle().catch((error) =>
      log.error("what was cut short could not be settled", { host: host.id, error })
    );
    host.sizes.forget();
    this.#details().catch((error) => log.warn("the VMs could not be read whole", { host: host.id, error }));
  }

  /** Reads the details after the list: nothing waits for them. */
  async #details(): Promise<void> {
    const { host, parts } = this;
    await this.#uptimes();
    await Promise.all([
      this.#learnName(),
      // Lists of hosts tell the version
      host.id === LOCAL_HOST ? undefined : host.make.get(),
      ...parts.features().connected(),
      host.sizes.update(),
      parts.addresses.update(),
      host.sampler.tick(),
      findPending(host.link, host.inventory),
    ]);
  }

  /** Learns the host's full name, for which libvirt asks a resolver that may be away: nothing waits for it. */
  async #learnName(): Promise<void> {
    const { host } = this;
    try {
      host.fullName = await host.link.call("hostName");
      // Other hosts are called by their id
      if (host.id === LOCAL_HOST) host.inventory.hostname = host.fullName;
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.info("the host's full name is not known", { host: host.id, error });
    }
  }

  /** Finds out since when VMs run that were started before us. */
  async #uptimes(): Promise<void> {
    const { inventory, machine } = this.host;
    if (!machine?.isSystem) return;
    for (const uuid of inventory.active()) {
      const vm = inventory.vm(uuid);
      if (!vm || vm.startedAt !== undefined) continue;
      const startedAt = await machine.startedAt(vm.name);
      if (startedAt !== undefined) inventory.update(uuid, { startedAt });
    }
  }

  /** Reads again what events may not have told; all of it where a fresh connection could not be read. */
  async reconcile(): Promise<void> {
    if (this.#isUnread) return await this.#read();
    const { id, inventory, link } = this.host;
    await inventory.networks.reconcile();
    try {
      const missed = inventory.reconcile(await link.call("domainListStates"));
      if (missed > 0) log.info("found what events did not tell", { host: id, vms: missed });
    } catch (error) {
      // libvirt's list waits for each VM; the others are read one by one below
      if (!isHang(error)) throw error;
      log.debug("the list of all VMs waits for one that does not respond", { host: id, error });
    }
    await inventory.rereadOldest();
  }
}
