/** The hosts that are served, as one list. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { CONNECTION_STATUSES } from "./host.ts";
import { NOTHING_IN, oneOf, Timestamp } from "./schema.ts";

export const HostStatus = Type.Object({
  id: Type.String({ description: "what `host` names in commands, events and rows" }),
  label: Type.String(),
  isLocal: Type.Boolean({ description: "the one that is meant where a command names none" }),
  status: oneOf(CONNECTION_STATUSES),
  error: Type.Union([Type.String(), Type.Null()], { description: "why not connected, and what to do" }),
  since: Timestamp,
  isKnown: Type.Boolean({
    description: "whether it was read since the start: until then lists of all hosts have nothing of it",
  }),
  foreignVms: Type.Array(
    Type.Object({
      vmId: Type.String(),
      name: Type.String(),
      owners: Type.Array(Type.String(), { description: "ids of the hosts that it belongs to, or may" }),
    }),
    {
      description:
        "VMs it has under ids that are other hosts' VMs': they are shown and used nowhere. Empty for who does not see all VMs",
    },
  ),
});
export type HostStatus = Static<typeof HostStatus>;

export const hostListCommands = {
  list_hosts: command({
    summary: "List the hosts, and whether each answers",
    role: "viewer",
    permission: "signed-in",
    input: NOTHING_IN,
    output: Type.Array(HostStatus),
    errors: [],
    route: "GET /hosts",
    cli: ["host", "list"],
    examples: [
      "kvm-manager host list",
      "kvm-manager host list -o json | jq -r '.[] | select(.isKnown | not).id'",
    ],
    columns: ["id", "status", "since", "error"],
    wide: ["label", "isKnown"],
    readOnly: true,
    withoutLibvirt: true,
  }),
};
