/** The guests of a host: which agent does what in them. */
import {
  type AgentStatus,
  ContractError,
  GUEST_ABILITIES,
  GUEST_AGENTS,
  type GuestAbility,
  type GuestAgentKind,
  type GuestCapability,
  type VM,
} from "../../lib/contract/mod.ts";
import {
  type BlockedReason,
  FROZEN,
  isAbsence,
  NO_CHANNEL,
  NOT_RESPONDING,
  OWN_NO_CHANNEL,
  SILENT,
} from "../../lib/guest/remedies.ts";
import type { Clock } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { requireResponsive } from "../hosts/responsive.ts";
import type { BackendState, GuestBackend } from "./backend.ts";
import type { GuestFreezes } from "./freezes.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";

/** Why nothing can be done in a VM that is off. */
const OFF: BlockedReason = { reason: "the VM is not running", remedy: "Start it" };
/**
 * Abilities of QEMU's agent that are better than our agent's: libvirt knows of it, and settles interrupted
 * work; Windows takes part (VSS).
 */
const QEMU_FIRST: ReadonlySet<GuestAbility> = new Set(["freeze"]);
/** Milliseconds for which an agent that did not answer is asked last. */
const SILENCE_MS = 60_000;
/** Abilities of an agent while its guest is frozen. */
const WHILE_FROZEN: ReadonlySet<GuestAbility> = new Set(["freeze"]);

/** Agents that did not answer lately: asking them first would cost every call their time limit. */
class Silences {
  readonly #until = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  note({ id }: VM, { kind }: GuestBackend, isSilent: boolean): void {
    const key = `${kind} ${id}`;
    if (isSilent) this.#until.set(key, this.clock.monotonic() + SILENCE_MS);
    else this.#until.delete(key);
  }

  has({ id }: VM, { kind }: GuestBackend): boolean {
    return (this.#until.get(`${kind} ${id}`) ?? -Infinity) > this.clock.monotonic();
  }

  /** Another agent may run in a VM by now. */
  forget(vmId: string): void {
    for (const kind of GUEST_AGENTS) this.#until.delete(`${kind} ${vmId}`);
  }
}

export class GuestService {
  readonly #silences: Silences;

  /** @param backends the better one first */
  constructor(
    private readonly host: LibvirtHost,
    private readonly backends: readonly GuestBackend[],
    private readonly freezes: Pick<GuestFreezes, "until">,
    private readonly clock: Clock,
  ) {
    this.#silences = new Silences(clock);
  }

  /** Agents of a VM came, went, or are others. */
  forget(vmId: string): void {
    this.#silences.forget(vmId);
    this.host.inventory.update(vmId, { agentSilent: false });
  }

  /**
   * The agent that does something in a guest.
   *
   * @throws {ContractError} VmNotFound, VmNotRunning, GuestUnavailable, GuestSilent
   */
  async agentFor(vmId: string, ability: GuestAbility): Promise<{ vm: VM; agent: GuestBackend }> {
    const vm = this.host.requireVm(vmId);
    if (vm.state !== "running") throw new ContractError("VmNotRunning");
    await requireResponsive(this.host, vm);
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
    const one = new GuestService(
      this.host,
      this.backends.filter((each) => each.kind === kind),
      this.freezes,
      this.clock,
    );
    const found = await Promise.all(abilities.map((ability) => one.agentFor(vmId, ability)));
    return found[0]!;
  }

  /** The agent that would do something in a VM that runs; undefined where none can. Never throws for a guest's fault. */
  async whoCan(vm: VM, ability: GuestAbility): Promise<GuestAgentKind | undefined> {
    return (await this.#agentOf(vm, ability)).agent?.kind;
  }

  /** Agents of a VM, and their abilities. @throws {ContractError} VmNotFound */
  async status(vmId: string): Promise<Unrendered<AgentStatus>> {
    return await this.statusOf(this.host.requireVm(vmId));
  }

  /** Agents of a VM, one of our own included, and their abilities. */
  async statusOf(vm: VM): Promise<Unrendered<AgentStatus>> {
    const frozenUntil = this.freezes.until(vm.id);
    const isOn = vm.state === "running";
    const agents: BackendState[] = isOn && vm.responsive
      ? await Promise.all(this.backends.map(async (backend) => {
        const told = await backend.state(vm);
        this.#silences.note(vm, backend, told.state === "silent");
        return told;
      }))
      : await Promise.all(this.backends.map(async (backend) => ({
        agent: backend.kind,
        state: isOn
          ? "silent"
          : await backend.channel(vm) === "not configured"
          ? "not configured"
          : "disconnected",
      } as const)));
    const abilities: Unrendered<GuestCapability>[] = [];
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

  /** Has the list know whether those that are there answer. @param voice one that does */
  #tellSilence(vm: VM, voice?: GuestBackend): void {
    const there = this.backends.filter(({ kind }) => vm.guestAgents[kind] === "connected");
    const isSilent = voice === undefined && there.length > 0 &&
      there.every((each) => this.#silences.has(vm, each));
    if (isSilent !== (vm.guestAgent === "silent")) {
      this.host.inventory.update(vm.id, { agentSilent: isSilent });
    }
  }

  /** The first that can, or why none can: what one says that is there, else one that has a channel, else the last. */
  async #agentOf(
    vm: VM,
    ability: GuestAbility,
  ): Promise<{ agent?: GuestBackend; hindrance?: BlockedReason }> {
    // What it is asked through hangs
    if (!vm.responsive) return { hindrance: NOT_RESPONDING };
    const hindrances: BlockedReason[] = [];
    const known = (agent?: GuestBackend) => this.#tellSilence(vm, agent);
    const order = QEMU_FIRST.has(ability) ? this.backends.toReversed() : this.backends;
    const [voiced, silent] = [false, true].map((is) =>
      order.filter((each) => this.#silences.has(vm, each) === is)
    );
    for (const agent of [...voiced!, ...silent!]) {
      const hindrance = await agent.hindrance(vm, ability);
      this.#silences.note(vm, agent, hindrance === SILENT);
      if (hindrance === undefined) {
        known(agent);
        return { agent };
      }
      hindrances.push(hindrance);
    }
    known();
    const hindrance = hindrances.find((each) => !isAbsence(each)) ??
      hindrances.find((each) => each !== OWN_NO_CHANNEL && each !== NO_CHANNEL) ?? hindrances.at(-1);
    return hindrance === undefined ? {} : { hindrance };
  }
}
