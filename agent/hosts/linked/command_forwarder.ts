/** Commands that a linked host carries out: sent there, and their answers and refusals taken back. */
import { mayCall } from "../../../lib/access/may_call.ts";
import type { Allowance, Rights } from "../../../lib/access/rights.ts";
import { type CommandName, COMMANDS, ContractError, type Job, type VM } from "../../../lib/contract/mod.ts";
import { shiftMoments } from "../../../lib/host/host_moments.ts";
import type { ToldLimit } from "../../../lib/profiles/told_limits.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { VERSION } from "../../../lib/version.ts";
import type { Principal } from "../../access.ts";
import type { CallContext } from "../../dispatch.ts";
import type { Membership } from "../projects.ts";
import { TooLongError } from "./bounded.ts";
import { connectionFault, NotSentError, PeerConnection, type PeerRequest } from "./peer_connection.ts";
import { callRemotely, NonsenseError, NotUnderstoodError } from "./remote_call.ts";
import { CALLER_HEADER, callerHeader } from "./remote_caller.ts";

/** Milliseconds a question may take; a change takes as long as it takes. */
export const READ_MS = 20_000;

/** Tells the limits of tools that hold for somebody, as another KVM Manager can check them. @param vmIds of its VMs */
export type TellLimits = (principal: Principal, vmIds: () => readonly string[]) => readonly ToldLimit[];

/** Host that commands are forwarded to. */
export interface ForwardingHost {
  readonly id: string;
  readonly label: string;
  /** Its KVM Manager; undefined until it has answered. */
  readonly about: { readonly version: string } | undefined;
  /** Whether its lists were read since the start. */
  readonly isRead: boolean;
  /** Milliseconds that its clock is ahead of the one here. */
  readonly clockAheadMs: number;
  readonly peer: Pick<PeerConnection, "request">;
  vms(): readonly VM[];
  vm(vmId: string): VM | undefined;
}

/** The host, the state of its link, and services of the application. */
export interface ForwardingServices {
  readonly host: ForwardingHost;
  /** Aborted when the link that is up breaks; undefined while none is. */
  readonly up: () => AbortSignal | undefined;
  /** Why there is no link; null before the first attempt has failed. */
  readonly fault: () => string | null;
  /** A VM as it was before its host told more of it than this version understands. */
  readonly staleVm: (vmId: string) => VM | undefined;
  /** Waits, a bounded time, until the events have told all that was before an id. */
  readonly caughtUpWith: (eventId: string) => Promise<void>;
  /** Project and end date of a VM. */
  readonly membershipOf: (vmId: string) => Membership;
  /** The limits of tools that hold for who calls. @param vmIds of the VMs that are on the host */
  readonly limitsOf: TellLimits;
}

/**
 * Rights as they are on a host: what is on another one, or on its VMs, is left out.
 *
 * @param has whether a VM is on the host: ids of other hosts' VMs are not for it
 * @param vmsOf ids of the host's VMs that are in a project
 */
function rightsOn(
  rights: Rights,
  hostId: string,
  has: (vmId: string) => boolean,
  vmsOf: (projectId: string) => readonly string[],
): Rights {
  return rights.map((layer) =>
    layer === "all" ? layer : layer.flatMap(({ permissions, on }): Allowance[] => {
      if (on.kind === "vm" && !has(on.vmId)) return [];
      // A project is of this KVM Manager: the other one knows its VMs alone
      if (on.kind === "project") {
        return vmsOf(on.project).map((vmId) => ({ permissions, on: { kind: "vm", vmId } }));
      }
      if (on.kind !== "host") return [{ permissions, on }];
      return on.host === hostId ? [{ permissions, on: { kind: "everything" } }] : [];
    })
  );
}

/** A fault of the connection as part of a sentence. It may name the address, which is for those who may change it. */
const shownFault = (fault: string, rights: Rights) =>
  mayCall(rights, "add_host") ? fault : "there is no connection";

/** Carries commands out on a linked host: as their user, and within the permissions of the link. */
export class CommandForwarder {
  constructor(private readonly services: ForwardingServices) {}

  /**
   * Has a command carried out there, as its user and within the permissions of this link. Its VMs are listed
   * from the cache; while the link is down, VMs are answered from it as well, like those of a host that is
   * read here.
   *
   * @throws {ContractError} its refusals; LinkedHostAway, LinkUndecided, LinkedHostNonsense
   */
  async run(command: CommandName, input: unknown, context: CallContext): Promise<unknown> {
    const { principal, content } = context, { host } = this.services, up = this.services.up();
    // Before it was read, "unknown" must not look like "none"
    if (command === "get_vms" && host.isRead) {
      const { project } = input as { readonly project?: string };
      return host.vms().filter((vm) =>
        project === undefined || [vm.project?.id, vm.project?.name].includes(project)
      );
    }
    if (up === undefined) {
      const known = command === "get_vm" ? host.vm((input as { vmId: string }).vmId) : undefined;
      if (known === undefined) throw this.#away(principal.rights);
      return known;
    }
    const { readOnly } = COMMANDS[command];
    const caller = this.callerHeaders(principal);
    let eventId: string | null = null;
    const send = async (path: string, request: PeerRequest) => {
      const isStream = request.body instanceof ReadableStream || COMMANDS[command].content !== undefined;
      const signals = [up, ...request.signal ? [request.signal] : []];
      if (readOnly && !isStream) signals.push(AbortSignal.timeout(READ_MS));
      const response = await host.peer.request(path, {
        ...request,
        ...(readOnly && { repeatable: true }),
        headers: { ...request.headers, ...caller },
        signal: AbortSignal.any(signals),
      });
      eventId = response.headers.get("x-event-id");
      return response;
    };
    try {
      const asked = shiftMoments(COMMANDS[command].input, input, host.clockAheadMs) as Record<
        string,
        unknown
      >;
      const answer = await callRemotely(send, command, asked, content);
      if (!readOnly && eventId !== null) await this.services.caughtUpWith(eventId);
      return this.#own(command, input, shiftMoments(COMMANDS[command].output, answer, -host.clockAheadMs));
    } catch (error) {
      const stale = command === "get_vm" && error instanceof NotUnderstoodError
        ? this.services.staleVm((input as { vmId: string }).vmId)
        : undefined;
      if (stale !== undefined) return stale;
      throw this.#failure(error, readOnly, context);
    }
  }

  /**
   * Tells for whom a request is, and within which limits of tools: the other one checks them, and keeps them with what the
   * call leaves to be done later.
   *
   * @throws {ContractError} LinkRefused where that is too long
   */
  callerHeaders(principal: Principal): Readonly<Record<string, string>> {
    const { name, rights, door, client, leftByMcp } = principal, { host, limitsOf } = this.services;
    return {
      [CALLER_HEADER]: callerHeader({
        name,
        ...(door === "mcp" ? { mcp: { client } } : leftByMcp && { mcp: "left" as const }),
        limits: limitsOf(principal, () => host.vms().map(({ id }) => id)),
        rights: rightsOn(
          rights,
          host.id,
          (vmId) => host.vm(vmId) !== undefined,
          (projectId) => host.vms().filter(({ project }) => project?.id === projectId).map(({ id }) => id),
        ),
      }),
    };
  }

  /**
   * An answer whose VM or task says which host it is on.
   *
   * @throws {NonsenseError} for another VM or task than was asked for
   */
  #own(command: CommandName, input: unknown, answer: unknown): unknown {
    const { vmId, jobId } = input as Readonly<Record<string, unknown>>,
      { host, membershipOf } = this.services;
    if (command === "get_vm") {
      const vm = answer as VM;
      if (vm.id !== vmId) throw new NonsenseError("it answers with another VM than was asked for");
      const { project: _project, endsAt: _end, ...rest } = vm;
      const { endText, ...membership } = membershipOf(vm.id);
      const attention = endText === undefined ? vm.attention : [...vm.attention, endText];
      return { ...rest, ...membership, attention, host: host.id };
    }
    if (command === "get_job") {
      const { job, log } = answer as { job: Job; log: unknown };
      if (job.id !== jobId) throw new NonsenseError("it answers with another task than was asked for");
      return { job: { ...job, host: host.id }, log };
    }
    return answer;
  }

  #away(rights: Rights, cause?: unknown): ContractError {
    const why = cause === undefined
      ? this.services.fault() ?? "it is not connected yet"
      : connectionFault(cause);
    const reason = shownFault(why, rights);
    return new ContractError("LinkedHostAway", { host: this.services.host.label, reason }, { cause });
  }

  #nonsense(cause: NonsenseError | TooLongError): ContractError {
    const theirs = oneLine(this.services.host.about?.version ?? VERSION, 40);
    const versions = theirs === VERSION ? "" : ` (its version is ${theirs}, this one ${VERSION})`;
    const reason = oneLine(cause.message, 300) + versions;
    return new ContractError("LinkedHostNonsense", { host: this.services.host.label, reason }, { cause });
  }

  #failure(error: unknown, readOnly: boolean, { principal: { rights }, content }: CallContext): unknown {
    // A fault of our own is told as one
    if (error instanceof ContractError || error instanceof TypeError) return error;
    if (content?.gone?.aborted) return content.gone.reason;
    if (error instanceof NonsenseError || readOnly && error instanceof TooLongError) {
      return this.#nonsense(error);
    }
    if (readOnly || error instanceof NotSentError) return this.#away(rights, error);
    const reason = shownFault(connectionFault(error), rights);
    return new ContractError("LinkUndecided", { host: this.services.host.label, reason }, { cause: error });
  }
}
