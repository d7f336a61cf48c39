/// <reference lib="deno.worker" />
/**
 * A call worker: runs one call at a time on its own thread, over its own connection. A call and its error are read
 * on the same thread, because libvirt keeps errors per thread.
 */
import { type CallName, CALLS, type EventRegistration } from "./calls/mod.ts";
import { eventsClose } from "./calls/events.ts";
import type { LibvirtAddress } from "./address.ts";
import { Connection } from "./connection.ts";
import { LibvirtError, type LibvirtFailure } from "./error.ts";
import { type FromWorker, OPENING_STATE, type ToWorker } from "./protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

let address: LibvirtAddress = { uri: "" };
let connection: Connection | undefined;
/** See {@link OPENING_STATE}. */
let opening = new Int32Array(new SharedArrayBuffer(4));

const post = (message: FromWorker) => self.postMessage(message);

/** The connection, made again when the old one has died with its libvirtd. @throws {LibvirtError} kind unavailable */
function connected(): Connection {
  const { NONE, OPENING, BEGUN } = OPENING_STATE;
  if (connection && !connection.alive) drop();
  advance(NONE, connection ? BEGUN : OPENING);
  if (connection) return connection;
  try {
    connection = Connection.open(address);
  } catch (error) {
    if (error instanceof LibvirtError) throw new LibvirtError({ ...error.toFailure(), kind: "unavailable" });
    throw error;
  }
  advance(OPENING, BEGUN);
  return connection;
}

/** Goes from one state to the next. @throws {LibvirtError} kind unavailable where the call was given up meanwhile */
function advance(from: number, to: number): void {
  if (Atomics.compareExchange(opening, 0, from, to) === from) return;
  throw new LibvirtError({
    kind: "unavailable",
    message: "the call was given up before there was a connection",
  });
}

function drop(): void {
  connection?.[Symbol.dispose]();
  connection = undefined;
}

function run(name: CallName, args: unknown): unknown {
  if (name === "eventsClose") return eventsClose(undefined, args as EventRegistration);
  const live = connected();
  try {
    // The names and argument types were matched by WorkerPool.call; here they have gone through postMessage.
    const call = CALLS[name].run as (connection: Connection, args: unknown) => unknown;
    return call(live, args);
  } catch (error) {
    // The daemon died under the call: whether it was carried out is not known.
    if (error instanceof LibvirtError && !live.alive) {
      drop();
      throw new LibvirtError({ ...error.toFailure(), kind: "lost" });
    }
    throw error;
  }
}

function failure(error: unknown): LibvirtFailure {
  if (error instanceof LibvirtError) return error.toFailure();
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new LibvirtError({ message }).toFailure();
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "open") {
    ({ address, opening } = data);
    drop();
    return;
  }
  if (data.type === "close") {
    drop();
    self.close();
    return;
  }
  try {
    post({ type: "result", id: data.id, value: run(data.name, data.args) });
  } catch (error) {
    post({ type: "failure", id: data.id, failure: failure(error) });
  }
};

post({ type: "ready" });
