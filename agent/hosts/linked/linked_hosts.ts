/** The linked hosts that are served, and which of them a call is about. */
import {
  type Command,
  type CommandName,
  COMMANDS,
  ContractError,
  type Job,
  type VM,
} from "../../../lib/contract/mod.ts";
import type { Principal } from "../../access.ts";
import type { LinkedHost } from "./linked_host.ts";
import type { VmOwners } from "./vm_owners.ts";

/** Permissions of commands that are about the caller, or about this KVM Manager itself. */
const OF_THE_CALLER: ReadonlySet<string | undefined> = new Set(["anyone", "signed-in", "socket"]);

/** Commands that change or list which hosts there are: each KVM Manager has its own. */
const OF_THE_HOSTS = /_host$|_peers?$|_credentials?$|^get_ssh_key$/;

/** Routes of accounts and of what lets them in: they outlive a link, which must leave nothing that opens this host. */
const OF_ACCESS = /^\w+ \/(?:account|roles|sessions?|setup|tokens|users)\b/;

/** Whether a command changes who is let in, or which hosts there are: no other KVM Manager does that here. */
const isKeptFromLinks = (command: CommandName): boolean => {
  const { route, readOnly } = COMMANDS[command];
  return OF_THE_HOSTS.test(command) || !readOnly && OF_ACCESS.test(route);
};

const isOfThisManager = (command: CommandName): boolean =>
  OF_THE_CALLER.has((COMMANDS[command] as Command).permission) || OF_THE_HOSTS.test(command);

export class LinkedHosts {
  readonly #hosts = new Map<string, LinkedHost>();

  /**
   * @param isOwn whether a host that is read here has a VM, or had it last and was not read since the start
   * @param owners the linked host that listed a VM first
   * @param isKept whether a linked host is kept: one that is disabled is not served
   * @param isOwnJob whether a task is one of this KVM Manager: tasks of linked hosts do not hide it
   */
  constructor(
    private readonly isOwn: (vmId: string) => boolean,
    private readonly owners: Pick<VmOwners, "hostOf">,
    private readonly isKept: (hostId: string) => boolean,
    private readonly isOwnJob: (jobId: string) => boolean,
  ) {}

  add(host: LinkedHost): void {
    this.#hosts.set(host.id, host);
  }

  remove(id: string): void {
    this.#hosts.delete(id);
  }

  all(): readonly LinkedHost[] {
    return [...this.#hosts.values()];
  }

  served(id: string): LinkedHost | undefined {
    return this.#hosts.get(id);
  }

  /** Whether an id that a linked host says is its VM's is another host's: one that is read here, or one that listed it before. */
  isTaken(vmId: string, hostId: string): boolean {
    if (this.isOwn(vmId)) return true;
    const owner = this.owners.hostOf(vmId);
    return owner !== undefined && owner !== hostId && this.isKept(owner);
  }

  vms(): readonly VM[] {
    return this.all().flatMap((host) => host.vms());
  }

  jobs(): readonly Job[] {
    return this.all().flatMap((host) => host.jobs());
  }

  withVm(vmId: string): LinkedHost | undefined {
    return this.all().find((host) => host.vm(vmId) !== undefined);
  }

  vm(vmId: string): VM | undefined {
    return this.withVm(vmId)?.vm(vmId);
  }

  /** The linked host that an input names, or whose VM it names. */
  in(input: unknown): LinkedHost | undefined {
    const { host, vmId } = (input ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof host === "string") return this.served(host);
    return typeof vmId === "string" ? this.withVm(vmId) : undefined;
  }

  /**
   * The linked host that a call is about; undefined where it is carried out here.
   *
   * @param on the host of the page, or of the query, that the call comes from
   * @throws {ContractError} LinkRefused where another KVM Manager would change which hosts there are, or who is let in
   */
  of(
    command: CommandName,
    input: unknown,
    { via }: Pick<Principal, "via">,
    on?: string,
  ): LinkedHost | undefined {
    if (via === "link" && isKeptFromLinks(command)) {
      throw new ContractError("LinkRefused", {
        reason: "hosts, accounts, roles and tokens are changed on the host's own KVM Manager alone",
      });
    }
    // What another KVM Manager asks for is on a host of this one: nothing goes in circles
    const { spansHosts }: Command = COMMANDS[command];
    if (this.#hosts.size === 0 || via === "link" || spansHosts) return undefined;
    const { host, vmId, jobId } = (input ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof host === "string" || typeof vmId === "string") return this.in(input);
    if (typeof jobId === "string" && this.isOwnJob(jobId)) return undefined;
    if (typeof jobId === "string") return this.all().find((each) => each.job(jobId) !== undefined);
    return on === undefined || isOfThisManager(command) ? undefined : this.served(on);
  }
}
