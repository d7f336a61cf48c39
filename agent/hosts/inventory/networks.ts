/** The live model of a host's virtual networks: read once per connection, then whenever libvirt or a command names one. */
import type { NetworkRecord } from "../../../ffi/calls/mod.ts";
import { isHang } from "../../libvirt/failure.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";

/** Events of a network as a whole, which libvirt sends once each. */
const SWITCHED = new Set(["started", "stopped", "undefined"]);

/** How often networks are read again that are busy, and milliseconds between. */
const MOST_TRIES = 10, TRY_MS = 1000;

/** All that clients can see of a network, but for how many VMs are plugged in. */
const lookOf = (network: NetworkRecord | undefined): string | undefined =>
  network && JSON.stringify(network).replaceAll(/ connections='\d+'/g, "");

export class NetworkInventory {
  readonly #link: LibvirtLink;
  readonly #tell: (network: string, event: string) => void;
  #records: ReadonlyMap<string, NetworkRecord> = new Map();
  #isUnread = false;
  /** Readings that were begun so far, and which of them was taken last. */
  #begun = 0;
  #taken = 0;
  /** The networks as clients were notified of them last, by name. */
  readonly #told = new Map<string, string>();

  /** @param tell is called with what became of a network that clients see otherwise than before */
  constructor(link: LibvirtLink, tell: (network: string, event: string) => void) {
    this.#link = link;
    this.#tell = tell;
  }

  records(): NetworkRecord[] {
    return [...this.#records.values()];
  }

  record(name: string): NetworkRecord | undefined {
    return this.#records.get(name);
  }

  /**
   * Reads the networks of a new connection: from here on changes are told. Where one does not respond, what was known stays,
   * and {@link reconcile} reads them. @throws {LibvirtError}
   */
  async restart(): Promise<void> {
    this.#isUnread = true;
    const turn = ++this.#begun;
    try {
      const records = await this.#link.call("networkScan");
      this.#taken = turn;
      this.#replace(records);
      this.#isUnread = false;
      this.#told.clear();
      for (const network of records) this.#told.set(network.name, lookOf(network)!);
    } catch (error) {
      if (!isHang(error)) throw error;
      log.warn("the networks do not respond, and are read later", { error });
    }
  }

  /** Reads them where that has failed for a new connection. @throws {LibvirtError} */
  async reconcile(): Promise<void> {
    if (!this.#isUnread) return;
    await this.restart();
    for (const name of this.#records.keys()) this.#tell(name, "updated");
  }

  /** Reads the networks again. libvirt's events lead to this; who asks for more needs a reason. @throws {LibvirtError} */
  async reread(): Promise<void> {
    const turn = ++this.#begun;
    try {
      const records = await this.#link.call("networkScan");
      // One that was begun before, and ends after, knows less
      if (turn < this.#taken) return;
      this.#taken = turn;
      this.#replace(records);
    } catch (error) {
      if (isHang(error)) this.#isUnread = true;
      throw error;
    }
  }

  /** {@link reread}, again and again for a while where a network is busy with what has just been done. @throws {LibvirtError} */
  async rereadPatiently(): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        return await this.reread();
      } catch (error) {
        if (!isHang(error) || tries === MOST_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, TRY_MS));
      }
    }
  }

  /**
   * Reads the networks again, and publishes each that is not as it was published last: commands, libvirt's events
   * and its files all lead here for the same change. That it was defined, started, stopped or undefined libvirt tells.
   *
   * @throws {LibvirtError}
   */
  async refresh(name: string): Promise<void> {
    await this.rereadPatiently();
    this.#tellOf(name, "updated");
  }

  /** Does so without waiting; a failure is logged. */
  refreshSoon(name: string): void {
    this.refresh(name).catch((error) => log.debug("the networks could not be read", { error }));
  }

  /** Takes in what libvirt told. It is told on once the network was read: whoever asks then gets what the event is about. */
  onEvent(name: string, event: string): void {
    this.reread().then(() => this.#tellOf(name, event))
      .catch((error) => log.debug("the networks could not be read", { error }));
  }

  #tellOf(name: string, event: string): void {
    const is = lookOf(this.#records.get(name)), was = this.#told.get(name);
    // One that was stopped and started again looks the same, and yet both happened.
    if (is === was && !SWITCHED.has(event)) return;
    if (is === undefined) this.#told.delete(name);
    else this.#told.set(name, is);
    this.#tell(name, event);
  }

  #replace(records: readonly NetworkRecord[]): void {
    this.#records = new Map(records.map((network) => [network.name, network]));
  }
}
