/**
 * Users at the UNIX socket: the kernel reports them, so they cannot be forged. Root and the server's own
 * user, and one group.
 */
import type { Duplex } from "node:stream";
import {
  credentialsOf,
  groupId,
  hostUserName,
  type PeerCredentials,
  peerCredentials,
} from "../../ffi/libc.ts";
import type { Role } from "../../lib/contract/command.ts";
import type { SocketPeer } from "../access.ts";
import { log } from "../log.ts";

/** Group that the install makes: it is used where it is there. */
const USUAL_GROUP = "kvm-manager";

/** A group whose members may use the socket, and what they may do. */
export interface SocketRule {
  readonly gid: number;
  readonly role: Role;
}

/**
 * The rule that settings mean; undefined where the socket is its owner's alone.
 *
 * @param group a group's name; `auto` is the usual one where this host has it, `none` is none
 * @throws {Error} for a group this host does not have
 */
export function socketRule(group: string, role: Role): SocketRule | undefined {
  if (group === "none") return undefined;
  if (group === "auto") {
    const gid = groupId(USUAL_GROUP);
    // Only root can give a file to a group that is not its own.
    const isPossible = gid !== undefined && (Deno.uid() === 0 || Deno.gid() === gid);
    return isPossible ? { gid, role } : undefined;
  }
  const gid = groupId(group);
  if (gid !== undefined) return { gid, role };
  throw new Error(`there is no group ${JSON.stringify(group)} (--socket-group). Make it with groupadd first`);
}

/** A user at the socket with their role; undefined for users without access. */
export function peerOf(
  { uid, gid, groups }: PeerCredentials,
  rule: SocketRule | undefined,
  { own, name }: { own: number; name: (uid: number) => string | undefined },
): SocketPeer | undefined {
  const called = uid === 0 ? "root" : name(uid) ?? `uid ${uid}`;
  if (uid === 0 || uid === own) return { uid, name: called, role: "administrator" };
  if (rule === undefined || (gid !== rule.gid && !groups.includes(rule.gid))) return undefined;
  // No account can be called so: what an account of that name has done is somebody else's
  return { uid, name: `${called} (host)`, role: rule.role };
}

/** Present role that a user of this host would have at the socket; undefined for users without access. */
export function roleAtSocket(uid: number, rule: SocketRule | undefined): Role | undefined {
  const own = Deno.uid() ?? -1;
  if (uid === 0 || uid === own) return "administrator";
  const credentials = rule && credentialsOf(uid);
  return credentials && peerOf(credentials, rule, { own, name: hostUserName })?.role;
}

/** The connection's file descriptor. Private to node's streams, so missing at worst: then every caller is refused. */
function descriptorOf(socket: Duplex): number | undefined {
  const { _handle: handle } = socket as { _handle?: { fd?: unknown } };
  return typeof handle?.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}

/** Keeps who is at each connection of a listener. */
export function socketPeers(rule: SocketRule | undefined): {
  /** Looks at a new connection, and hangs up on callers that may not have one. */
  readonly check: (socket: Duplex) => SocketPeer | undefined;
  readonly of: (socket: Duplex) => SocketPeer | undefined;
} {
  const known = new WeakMap<Duplex, SocketPeer>();
  const host = { own: Deno.uid() ?? 0, name: hostUserName };
  return {
    check: (socket) => {
      const fd = descriptorOf(socket);
      const credentials = fd === undefined ? undefined : peerCredentials(fd);
      const peer = credentials && peerOf(credentials, rule, host);
      if (peer !== undefined) {
        known.set(socket, peer);
        return peer;
      }
      log.warn("a connection to the socket was refused", { uid: credentials?.uid ?? "unknown" });
      socket.destroy();
      return undefined;
    },
    of: (socket) => known.get(socket),
  };
}
