/// <reference lib="deno.worker" />
/**
 * The event worker: holds the connection on which libvirt's events arrive. Its callbacks are called by the thread
 * that runs the event loop (`event_loop.ts`, on the main thread), which waits until they have returned; so they do
 * nothing but copy and post. All events of one turn leave in one message.
 */
import { Connection } from "./connection.ts";
import { LibvirtError } from "./error.ts";
import {
  CLOSE_REASONS,
  DOMAIN_EVENTS,
  type DomainEventName,
  type EventArg,
  type LibvirtEvent,
  OTHER_EVENTS,
} from "./events.ts";
import { libvirt, ok } from "./library.ts";
import { readString, readUuid } from "./memory.ts";
import type { FromEventWorker, ToEventWorker } from "./protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

const post = (message: FromEventWorker) => self.postMessage(message);

const pending: LibvirtEvent[] = [];
function emit(event: LibvirtEvent): void {
  if (pending.push(event) > 1) return;
  queueMicrotask(() => post({ type: "events", events: pending.splice(0) }));
}

/** A C callback's parameters: connection and object, its own, and the opaque pointer. */
function callback(
  args: readonly ("i32" | "text")[],
  returns: "i32" | undefined,
  receive: (object: Deno.PointerValue, args: EventArg[]) => void,
): Deno.UnsafeCallback {
  const parameters: Deno.NativeType[] = [
    "pointer",
    "pointer",
    ...args.map((arg) => arg === "i32" ? arg : "pointer" as const),
    "pointer",
  ];
  return Deno.UnsafeCallback.threadSafe({ parameters, result: returns ?? "void" }, (...values: unknown[]) => {
    const own = args.map((arg, index) => {
      const value = values[index + 2];
      return arg === "i32" ? Number(value) : readString(value as Deno.PointerValue);
    });
    receive(values[1] as Deno.PointerValue, own);
    return 0 as never;
  }) as unknown as Deno.UnsafeCallback;
}

/** Milliseconds after which no dispatch that began before a deregistration is still under way. */
const DRAIN_MS = 2000;

/** A connection with everything that is registered on it. */
class Subscription implements Disposable {
  readonly #connection: Connection;
  readonly #undo: (() => void)[] = [];

  constructor(uri: string, onClose: (reason: string) => void) {
    this.#connection = Connection.open(uri);
    try {
      this.#watchClose(onClose);
      this.#watchDomains();
      this.#watchOthers();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Keeps a C callback referenced until it is deregistered, and until a dispatch already under way has passed. */
  #keep(callback: Deno.UnsafeCallback, deregister: () => void): void {
    this.#undo.push(() => {
      deregister();
      setTimeout(() => callback.close(), DRAIN_MS);
    });
  }

  #watchClose(onClose: (reason: string) => void): void {
    const { symbols } = libvirt();
    const closed = Deno.UnsafeCallback.threadSafe(
      { parameters: ["pointer", "i32", "pointer"], result: "void" } as const,
      (_connection, reason) => onClose(CLOSE_REASONS[reason] ?? `reason ${reason}`),
    );
    if (symbols.virConnectRegisterCloseCallback(this.#connection.pointer, closed.pointer, null, null) < 0) {
      symbols.virResetLastError(); // a driver without a daemon (test:///) cannot lose it
      closed.close();
      return;
    }
    this.#keep(closed as unknown as Deno.UnsafeCallback, () => {
      symbols.virConnectUnregisterCloseCallback(this.#connection.pointer, closed.pointer);
    });
  }

  #watchDomains(): void {
    const { symbols } = libvirt();
    const connection = this.#connection.pointer;
    for (const [event, { id, args, ...rest }] of Object.entries(DOMAIN_EVENTS)) {
      const cb = callback(args, "returns" in rest ? rest.returns : undefined, (domain, values) => {
        const uuid = readUuid((buffer) => symbols.virDomainGetUUIDString(domain, buffer));
        const name = readString(symbols.virDomainGetName(domain));
        emit({ kind: "domain", event: event as DomainEventName, uuid, name, args: values });
      });
      const registered = symbols.virConnectDomainEventRegisterAny(
        connection,
        null,
        id,
        cb.pointer,
        null,
        null,
      );
      this.#registered(registered, cb, event === "lifecycle", () => {
        symbols.virConnectDomainEventDeregisterAny(connection, registered);
      });
    }
  }

  #watchOthers(): void {
    const { symbols } = libvirt();
    const connection = this.#connection.pointer;
    const kinds = {
      network: {
        name: symbols.virNetworkGetName,
        register: symbols.virConnectNetworkEventRegisterAny,
        deregister: symbols.virConnectNetworkEventDeregisterAny,
      },
      pool: {
        name: symbols.virStoragePoolGetName,
        register: symbols.virConnectStoragePoolEventRegisterAny,
        deregister: symbols.virConnectStoragePoolEventDeregisterAny,
      },
      device: {
        name: symbols.virNodeDeviceGetName,
        register: symbols.virConnectNodeDeviceEventRegisterAny,
        deregister: symbols.virConnectNodeDeviceEventDeregisterAny,
      },
    };
    for (const { kind, event, id, args } of OTHER_EVENTS) {
      const { name, register, deregister } = kinds[kind];
      const cb = callback(args, undefined, (object, values) => {
        emit({ kind, event, name: readString(name(object)), args: values });
      });
      const registered = register(connection, null, id, cb.pointer, null, null);
      this.#registered(registered, cb, false, () => deregister(connection, registered));
    }
  }

  /** Lifecycle events are needed; a driver that lacks another kind of event only makes us less quick to notice. */
  #registered(result: number, cb: Deno.UnsafeCallback, needed: boolean, deregister: () => void): void {
    if (result >= 0) return this.#keep(cb, deregister);
    cb.close();
    if (needed) ok(result);
    libvirt().symbols.virResetLastError();
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
    this.#connection[Symbol.dispose]();
  }
}

let subscription: Subscription | undefined;

function drop(): void {
  subscription?.[Symbol.dispose]();
  subscription = undefined;
}

function connect(uri: string): void {
  drop();
  try {
    subscription = new Subscription(uri, (reason) => post({ type: "lost", reason }));
    post({ type: "connected" });
  } catch (error) {
    const failure = error instanceof LibvirtError ? error : new LibvirtError({ message: String(error) });
    post({
      type: "refused",
      failure: new LibvirtError({ ...failure.toFailure(), kind: "unavailable" }).toFailure(),
    });
  }
}

self.onmessage = ({ data }: MessageEvent<ToEventWorker>) => {
  if (data.type === "connect") return connect(data.uri);
  drop();
  post({ type: "closed" });
};

post({ type: "ready" });
