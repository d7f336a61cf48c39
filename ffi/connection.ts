/** A connection to libvirt, and the handles made through it. Everything here is disposed with `using`. */
import type { LibvirtAddress } from "./address.ts";
import { LibvirtError, VIR_ERR } from "./error.ts";
import { libvirt, notNull, ok } from "./library.ts";
import { cString } from "./memory.ts";
import { anotherReference } from "./shared_connection.ts";
import { openConnection } from "./sign_in.ts";

/** Seconds between keep-alive messages, and how many may go unanswered. A frozen libvirtd is noticed after 4 s. */
const KEEPALIVE_INTERVAL = 1;
const KEEPALIVE_COUNT = 3;

/** Rounds of questions for which the handle of a domain that none is about is kept. */
const KEPT_ROUNDS = 100;

/** An object of libvirt that must be given back. */
export class Handle implements Disposable {
  #pointer: Deno.PointerObject | null;
  readonly #free: (pointer: Deno.PointerValue) => number;

  constructor(pointer: Deno.PointerObject, free: (pointer: Deno.PointerValue) => number) {
    this.#pointer = pointer;
    this.#free = free;
  }

  /** The C pointer. @throws {TypeError} after disposal. */
  get pointer(): Deno.PointerObject {
    if (this.#pointer === null) throw new TypeError("the handle was already given back");
    return this.#pointer;
  }

  [Symbol.dispose](): void {
    if (this.#pointer !== null) this.#free(this.#pointer);
    this.#pointer = null;
  }
}

/** Path of a volume, and its pool if that names volumes after their files. */
export interface VolumePlace {
  readonly path: string;
  readonly pool?: string;
}

/** An open connection. */
export class Connection implements Disposable {
  readonly #handle: Handle;
  readonly #domains = new Map<string, { readonly handle: Handle; round: number }>();
  /** Counts what was asked of {@link knownDomains}. */
  #round = 0;

  private constructor(pointer: Deno.PointerObject, private readonly address?: LibvirtAddress) {
    this.#handle = new Handle(pointer, (conn) => libvirt().symbols.virConnectClose(conn));
  }

  /**
   * Opens an address and turns keep-alive on. Keep-alive works only while the event loop of `event_loop.ts` runs; a
   * driver without a daemon (`test:///`) has none, which is no error. Source: virConnectOpenAuth, virConnectSetKeepAlive.
   *
   * @throws {LibvirtError}
   */
  static open(address: LibvirtAddress): Connection {
    const { symbols } = libvirt();
    const pointer = address.shared === undefined ? openConnection(address) : anotherReference(address.shared);
    const connection = new Connection(pointer, address);
    if (symbols.virConnectSetKeepAlive(connection.pointer, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT) < 0) {
      symbols.virResetLastError();
    }
    return connection;
  }

  /** Takes over a connection whose owner has left it to others, by its pointer. @throws {TypeError} for 0 */
  static adopt(pointer: bigint): Connection {
    const object = Deno.UnsafePointer.create(pointer);
    if (object === null) throw new TypeError("a connection has a pointer");
    return new Connection(object);
  }

  /** Opens one more to the same libvirt. @throws {LibvirtError}; {TypeError} for one that was taken over */
  another(): Connection {
    if (this.address === undefined) throw new TypeError("where an adopted connection leads to is not known");
    return Connection.open(this.address);
  }

  get pointer(): Deno.PointerObject {
    return this.#handle.pointer;
  }

  /** Whether the daemon is still there. Source: virConnectIsAlive (no round trip). */
  get alive(): boolean {
    return libvirt().symbols.virConnectIsAlive(this.pointer) === 1;
  }

  /** The domain with this UUID. @throws {LibvirtError} code NO_DOMAIN */
  domain(uuid: string): Handle {
    return new Handle(
      notNull(libvirt().symbols.virDomainLookupByUUIDString(this.pointer, cString(uuid))),
      (pointer) => libvirt().symbols.virDomainFree(pointer),
    );
  }

  /**
   * The domains with these UUIDs, without those that are gone. Their handles are kept for the next time, and given back once
   * they have not been asked for in many rounds: looking each up costs a round trip. @throws {LibvirtError}
   */
  knownDomains(uuids: readonly string[]): Deno.PointerObject[] {
    this.#round++;
    for (const [uuid, { handle, round }] of this.#domains) {
      if (this.#round - round < KEPT_ROUNDS) continue;
      handle[Symbol.dispose]();
      this.#domains.delete(uuid);
    }
    return uuids.flatMap((uuid) => {
      const known = this.#domains.get(uuid);
      if (known !== undefined) {
        known.round = this.#round;
        return [known.handle.pointer];
      }
      try {
        const handle = this.domain(uuid);
        this.#domains.set(uuid, { handle, round: this.#round });
        return [handle.pointer];
      } catch (error) {
        if (error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN) return [];
        throw error;
      }
    });
  }

  /** The network with this name. @throws {LibvirtError} code NO_NETWORK */
  network(name: string): Handle {
    return new Handle(
      notNull(libvirt().symbols.virNetworkLookupByName(this.pointer, cString(name))),
      (pointer) => libvirt().symbols.virNetworkFree(pointer),
    );
  }

  /** The storage pool with this name. @throws {LibvirtError} code NO_STORAGE_POOL */
  pool(name: string): Handle {
    return poolHandle(notNull(libvirt().symbols.virStoragePoolLookupByName(this.pointer, cString(name))));
  }

  /**
   * The volume at a path. Without its pool libvirt looks through all of them, and waits for each.
   *
   * @throws {LibvirtError} code NO_STORAGE_VOL when no pool, or not this one, knows the path
   */
  volumeAt({ path, pool: name }: VolumePlace): Handle {
    const { symbols } = libvirt();
    if (name === undefined) {
      return volumeHandle(notNull(symbols.virStorageVolLookupByPath(this.pointer, cString(path))));
    }
    try {
      using pool = this.pool(name);
      const base = cString(path.slice(path.lastIndexOf("/") + 1));
      return volumeHandle(notNull(symbols.virStorageVolLookupByName(pool.pointer, base)));
    } catch (error) {
      // The pool was stopped, or is gone: to who asks for a path there is no volume, as by the path alone
      const isGone = error instanceof LibvirtError &&
        (error.code === VIR_ERR.NO_STORAGE_POOL || error.code === VIR_ERR.OPERATION_INVALID);
      if (!isGone) throw error;
      throw new LibvirtError({ ...error.toFailure(), code: VIR_ERR.NO_STORAGE_VOL });
    }
  }

  [Symbol.dispose](): void {
    for (const { handle } of this.#domains.values()) handle[Symbol.dispose]();
    this.#domains.clear();
    this.#handle[Symbol.dispose]();
  }
}

/** A handle of a storage pool. */
export function poolHandle(pointer: Deno.PointerObject): Handle {
  return new Handle(pointer, (pool) => libvirt().symbols.virStoragePoolFree(pool));
}

/** A handle of a volume. */
export function volumeHandle(pointer: Deno.PointerObject): Handle {
  return new Handle(pointer, (volume) => libvirt().symbols.virStorageVolFree(volume));
}

/**
 * Walks a list of objects that libvirt allocated, giving each back and then the array, also when `read` throws.
 * Objects for which `read` returns null (gone in between) are left out.
 */
export function readList<T>(
  array: Deno.PointerValue,
  items: readonly Deno.PointerObject[],
  free: (item: Deno.PointerObject) => void,
  read: (item: Deno.PointerObject) => T | null,
): T[] {
  const found: T[] = [];
  let next = 0;
  try {
    while (next < items.length) {
      const item = items[next]!;
      const value = read(item);
      if (value !== null) found.push(value);
      free(item);
      next++;
    }
  } finally {
    for (const item of items.slice(next)) free(item);
    libvirt().free(array);
  }
  return found;
}

/** Calls one of libvirt's `…ListAll…(…, out, flags)` functions; gives the array and its items. @throws {LibvirtError} */
export function listOf(fill: (out: BigUint64Array<ArrayBuffer>) => number): {
  array: Deno.PointerValue;
  items: Deno.PointerObject[];
} {
  const out = new BigUint64Array(1);
  const count = ok(fill(out));
  const array = Deno.UnsafePointer.create(out[0]!);
  if (array === null || count === 0) {
    libvirt().free(array);
    return { array: null, items: [] };
  }
  const view = new Deno.UnsafePointerView(array);
  const items: Deno.PointerObject[] = [];
  for (let index = 0; index < count; index++) {
    const item = view.getPointer(index * 8);
    if (item !== null) items.push(item);
  }
  return { array, items };
}
