/**
 * Content of any size as it arrives: node's own pieces, taken as they come. The web stream around a request's body costs
 * more time than everything else that is done to an upload.
 */
import type { IncomingMessage } from "node:http";
import type { RequestBody } from "../dispatch.ts";
import { PieceQueue } from "../piece_queue.ts";

/** Pieces that may wait to be taken before the client is slowed down. */
const MOST_WAITING = 16;

/** The bodies that node's server reads, by the request that was made of each. */
const bodies = new WeakMap<Request, IncomingMessage>();

/** Remembers which body belongs to a request. */
export function rememberBody(request: Request, incoming: IncomingMessage): void {
  bodies.set(request, incoming);
}

/** The body of a request, to be read once; undefined for one that no listener has taken. */
export function requestBody(request: Request): RequestBody | undefined {
  const incoming = bodies.get(request);
  return incoming && new ArrivingBody(incoming);
}

/** The pieces of a body, for one reader. */
class ArrivingBody extends PieceQueue<Uint8Array> implements RequestBody {
  constructor(source: IncomingMessage) {
    // It goes on once all was taken: to pause for each piece costs more than the piece
    super(source, { most: MOST_WAITING, resumeBelow: 1 });
    source.on("data", (piece: Uint8Array) => this.put(piece));
    // A body that breaks off closes without an end, with an error or without one.
    for (const event of ["end", "close", "error"] as const) source.on(event, () => this.end());
  }
}
