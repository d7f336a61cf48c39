/** The hosts that are served, as one list. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { CONNECTION_STATUSES } from "./host.ts";
import { HostName } from "./on_host.ts";
import { closed, NOTHING_IN, NOTHING_OUT, oneOf, Timestamp } from "./schema.ts";

const MANAGE = {
  role: "administrator",
  permission: "host.administer",
  readOnly: false,
  withoutLibvirt: true,
} as const;

/** A name for a host, which is its id from then on. */
const NewName = Type.String({
  maxLength: 40,
  pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
  description: "small letters, digits, dots and dashes",
});

export const HostStatus = Type.Object({
  id: Type.String({ description: "what `host` names in commands, events and rows" }),
  label: Type.String(),
  uri: Type.String({ description: "how its libvirt is connected to; empty for who may not add hosts" }),
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
  add_host: command({
    ...MANAGE,
    summary: "Add a host by its libvirt",
    description:
      "Its VMs, networks and storage are shown and managed beside this host's. Backups, its files and the " +
      "screens of its VMs are KVM Manager's on that host. By SSH, the key of root must open it, and its host key must be known.",
    input: closed({
      name: NewName,
      uri: Type.String({
        minLength: 1,
        maxLength: 512,
        description: "libvirt's connection: `qemu+ssh://root@kvm2/system`",
      }),
    }),
    output: HostStatus,
    errors: ["HostExists", "HostUriRefused", "StoreUnavailable"],
    route: "POST /hosts",
    cli: ["host", "add", "<name>", "<uri>"],
    examples: ["kvm-manager host add kvm2 qemu+ssh://root@kvm2/system"],
  }),
  remove_host: command({
    ...MANAGE,
    summary: "Remove a host from KVM Manager",
    description: "Nothing changes on that host.",
    input: closed({ hostId: HostName }),
    output: NOTHING_OUT,
    errors: ["HostNotFound", "HostStays", "HostBusy", "StoreUnavailable"],
    route: "DELETE /hosts/{hostId}",
    cli: ["host", "remove", "<hostId>"],
    destroys: "its place here. Its VMs run on, and it can be added again",
  }),
};
