/**
 * Serial consoles: a VM's serial line on a WebSocket. One at a time: libvirt gives a line to one, and two who
 * type on it would disturb each other. Who comes second is told, and may take over; who was first is told then.
 */
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { chosenLine, serialLines } from "../../../lib/formats/xml/serial.ts";
import type { ConsolePeer, Farewell } from "../../http/websocket_connection.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { ConsoleCall, ConsoleType } from "../console.ts";
import { FAREWELL } from "./farewell.ts";
import { SerialSession } from "./session.ts";

/** The peer that has a line of a VM now. */
interface Holder {
  readonly peer: ConsolePeer;
  readonly session: SerialSession;
  /** Resolved when libvirt has let go of the line. */
  readonly released: Promise<void>;
}

export class SerialConsoles implements ConsoleType {
  readonly #holders = new Map<string, Holder>();

  /** @throws {ContractError} NoSerialLine, SerialElsewhere */
  async check({ link }: LibvirtHost, vm: VM, wanted?: number): Promise<string | undefined> {
    const xml = await link.call("domainXml", { uuid: vm.id, secure: false, inactive: false });
    const lines = serialLines(xml), line = chosenLine(lines, wanted);
    if (line === "none" && wanted !== undefined && lines.length > 0) {
      throw new ContractError("NoSuchSerialLine", { line: wanted, most: lines.length - 1 });
    }
    if (line === "none") throw new ContractError("NoSerialLine");
    if (line === "elsewhere") throw new ContractError("SerialElsewhere");
    return line.alias;
  }

  /** Serves a peer until it leaves, another takes over, or the line closes. */
  async serve({ host: { link }, vm, grant, peer }: ConsoleCall): Promise<Farewell> {
    const { line, force } = grant, key = `${vm.id} ${line ?? ""}`;
    for (let before = this.#holders.get(key); before; before = this.#holders.get(key)) {
      // Someone who reloads the page must not find themselves in the way.
      if (!force && !before.peer.gone.aborted) return FAREWELL.inUse;
      before.session.end(FAREWELL.takenOver);
      await before.released;
    }
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const session = new SerialSession(peer, grant.viewOnly);
    this.#holders.set(key, { peer, session, released });
    try {
      return await session.run(link.consoles, {
        uuid: vm.id,
        ...(line !== undefined && { device: line }),
        force,
      });
    } finally {
      this.#holders.delete(key);
      resolve();
    }
  }
}
