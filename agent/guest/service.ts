/** The guests of a host: which agent does what in them. */
import {
  type AgentStatus,
  ContractError,
  GUEST_ABILITIES,
  type GuestAbility,
  type GuestAgentKind,
  type GuestCapability,
  type VM,
} from "../../lib/contract/mod.ts";
import { FROZEN, type Hindrance, isAbsence } from "../../lib/guest/remedies.ts";
import type { Host } from "../hosts/host.ts";
import type { BackendState, GuestBackend } from "./backend.ts";
import type { GuestFreezes } from "./freezes.ts";

/** Why nothing can be done in a VM that is off. */
const OFF: Hindrance = { reason: "the VM is not running", remedy: "Start it" };
/** What QEMU's agent does better: libvirt knows of it, and settles what was cut short; Windows takes part (VSS). */
const QEMU_FIRST: ReadonlySet<GuestAbility> = new Set(["freeze"]);
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

  /**
   * One agent, where it can do all of these.
   *
   * @throws {ContractError} VmNotFound, VmNotRunning, GuestUnavailable
   */
  async thisAgentFor(
    kind: GuestAgentKind,
    vmId: string,
    abilities: readonly GuestAbility[],
  ): Promise<{ vm: VM; agent: GuestBackend }> {
    const one = new GuestService(this.host, this.backends.filter((each) => each.kind === kind), this.freezes);
    const found = await Promise.all(abilities.map((ability) => one.agentFor(vmId, ability)));
    return found[0]!;
  }

  /** Which agents there are, and what they can do. @throws {ContractError} VmNotFound */
  async status(vmId: string): Promise<AgentStatus> {
    const vm = this.host.requireVm(vmId), frozenUntil = this.freezes.until(vmId);
    const isOn = vm.state === "running";
    const agents: BackendState[] = isOn
      ? await Promise.all(this.backends.map((backend) => backend.state(vm)))
      : await Promise.all(this.backends.map(async (backend) => ({
        agent: backend.kind,
        state: await backend.channel(vm) === "not configured" ? "not configured" : "disconnected",
      } as const)));
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

  /** The first that can, or why none can: what one says that is there, else what the last says. */
  async #agentOf(vm: VM, ability: GuestAbility): Promise<{ agent?: GuestBackend; hindrance?: Hindrance }> {
    const hindrances: Hindrance[] = [];
    for (const agent of QEMU_FIRST.has(ability) ? this.backends.toReversed() : this.backends) {
      const hindrance = await agent.hindrance(vm, ability);
      if (hindrance === undefined) return { agent };
      hindrances.push(hindrance);
    }
    const hindrance = hindrances.find((each) => !isAbsence(each)) ?? hindrances.at(-1);
    return hindrance === undefined ? {} : { hindrance };
  }
}
