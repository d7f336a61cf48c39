/**
 * libvirt's events, received. The callbacks belong to this thread and are called by the thread that runs the event
 * loop (`event_loop.ts`), which waits until they have returned; so they do nothing but copy. Connecting and
 * registering may hang, and are calls of the pool.
 */
import type { EventRegistration } from "./calls/mod.ts";
import type { EventLoop } from "./event_loop.ts";
import {
  type ArgType,
  channelChange,
  CLOSE_REASONS,
  DOMAIN_EVENTS,
  type DomainEventName,
  type EventArg,
  type LibvirtEvent,
  OTHER_EVENTS,
} from "./events.ts";
import { libvirt } from "./library.ts";
import { readString, readUuid } from "./memory.ts";
import { OPENING_STATE } from "./protocol.ts";
import type { WorkerPool } from "./worker_pool.ts";

/** Receiver of libvirt's events on a connection. */
export interface EventListener {
  event(event: LibvirtEvent): void;
  /** The connection was lost, and why. Nothing is told after that. */
  lost(reason: string): void;
}

/** A C callback's parameters: connection and object, its own, and the opaque pointer. */
function callback(
  args: readonly ArgType[],
  returns: "i32" | undefined,
  receive: (object: Deno.PointerValue, args: EventArg[]) => void,
): Deno.UnsafeCallback {
  const parameters: Deno.NativeType[] = [
    "pointer",
    "pointer",
    ...args.map((arg) => arg === "text" ? "pointer" as const : arg),
    "pointer",
  ];
  return Deno.UnsafeCallback.threadSafe({ parameters, result: returns ?? "void" }, (...values: unknown[]) => {
    const own = args.map((arg, index) => {
      const value = values[index + 2];
      return arg === "text" ? readString(value as Deno.PointerValue) : Number(value);
    });
    receive(values[1] as Deno.PointerValue, own);
    return 0 as never;
  }) as unknown as Deno.UnsafeCallback;
}

/** Callbacks for everything in the tables of `events.ts`, in their order. */
function callbacksFor(emit: (event: LibvirtEvent) => void, onClose: (reason: string) => void) {
  const { symbols } = libvirt();
  const names = {
    network: symbols.virNetworkGetName,
    pool: symbols.virStoragePoolGetName,
    device: symbols.virNodeDeviceGetName,
  };
  const close = Deno.UnsafeCallback.threadSafe(
    { parameters: ["pointer", "i32", "pointer"], result: "void" } as const,
    (_connection, reason) => onClose(CLOSE_REASONS[reason] ?? `reason ${reason}`),
  ) as unknown as Deno.UnsafeCallback;
  const domain = Object.entries(DOMAIN_EVENTS).map(([event, { args, ...rest }]) =>
    callback(args, "returns" in rest ? rest.returns : undefined, (object, values) => {
      const uuid = readUuid((buffer) => symbols.virDomainGetUUIDString(object, buffer));
      const name = readString(symbols.virDomainGetName(object));
      emit({ kind: "domain", event: event as DomainEventName, uuid, name, args: values });
    })
  );
  const other = OTHER_EVENTS.map(({ kind, event, args }) =>
    callback(args, undefined, (object, values) => {
      emit({ kind, event, name: readString(names[kind](object)), args: values });
    })
  );
  const channel = Deno.UnsafeCallback.threadSafe(
    {
      parameters: ["pointer", "pointer", "pointer", "i64", "u32", "pointer", "pointer"],
      result: "void",
    } as const,
    (_connection, object, _event, _seconds, _micros, details) => {
      const change = details === null ? undefined : channelChange(readString(details));
      if (change === undefined) return;
      const uuid = readUuid((buffer) => symbols.virDomainGetUUIDString(object, buffer));
      const name = readString(symbols.virDomainGetName(object));
      emit({ kind: "domain", event: "channel", uuid, name, args: change });
    },
  ) as unknown as Deno.UnsafeCallback;
  return { close, channel, domain, other };
}

const addressOf = ({ pointer }: Deno.UnsafeCallback) => Deno.UnsafePointer.value(pointer);

/** An open connection whose events are told. */
export class Subscription {
  readonly #pool: WorkerPool;
  readonly #loop: EventLoop;
  readonly #listener: EventListener;
  readonly #callbacks: ReturnType<typeof callbacksFor>;
  #registration: EventRegistration | undefined;
  #lost: string | undefined;
  #closed = false;

  private constructor(pool: WorkerPool, loop: EventLoop, listener: EventListener) {
    this.#pool = pool;
    this.#loop = loop;
    this.#listener = listener;
    // Out of the callback first: an error of the listener must not go through C
    this.#callbacks = callbacksFor(
      (event) => queueMicrotask(() => this.#closed || this.#lost !== undefined || listener.event(event)),
      (reason) => queueMicrotask(() => this.#onLost(reason)),
    );
  }

  /**
   * Connects to where the pool's workers connect, and tells the listener what happens there from now on.
   *
   * @param loop the running event loop
   * @throws {LibvirtError} kind `timeout` or `busy`: libvirtd does not answer; any other: it cannot be reached
   */
  static async open(pool: WorkerPool, loop: EventLoop, listener: EventListener): Promise<Subscription> {
    const subscription = new Subscription(pool, loop, listener);
    const { close, channel, domain, other } = subscription.#callbacks;
    const opening = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    try {
      subscription.#registration = await pool.call("eventsOpen", {
        callbacks: {
          close: addressOf(close),
          channel: addressOf(channel),
          domain: domain.map(addressOf),
          other: other.map(addressOf),
        },
        opening,
      });
    } catch (error) {
      subscription.#closed = true;
      // A call that was given up may be registering them just now: these are never freed
      const { NONE, ABANDONED } = OPENING_STATE;
      if (Atomics.exchange(opening, 0, ABANDONED) === NONE) await subscription.#free();
      throw error;
    }
    const lost = subscription.#lost;
    if (lost !== undefined) queueMicrotask(() => listener.lost(lost)); // once the caller has what was lost
    return subscription;
  }

  #onLost(reason: string): void {
    if (this.#closed || this.#lost !== undefined) return;
    this.#lost = reason;
    if (this.#registration) this.#listener.lost(reason);
  }

  /** Tells nothing more, and gives the connection back. @throws {LibvirtError} when that hangs or the pool is closed */
  async close(): Promise<void> {
    const registration = this.#registration;
    this.#closed = true;
    this.#registration = undefined;
    if (!registration) return;
    await this.#pool.call("eventsClose", registration);
    await this.#free();
  }

  /** Frees the callbacks, once no call of one can be under way. */
  async #free(): Promise<void> {
    await this.#loop.turned();
    const { close, channel, domain, other } = this.#callbacks;
    for (const each of [close, channel, ...domain, ...other]) each.close();
  }
}
