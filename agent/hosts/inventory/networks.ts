/** The live model of a host's virtual networks: read once per connection, then whenever libvirt or a command tells of one. */
import type { NetworkRecord } from "../../../ffi/calls/mod.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";

/** What happens to a network as a whole, each time: libvirt tells it once. */
const SWITCHED = new Set(["started", "stopped", "undefined"]);

/** All that clients can see of a network, but for how many VMs are plugged in. */
const lookOf = (network: NetworkRecord | undefined): string | undefined =>
  network && JSON.stringify(network).replaceAll(/ connections='\d+'/g, "");

export class NetworkInventory {
  readonly #link: LibvirtLink;
  readonly #tell: (network: string, event: string) => void;
  #records: ReadonlyMap<string, NetworkRecord> = new Map();
  /** What the networks were like when clients were told of them last, by name. */
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

  /** Takes in what a new connection has read: from here on changes are told. */
  restart(records: readonly NetworkRecord[]): void {
    this.#replace(records);
    this.#told.clear();
    for (const network of records) this.#told.set(network.name, lookOf(network)!);
  }

  /** Reads the networks anew. libvirt's events lead to this; who asks for more needs a reason. @throws {LibvirtError} */
  async reread(): Promise<void> {
    this.#replace(await this.#link.call("networkScan"));
  }

  /**
   * Reads the networks anew, and tells of one of them where it is another than was told last: commands, libvirt's events
   * and its files all lead here for the same change. That it was defined, started, stopped or undefined libvirt tells.
   *
   * @throws {LibvirtError}
   */
  async refresh(name: string): Promise<void> {
    await this.reread();
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
