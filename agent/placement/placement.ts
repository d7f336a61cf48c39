/** Rules of placement as they are kept, and where they do not hold. */
import {
  type BrokenRule,
  brokenRules,
  type PlacedVm,
  type PlacementRule,
  rulesAgainst,
} from "../../lib/placement/rules.ts";
import type { VM } from "../../lib/contract/mod.ts";
import type { CoveredVm } from "../../lib/coverage/coverage.ts";
import { placement } from "../../lib/i18n/en/placement.ts";
import { type Sentence, vmName } from "../../lib/i18n/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import { JsonRows, jsonTable } from "../store/json_rows.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import type { LinkedHosts } from "../hosts/linked/linked_hosts.ts";
import type { Store } from "../store/store.ts";

export const PLACEMENT_MIGRATIONS = [jsonTable("placement_rules", "a rule on which hosts VMs belong")];

/** Names of the rules that a VM would go against on a host. @throws {ContractError} StoreUnavailable */
export type RulesAgainst = (
  vm: CoveredVm & { readonly name: string },
  hostId: string,
) => readonly string[];

/** VMs named in a sentence. */
const MOST_NAMED = 5;

/** A VM on its host, as rules know it. */
const placedVm = ({ id, name, tags, group }: VM, host: string): PlacedVm => ({
  id,
  name,
  tags,
  host,
  ...(group !== undefined && { group }),
});

/** Hosts with their VMs. */
interface PlacedHosts {
  readonly hosts: Pick<HostRegistry, "all">;
  readonly linked: Pick<LinkedHosts, "all">;
}

export class Placement {
  readonly rows: JsonRows<PlacementRule>;

  constructor(store: Store, private readonly world: PlacedHosts) {
    this.rows = new JsonRows<PlacementRule>(store, "placement_rules");
  }

  /** Every VM on its host, those of linked ones as they were known last. */
  placed(): PlacedVm[] {
    const { hosts, linked } = this.world;
    return [
      ...hosts.all().flatMap(({ id, inventory }) => inventory.vms().map((vm) => placedVm(vm, id))),
      ...linked.all().flatMap((host) => host.vms().map((vm) => placedVm(vm, host.id))),
    ];
  }

  /** @throws {ContractError} StoreUnavailable */
  rules(): readonly PlacementRule[] {
    return this.rows.require().all();
  }

  readonly against: RulesAgainst = (vm, hostId) => {
    const rules = this.rules();
    if (rules.length === 0) return [];
    return rulesAgainst(rules, vm, hostId, this.placed()).map(({ name }) => name);
  };

  /** @throws {ContractError} StoreUnavailable */
  broken(rules: readonly PlacementRule[] = this.rules()): BrokenRule[] {
    return rules.length === 0 ? [] : brokenRules(rules, this.placed());
  }
}

/** Text on a rule that does not hold. */
export function brokenText({ rule, vms }: BrokenRule): Sentence {
  const hosts = [...new Set(vms.map(({ host }) => host))].toSorted().slice(0, MOST_NAMED).join(", ");
  const $text = placement[`placement.${rule.kind}_broken`];
  return { $text, args: { vms: vms.map((vm) => vmName(vm)), rule: oneLine(rule.name, 60), hosts } };
}
