/**
 * Serial consoles: a VM's serial line on a WebSocket. One at a time: libvirt gives a line to one, and two who
 * type on it would disturb each other. Who comes second is told, and may take over; who was first is told then.
 */
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { serialLine } from "../../../lib/formats/xml/serial.ts";
import type { Farewell, WebSocketConnection } from "../../http/websocket_connection.ts";
import type { Host } from "../../hosts/host.ts";
import type { ConsoleCall, ConsoleType } from "../console.ts";
import { FAREWELL } from "./farewell.ts";
import { SerialSession } from "./session.ts";

/** Who has a VM's line now. */
interface Holder {
  readonly peer: WebSocketConnection;
  readonly session: SerialSession;
  /** Resolved when libvirt has let go of the line. */
  readonly released: Promise<void>;
}

export class SerialConsoles implements ConsoleType {
  readonly #holders = new Map<string, Holder>();

  /** @throws {ContractError} NoSerialLine, SerialElsewhere */
  async check({ link }: Host, vm: VM): Promise<void> {
    const line = serialLine(await link.call("domainXml", { uuid: vm.id, secure: false, inactive: false }));
    if (line === "none") throw new ContractError("NoSerialLine");
    if (line === "elsewhere") throw new ContractError("SerialElsewhere");
  }

  /** Serves a peer until it leaves, another takes over, or the line closes. */
  async serve({ host: { link }, vm, grant, peer }: ConsoleCall): Promise<Farewell> {
    for (let before = this.#holders.get(vm.id); before; before = this.#holders.get(vm.id)) {
      // Someone who reloads the page must not find themselves in the way.
      if (!grant.force && !before.peer.gone.aborted) return FAREWELL.inUse;
      before.session.end(FAREWELL.takenOver);
      await before.released;
    }
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const session = new SerialSession(peer, grant.viewOnly);
    this.#holders.set(vm.id, { peer, session, released });
    try {
      return await session.run(link.consoles, { uuid: vm.id, force: grant.force });
    } finally {
      this.#holders.delete(vm.id);
      resolve();
    }
  }
}
