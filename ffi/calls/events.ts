/**
 * The connection on which libvirt's events arrive. It is opened and closed by a call worker, because both may hang;
 * its callbacks belong to the thread that wants the events (`subscription.ts`), and cross as addresses.
 */
import { Connection } from "../connection.ts";
import { LibvirtError } from "../error.ts";
import { CHANNEL_EVENT, DOMAIN_EVENTS, OTHER_EVENTS } from "../events.ts";
import { libvirt, ok, qemuLibrary } from "../library.ts";
import { cString } from "../memory.ts";
import { OPENING_STATE } from "../protocol.ts";

/** Seconds that connecting may take: a frozen libvirtd accepts a connection and never answers. */
export const CONNECT_SECONDS = 15;

/** Addresses of C callbacks, one for each kind of event, in the order of the tables in `events.ts`. */
export interface EventCallbacks {
  readonly close: bigint;
  readonly channel: bigint;
  readonly domain: readonly bigint[];
  readonly other: readonly bigint[];
}

/** Pointers and numbers of opened and registered events: all that is needed to undo it. */
export interface EventRegistration {
  /** Address of the connection. */
  readonly connection: bigint;
  /** The callback of a lost connection, where the driver has a connection to lose. */
  readonly close: bigint | null;
  /** The callback id of QEMU's own event; null where the driver has none. */
  readonly channel: number | null;
  /** libvirt's callback ids, in the order of the tables; null where the driver does not have the event. */
  readonly domain: readonly (number | null)[];
  readonly other: readonly (number | null)[];
}

const pointer = (address: bigint) => Deno.UnsafePointer.create(address);

function registrars() {
  const { symbols } = libvirt();
  return {
    network: {
      register: symbols.virConnectNetworkEventRegisterAny,
      deregister: symbols.virConnectNetworkEventDeregisterAny,
    },
    pool: {
      register: symbols.virConnectStoragePoolEventRegisterAny,
      deregister: symbols.virConnectStoragePoolEventDeregisterAny,
    },
    device: {
      register: symbols.virConnectNodeDeviceEventRegisterAny,
      deregister: symbols.virConnectNodeDeviceEventDeregisterAny,
    },
  };
}

/** A callback's id. Lifecycle events are needed; without another kind we only notice less quickly. @throws {LibvirtError} */
function registered(id: number, needed: boolean): number | null {
  if (id >= 0) return id;
  if (needed) ok(id);
  libvirt().symbols.virResetLastError();
  return null;
}

/** Has QEMU's own event told. @returns its callback id; null where the driver is not QEMU's, or its library is not there */
function channelEvents(connection: Deno.PointerValue, callback: Deno.PointerValue): number | null {
  try {
    const id = qemuLibrary().virConnectDomainQemuMonitorEventRegister(
      ...[connection, null, cString(CHANNEL_EVENT), callback, null, null, 0] as const,
    );
    return registered(id, false);
  } catch (error) {
    if (error instanceof LibvirtError && error.kind === "unavailable") return null;
    throw error;
  }
}

/**
 * Opens a connection of its own and registers the callbacks on it. What is given up meanwhile is undone again.
 *
 * @param opening its state, in those of `OPENING_STATE`: while it is NONE, no callback is or will be registered
 * @throws {LibvirtError}
 */
export function eventsOpen(
  connection: Connection,
  { callbacks, opening }: { callbacks: EventCallbacks; opening: Int32Array<SharedArrayBuffer> },
): EventRegistration {
  const { NONE, OPENING, BEGUN } = OPENING_STATE;
  const { symbols } = libvirt();
  const own = connection.another();
  if (Atomics.compareExchange(opening, 0, NONE, OPENING) !== NONE) {
    own[Symbol.dispose]();
    throw givenUp();
  }
  const registration = {
    connection: Deno.UnsafePointer.value(own.pointer),
    close: null as bigint | null,
    channel: null as number | null,
    domain: [] as (number | null)[],
    other: [] as (number | null)[],
  };
  try {
    const conn = own.pointer;
    const close = pointer(callbacks.close);
    if (symbols.virConnectRegisterCloseCallback(conn, close, null, null) === 0) {
      registration.close = callbacks.close;
    } else symbols.virResetLastError(); // a driver without a daemon (test:///) cannot lose it
    Object.entries(DOMAIN_EVENTS).forEach(([event, { id }], index) => {
      const callback = pointer(callbacks.domain[index]!);
      const result = symbols.virConnectDomainEventRegisterAny(conn, null, id, callback, null, null);
      registration.domain.push(registered(result, event === "lifecycle"));
    });
    registration.channel = channelEvents(conn, pointer(callbacks.channel));
    const kinds = registrars();
    OTHER_EVENTS.forEach(({ kind, id }, index) => {
      const result = kinds[kind].register(conn, null, id, pointer(callbacks.other[index]!), null, null);
      registration.other.push(registered(result, false));
    });
    if (Atomics.compareExchange(opening, 0, OPENING, BEGUN) !== OPENING) throw givenUp();
    return registration;
  } catch (error) {
    undo(own, registration);
    Atomics.compareExchange(opening, 0, OPENING, NONE);
    throw error;
  }
}

const givenUp = () => new LibvirtError({ kind: "timeout", message: "the connection came too late" });

/**
 * Deregisters everything and closes the connection. Its daemon may be gone already, which is when it matters most: what is
 * not closed keeps its descriptors. So this call is made without a connection of the worker's own.
 */
export function eventsClose(_own: unknown, registration: EventRegistration): void {
  undo(Connection.adopt(registration.connection), registration);
}

function undo(connection: Connection, { close, channel, domain, other }: EventRegistration): void {
  const { symbols } = libvirt();
  using conn = connection;
  const kinds = registrars();
  other.forEach((id, index) => {
    if (id !== null) kinds[OTHER_EVENTS[index]!.kind].deregister(conn.pointer, id);
  });
  if (channel !== null) qemuLibrary().virConnectDomainQemuMonitorEventDeregister(conn.pointer, channel);
  for (const id of domain) if (id !== null) symbols.virConnectDomainEventDeregisterAny(conn.pointer, id);
  if (close !== null) symbols.virConnectUnregisterCloseCallback(conn.pointer, pointer(close));
  symbols.virResetLastError(); // what a dead connection says to all that
}
