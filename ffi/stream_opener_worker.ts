/// <reference lib="deno.worker" />
/**
 * A stream opener: opens and closes consoles and channels, one after the other. Both are round trips to libvirtd, which may
 * hang for as long as a VM does, so the next is given to another. Each stream has a connection to itself: libvirtd stops reading a connection whose
 * stream the guest does not read, and must not stop reading the others'. What is open crosses as addresses.
 */
import type { LibvirtAddress } from "./address.ts";
import { Connection } from "./connection.ts";
import { LibvirtError, libvirtFailure } from "./error.ts";
import { libvirt, notNull, ok } from "./library.ts";
import { cString } from "./memory.ts";
import { OPENING_STATE } from "./protocol.ts";
import type { ConsoleTarget, FromStreamOpener, HeldStream, ToStreamOpener } from "./stream_protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

/** `VIR_STREAM_NONBLOCK` */
const NONBLOCK = 1;
/** `virDomainConsoleFlags`: SAFE refuses where libvirt cannot tell whether another is there. */
const CONSOLE = { FORCE: 1, SAFE: 2 } as const;
/** `virDomainChannelFlags`. Without FORCE a channel that another has open is refused. */
const CHANNEL = { FORCE: 1 } as const;

function connect(address: LibvirtAddress): Connection {
  try {
    return Connection.open(address);
  } catch (error) {
    if (error instanceof LibvirtError) throw new LibvirtError({ ...error.toFailure(), kind: "unavailable" });
    throw error;
  }
}

/** Goes from one state to the next. @throws {LibvirtError} kind unavailable where the open was given up meanwhile */
function advance(opening: Int32Array, from: number, to: number): void {
  if (Atomics.compareExchange(opening, 0, from, to) !== from) throw tooLate("unavailable");
}

const tooLate = (kind: "timeout" | "unavailable") =>
  new LibvirtError({ kind, message: "the console was given up before it was opened" });

/** @throws {LibvirtError} kind `unavailable`, `timeout`; `lost` where the connection went meanwhile */
function opened({ address, target, opening }: ToStreamOpener & { type: "open" }): HeldStream {
  const { NONE, OPENING, BEGUN } = OPENING_STATE;
  advance(opening, NONE, OPENING);
  using stack = new DisposableStack();
  const connection = stack.use(connect(address));
  advance(opening, OPENING, BEGUN);
  try {
    using domain = connection.domain(target.uuid);
    if (Atomics.load(opening, 0) === OPENING_STATE.ABANDONED) throw tooLate("timeout"); // the look-up took so long
    const stream = openedOn(connection, domain.pointer, target);
    stack.move(); // the connection is its owner's now
    return { connection: addressOf(connection.pointer), stream: addressOf(stream) };
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.kind !== "libvirt" || connection.alive) throw error;
    throw new LibvirtError({ ...error.toFailure(), kind: "lost" });
  }
}

/** @throws {LibvirtError} */
function openedOn(
  connection: Connection,
  domain: Deno.PointerObject,
  { channel, device, force }: ConsoleTarget,
): Deno.PointerObject {
  const { symbols } = libvirt();
  const stream = notNull(symbols.virStreamNew(connection.pointer, NONBLOCK));
  try {
    ok(
      channel === undefined
        ? symbols.virDomainOpenConsole(
          domain,
          device === undefined ? null : cString(device),
          stream,
          force ? CONSOLE.FORCE : CONSOLE.SAFE,
        )
        : symbols.virDomainOpenChannel(domain, cString(channel), stream, force ? CHANNEL.FORCE : 0),
    );
  } catch (error) {
    symbols.virStreamFree(stream);
    throw error;
  }
  return stream;
}

const addressOf = (pointer: Deno.PointerObject) => Deno.UnsafePointer.value(pointer);

/** Gives a stream and its connection back. @returns whether libvirtd was still there */
function close(held: HeldStream): boolean {
  const { symbols } = libvirt();
  using connection = Connection.adopt(held.connection);
  const stream = Deno.UnsafePointer.create(held.stream);
  // The stream worker has done so, unless it broke
  symbols.virStreamEventRemoveCallback(stream);
  // Right after an error and before the end alike: it needs no answer from the guest
  symbols.virStreamAbort(stream);
  symbols.virStreamFree(stream);
  symbols.virResetLastError(); // aborting what has ended already is refused, and no matter
  return connection.alive;
}

function answer(message: ToStreamOpener): FromStreamOpener {
  if (message.type === "close") {
    return { type: "closed", answered: close(message.held) };
  }
  try {
    return { type: "opened", held: opened(message) };
  } catch (error) {
    return { type: "refused", failure: libvirtFailure(error) };
  }
}

self.onmessage = ({ data }: MessageEvent<ToStreamOpener>) => self.postMessage(answer(data));
