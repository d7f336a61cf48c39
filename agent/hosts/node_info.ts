/** The host's make, read once per connection, and its memory, read whenever it is asked for. */
import type { NodeRecord } from "../../ffi/calls/mod.ts";
import type { LibvirtLink } from "../libvirt/link.ts";

/** libvirt's version numbers: major * 1,000,000 + minor * 1,000 + release. */
export function versionText(version: number): string {
  return [Math.floor(version / 1e6), Math.floor(version / 1e3) % 1e3, version % 1e3].join(".");
}

/** CPU, memory and topology of the host; they do not change while the link holds. */
export class NodeInfo {
  #reading: Promise<NodeRecord> | undefined;
  #last: NodeRecord | undefined;
  #memoryMb: number | undefined;
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

  /** The make as last read; undefined when it never was. */
  get known(): NodeRecord | undefined {
    return this.#last;
  }

  /** MiB of memory in all; while the link is down as last read. @throws {LibvirtError} when it was never read */
  async memoryMb(): Promise<number> {
    if (!this.link.status.connected && this.#memoryMb !== undefined) return this.#memoryMb;
    const { memory } = await this.link.call("nodeCounters");
    return this.#memoryMb = Math.round(memory.total / 1024);
  }

  /** Reads it again when next asked: after a reconnect libvirt or QEMU may be another version. */
  forget(): void {
    this.#reading = undefined;
  }
}
