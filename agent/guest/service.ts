/** The guests of a host: which agent does what in them. */
import {
  type AgentStatus,
  ContractError,
  GUEST_ABILITIES,
  type GuestAbility,
  type GuestCapability,
  type VM,
} from "../../lib/contract/mod.ts";
import { FROZEN, type Hindrance } from "../../lib/guest/remedies.ts";
import type { Host } from "../hosts/host.ts";
import type { BackendState, GuestBackend } from "./backend.ts";
import type { GuestFreezes } from "./freezes.ts";

/** Why nothing can be done in a VM that is off. */
const OFF: Hindrance = { reason: "the VM is not running", remedy: "Start it" };
/** What an agent does also while its guest is frozen. */
const WHILE_FROZEN: ReadonlySet<GuestAbility> = new Set(["freeze"]);

export class GuestService {
  /** @param backends the better one first */
  constructor(
    private readonly host: Host,
    private readonly backends: readonly GuestBackend[],
    private readonly freezes: Pick<GuestFreezes, "until">,
  ) {}

  /**
   * The agent that does something in a guest.
   *
   * @throws {ContractError} VmNotFound, VmNotRunning, GuestUnavailable, GuestSilent
   */
  async agentFor(vmId: string, ability: GuestAbility): Promise<{ vm: VM; agent: GuestBackend }> {
    const vm = this.host.requireVm(vmId);
    if (vm.state !== "running") throw new ContractError("VmNotRunning");
    if (this.freezes.until(vmId) !== undefined && !WHILE_FROZEN.has(ability)) {
      throw new ContractError("GuestUnavailable", { ...FROZEN });
    }
    const { agent, hindrance } = await this.#agentOf(vm, ability);
    if (agent === undefined) throw new ContractError("GuestUnavailable", { ...hindrance });
    return { vm, agent };
  }

  /** Which agents there are, and what they can do. @throws {ContractError} VmNotFound */
  async status(vmId: string): Promise<AgentStatus> {
    const vm = this.host.requireVm(vmId), frozenUntil = this.freezes.until(vmId);
    const isOn = vm.state === "running";
    const agents: BackendState[] = isOn
      ? await Promise.all(this.backends.map((backend) => backend.state(vm)))
      : this.backends.map(({ kind }) => ({
        agent: kind,
        state: vm.guestAgent === "not configured" ? vm.guestAgent : "disconnected",
      }));
    const abilities: GuestCapability[] = [];
    for (const ability of GUEST_ABILITIES) {
      const without = !isOn
        ? OFF
        : frozenUntil !== undefined && !WHILE_FROZEN.has(ability)
        ? FROZEN
        : undefined;
      const { agent, hindrance } = without === undefined
        ? await this.#agentOf(vm, ability)
        : { agent: undefined, hindrance: without };
      abilities.push({
        ability,
        available: agent !== undefined,
        ...(agent === undefined ? hindrance : { agent: agent.kind }),
      });
    }
    const connected = agents.filter(({ state }) => state === "connected");
    const version = connected.find((each) => each.version !== undefined)?.version;
    return {
      installed: agents.some(({ state }) => state === "connected" || state === "silent"),
      connected: connected.length > 0,
      ...(version !== undefined && { version }),
      agents,
      abilities,
      ...(frozenUntil !== undefined && { frozenUntil }),
    };
  }

  /** The first that can, or why the last cannot. */
  async #agentOf(vm: VM, ability: GuestAbility): Promise<{ agent?: GuestBackend; hindrance?: Hindrance }> {
    let hindrance: Hindrance | undefined;
    for (const agent of this.backends) {
      hindrance = await agent.hindrance(vm, ability);
      if (hindrance === undefined) return { agent };
    }
    return hindrance === undefined ? {} : { hindrance };
  }
}
