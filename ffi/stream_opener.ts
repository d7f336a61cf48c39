/** Opening and closing streams of domains, each on a worker of its own that ends when it returns: either may hang. */
import { workerUrl } from "../lib/bundle.ts";
import { LibvirtError, type LibvirtFailure } from "./error.ts";
import { OPENING_STATE } from "./protocol.ts";
import type { ConsoleTarget, FromStreamOpener, HeldStream, ToStreamOpener } from "./stream_protocol.ts";

/** What became of an open. */
export type OpenOutcome =
  | { readonly type: "opened"; readonly held: HeldStream }
  | { readonly type: "refused"; readonly failure: LibvirtFailure };

/** An open under way. */
export interface Opening {
  /** Known when libvirt returns, however late that is. What is open then must be closed. */
  readonly outcome: Promise<OpenOutcome>;
  /** Has it go no further: what waits for its connection, or for its VM, opens nothing any more. */
  abandon(): void;
}

/** Opens a domain's console or channel. */
export function openStream(uri: string, target: ConsoleTarget): Opening {
  const opening = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  return {
    outcome: onOpener({ type: "open", uri, target, opening }).then((answer) =>
      answer.type === "closed" ? failed("it closed what was to be opened") : answer
    ),
    abandon: () => Atomics.store(opening, 0, OPENING_STATE.ABANDONED),
  };
}

/** Closes a stream and its connection. @returns whether libvirt answered, however late */
export async function closeStream(uri: string, held: HeldStream): Promise<boolean> {
  const answer = await onOpener({ type: "close", uri, held });
  return answer.type === "closed" && answer.answered;
}

const failed = (reason: string): OpenOutcome => ({
  type: "refused",
  failure: new LibvirtError({ kind: "lost", message: `the stream opener failed: ${reason}` }).toFailure(),
});

function onOpener(message: ToStreamOpener): Promise<FromStreamOpener> {
  const { promise, resolve } = Promise.withResolvers<FromStreamOpener>();
  const worker = new Worker(workerUrl("ffi/stream_opener_worker.ts"), {
    type: "module",
    name: "libvirt opener",
  });
  const end = (answer: FromStreamOpener) => {
    worker.terminate();
    resolve(answer);
  };
  worker.onmessage = ({ data }: MessageEvent<FromStreamOpener>) => end(data);
  worker.onerror = (event) => {
    event.preventDefault();
    end(failed(event.message));
  };
  worker.postMessage(message);
  return promise;
}
