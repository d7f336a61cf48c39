/** The hosts that are served, as one list. */
import Type, { type Static } from "typebox";
import { command, ROLES } from "./command.ts";
import { CONNECTION_STATUSES, HostStats } from "./host.ts";
import { MaintenanceSummary } from "./maintenance.ts";
import { HostName } from "./on_host.ts";
import { HostKey } from "./host_key.ts";
import { SSH_LOGIN } from "./ssh_login.ts";
import {
  askedWith,
  CLEARABLE,
  closed,
  ForeignTimestamp,
  NOTHING_IN,
  NOTHING_OUT,
  ONE_TIME_SECRET,
  oneOf,
  SECRET,
  Timestamp,
} from "./schema.ts";

const MANAGE = {
  role: "administrator",
  permission: "host.administer",
  readOnly: false,
  withoutLibvirt: true,
  activityFor: "administrators",
} as const;

/** A name for a host, which is its id from then on. */
const NewName = Type.String({
  maxLength: 40,
  pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
  description: "small letters, digits, dots and dashes",
});

const ConnectionUri = Type.String({
  minLength: 1,
  maxLength: 512,
  description: "libvirt's connection: `qemu+ssh://root@kvm2/system`",
});
const HostLabel = Type.String({
  minLength: 1,
  maxLength: 60,
  pattern: "\\S",
  description: "what people call it; its id when left out",
});

const SshPassword = Type.String({
  minLength: 1,
  maxLength: 1024,
  pattern: "^[^\\u0000-\\u001f\\u007f]+$",
  ...SECRET,
  description:
    "by SSH: used once, to add KVM Manager's public key to the user's authorized_keys, and not kept",
});
/** Account for the sign-in to libvirt, if it asks for one. */
const LOGIN = {
  username: Type.Optional(Type.String({
    maxLength: 255,
    pattern: "^[^\\u0000-\\u001f\\u007f]*$",
    ...CLEARABLE,
    description: "where libvirt asks for a user (SASL): whom it is signed in to as",
  })),
  userPassword: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 1024,
    pattern: "^[^\\u0000-\\u001f\\u007f]+$",
    ...SECRET,
    ...askedWith("username"),
    description: "of that user. It is kept, and never shown",
  })),
};
const HOST_KEY_ERRORS = ["HostKeyUnknown", "HostKeyChanged"] as const;

export const HostStatus = Type.Object({
  id: Type.String({ description: "what `host` names in commands, events and rows" }),
  label: Type.String(),
  uri: Type.String({ description: "how its libvirt is connected to; empty for who may not add hosts" }),
  username: Type.Optional(
    Type.String({ description: "whom its libvirt is signed in to as, for who may add hosts" }),
  ),
  isLocal: Type.Boolean({ description: "the one that is meant where a command names none" }),
  linked: Type.Optional(
    Type.Object({
      hostname: Type.String({ description: "of the host, as its KVM Manager tells it" }),
      version: Type.String({ description: "of its KVM Manager" }),
      role: Type.String({ description: "the most that users of this KVM Manager may do there" }),
      unknownVms: Type.Optional(
        Type.Integer({ description: "VMs that this version does not understand, for who sees all VMs" }),
      ),
      clockAheadMs: Type.Optional(
        Type.Integer({
          description:
            "milliseconds that its clock is ahead of this host's; left out where both tell the same time. All " +
            "times of it are told by this host's clock",
        }),
      ),
      certificateEndsAt: Type.Optional({
        ...ForeignTimestamp,
        description:
          "milliseconds since 1970, when the certificate of its KVM Manager ends. The link goes on after it; browsers warn",
      }),
    }, { description: "of a host with a KVM Manager of its own, once it has answered" }),
  ),
  status: oneOf([...CONNECTION_STATUSES, "disabled"]),
  maintenance: Type.Optional(MaintenanceSummary),
  error: Type.Union([Type.String(), Type.Null()], { description: "why not connected, and what to do" }),
  since: Timestamp,
  version: Type.Optional(Type.String({ description: "of its libvirt, once it has answered" })),
  vmCount: Type.Optional(Type.Integer({ description: "VMs that the caller may see there" })),
  activeVmCount: Type.Optional(Type.Integer({ description: "of them, those that run or are paused" })),
  load: Type.Optional(
    Type.Object({
      cpuUsagePercent: HostStats.properties.cpuUsagePercent,
      memoryUsedMb: HostStats.properties.memoryUsedMb,
      memoryTotalMb: HostStats.properties.memoryTotalMb,
      timestamp: Timestamp,
    }, { description: "as read last, for who may see the host's load" }),
  ),
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

const OwnAddress = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 300,
    description: "how this host is reached from there: `https://kvm2:8006`; left out, its name and port",
  }),
);

/** A KVM Manager that may act on this host. */
export const Peer = Type.Object({
  id: Type.String(),
  name: Type.String({ description: "of its host, as it told it" }),
  role: oneOf(ROLES, { description: "the most that its users may do here" }),
  key: Type.String({ description: "what it is known by: its public key" }),
  invitedBy: Type.String(),
  createdAt: Timestamp,
  lastUsedAt: Type.Union([Timestamp, Type.Null()], { description: "null: not since the start" }),
  alertTargets: Type.Array(Type.String(), {
    description:
      "names of the targets of alerts that its users have set up here: they stay when it is revoked",
  }),
});
export type Peer = Static<typeof Peer>;

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
    lookup: { fields: ["hostId", "host"], by: "id", more: "label" },
    columns: [
      "id",
      "status",
      "maintenance.state",
      "vmCount",
      "activeVmCount",
      "load.cpuUsagePercent",
      "load.memoryUsedMb",
      "since",
      "error",
    ],
    wide: ["label", "uri", "version", "isKnown"],
    ifTold: ["maintenance.state"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  add_host: command({
    ...MANAGE,
    summary: "Add a host by its libvirt",
    description:
      "Its VMs, networks and storage are shown and managed with this host's. Backups, files and screens of its VMs " +
      "need KVM Manager on that host. By SSH, KVM Manager's public key must open it: see get_ssh_key, or give the user's password once.",
    input: closed({
      name: NewName,
      uri: ConnectionUri,
      label: Type.Optional(HostLabel),
      hostKey: Type.Optional(HostKey),
      password: Type.Optional(SshPassword),
      ...LOGIN,
    }),
    output: HostStatus,
    errors: ["HostExists", "HostUriRefused", "HostUnreachable", ...HOST_KEY_ERRORS, "StoreUnavailable"],
    route: "POST /hosts",
    cli: ["host", "add", "<name>", "<uri>"],
    examples: [
      "kvm-manager host add kvm2 qemu+ssh://root@kvm2/system",
      "kvm-manager host add kvm3 qemu+tls://kvm3/system --username ann",
    ],
  }),
  get_ssh_key: command({
    ...MANAGE,
    readOnly: true,
    summary: "Show the public SSH key of KVM Manager",
    description:
      "Hosts that have it in a user's authorized_keys can be added by SSH. It is made when it is first asked for.",
    input: NOTHING_IN,
    output: Type.Object({ publicKey: Type.String({ description: "a line of authorized_keys" }) }),
    errors: ["HostUnreachable"],
    route: "GET /hosts/ssh-key",
    cli: ["host", "ssh-key"],
    examples: ["kvm-manager host ssh-key | ssh root@kvm2 'cat >> .ssh/authorized_keys'"],
    file: { field: "publicKey" },
  }),
  get_host: command({
    summary: "One host: whether it answers, its load and versions",
    role: "viewer",
    permission: "signed-in",
    input: closed({ hostId: HostName }),
    output: HostStatus,
    errors: ["HostNotFound"],
    route: "GET /hosts/{hostId}",
    cli: ["host", "show", "<hostId>"],
    examples: ["kvm-manager host show kvm2"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  test_host: command({
    ...MANAGE,
    summary: "Try a connection to a libvirt",
    description: "Connects once. Of it nothing but a compared host key is kept.",
    input: closed({ uri: ConnectionUri, hostKey: Type.Optional(HostKey), ...LOGIN }),
    output: Type.Object({
      hostname: Type.String({ description: "as libvirt tells it" }),
      version: Type.String({ description: "of its libvirt" }),
      tookMs: Type.Integer({ description: "to connect and ask" }),
    }),
    errors: ["HostUriRefused", "HostUnreachable", ...HOST_KEY_ERRORS],
    route: "POST /hosts/test",
    cli: ["host", "test", "<uri>"],
    examples: ["kvm-manager host test qemu+ssh://root@kvm2/system"],
  }),
  update_host: command({
    ...MANAGE,
    summary: "Change a host's label or connection",
    description:
      "With another connection, the host is read again. Its id stays. What is left out stays; with another connection or user, the " +
      "user's password is given again.",
    input: closed({
      hostId: HostName,
      label: Type.Optional(HostLabel),
      uri: Type.Optional(ConnectionUri),
      hostKey: Type.Optional(HostKey),
      password: Type.Optional(SshPassword),
      ...LOGIN,
      force: Type.Optional(Type.Boolean({
        default: false,
        description: "although things are kept there: the connection leads to the same host",
      })),
    }),
    output: HostStatus,
    errors: [
      ...[
        "HostNotFound",
        "HostStays",
        "HostExists",
        "HostBusy",
        "HostMoveKeeps",
        "HostUriRefused",
        "HostUnreachable",
      ] as const,
      ...HOST_KEY_ERRORS,
      "StoreUnavailable",
    ],
    route: "PATCH /hosts/{hostId}",
    cli: ["host", "update", "<hostId>"],
    examples: ["kvm-manager host update kvm2 --uri qemu+tls://kvm2/system"],
  }),
  enable_host: command({
    ...MANAGE,
    summary: "Connect to a host, or disconnect from it",
    description: "A disabled host is listed and not connected to. What is kept of it stays.",
    input: closed({ hostId: HostName, enabled: Type.Boolean() }),
    output: HostStatus,
    errors: ["HostNotFound", "HostStays", "HostBusy", "StoreUnavailable"],
    route: "PUT /hosts/{hostId}/enabled",
    cli: ["host", "enable", "<hostId>", "<enabled>"],
  }),
  remove_host: command({
    ...MANAGE,
    summary: "Remove a host from KVM Manager",
    description:
      "Nothing changes on that host. Templates and bin entries there are forgotten, their files stay: with any, `force` is needed.",
    input: closed({
      hostId: HostName,
      force: Type.Optional(Type.Boolean({ default: false, description: "although things are kept there" })),
    }),
    output: NOTHING_OUT,
    errors: ["HostNotFound", "HostStays", "HostBusy", "HostKeeps", "StoreUnavailable"],
    route: "DELETE /hosts/{hostId}",
    cli: ["host", "remove", "<hostId>"],
    destroys: "its alerts here, and its place in schedules, backups and rights. Its VMs run on",
  }),
  invite_host: command({
    ...MANAGE,
    summary: "Let another KVM Manager act on this host",
    description:
      "Gives one line, which is entered there (host join). It is good once, and links by HTTPS to this KVM Manager itself: not through a proxy.",
    confirms: true,
    input: closed({
      role: Type.Optional(
        oneOf(ROLES, {
          description:
            "the most that its users may do here; administrator when left out. Moves and replication need that",
        }),
      ),
      minutes: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 1440, default: 10, description: "how long it is good for" }),
      ),
      address: OwnAddress,
      both: Type.Optional(
        Type.Boolean({
          default: false,
          description: "that host is linked here as well, if it is joined with `both`",
        }),
      ),
    }),
    output: Type.Object({
      invitation: Type.String({ description: "the line, which is a secret", ...SECRET }),
      address: Type.String(),
      role: oneOf(ROLES),
      expiresAt: Timestamp,
    }),
    errors: ["LinkAddressRefused", "TooManyRequests", "PasswordNeeded"],
    route: "POST /hosts/invitations",
    cli: ["host", "invite"],
    examples: ["kvm-manager host invite --role operator --minutes 30"],
    file: { field: "invitation" },
  }),
  join_host: command({
    ...MANAGE,
    summary: "Link a host by an invitation of its KVM Manager",
    description:
      "All of it can be used from here then, within the role of the invitation. Who may do what there is up to the rights of users here.",
    input: closed({
      name: NewName,
      invitation: Type.String({
        minLength: 1,
        maxLength: 700,
        ...ONE_TIME_SECRET,
        description: "the line, as it was shown there",
      }),
      label: Type.Optional(HostLabel),
      both: Type.Optional(
        Type.Boolean({
          default: false,
          description: "users there can use this host as well, if the invitation was made with `both`",
        }),
      ),
      role: Type.Optional(
        oneOf(ROLES, { description: "with `both`: the most that users there may do here" }),
      ),
      address: OwnAddress,
    }),
    output: HostStatus,
    errors: [
      ...[
        "HostExists",
        "InvitationUnreadable",
        "InvitationRefused",
        "LinkFailed",
        "LinkAddressRefused",
      ] as const,
      ...["PasswordNeeded", "StoreUnavailable"] as const,
    ],
    route: "POST /hosts/links",
    cli: ["host", "join", "<name>"],
    examples: ["kvm-manager host join kvm2 --invitation -"],
  }),
  install_host: command({
    ...MANAGE,
    summary: "Install KVM Manager on a host by SSH, and link the host",
    description:
      "Copies this program, checks the host, installs a service that listens by HTTPS, and joins. As root, or by sudo. What fails is " +
      "undone there; after a cut, the same call goes on. Where KVM Manager is installed already, the host is only linked.",
    isJob: true,
    input: closed({
      name: NewName,
      destination: Type.String({
        maxLength: 330,
        pattern: SSH_LOGIN,
        description: "whom SSH signs in as, and where: `root@kvm2`, `ann@kvm2:2222`",
      }),
      label: Type.Optional(HostLabel),
      hostKey: Type.Optional(HostKey),
      password: Type.Optional(Type.String({
        ...SshPassword,
        description:
          "of the user there: for SSH, where KVM Manager's key does not open it yet, and for sudo. It is not kept",
      })),
      role: Type.Optional(
        oneOf(ROLES, { description: "the most that users of this KVM Manager may do there" }),
      ),
      port: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 65_535,
          description:
            "where KVM Manager listens there; 8006 when left out, or where one that is there listens",
        }),
      ),
    }),
    output: HostStatus,
    errors: [
      ...["HostExists", "HostUriRefused", "HostUnreachable", "HostBusy"] as const,
      ...HOST_KEY_ERRORS,
      ...["HostInstallNoProgram", "HostInstallFailed", "StoreUnavailable"] as const,
    ],
    route: "POST /hosts/installations",
    cli: ["host", "install", "<name>", "<destination>"],
    examples: [
      "kvm-manager host install kvm2 root@kvm2",
      "kvm-manager host install kvm2 ann@kvm2 --password - --role operator",
    ],
  }),
  list_peers: command({
    ...MANAGE,
    readOnly: true,
    summary: "List the KVM Managers that may act on this host",
    input: NOTHING_IN,
    output: Type.Array(Peer),
    errors: [],
    route: "GET /peers",
    cli: ["host", "peers"],
    lookup: { fields: ["peerId"], by: "id", more: "name", missing: "PeerNotFound" },
    columns: ["id", "name", "role", "createdAt", "lastUsedAt", "alertTargets"],
    wide: ["key", "invitedBy"],
  }),
  remove_peer: command({
    ...MANAGE,
    summary: "Revoke the permission of a KVM Manager to act on this host",
    description:
      "What it has open here ends at once. What its users have set up here stays; targets of alerts, which tell others what " +
      "happens on this host, can be deleted with it.",
    input: closed({
      peerId: Type.String({ minLength: 1, maxLength: 64, description: "id of the KVM Manager" }),
      deleteTargets: Type.Optional(
        Type.Boolean({
          default: false,
          description: "also deletes the targets of alerts that its users have set up",
        }),
      ),
    }),
    output: Type.Object({
      deletedTargets: Type.Array(Type.String(), {
        description: "names of the targets of alerts that were deleted",
      }),
      keptTargets: Type.Array(Type.String(), { description: "… that its users have set up and that go on" }),
    }),
    errors: ["PeerNotFound", "StoreUnavailable"],
    route: "DELETE /peers/{peerId}",
    cli: ["host", "revoke", "<peerId>"],
    destroys: "its access to this host. Another invitation lets it in again",
  }),
};
