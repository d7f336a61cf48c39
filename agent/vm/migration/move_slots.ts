/** VMs that come to a host at once: as many as the host takes, counted where they come. */
import { ContractError } from "../../../lib/contract/mod.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";

export class MoveSlots {
  #taken = 0;

  /** @param most how many may come at once, as it is set now */
  constructor(private readonly host: Pick<LibvirtHost, "label">, private readonly most: () => number) {}

  /** VMs that come now. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes a place, until it is given back. @throws {ContractError} MovesFull */
  take(): Disposable {
    const limit = this.most();
    if (this.#taken >= limit) throw new ContractError("MovesFull", { host: this.host.label, limit });
    this.#taken++;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#taken--;
        isTaken = false;
      },
    };
  }
}
