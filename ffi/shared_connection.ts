/**
 * A connection that all threads of this process share. Each connection to a file of libvirt's test driver has machines of its
 * own, so whoever is to see the same ones must have the same connection. libvirt's connections may be used by any thread.
 */
import { libvirt, notNull, ok } from "./library.ts";
import { cString } from "./memory.ts";

/** A connection that stays open until it is disposed of, and its users have closed theirs. */
export interface SharedConnection extends Disposable {
  /** For `LibvirtAddress.shared`. */
  readonly pointer: bigint;
}

/** Opens a connection to share. Blocks. Source: virConnectOpenAuth. @throws {LibvirtError} */
export function openShared(uri: string): SharedConnection {
  const { symbols } = libvirt();
  const connection = notNull(symbols.virConnectOpenAuth(cString(uri), null, 0));
  return {
    pointer: Deno.UnsafePointer.value(connection),
    [Symbol.dispose]: () => void symbols.virConnectClose(connection),
  };
}

/** One more reference to a shared connection; closing it gives it back. Source: virConnectRef. @throws {LibvirtError} */
export function anotherReference(pointer: bigint): Deno.PointerObject {
  const connection = Deno.UnsafePointer.create(pointer);
  if (connection === null) throw new TypeError("a connection has a pointer");
  ok(libvirt().symbols.virConnectRef(connection));
  return connection;
}
