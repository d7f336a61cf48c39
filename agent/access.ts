/** Principals and their rights. */
import { ALL_RIGHTS, NO_RIGHTS, type Rights, roleOn } from "../lib/access/rights.ts";
import { permissionsOf } from "../lib/access/permissions.ts";
import { type Role, ROLES, type ToolPermissions } from "../lib/contract/mod.ts";
import type { ToldLimit } from "../lib/profiles/told_limits.ts";

/**
 * Ways in. By `mcp` come programs that speak MCP, by `grpc` those that speak gRPC. No caller comes by `schedule`, which carries out what somebody has left to be done later, nor by `agent`, which carries
 * on with what was cut short.
 */
export type Door = "page" | "api" | "socket" | "mcp" | "grpc" | "schedule" | "agent";

/** How somebody has shown who they are. */
export type Via = "session" | "token" | "socket" | "link" | "demo" | "agent" | "nobody";

/** A user at the UNIX socket, as the kernel reports it. */
export interface SocketPeer {
  readonly uid: number;
  readonly name: string;
  /** Role on everything. */
  readonly role: Role;
}

/** A tool of a project, and what it may use there. */
export interface ToolLimit {
  /** Id of the project. */
  readonly project: string;
  /** The tool, for people. */
  readonly tool: string;
  readonly permissions: ToolPermissions | null;
}

/** The principal of a call, and the door that it came by. */
export interface Principal {
  readonly name: string;
  /** The highest role they have: on everything; in a handler, on what its command is about. */
  readonly role: Role;
  readonly door: Door;
  readonly rights: Rights;
  readonly via: Via;
  /** The account; none for users of the host at the socket. */
  readonly userId?: string;
  /** When the account was made, in milliseconds since 1970: what has its name and is older, was somebody else's. */
  readonly since?: number;
  /** The user of this host, at the socket. */
  readonly uid?: number;
  /** Tools in whose name a call is made, with their permissions: a skill that runs. */
  readonly limits?: readonly ToolLimit[];
  /** The limits that a linked KVM Manager told with its call: those of its own tools. */
  readonly toldLimits?: readonly ToldLimit[];
  /** A program left by MCP what is carried out now: MCP's limits hold for it. */
  readonly leftByMcp?: true;
  /** The linked KVM Manager that calls, and for whom: as it told it. */
  readonly link?: { readonly peerId: string; readonly caller: string | null };
  /** Id of exactly this session, token or door, for data that belong to it alone. */
  readonly holder: string;
  /** Address that the call comes from: an IP address, empty at the socket. */
  readonly address: string;
  /** The user of this host at the other end, on loopback; undefined where the kernel does not know (any more). */
  readonly localUser?: () => number | undefined;
  /** The site's origin as the caller reached it: `https://kvm.example`; missing where there are no pages. */
  readonly origin?: string;
  /** The browser or program, as it calls itself. */
  readonly client: string;
  /** Aborted once they may not any more, or may something else: what lives on must ask again. */
  readonly ended: AbortSignal;
  /** Something of theirs stays open (a console, an event stream): until it is given back, the session is in use. */
  readonly hold?: () => Disposable;
  /** Tells the audit whose name somebody has shown to be theirs. Set by dispatch. */
  readonly becomes?: (name: string) => void;
  /** The secret by which the caller's browser is known from sign-ins before. */
  readonly device?: string;
  /** Gives the door the device's secret to keep. Missing where there are no cookies. */
  readonly keepDevice?: (secret: string) => void;
  /** Gives the door a new session to keep (its secret), or takes it away (null). Missing where there are none. */
  readonly keepSession?: (secret: string | null) => void;
}

/** Of who never loses anything. */
const NEVER = new AbortController().signal;

/** Somebody, from what is known of them. */
export function principalOf(
  known: Pick<Principal, "name" | "door" | "via"> & Partial<Principal>,
): Principal {
  const rights = known.rights ?? NO_RIGHTS;
  return {
    role: roleOn(rights, "everything"),
    rights,
    holder: `${known.via}:${known.door}`,
    address: "",
    client: "",
    ended: NEVER,
    ...known,
  };
}

/**
 * KVM Manager as the principal that settles an interrupted operation. The rights were checked when it began:
 * its steps are finished or undone whatever the rights are now.
 *
 * @param actor the user who began the operation, and whose name the audit has
 */
export function settlingPrincipal(actor: string): Principal {
  return principalOf({ name: actor, door: "agent", via: "agent", rights: ALL_RIGHTS });
}

/** A user of this host at the socket. Whoever is administrator there is root's equal. */
export function socketPrincipal({ uid, name, role }: SocketPeer): Principal {
  const everything = { permissions: permissionsOf(role), on: { kind: "everything" } } as const;
  const rights = role === "administrator" ? ALL_RIGHTS : [[everything]];
  return principalOf({ name, uid, door: "socket", via: "socket", rights, holder: `socket:${uid}` });
}

/** A principal who has not signed in. */
export function nobody(door: Door, more: Partial<Principal> = {}): Principal {
  return principalOf({ name: "nobody", door, via: "nobody", ...more });
}

/**
 * Account whose quota a call counts for, over all its sessions and tokens. All users of a linked KVM Manager
 * share one: it may invent as many names as it likes.
 */
export const accountOf = ({ link, userId, holder }: Principal): string =>
  link === undefined ? userId ?? holder : `link:${link.peerId}`;

/** Whether a role includes another. */
export function includes(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
