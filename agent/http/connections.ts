/**
 * Shares of a listener's connections. On loopback all users of the host come from one address: there the
 * kernel reports the user.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { connectedUsers } from "../../lib/network/sockets.ts";
import { peerAddress } from "./address.ts";
import { FairPlaces, type Place } from "./fair_places.ts";
import { clientSubnet, isShared, MOST_PER_ADDRESS } from "../limits.ts";

/** Connections at once. */
export const MOST_CONNECTIONS = 512;
/** … of one user of this host. */
export const MOST_PER_USER = 128;
/** So many from this host are no flood: their owners are not looked up. */
const FEW = 32;
/** How many times as long as a look took it is not looked again: even in a flood most of the time is left for others. */
const LOOK_SHARE = 3;
/** Connections of this host whose owners are not known yet. */
const UNKNOWN = "here";

/** A connection. The lowest standing is lost first: nothing asked, something asked, signed in. */
class Connection implements Place {
  /** Somebody has shown who they are. */
  isKnown = false;
  /** Requests that are being answered. */
  open = 0;
  /** The user of this host at its other end, once it is known. */
  uid: number | undefined;

  constructor(
    readonly socket: Socket,
    /** The other end by the kernel's name. */
    readonly end: string,
    readonly most: number,
  ) {}

  get standing(): number {
    return this.isKnown ? 2 : Math.min(this.open, 1);
  }
}

const userOf = (uid: number | undefined) => uid === undefined ? UNKNOWN : `uid ${uid}`;
const endOf = (socket: Socket) => `${peerAddress({ socket })}:${socket.remotePort}`;
const localAddressOf = ({ localAddress }: Socket) => peerAddress({ socket: { remoteAddress: localAddress } });

/** Requests on connections, for what finds out their owners. */
const byRequest = new WeakMap<Request, Connection>();

/** Callbacks between a request's connection and the code that identifies its user. */
export function ofConnection(request: Request) {
  return {
    /** Somebody has shown who they are: their connection is not lost to anybody who has not. */
    signedIn: (): void => {
      const connection = byRequest.get(request);
      if (connection) connection.isKnown = true;
    },
    /** The user of this host at its other end. */
    localUser: (): number | undefined => {
      const connection = byRequest.get(request);
      return connection && userAt(connection);
    },
  };
}

/** Asks the kernel whose a connection of this host is; what it said once holds. */
function userAt(connection: Connection): number | undefined {
  const { localPort = 0, remotePort = 0 } = connection.socket;
  return connection.uid ??= lookUp(localPort, new Set([remotePort])).get(connection.end);
}

/** The kernel's lists. Without them (IPv6 is off, no /proc) no owner is known. */
function lookUp(port: number, from: ReadonlySet<number>): Map<string, number> {
  const users = new Map<string, number>();
  for (const [path, family] of [["/proc/net/tcp", 4], ["/proc/net/tcp6", 6]] as const) {
    try {
      // At once, not later: who floods would be let in while it is looked.
      for (const [end, uid] of connectedUsers(Deno.readTextFileSync(path), family, port, from)) {
        users.set(end, uid);
      }
    } catch (error) {
      const { NotFound, PermissionDenied, NotCapable } = Deno.errors;
      if (![NotFound, PermissionDenied, NotCapable].some((kind) => error instanceof kind)) throw error;
    }
  }
  return users;
}

/** The connections of one listener. */
export class Connections {
  readonly #places = new FairPlaces<Connection>(MOST_CONNECTIONS);
  readonly #bySocket = new WeakMap<object, Connection>();
  readonly #open = new Set<Connection>();
  /** Those on TCP, by their other end: TLS has a socket of its own above ours. */
  readonly #byEnd = new Map<string, Connection>();
  /** From this host, and not looked for yet. */
  readonly #unseen = new Set<Connection>();
  #nextLook = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Takes a connection in, or cuts it, or another for it.
   *
   * @param uid the user at the other end, where it is known
   * @param isProxy it carries many people: it has no share of its own
   * @returns whether it was taken in
   */
  admit(socket: Socket, { uid, isProxy = false }: { uid?: number; isProxy?: boolean } = {}): boolean {
    const address = peerAddress({ socket });
    const isHere = isShared(address) || address === localAddressOf(socket);
    const most = isProxy || uid !== undefined ? Infinity : isHere ? MOST_PER_USER : MOST_PER_ADDRESS;
    const connection = new Connection(socket, uid === undefined ? endOf(socket) : "", most);
    const isUnseen = isHere && uid === undefined;
    const user = isUnseen ? this.#userAt(connection) : uid;
    const who = isHere ? userOf(user) : clientSubnet(address);
    const loser = this.#places.enter(connection, who, who === UNKNOWN ? Infinity : most);
    if (loser !== undefined) loser.socket.destroy();
    if (loser === connection) return false;
    this.#bySocket.set(socket, connection);
    this.#open.add(connection);
    if (uid === undefined) this.#byEnd.set(connection.end, connection);
    if (isUnseen && user === undefined) this.#unseen.add(connection);
    socket.once("close", () => this.#forget(connection));
    return true;
  }

  /** Sees which of a server's connections are in use. */
  follow(server: Server): void {
    server.on("request", (request, response) => {
      const connection = this.#of(request.socket);
      if (connection === undefined) return;
      connection.open++;
      response.once("close", () => connection.open--);
    });
  }

  /** Remembers which connection a request came by. */
  remember(request: Request, { socket }: Pick<IncomingMessage, "socket">): void {
    const connection = this.#of(socket);
    if (connection) byRequest.set(request, connection);
  }

  /** Cuts all of them. */
  cutAll(): void {
    for (const { socket } of this.#open) socket.destroy();
  }

  /** Looks no more. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #of(socket: Socket): Connection | undefined {
    return this.#bySocket.get(socket) ?? this.#byEnd.get(endOf(socket));
  }

  #forget(connection: Connection): void {
    this.#places.leave(connection);
    this.#open.delete(connection);
    this.#unseen.delete(connection);
    if (this.#byEnd.get(connection.end) === connection) this.#byEnd.delete(connection.end);
  }

  /** The user of a new connection of this host; undefined while there are few, or it was looked just now. */
  #userAt({ socket, end }: Connection): number | undefined {
    if (this.#unseen.size < FEW && this.#places.size < MOST_CONNECTIONS) return undefined;
    const { localPort = 0, remotePort = 0 } = socket;
    const wait = this.#nextLook - performance.now();
    if (wait <= 0) return this.#look(localPort, remotePort).get(end);
    this.#timer ??= setTimeout(() => void this.#look(localPort), wait);
    return undefined;
  }

  /** Finds out whose the connections of this host are; those of whoever has too many are cut. */
  #look(port: number, newcomer = 0): Map<string, number> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const begun = performance.now();
    const from = [...this.#unseen].map(({ socket }) => socket.remotePort ?? 0);
    const users = lookUp(port, new Set([...from, newcomer]));
    this.#nextLook = performance.now() + (performance.now() - begun) * LOOK_SHARE;
    for (const connection of this.#unseen) {
      const user = users.get(connection.end);
      // A connection whose program has hung up already has no owner.
      if (user === undefined || this.#places.move(connection, userOf(user), connection.most)) continue;
      connection.socket.destroy();
    }
    this.#unseen.clear();
    return users;
  }
}
