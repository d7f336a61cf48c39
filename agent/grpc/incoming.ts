/** A client's messages, read as fast as they are taken. */
import type { ServerDuplexStream, ServerReadableStream } from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import { PieceQueue } from "../piece_queue.ts";

type ReadingCall = ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** Messages that may wait to be taken before the client is slowed down. */
const MOST_WAITING = 4;

/** Messages of the client of a call; for one reader. */
export class Incoming extends PieceQueue<Buffer> {
  constructor(call: ReadingCall) {
    super(call, { most: MOST_WAITING, resumeBelow: MOST_WAITING });
    call.on("data", (message: Buffer) => this.put(message));
    for (const event of ["end", "close", "error", "cancelled"] as const) call.on(event, () => this.end());
  }
}
