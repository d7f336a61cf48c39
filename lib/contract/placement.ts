/** Rules on which hosts VMs belong, where they do not hold, and moves that are advised. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { HostName } from "./on_host.ts";
import { closed, NO_OUTER_BLANK, NOTHING_OUT, oneOf, SentenceText, VmId } from "./schema.ts";
import { NamedGroup, Tag } from "./vm.ts";

export const PLACEMENT_KINDS = ["together", "apart", "on", "not-on"] as const;
export type PlacementKind = typeof PLACEMENT_KINDS[number];

/** Most rules there are. */
export const MOST_PLACEMENT_RULES = 500;

const RuleId = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[0-9A-Za-z-]+$",
  description: "id of the rule",
});
const RuleName = Type.String({
  minLength: 1,
  maxLength: 60,
  pattern: `${NO_OUTER_BLANK}[^\\u0000-\\u001f\\u007f]+$`,
});

const FIELDS = {
  kind: oneOf(PLACEMENT_KINDS, {
    description:
      "together: on one host; apart: each on another host; on, not-on: on these hosts, on none of them",
  }),
  vmIds: Type.Optional(Type.Array(VmId, { maxItems: 500, uniqueItems: true })),
  tags: Type.Optional(Type.Array(Tag, { maxItems: 32, uniqueItems: true })),
  groups: Type.Optional(Type.Array(NamedGroup, { maxItems: 32, uniqueItems: true })),
  hosts: Type.Optional(Type.Array(HostName, {
    maxItems: 200,
    uniqueItems: true,
    description: "of on and not-on: ids of hosts; the one that KVM Manager runs on is local",
  })),
};

export const PlacementRuleShown = Type.Object({
  id: Type.String(),
  name: Type.String(),
  kind: oneOf(PLACEMENT_KINDS),
  vmIds: Type.Array(Type.String()),
  tags: Type.Array(Type.String()),
  groups: Type.Array(Type.String()),
  hosts: Type.Array(Type.String()),
  vms: Type.Integer({ description: "VMs that it is for now" }),
  broken: Type.Array(SentenceText(), { description: "where it does not hold" }),
});
export type PlacementRuleShown = Static<typeof PlacementRuleShown>;

/** A move that is advised. */
export const PlacementAdvice = Type.Object({
  vmId: Type.String(),
  name: Type.String(),
  from: Type.String({ description: "id of its host" }),
  to: Type.String({ description: "id of the host that it could go to" }),
  text: SentenceText({ description: "why, in figures" }),
  memoryMb: Type.Integer(),
  cpuPercent: Type.Union([Type.Number(), Type.Null()], {
    description: "of one thread of the processor, over the last hour",
  }),
});
export type PlacementAdvice = Static<typeof PlacementAdvice>;

const MANAGE = { role: "administrator", permission: "host.administer", withoutLibvirt: true } as const;

export const placementCommands = {
  list_placement_rules: command({
    ...MANAGE,
    summary: "List rules on which hosts VMs belong, and where they do not hold",
    input: closed({}),
    output: Type.Array(PlacementRuleShown),
    errors: ["StoreUnavailable"],
    route: "GET /placement-rules",
    cli: ["placement", "list"],
    lookup: { fields: ["ruleId"], by: "name", more: "kind", missing: "PlacementRuleNotFound" },
    columns: ["name", "kind", "tags", "groups", "hosts", "vms", "broken"],
    wide: ["id", "vmIds"],
    readOnly: true,
  }),
  create_placement_rule: command({
    ...MANAGE,
    summary: "Create a rule on which hosts VMs belong",
    description:
      "Plans, moves and advice keep to it; nothing moves because of it. A person may go against it with breakRules.",
    input: closed({ name: RuleName, ...FIELDS }),
    output: PlacementRuleShown,
    errors: [
      "PlacementRuleExists",
      "TooManyPlacementRules",
      "VmNotFound",
      "HostNotFound",
      "StoreUnavailable",
    ],
    route: "POST /placement-rules",
    cli: ["placement", "create", "<name>", "<kind>"],
    flags: { vm: "vmIds", tag: "tags", group: "groups", on: "hosts" },
    examples: [
      "kvm-manager placement create db-apart apart --tag db",
      "kvm-manager placement create gpu on --group render --on kvm2",
    ],
    exampleFields: ["tags"],
    readOnly: false,
  }),
  update_placement_rule: command({
    ...MANAGE,
    summary: "Change a rule on which hosts VMs belong",
    description: "What is left out stays.",
    input: closed({
      ruleId: RuleId,
      name: Type.Optional(RuleName),
      ...FIELDS,
      kind: Type.Optional(FIELDS.kind),
    }),
    output: PlacementRuleShown,
    errors: [
      "PlacementRuleNotFound",
      "PlacementRuleExists",
      "VmNotFound",
      "HostNotFound",
      "StoreUnavailable",
    ],
    route: "PATCH /placement-rules/{ruleId}",
    cli: ["placement", "update", "<ruleId>"],
    flags: { vm: "vmIds", tag: "tags", group: "groups", on: "hosts" },
    examples: ["kvm-manager placement update db-apart --tag db --tag queue"],
    readOnly: false,
  }),
  delete_placement_rule: command({
    ...MANAGE,
    summary: "Delete a rule on which hosts VMs belong",
    input: closed({ ruleId: RuleId }),
    output: NOTHING_OUT,
    errors: ["PlacementRuleNotFound", "StoreUnavailable"],
    route: "DELETE /placement-rules/{ruleId}",
    cli: ["placement", "delete", "<ruleId>"],
    readOnly: false,
  }),
  get_placement_advice: command({
    ...MANAGE,
    summary: "Show which VMs could move, and why",
    description:
      "What rules ask for, and what would make hosts more even in memory and processor over the last hour. Nothing moves by itself.",
    input: closed({}),
    output: Type.Array(PlacementAdvice),
    errors: ["StoreUnavailable"],
    route: "GET /placement-advice",
    cli: ["placement", "advice"],
    columns: ["name", "from", "to", "text"],
    wide: ["vmId", "memoryMb", "cpuPercent"],
    readOnly: true,
  }),
  get_vm_placement: command({
    summary: "Show the rules of placement of a VM, and which of them do not hold",
    role: "viewer",
    input: closed({ vmId: VmId }),
    output: Type.Object({
      rules: Type.Array(Type.Object({ name: Type.String(), kind: oneOf(PLACEMENT_KINDS) })),
      broken: Type.Array(SentenceText()),
    }),
    errors: ["VmNotFound", "StoreUnavailable"],
    route: "GET /vms/{vmId}/placement",
    cli: ["vm", "placement", "<vmId>"],
    readOnly: true,
  }),
};
