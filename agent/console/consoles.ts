/**
 * Consoles as a whole: who may open one, and when it ends. What travels on it is its kind's own business.
 *
 * `open` gives a ticket, `admit` takes it in with the request for the WebSocket, and serves.
 */
import {
  CONSOLE_CLOSE,
  CONSOLE_KINDS,
  type ConsoleKind,
  type ConsoleTicket,
  ContractError,
  errorText,
  type Input,
} from "../../lib/contract/mod.ts";
import { type Door, localPrincipal, type Principal } from "../access.ts";
import type { Farewell, Peer } from "../http/peer.ts";
import type { Admit, Session } from "../http/websocket.ts";
import type { VmServices } from "../vm/services.ts";
import type { ConsoleCall, ConsoleType } from "./console.ts";
import { SerialConsoles } from "./serial/console.ts";
import { TICKET_MS, Tickets } from "./tickets.ts";
import { vncConsole } from "./vnc/console.ts";

/** Consoles of one machine at once. */
const MOST_PER_VM = 16;
/** Milliseconds within which libvirt, busy as it may be, tells that a machine stopped whose console just ended. */
const TOLD_MS = 5000;

const PATH = /^\/consoles\/([a-z]+)\/([^/]{1,384})$/;

export class Consoles {
  readonly #tickets: Tickets;
  readonly #types: Readonly<Record<ConsoleKind, ConsoleType>>;
  /** Open consoles, by machine. */
  readonly #open = new Map<string, Set<Peer>>();

  constructor(private readonly services: VmServices, tickets = new Tickets()) {
    this.#tickets = tickets;
    this.#types = { vnc: vncConsole, serial: new SerialConsoles(services.link) };
  }

  /** Gives a ticket. @throws {ContractError} VmNotFound, VmNotRunning, TooManyRequests, and why there is no such console */
  async open(
    { vmId, kind, viewOnly = false, force = false }: Input<"open_console">,
    principal: Principal,
  ): Promise<ConsoleTicket> {
    const vm = this.services.requireVm(vmId);
    if (!this.#isActive(vm.id)) throw new ContractError("VmNotRunning");
    await this.#types[kind].check(this.services, vm);
    const ticket = this.#tickets.issue({ vmId: vm.id, kind, viewOnly, force, principal: principal.name });
    return {
      ticket,
      path: `/consoles/${kind}/${encodeURIComponent(vm.id)}`,
      expiresAt: Date.now() + TICKET_MS,
    };
  }

  /** Answers a request for a WebSocket. */
  readonly admit: Admit = (request: Request, door: Door): Session => {
    const { pathname, searchParams } = new URL(request.url);
    const [, word, place = ""] = PATH.exec(pathname) ?? [];
    const kind = CONSOLE_KINDS.find((each) => each === word);
    const vmId = decoded(place);
    if (kind === undefined || vmId === undefined) {
      throw new ContractError("NotFound", { path: pathname.slice(0, 256) });
    }
    const principal = localPrincipal(door).name;
    const grant = this.#tickets.redeem(searchParams.get("ticket") ?? "", { vmId, kind, principal });
    const vm = this.services.requireVm(vmId);
    if ((this.#open.get(vmId)?.size ?? 0) >= MOST_PER_VM) {
      throw new ContractError("TooManyRequests", { what: "consoles of this VM", limit: MOST_PER_VM });
    }
    return (peer) => this.#serve({ services: this.services, vm, grant, peer });
  };

  /** Something happened to a machine: when it is off, so are its consoles. */
  onHappening(vmId: string): void {
    if (this.#isActive(vmId)) return;
    for (const peer of this.#open.get(vmId) ?? []) peer.close(STOPPED);
  }

  async #serve(call: ConsoleCall): Promise<Farewell> {
    const { vm, grant, peer } = call;
    const peers = this.#open.get(vm.id) ?? new Set();
    this.#open.set(vm.id, peers.add(peer));
    try {
      if (!this.#isActive(vm.id)) return STOPPED;
      const farewell = await this.#types[grant.kind].serve(call);
      const isLost = farewell.code === CONSOLE_CLOSE.disconnected || farewell.code === CONSOLE_CLOSE.failed;
      return isLost && await this.#stops(vm.id, peer) ? STOPPED : farewell;
    } finally {
      peers.delete(peer);
      if (peers.size === 0) this.#open.delete(vm.id);
    }
  }

  /** A machine's end of a console may close before libvirt has told that the machine stopped. */
  async #stops(vmId: string, peer: Peer): Promise<boolean> {
    const end = performance.now() + TOLD_MS;
    while (this.#isActive(vmId)) {
      if (performance.now() > end || peer.gone.aborted) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return true;
  }

  #isActive(vmId: string): boolean {
    return this.services.inventory.active().includes(vmId);
  }
}

const STOPPED: Farewell = { code: CONSOLE_CLOSE.vmStopped, reason: errorText("VmNotRunning") };

/** A path's part as it was meant; nothing when it is no valid one. */
function decoded(part: string): string | undefined {
  try {
    return part === "" ? undefined : decodeURIComponent(part);
  } catch {
    return undefined; // a lone "%"
  }
}
