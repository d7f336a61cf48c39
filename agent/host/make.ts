/** The host's make: read once per connection. */
import type { NodeRecord } from "../../ffi/calls/mod.ts";
import type { LibvirtLink } from "../libvirt/link.ts";

/** What the host's make is read from; it does not change while the link holds. */
export class HostMake {
  #record: Promise<NodeRecord> | undefined;
  constructor(readonly link: LibvirtLink) {}

  /** @throws {LibvirtError} */
  get(): Promise<NodeRecord> {
    return this.#record ??= this.link.call("nodeInfo").catch((error) => {
      this.#record = undefined;
      throw error;
    });
  }

  /** Forgets it: after a reconnect libvirt or QEMU may be another version. */
  forget(): void {
    this.#record = undefined;
  }
}
