/** The commands that move VMs to other hosts. */
import { ContractError, type Input, type migrationCommands, type VM } from "../../../lib/contract/mod.ts";
import type { Principal } from "../../access.ts";
import type { Handlers } from "../../dispatch.ts";
import { nameOfKey } from "../../hosts/linked/key_name.ts";
import type { LinkedHosts } from "../../hosts/linked/linked_hosts.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { HostRegistry } from "../../hosts/registry.ts";
import { type LibvirtMoveWorld, moveByLibvirt, planByLibvirt } from "./by_libvirt.ts";
import { findingText, warning } from "./findings.ts";
import { requireMayBring } from "./rights.ts";
import type { EnteredMove, MoveQueue } from "./move_queue.ts";
import { migrateVm } from "./outgoing.ts";
import { migrationPlan, type MigrationWorld } from "./outgoing_plan.ts";

/** Services for the commands that move VMs: those of both kinds of moves, hosts, the queue, and rules of placement. */
export interface MigrationHandlerWorld extends MigrationWorld, LibvirtMoveWorld {
  readonly hosts: Pick<HostRegistry, "named">;
  readonly linked: Pick<LinkedHosts, "all" | "served">;
  readonly queue: MoveQueue;
  /** Names of the rules of placement that a VM would go against on a host. @throws {ContractError} StoreUnavailable */
  readonly rulesAgainst: (vm: VM, hostId: string) => readonly string[];
}

/** A host, an input and who asks, as they are on this host. */
interface MeantMove {
  readonly input: Input<"migrate_vm">;
  readonly principal: Principal;
}

/** Another KVM Manager names a host by its key: this one knows it by another name, and moves the VM by its own link. */
function meantHere(
  { linked }: Pick<MigrationHandlerWorld, "linked">,
  input: Input<"migrate_vm">,
  principal: Principal,
): MeantMove {
  const named = principal.via !== "link"
    ? undefined
    : linked.all().find(({ peer }) => nameOfKey(peer.publicKey) === input.toHost);
  if (named === undefined) return { input, principal };
  return { input: { ...input, toHost: named.id }, principal: { ...principal, via: "agent" } };
}

/**
 * The host of this KVM Manager that is meant, where it or the VM's own is reached by libvirt alone.
 *
 * @throws {ContractError} Forbidden for who may not bring VMs to it
 */
function otherHost(
  host: LibvirtHost,
  { hosts, linked }: Pick<MigrationHandlerWorld, "hosts" | "linked">,
  { toHost }: Pick<Input<"migrate_vm">, "toHost">,
  { via, rights }: Principal,
): LibvirtHost | undefined {
  if (via === "link" || linked.served(toHost) !== undefined) return undefined;
  const other = hosts.named(toHost);
  if (other === undefined || other === host) return undefined;
  requireMayBring(rights, { hostId: other.id });
  return other;
}

/**
 * Takes a move into the queue of its host.
 *
 * @throws {ContractError} VmNotFound, PlacementRuleBroken, VmBusy
 */
export function enterMove(
  host: LibvirtHost,
  world: MigrationHandlerWorld,
  asked: Input<"migrate_vm">,
  caller: Principal,
): EnteredMove {
  const { input, principal } = meantHere(world, asked, caller), vm = host.requireVm(input.vmId);
  const target = world.linked.served(input.toHost), other = otherHost(host, world, input, principal);
  const rules = input.breakRules === true ? [] : world.rulesAgainst(vm, input.toHost);
  const label = (target ?? other)?.label;
  if (label !== undefined && rules.length > 0) {
    throw new ContractError("PlacementRuleBroken", { host: label, rules: rules.join(", ") });
  }
  if (other !== undefined) {
    const result = moveByLibvirt(world, { from: host, to: other }, input, principal);
    return { jobId: "", waits: false, result };
  }
  // What cannot be is told at once, and waits for no turn
  if (target === undefined || principal.via === "link") {
    return { jobId: "", waits: false, result: migrateVm(host, world, input, principal) };
  }
  return world.queue.enter(host, input, principal);
}

/** A handler for each of them. */
export const migrationHandlers = (
  host: LibvirtHost,
  world: MigrationHandlerWorld,
): Pick<Handlers, keyof typeof migrationCommands> => ({
  get_migration_plan: async (input, { principal }) => {
    const other = otherHost(host, world, input, principal);
    const plan = other === undefined
      ? await migrationPlan(host, world, input, principal)
      : await planByLibvirt(world, { from: host, to: other }, input, principal);
    const { input: { toHost } } = meantHere(world, input, principal);
    const rules = world.rulesAgainst(host.requireVm(input.vmId), toHost);
    if (rules.length === 0) return plan;
    const label = (other ?? world.linked.served(toHost))?.label ?? toHost;
    const text = findingText(warning("placement", { rules: rules.join(", ") }), label);
    return { ...plan, findings: [...plan.findings, { check: "placement", level: "warning", text }] };
  },
  migrate_vm: (input, { principal }) => enterMove(host, world, input, principal).result,
});
