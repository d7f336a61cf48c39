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
import { needOf } from "../../lib/access/permissions.ts";
import { may, vmObject } from "../../lib/access/rights.ts";
import { accountOf, type Door, type Principal, type SocketPeer } from "../access.ts";
import type { FindVm } from "../access/authorise.ts";
import type { Caller } from "../access/mod.ts";
import { ofConnection } from "../http/connections.ts";
import type { ConsolePeer, Farewell } from "../http/websocket_connection.ts";
import type { Admit, PeerSession } from "../http/websocket.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import type { CallContext } from "../dispatch.ts";
import { relayConsole } from "./linked_console.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import type { LinkedHosts } from "../hosts/linked/linked_hosts.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import type { ConsoleCall, ConsoleType } from "./console.ts";
import { SerialConsoles } from "./serial/console.ts";
import { TICKET_MS, type TicketGrant, Tickets } from "./tickets.ts";
import { vncConsole } from "./vnc/console.ts";

/** Consoles of one VM at once. */
const MOST_PER_VM = 16;
/** … of one account. */
const MOST_OF_ONE = 8;
/** Milliseconds within which libvirt, busy as it may be, tells that a VM stopped whose console just ended. */
const TOLD_MS = 5000;

const PATH = /^\/consoles\/([a-z]+)\/([^/]{1,384})$/;

export class Consoles {
  readonly #tickets: Tickets;
  readonly #types: Readonly<Record<ConsoleKind, ConsoleType>>;
  /** Open consoles, by VM. */
  readonly #open = new Map<string, Map<ConsolePeer, Principal>>();

  /**
   * @param placeOf host, group and project of a VM, which rights depend on
   * @param identify principal of a request for a WebSocket; throws for an invalid token
   */
  constructor(
    private readonly hosts: HostRegistry,
    private readonly linked: Pick<LinkedHosts, "withVm">,
    private readonly placeOf: FindVm,
    private readonly identify: (request: Request, caller: Caller) => Principal,
    private readonly clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#tickets = new Tickets(clock);
    this.#types = { vnc: vncConsole, serial: new SerialConsoles() };
  }

  /** Gives a ticket. @throws {ContractError} VmNotFound, VmNotRunning, TooManyRequests, and why there is no such console */
  async open(
    { vmId, kind, viewOnly = false, force = false, line: wanted }: Input<"open_console">,
    principal: Principal,
  ): Promise<ConsoleTicket> {
    const host = this.hosts.of({ vmId }), vm = host.requireVm(vmId);
    if (!this.#isActive(vm.id)) throw new ContractError("VmNotRunning");
    const line = await this.#types[kind].check(host, vm, wanted);
    return this.#issue({ vmId: vm.id, kind, viewOnly, force, line }, principal);
  }

  /**
   * Issues a ticket for the console of a linked host's VM, with a ticket of that host. @throws
   * {ContractError} refusals of that host
   */
  async openOn(host: LinkedHost, input: Input<"open_console">, context: CallContext): Promise<ConsoleTicket> {
    const { vmId, kind, viewOnly = false, force = false } = input;
    const { ticket: far } = await host.run("open_console", input, context) as ConsoleTicket;
    return this.#issue({ vmId, kind, viewOnly, force, far }, context.principal);
  }

  #issue(grant: Omit<TicketGrant, "holder">, principal: Principal): ConsoleTicket {
    const { vmId, kind } = grant, { holder } = principal;
    const ticket = this.#tickets.issue({ ...grant, holder }, accountOf(principal));
    return {
      ticket,
      path: `/consoles/${kind}/${encodeURIComponent(vmId)}`,
      expiresAt: this.clock.now() + TICKET_MS,
    };
  }

  /** Answers a request for a WebSocket. */
  readonly admit: Admit = (request: Request, door: Door, address: string, peer?: SocketPeer): PeerSession => {
    const principal = this.identify(request, {
      door,
      address,
      peer,
      ...ofConnection(request),
    });
    const { pathname, searchParams } = new URL(request.url);
    const [, word, place = ""] = PATH.exec(pathname) ?? [];
    const kind = CONSOLE_KINDS.find((each) => each === word);
    const vmId = decoded(place);
    if (kind === undefined || vmId === undefined) {
      throw new ContractError("NotFound", { path: pathname.slice(0, 256) });
    }
    return this.attach({ kind, vmId, ticket: searchParams.get("ticket") ?? "" }, principal);
  };

  /**
   * Takes a ticket in.
   *
   * @returns the function that serves the ticket's peer
   * @throws {ContractError} ConsoleTicket, VmNotFound, Forbidden, TooManyRequests
   */
  attach(
    { kind, vmId, ticket }: { kind: ConsoleKind; vmId: string; ticket: string },
    principal: Principal,
  ): (peer: ConsolePeer) => Promise<Farewell> {
    const { holder } = principal;
    const grant = this.#tickets.redeem(ticket, { vmId, kind, holder });
    const far = grant.far === undefined ? undefined : this.linked.withVm(vmId);
    if (grant.far !== undefined && far === undefined) throw new ContractError("VmNotFound", { vmId });
    // Rights may have changed since the ticket.
    if (!this.#mayStay(principal, vmId)) throw new ContractError("Forbidden", { role: "operator" });
    const open = [...this.#open.get(vmId)?.values() ?? []];
    const account = accountOf(principal);
    if (open.filter((each) => accountOf(each) === account).length >= MOST_OF_ONE) {
      throw new ContractError("TooManyRequests", {
        what: "consoles of this VM by one account",
        limit: MOST_OF_ONE,
      });
    }
    if (open.length >= MOST_PER_VM) {
      throw new ContractError("TooManyRequests", { what: "consoles of this VM", limit: MOST_PER_VM });
    }
    if (far !== undefined) {
      const console = { kind, vmId, ticket: grant.far! };
      return (peer) => this.#keep(vmId, peer, principal, () => relayConsole(far, console, principal, peer));
    }
    const host = this.hosts.of({ vmId }), vm = host.requireVm(vmId);
    return (peer) => this.#serve({ host, vm, grant, peer }, principal);
  }

  /** Ends consoles whose VM has left what their holders may use: it was put into another group or project. */
  recheck(): void {
    for (const [vmId, peers] of this.#open) {
      for (const [peer, principal] of peers) if (!this.#mayStay(principal, vmId)) peer.close(REVOKED);
    }
  }

  /** Ends consoles of VMs whose host is no longer served. */
  leave(): void {
    for (const [vmId, peers] of this.#open) {
      if ((this.hosts.withVm(vmId) ?? this.linked.withVm(vmId)) !== undefined) continue;
      for (const peer of peers.keys()) peer.close(HOST_GONE);
    }
  }

  #mayStay({ rights, ended }: Principal, vmId: string): boolean {
    const vm = vmObject(vmId, this.placeOf(vmId));
    return !ended.aborted && may(rights, needOf("open_console").permission, vm);
  }

  /** Something happened to a VM: when it is off, so are its consoles. */
  onChange(vmId: string): void {
    if (this.#isActive(vmId)) return;
    for (const peer of this.#open.get(vmId)?.keys() ?? []) peer.close(stopped());
  }

  #serve(call: ConsoleCall, principal: Principal): Promise<Farewell> {
    const { vm, grant, peer } = call;
    return this.#keep(vm.id, peer, principal, async () => {
      if (!this.#isActive(vm.id)) return stopped();
      const farewell = await this.#types[grant.kind].serve(call);
      const isLost = farewell.code === CONSOLE_CLOSE.disconnected || farewell.code === CONSOLE_CLOSE.failed;
      return isLost && await this.#stops(vm.id, peer) ? stopped() : farewell;
    });
  }

  /** Keeps a console among those that are open while it is served, and ends it with its holder's session. */
  async #keep(
    vmId: string,
    peer: ConsolePeer,
    principal: Principal,
    serve: () => Promise<Farewell>,
  ): Promise<Farewell> {
    const peers = this.#open.get(vmId) ?? new Map<ConsolePeer, Principal>();
    this.#open.set(vmId, peers.set(peer, principal));
    const revoke = () => peer.close(REVOKED);
    using _use = principal.hold?.();
    principal.ended.addEventListener("abort", revoke, { once: true });
    try {
      return principal.ended.aborted ? REVOKED : await serve();
    } finally {
      principal.ended.removeEventListener("abort", revoke);
      peers.delete(peer);
      if (peers.size === 0) this.#open.delete(vmId);
    }
  }

  /** A VM's end of a console may close before libvirt has told that the VM stopped. */
  async #stops(vmId: string, peer: ConsolePeer): Promise<boolean> {
    const end = performance.now() + TOLD_MS;
    while (this.#isActive(vmId)) {
      if (performance.now() > end || peer.gone.aborted) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return true;
  }

  #isActive(vmId: string): boolean {
    return this.hosts.withVm(vmId)?.inventory.active().includes(vmId) ?? false;
  }
}

const REVOKED: Farewell = {
  code: CONSOLE_CLOSE.revoked,
  reason: "Your session or your rights have ended. Sign in, then try again.",
};
const HOST_GONE: Farewell = {
  code: CONSOLE_CLOSE.disconnected,
  reason: "KVM Manager is no longer connected to the VM's host",
};
const stopped = (): Farewell => ({ code: CONSOLE_CLOSE.vmStopped, reason: errorText("VmNotRunning") });

/** A path's part as it was meant; nothing when it is no valid one. */
function decoded(part: string): string | undefined {
  try {
    return part === "" ? undefined : decodeURIComponent(part);
  } catch {
    return undefined; // a lone "%"
  }
}
