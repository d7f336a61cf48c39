/** The commands on rules of placement. */
import { isCovered } from "../../lib/coverage/coverage.ts";
import {
  ContractError,
  type Input,
  MOST_PLACEMENT_RULES,
  type placementCommands,
  type PlacementRuleShown,
} from "../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { message, type Sentence, type Unrendered } from "../../lib/i18n/message.ts";
import { namesHosts, type PlacementRule } from "../../lib/placement/rules.ts";
import type { Handlers } from "../dispatch.ts";
import { type AdviceWorld, placementAdvice } from "./advice.ts";
import { brokenText } from "./placement.ts";

/** Services for the commands on placement: those of the advice, and whether a host or a VM exists. */
export interface PlacementWorld extends AdviceWorld {
  /** Whether a host is kept, whether it is served or not. */
  readonly isHost: (hostId: string) => boolean;
  readonly isVm: (vmId: string) => boolean;
}

type Fields = Pick<PlacementRule, "kind" | "targets" | "hosts">;

const invalid = (field: string, reason: Sentence) => new ContractError("InvalidInput", { reason, field });

/** @throws {ContractError} InvalidInput, HostNotFound, VmNotFound */
function fieldsOf(
  { isHost, isVm }: PlacementWorld,
  { kind, vmIds = [], tags = [], groups = [], hosts = [] }:
    & Pick<Input<"create_placement_rule">, "kind">
    & Partial<Input<"create_placement_rule">>,
  before: readonly string[] = [],
): Fields {
  if (vmIds.length + tags.length + groups.length === 0) {
    throw invalid("vmIds", "a rule names at least one VM, tag or group");
  }
  if (namesHosts(kind) && hosts.length === 0) {
    throw invalid("hosts", message`a rule of the kind ${kind} names hosts`);
  }
  if (!namesHosts(kind) && hosts.length > 0) {
    throw invalid("hosts", message`a rule of the kind ${kind} names no hosts`);
  }
  const unknown = hosts.find((host) => host !== LOCAL_HOST && !isHost(host));
  if (unknown !== undefined) throw new ContractError("HostNotFound", { host: unknown });
  const vmId = vmIds.find((id) => !before.includes(id) && !isVm(id));
  if (vmId !== undefined) throw new ContractError("VmNotFound", { vmId });
  return { kind, targets: { vmIds, tags, groups }, hosts };
}

/** A handler for each of them. */
export function placementHandlers(world: PlacementWorld): Pick<Handlers, keyof typeof placementCommands> {
  const { placement } = world, { rows } = placement;
  const find = (ruleId: string): PlacementRule => {
    const found = rows.require().get(ruleId);
    if (found === undefined) throw new ContractError("PlacementRuleNotFound", { ruleId });
    return found;
  };
  const requireFree = (name: string, but?: string) => {
    const isTaken = rows.require().all().some((rule) => rule.name === name && rule.id !== but);
    if (isTaken) throw new ContractError("PlacementRuleExists", { name });
  };
  const shown = (rule: PlacementRule): Unrendered<PlacementRuleShown> => {
    const { id, name, kind, targets: { vmIds, tags, groups }, hosts } = rule;
    return {
      id,
      name,
      kind,
      vmIds: [...vmIds],
      tags: [...tags],
      groups: [...groups],
      hosts: [...hosts],
      vms: placement.placed().filter((vm) => isCovered(rule.targets, vm)).length,
      broken: placement.broken([rule]).map(brokenText) as never,
    };
  };
  return {
    list_placement_rules: () =>
      placement.rules().toSorted((a, b) => a.name.localeCompare(b.name, "en")).map(shown),
    create_placement_rule: ({ name, ...given }) => {
      requireFree(name);
      if (rows.all().length >= MOST_PLACEMENT_RULES) {
        throw new ContractError("TooManyPlacementRules", { limit: MOST_PLACEMENT_RULES });
      }
      const rule = { id: crypto.randomUUID(), name, ...fieldsOf(world, given) };
      rows.put(rule);
      return shown(rule);
    },
    update_placement_rule: ({ ruleId, name, ...given }) => {
      const before = find(ruleId), { kind, targets, hosts } = before;
      if (name !== undefined) requireFree(name, ruleId);
      const kept = namesHosts(given.kind ?? kind) ? { hosts: [...hosts] } : {};
      const { vmIds, tags, groups } = targets;
      const whole = { kind, vmIds: [...vmIds], tags: [...tags], groups: [...groups], ...kept, ...given };
      const rule = { id: ruleId, name: name ?? before.name, ...fieldsOf(world, whole, vmIds) };
      rows.put(rule);
      return shown(rule);
    },
    delete_placement_rule: ({ ruleId }) => {
      rows.remove(find(ruleId).id);
      return null;
    },
    get_placement_advice: (_input, { principal }) => placementAdvice(world, principal),
    get_vm_placement: ({ vmId }) => {
      const vm = placement.placed().find(({ id }) => id === vmId);
      if (vm === undefined) throw new ContractError("VmNotFound", { vmId });
      const meant = placement.rules().filter(({ targets }) => isCovered(targets, vm));
      return {
        rules: meant.map(({ name, kind }) => ({ name, kind })),
        // Others that it is with, or not with, may be hidden from who asks
        broken: placement.broken(meant).filter(({ vms }) => vms.some(({ id }) => id === vmId)).map((
          { rule },
        ) => brokenText({ rule, vms: [vm] })) as never,
      };
    },
  };
}
