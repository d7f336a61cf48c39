/** One peer on one serial line. */
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import type { ConsoleStream, ConsoleStreams, ConsoleTarget } from "../../../ffi/streams.ts";
import { CONSOLE_CLOSE } from "../../../lib/contract/mod.ts";
import { parseJson } from "../../../lib/text/json.ts";
import type { ConsolePeer, Farewell } from "../../http/websocket_connection.ts";
import { log } from "../../log.ts";
import { FAREWELL } from "./farewell.ts";

/**
 * Bytes a peer may be behind. libvirt goes on receiving whatever we do, so waiting for a slow peer would only move
 * the heap elsewhere: beyond this it is disconnected (fault 16).
 */
const MOST_BEHIND = 2 * 1024 * 1024;
/**
 * Bytes sent since the guest last wrote something. libvirt takes all it is given and keeps it until the guest reads,
 * and does not tell when: a guest that never answers is taken for one that does not read.
 */
const MOST_UNANSWERED = 4 * 1024 * 1024;

/** libvirt's "another has it": a code that many errors have, with this text. Source: qemuDomainOpenConsole. */
const isTaken = (error: LibvirtError) =>
  error.code === VIR_ERR.OPERATION_FAILED && /active console session/i.test(error.message);

/** A line that another takes breaks; one whose VM stops just ends. Source: virFDStreamEvent's error (libvirt 9.0). */
const isTakenAway = (error: LibvirtError) => /stream had I\/O failure/i.test(error.message);

/**
 * Whether a text message is one we know: `{"type":"resize","cols":80,"rows":24}`. A serial line has no size, so it
 * changes nothing; terminals send it all the same.
 */
export function isControl(message: string): boolean {
  const size = (value: unknown) => Number.isInteger(value) && Number(value) > 0 && Number(value) <= 10_000;
  try {
    const { type, cols, rows } = parseJson(message) as Record<string, unknown>;
    return type === "resize" && size(cols) && size(rows);
  } catch {
    return false; // no JSON, or none with fields
  }
}

export class SerialSession {
  readonly #peer: ConsolePeer;
  readonly #viewOnly: boolean;
  readonly #over = Promise.withResolvers<Farewell>();
  #unanswered = 0;

  /** @param viewOnly whether the peer's input is dropped */
  constructor(peer: ConsolePeer, viewOnly: boolean) {
    this.#peer = peer;
    this.#viewOnly = viewOnly;
  }

  /** Ends it, with what the peer is to be told. Later calls change nothing. */
  end(farewell: Farewell): void {
    this.#over.resolve(farewell);
  }

  /** Serves until it is over; then the line is free. */
  async run(streams: Pick<ConsoleStreams, "open">, target: ConsoleTarget): Promise<Farewell> {
    let stream: ConsoleStream;
    try {
      stream = await streams.open(target, {
        data: (bytes) => this.#toPeer(bytes),
        ended: (failure) => {
          log.debug("a serial console ended", { uuid: target.uuid, error: failure ?? undefined });
          this.end(failure && isTakenAway(failure) ? FAREWELL.takenOver : FAREWELL.disconnected);
        },
      });
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      if (isTaken(error)) return FAREWELL.inUse;
      return { code: CONSOLE_CLOSE.failed, reason: error.message };
    }
    try {
      this.#toGuest(stream).catch((error) => {
        log.error("a serial console failed unexpectedly", { error });
        this.end(FAREWELL.disconnected);
      });
      return await this.#over.promise;
    } finally {
      await stream.close();
    }
  }

  #toPeer(bytes: Uint8Array): void {
    this.#unanswered = 0;
    void this.#peer.send(bytes); // whether there is room is asked below: no caller could wait
    if (this.#peer.unsent <= MOST_BEHIND) return;
    log.info("a serial console's peer does not keep up", { behind: this.#peer.unsent });
    this.end(FAREWELL.tooSlow);
  }

  async #toGuest(stream: ConsoleStream): Promise<void> {
    for await (const message of this.#peer.messages()) {
      if (typeof message === "string") {
        if (!isControl(message)) return this.end(FAREWELL.protocol);
        continue;
      }
      if (this.#viewOnly) continue;
      this.#unanswered += message.length;
      if (this.#unanswered > MOST_UNANSWERED) return this.end(FAREWELL.unread);
      stream.write(message);
    }
    this.end(FAREWELL.done);
  }
}
