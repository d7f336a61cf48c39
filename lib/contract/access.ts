/** Who gets in and what they may do: users, sign-in, sessions, roles, API tokens. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import {
  CLEARABLE,
  closed,
  Instant,
  NO_OUTER_BLANK,
  NOTHING_IN,
  NOTHING_OUT,
  oneOf,
  SECRET,
  SentenceText,
  Timestamp,
  VmId,
} from "./schema.ts";
import { HostName } from "./on_host.ts";
import { NamedGroup, ProjectName } from "./vm.ts";

const Id = (of: string) => Type.String({ minLength: 1, maxLength: 64, description: `id of the ${of}` });
const UserId = Id("user");

export const UserName = Type.String({
  minLength: 1,
  maxLength: 32,
  pattern: "^[a-z][a-z0-9._-]*$",
  description: "lower-case letters, digits, dot, dash, underscore; a letter first",
});
const Password = Type.String({ minLength: 1, maxLength: 1024, ...SECRET });
const NewPassword = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: "12 to 256 characters, none of the known ones",
  ...SECRET,
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
const Grants = Type.Array(Grant, { maxItems: 64 });

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
const RoleFields = {
  description: Type.Optional(Type.String({ maxLength: 200 })),
  permissions: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 200 }),
};

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

/** What entries of the audit log are searched for by. */
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

const ADMINISTER = { role: "administrator", withoutLibvirt: true } as const;
const OWN = { role: "viewer", permission: "signed-in", withoutLibvirt: true } as const;
const OPEN = { role: "viewer", permission: "anyone", withoutLibvirt: true } as const;
const PASSWORD_ERRORS = ["WeakPassword", "TooManyRequests", "StoreUnavailable"] as const;

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
const RevokeTokens = Type.Optional(
  Type.Boolean({ default: true, description: "with a new password: end the account's API tokens, too" }),
);

export const accessCommands = {
  get_session: command({
    ...OWN,
    summary: "Show who one is, and what one may do",
    input: NOTHING_IN,
    output: SignedIn,
    errors: [],
    route: "GET /session",
    cli: ["whoami"],
    readOnly: true,
  }),
  sign_in: command({
    ...OPEN,
    summary: "Sign in with name and password",
    description: "Sets the session's cookie once `state` is signed-in. Programs use an API token instead.",
    input: closed({
      name: Type.String({ minLength: 1, maxLength: 64, pattern: NO_OUTER_BLANK }),
      password: Password,
    }),
    output: SignInStep,
    errors: ["SignInFailed", "TooManyAttempts", "TooManyRequests", "StoreUnavailable", "WrongDoor"],
    route: "POST /session",
    cli: ["sign-in", "<name>"],
    readOnly: false,
  }),
  confirm_sign_in: command({
    ...OPEN,
    summary: "Finish a sign-in with a one-time code, or a recovery code",
    input: closed({
      challenge: Type.String({ minLength: 1, maxLength: 128, ...SECRET }),
      code: Type.String({ minLength: 1, maxLength: 64, ...SECRET }),
    }),
    output: SignInStep,
    errors: ["SignInFailed", "SignInExpired", "TooManyAttempts", "StoreUnavailable", "WrongDoor"],
    route: "POST /session/second-factor",
    cli: ["sign-in-code"],
    readOnly: false,
  }),
  sign_out: command({
    ...OWN,
    summary: "End one's own session",
    input: NOTHING_IN,
    output: NOTHING_OUT,
    errors: ["StoreUnavailable"],
    route: "DELETE /session",
    cli: ["sign-out"],
    readOnly: false,
  }),
  set_up: command({
    ...OPEN,
    summary: "Create the first administrator, with the key of a setup link",
    input: closed({
      key: Type.String({ minLength: 1, maxLength: 128, ...SECRET }),
      name: UserName,
      password: NewPassword,
    }),
    output: SignInStep,
    errors: ["SetupKey", "UserExists", "TooManyAttempts", "WrongDoor", ...PASSWORD_ERRORS],
    route: "POST /setup",
    cli: ["setup", "<name>"],
    readOnly: false,
  }),
  create_setup_link: command({
    summary: "Give a new setup link: whoever opens it first makes an administrator",
    description:
      "For root at the UNIX socket alone. The link before it dies; this one does after 15 minutes or one use.",
    role: "administrator",
    permission: "socket",
    input: NOTHING_IN,
    output: Type.Object({ url: Type.String(SECRET), expiresAt: Timestamp }),
    errors: [],
    route: "POST /setup/link",
    cli: ["setup-link"],
    readOnly: false,
    withoutLibvirt: true,
  }),
  set_password: command({
    ...OWN,
    summary: "Change one's own password; ends one's other sessions and, unless they are kept, API tokens",
    input: closed({ current: PresentPassword, password: NewPassword, revokeTokens: RevokeTokens }),
    output: NOTHING_OUT,
    errors: [
      "PasswordNeeded",
      "SignInFailed",
      "TooManyAttempts",
      "NoAccount",
      "HostAccount",
      ...PASSWORD_ERRORS,
    ],
    route: "PUT /account/password",
    cli: ["account", "password"],
    readOnly: false,
  }),
  set_time_zone: command({
    ...OWN,
    summary: "Choose the time zone that one's pages show times in",
    description:
      "host: the zone of the host. browser, as it is at first: the zone of the browser. Or a zone by its name.",
    input: closed({
      timeZone: Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: "^[A-Za-z][A-Za-z0-9_+/-]*$",
        description: "host, browser, or an IANA name: Europe/Berlin",
      }),
    }),
    output: NOTHING_OUT,
    errors: ["NoAccount", "StoreUnavailable"],
    route: "PUT /account/time-zone",
    cli: ["account", "time-zone", "<timeZone>"],
    examples: ["kvm-manager account time-zone Europe/Berlin"],
    readOnly: false,
  }),
  set_language: command({
    ...OWN,
    summary: "Choose the language of one's pages",
    description:
      "browser, as it is at first: the one that the browser accepts. A browser in which a language was chosen stays in it.",
    input: closed({
      language: Type.String({
        minLength: 2,
        maxLength: 35,
        pattern: "^[A-Za-z]{2,8}(-[A-Za-z0-9]{2,8})*$",
        description: "browser, or the tag of a language that there are texts in: de",
      }),
    }),
    output: NOTHING_OUT,
    errors: ["NoAccount", "StoreUnavailable"],
    route: "PUT /account/language",
    cli: ["account", "language", "<language>"],
    examples: ["kvm-manager account language de"],
    readOnly: false,
  }),
  begin_totp: command({
    ...OWN,
    summary: "Begin to use one-time codes: gives the secret for the authenticator app",
    input: NOTHING_IN,
    output: Type.Object({
      secret: Type.String({ description: "base32", ...SECRET }),
      uri: Type.String({ description: "otpauth:, for a QR code", ...SECRET }),
    }),
    errors: ["NoAccount", "SecondFactorOn", "StoreUnavailable"],
    route: "POST /account/totp",
    cli: ["account", "totp", "begin"],
    readOnly: false,
  }),
  confirm_totp: command({
    ...OWN,
    summary: "Switch one-time codes on with the app's first code; gives recovery codes",
    input: closed({
      code: Type.String({ minLength: 1, maxLength: 16, ...SECRET }),
      password: PresentPassword,
    }),
    output: Type.Object({ recoveryCodes: Type.Array(Type.String(), SECRET) }),
    errors: ["NoAccount", "SecondFactorOn", "SignInExpired", "StoreUnavailable", ...PRESENT_ERRORS],
    route: "PUT /account/totp",
    cli: ["account", "totp", "confirm"],
    readOnly: false,
  }),
  disable_totp: command({
    ...OWN,
    summary: "Switch one-time codes off",
    input: closed({ password: PresentPassword }),
    output: NOTHING_OUT,
    errors: ["NoAccount", "StoreUnavailable", ...PRESENT_ERRORS],
    route: "POST /account/totp/disable",
    cli: ["account", "totp", "disable"],
    readOnly: false,
  }),
  list_users: command({
    ...ADMINISTER,
    summary: "List users",
    input: NOTHING_IN,
    output: Type.Array(User),
    errors: ["StoreUnavailable"],
    route: "GET /users",
    cli: ["user", "list"],
    lookup: { fields: ["userId"], by: "name", more: "displayName", missing: "UserNotFound" },
    columns: ["name", "displayName", "grants", "disabled", "secondFactor", "lastSignInAt"],
    wide: ["hasPassword", "createdAt", "id"],
    readOnly: true,
  }),
  create_user: command({
    ...ADMINISTER,
    summary: "Create a user",
    description: "Without a password the user cannot sign in: an account for API tokens.",
    input: closed({
      name: UserName,
      displayName: Type.Optional(Type.String({ maxLength: 100, pattern: NO_OUTER_BLANK })),
      password: Type.Optional(NewPassword),
      grants: Type.Optional(Grants),
    }),
    output: User,
    errors: ["UserExists", "RoleNotFound", "HostNotFound", "PasswordNeeded", ...PASSWORD_ERRORS],
    route: "POST /users",
    cli: ["user", "add", "<name>"],
    examples: [
      "kvm-manager user add ann --grants operator@group:web --password -",
      "kvm-manager user add bob --grants operator@host:kvm2 --password -",
      "kvm-manager user add ann --password-file secret.txt",
    ],
    exampleFields: ["displayName"],
    confirms: true,
    readOnly: false,
  }),
  update_user: command({
    ...ADMINISTER,
    summary: "Change a user: name shown, grants, password, whether it may sign in",
    description:
      "What is given replaces what was. Live consoles and event streams of the user end, to be asked for again.",
    input: closed({
      userId: UserId,
      displayName: Type.Optional(Type.String({ maxLength: 100, pattern: NO_OUTER_BLANK, ...CLEARABLE })),
      disabled: Type.Optional(Type.Boolean()),
      password: Type.Optional(NewPassword),
      revokeTokens: RevokeTokens,
      grants: Type.Optional(Grants),
    }),
    output: User,
    errors: [
      "UserNotFound",
      "RoleNotFound",
      "HostNotFound",
      "LastAdministrator",
      "HostAccount",
      "PasswordNeeded",
      ...PASSWORD_ERRORS,
    ],
    route: "PATCH /users/{userId}",
    cli: ["user", "update", "<userId>"],
    exampleFields: ["displayName"],
    confirms: true,
    readOnly: false,
  }),
  delete_user: command({
    ...ADMINISTER,
    summary: "Delete a user, its sessions and its tokens",
    input: closed({ userId: UserId }),
    output: NOTHING_OUT,
    errors: ["UserNotFound", "LastAdministrator", "PasswordNeeded", "StoreUnavailable"],
    route: "DELETE /users/{userId}",
    cli: ["user", "delete", "<userId>"],
    confirms: true,
    destroys: "the user, its sessions and its tokens",
    readOnly: false,
  }),
  reset_second_factor: command({
    ...ADMINISTER,
    summary: "Take a user's one-time codes and passkeys away: the phone is lost",
    input: closed({ userId: UserId }),
    output: NOTHING_OUT,
    errors: ["UserNotFound", "PasswordNeeded", "StoreUnavailable"],
    route: "POST /users/{userId}/reset-second-factor",
    cli: ["user", "reset-second-factor", "<userId>"],
    confirms: true,
    readOnly: false,
  }),
  list_sessions: command({
    ...OWN,
    summary: "List one's own sessions; everybody's for administrators who ask",
    input: closed({ all: Type.Optional(Type.Boolean({ default: false })) }),
    output: Type.Array(Session),
    errors: ["StoreUnavailable"],
    route: "GET /sessions",
    cli: ["session", "list"],
    lookup: { fields: ["sessionId"], by: "id", more: "client", missing: "SessionNotFound" },
    columns: ["id", "userName", "current", "address", "client", "lastUsedAt"],
    wide: ["createdAt", "endsAt"],
    readOnly: true,
  }),
  revoke_session: command({
    ...OWN,
    summary: "End a session: one's own, or anybody's for administrators",
    input: closed({ sessionId: Id("session") }),
    output: NOTHING_OUT,
    errors: ["SessionNotFound", "StoreUnavailable"],
    route: "DELETE /sessions/{sessionId}",
    cli: ["session", "revoke", "<sessionId>"],
    readOnly: false,
  }),
  list_roles: command({
    ...ADMINISTER,
    summary: "List roles with their permissions",
    input: NOTHING_IN,
    output: Type.Array(RoleInfo),
    errors: ["StoreUnavailable"],
    route: "GET /roles",
    cli: ["role", "list"],
    lookup: { fields: ["role"], by: "role", more: "description" },
    columns: ["role", "builtIn", "description"],
    wide: ["permissions"],
    readOnly: true,
  }),
  list_permissions: command({
    ...ADMINISTER,
    summary: "List permissions, and which commands each opens",
    input: NOTHING_IN,
    output: Type.Array(PermissionInfo),
    errors: [],
    route: "GET /permissions",
    cli: ["permission", "list"],
    columns: ["permission", "role", "grantable"],
    wide: ["commands"],
    readOnly: true,
  }),
  create_role: command({
    ...ADMINISTER,
    summary: "Create a role of one's own, a set of permissions",
    input: closed({ role: RoleName, ...RoleFields }),
    output: RoleInfo,
    errors: ["RoleExists", "PermissionNotGrantable", "PasswordNeeded", "StoreUnavailable"],
    route: "POST /roles",
    cli: ["role", "add", "<role>"],
    confirms: true,
    readOnly: false,
  }),
  update_role: command({
    ...ADMINISTER,
    summary: "Replace the permissions of a role of one's own",
    input: closed({ role: RoleName, ...RoleFields }),
    output: RoleInfo,
    errors: ["RoleNotFound", "RoleBuiltIn", "PermissionNotGrantable", "PasswordNeeded", "StoreUnavailable"],
    route: "PUT /roles/{role}",
    cli: ["role", "update", "<role>"],
    confirms: true,
    readOnly: false,
  }),
  delete_role: command({
    ...ADMINISTER,
    summary: "Delete a role of one's own that no user has",
    input: closed({ role: RoleName }),
    output: NOTHING_OUT,
    errors: ["RoleNotFound", "RoleBuiltIn", "RoleInUse", "PasswordNeeded", "StoreUnavailable"],
    route: "DELETE /roles/{role}",
    cli: ["role", "delete", "<role>"],
    confirms: true,
    destroys: "the role",
    readOnly: false,
  }),
  list_tokens: command({
    ...OWN,
    summary: "List one's own API tokens; everybody's for administrators who ask",
    input: closed({ all: Type.Optional(Type.Boolean({ default: false })) }),
    output: Type.Array(Token),
    errors: ["StoreUnavailable"],
    route: "GET /tokens",
    cli: ["token", "list"],
    lookup: { fields: ["tokenId"], by: "name", more: "userName", missing: "TokenNotFound" },
    columns: ["name", "userName", "grants", "expiresAt", "lastUsedAt"],
    wide: ["lastUsedFrom", "createdAt", "id"],
    readOnly: true,
  }),
  create_token: command({
    ...OWN,
    summary: "Create an API token; its secret is shown this once",
    description:
      "It may do what is picked here, as far as its owner may do it too. Without grants it may do nothing. " +
      "Administrators may make one for another user. A token cannot make tokens; at a session it takes the password.",
    input: closed({
      name: Type.String({ minLength: 1, maxLength: 64, pattern: NO_OUTER_BLANK }),
      grants: Type.Optional(Grants),
      expiresInDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 366, default: 90 })),
      userId: Type.Optional(UserId),
      password: PresentPassword,
    }),
    output: Type.Object({ token: Type.String(SECRET), info: Token }),
    errors: [
      "UserNotFound",
      "RoleNotFound",
      "HostNotFound",
      "NoAccount",
      "StoreUnavailable",
      ...PRESENT_ERRORS,
    ],
    route: "POST /tokens",
    cli: ["token", "add", "<name>"],
    examples: ["kvm-manager token add backup --grants viewer --expires-in-days 90"],
    readOnly: false,
  }),
  revoke_token: command({
    ...OWN,
    summary: "End an API token: one's own, or anybody's for administrators",
    input: closed({ tokenId: Id("token") }),
    output: NOTHING_OUT,
    errors: ["TokenNotFound", "StoreUnavailable"],
    route: "DELETE /tokens/{tokenId}",
    cli: ["token", "revoke", "<tokenId>"],
    readOnly: false,
  }),
  get_audit_log: command({
    ...ADMINISTER,
    summary: "Search the audit log of this host alone, newest first",
    input: closed({
      ...AuditFilter,
      before: Type.Optional(
        Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "older than this entry" }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    }),
    output: Type.Array(AuditEntry),
    errors: ["StoreUnavailable"],
    route: "GET /audit/own",
    cli: ["audit-log"],
    examples: ["kvm-manager audit-log --since 24h -o json"],
    columns: ["timestamp", "actor", "door", "address", "action", "vmName", "result", "message"],
    wide: ["client", "tookMs", "input", "id"],
    readOnly: true,
  }),
};
