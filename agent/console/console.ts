/** Interface of all kinds of consoles. */
import type { VM } from "../../lib/contract/mod.ts";
import type { ConsolePeer, Farewell } from "../http/websocket_connection.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { TicketGrant } from "./tickets.ts";

/** One console being served. */
export interface ConsoleCall {
  readonly host: LibvirtHost;
  readonly vm: VM;
  readonly grant: TicketGrant;
  readonly peer: ConsolePeer;
}

/** A kind of console. */
export interface ConsoleType {
  /**
   * Whether a running VM has such a console.
   *
   * @param line number of the line, from 0, if there are several
   * @returns libvirt's name of the line, if there may be several
   * @throws {ContractError} the reason why it has none
   */
  check(host: LibvirtHost, vm: VM, line: number | undefined): Promise<string | undefined>;
  /** Serves a peer. Must end soon after `peer.gone`, or when its messages end. */
  serve(call: ConsoleCall): Promise<Farewell>;
}
