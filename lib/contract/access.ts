/** Access: users, sign-in, sessions, roles and API tokens. */
import Type, { type Static } from "typebox";
import { closed, Instant, oneOf, SECRET, SentenceText, Timestamp, VmId } from "./schema.ts";
import { HostName } from "./on_host.ts";
import { NamedGroup, ProjectName } from "./vm.ts";

export const UserName = Type.String({
  minLength: 1,
  maxLength: 32,
  pattern: "^[a-z][a-z0-9._-]*$",
  description: "lower-case letters, digits, dot, dash, underscore; a letter first",
});
export const RoleName = Type.String({ minLength: 1, maxLength: 32, pattern: "^[a-z][a-z0-9-]*$" });

/** A role, and where one has it. */
export const Grant = closed({
  role: RoleName,
  on: Type.Union([
    closed({ kind: oneOf(["everything"]) }),
    closed({ kind: oneOf(["group"]), group: NamedGroup }),
    closed({ kind: oneOf(["vm"]), vmId: VmId }),
    closed({
      kind: oneOf(["project"]),
      project: Type.String({ ...ProjectName, description: "id of a project; its name is taken for it" }),
    }),
    closed({
      kind: oneOf(["host"]),
      host: Type.String({ ...HostName, description: "id of a host" }),
    }),
  ], {
    description:
      "on everything, on the VMs of a group or a project, on one VM, or on a host and all that is on it",
  }),
});
export type Grant = Static<typeof Grant>;

export const User = Type.Object({
  id: Type.String(),
  name: Type.String(),
  displayName: Type.String(),
  disabled: Type.Boolean(),
  grants: Type.Array(Grant),
  hasPassword: Type.Boolean({ description: "without one the user cannot sign in, only its tokens work" }),
  host: Type.Boolean({ description: "an account of the host: its password and groups are kept there" }),
  refused: Type.Optional(Type.Boolean({
    description:
      "an account of the host that the host refuses: removed from its groups, locked, expired or gone; or no accounts of the host are taken",
  })),
  secondFactor: Type.Boolean({ description: "asked for more than the password: one-time codes, a passkey" }),
  oneTimeCodes: Type.Boolean(),
  passkeys: Type.Integer({ description: "how many it has" }),
  recoveryCodesLeft: Type.Integer(),
  createdAt: Timestamp,
  lastSignInAt: Type.Union([Timestamp, Type.Null()]),
  uncovered: Type.Optional(Type.Array(Type.String(), {
    description: "VMs, groups and hosts that grants are on and that are not there now",
  })),
});
export type User = Static<typeof User>;

/** Permissions, and where they hold. */
const Allowed = Type.Object({ permissions: Type.Array(Type.String()), on: Grant.properties.on });

export const SignedIn = Type.Object({
  user: Type.Union([User, Type.Null()], {
    description: "null for root at the socket, and the demo's visitor",
  }),
  name: Type.String(),
  via: oneOf(["session", "token", "socket", "link", "demo"]),
  administrator: Type.Boolean(),
  confirmedUntil: Type.Union([Timestamp, Type.Null()], {
    description: "so long one need not confirm again that it is oneself: `reauthenticate`",
  }),
  permissions: Type.Array(Type.String(), { description: "what one may do on everything" }),
  allowances: Type.Array(Type.Union([Type.Array(Allowed), Type.Null()]), {
    description:
      "all that one may do, and on what: each of these layers must allow it, a token's and that of its owner; null: an administrator's",
  }),
});
export type SignedIn = Static<typeof SignedIn>;

export const SIGN_IN_STATES = ["signed-in", "second-factor"] as const;
export const SECOND_FACTORS = ["code", "passkey"] as const;
export const SignInStep = Type.Object({
  state: oneOf(SIGN_IN_STATES),
  challenge: Type.Union([Type.String(), Type.Null()], {
    description: "for confirm_sign_in or sign_in_with_passkey, five minutes; null once signed in",
  }),
  secondFactors: Type.Array(oneOf(SECOND_FACTORS), { description: "what the challenge takes" }),
});
export type SignInStep = Static<typeof SignInStep>;

export const Session = Type.Object({
  id: Type.String(),
  userId: Type.String(),
  userName: Type.String(),
  current: Type.Boolean({ description: "the one that asks" }),
  address: Type.String({ description: "where it was last used from" }),
  client: Type.String({ description: "the browser, as it calls itself" }),
  createdAt: Timestamp,
  lastUsedAt: Timestamp,
  endsAt: Timestamp,
});
export type Session = Static<typeof Session>;

export const Token = Type.Object({
  id: Type.String(),
  name: Type.String(),
  userId: Type.String(),
  userName: Type.String(),
  grants: Type.Array(Grant),
  createdAt: Timestamp,
  expiresAt: Timestamp,
  lastUsedAt: Type.Union([Timestamp, Type.Null()]),
  lastUsedFrom: Type.Union([Type.String(), Type.Null()]),
  uncovered: Type.Optional(Type.Array(Type.String(), {
    description: "VMs, groups and hosts that grants are on and that are not there now",
  })),
});
export type Token = Static<typeof Token>;

export const RoleInfo = Type.Object({
  role: Type.String(),
  builtIn: Type.Boolean(),
  description: Type.String(),
  permissions: Type.Array(Type.String()),
});
export type RoleInfo = Static<typeof RoleInfo>;

export const PermissionInfo = Type.Object({
  permission: Type.String(),
  role: Type.String({ description: "the least of the three roles that has it" }),
  grantable: Type.Boolean({ description: "own roles may have it" }),
  commands: Type.Array(Type.String()),
});
export type PermissionInfo = Static<typeof PermissionInfo>;

export const AuditEntry = Type.Object({
  id: Type.Integer(),
  timestamp: Timestamp,
  actor: Type.String(),
  door: Type.String({
    description:
      "page, api, socket, mcp, schedule; libvirt for what happened without us; agent for what was settled later",
  }),
  host: Type.Union([Type.String(), Type.Null()], { description: "null: the local host, or none" }),
  address: Type.Union([Type.String(), Type.Null()]),
  client: Type.Optional(Type.Union([Type.String(), Type.Null()], {
    description: "name and version of the program that called by MCP, as it gives them itself",
  })),
  action: Type.String(),
  vmId: Type.Union([Type.String(), Type.Null()]),
  vmName: Type.Union([Type.String(), Type.Null()]),
  result: oneOf(["ok", "error", "event"]),
  message: Type.Union([SentenceText(), Type.Null()]),
  input: Type.Union([Type.String(), Type.Null()], { description: "JSON, without secrets" }),
  tookMs: Type.Union([Type.Number(), Type.Null()]),
});
export type AuditEntry = Static<typeof AuditEntry>;

/** Search fields of the audit log. */
export const AuditFilter = {
  actor: Type.Optional(Type.String({ maxLength: 64 })),
  action: Type.Optional(Type.String({ maxLength: 64 })),
  door: Type.Optional(Type.String({ maxLength: 16 })),
  result: Type.Optional(oneOf(["ok", "error", "event"])),
  vmId: Type.Optional(VmId),
  text: Type.Optional(Type.String({ maxLength: 128, description: "anywhere in VM, input, or message" })),
  since: Type.Optional(Instant),
  until: Type.Optional(Instant),
};

/** The account's own password once more, unless it was confirmed just now: a session may be stolen. */
export const PresentPassword = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 1024,
    description: "one's present password, at a session that was not confirmed by `reauthenticate`",
    ...SECRET,
  }),
);
export const PRESENT_ERRORS = [
  "PasswordNeeded",
  "SignInFailed",
  "TooManyAttempts",
  "TooManyRequests",
] as const;
