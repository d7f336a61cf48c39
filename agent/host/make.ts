/** The host's make: read once per connection. */
import type { NodeRecord } from "../../ffi/calls/mod.ts";
import type { LibvirtLink } from "../libvirt/link.ts";

/** What the host's make is read from; it does not change while the link holds. */
export class HostMake {
  #reading: Promise<NodeRecord> | undefined;
  #last: NodeRecord | undefined;
  constructor(readonly link: LibvirtLink) {}

  /** The make; while the link is down the one last known. @throws {LibvirtError} when it was never known */
  async get(): Promise<NodeRecord> {
    if (!this.link.status.connected && this.#last) return this.#last;
    this.#reading ??= this.link.call("nodeInfo");
    try {
      return this.#last = await this.#reading;
    } catch (error) {
      this.#reading = undefined;
      throw error;
    }
  }

  /** Reads it anew when next asked: after a reconnect libvirt or QEMU may be another version. */
  forget(): void {
    this.#reading = undefined;
  }
}
