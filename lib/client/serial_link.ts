/** A serial console's connection: asks for a ticket, opens the WebSocket, and comes back when it breaks. */
import { based } from "./base.ts";
import { CONSOLE_CLOSE } from "../contract/console_close.ts";
import { api } from "./api.ts";

/** How the connection is. `off`: the VM is; `waiting`: another try comes by itself. */
export type SerialState =
  | { readonly at: "off" | "connecting" | "open" | "inUse" | "takenOver" }
  | { readonly at: "waiting" | "failed"; readonly why: string };

/** The members of a WebSocket that the link uses; tests pass their own. */
export interface SerialSocket {
  readonly readyState: number;
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(data: Uint8Array<ArrayBuffer> | string): void;
  close(code?: number): void;
}

/** Options of a serial link, with its callbacks. */
export interface SerialLinkOptions {
  readonly vmId: string;
  /** Index of the line, from 0; the first that can be opened when left out. */
  readonly line?: number;
  readonly onState: (state: SerialState) => void;
  readonly onBytes: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Gets a ticket, and opens a socket with it. @throws what the command failed with */
  readonly open?: (vmId: string, force: boolean, line?: number) => Promise<SerialSocket>;
  /** Calls back after a time, in milliseconds; returns how to call it off. */
  readonly after?: (milliseconds: number, run: () => void) => () => void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
/** Milliseconds until a VM that stopped is looked at again, should the page not hear that it started. */
const OFF_RETRY_MS = 5_000;
/** `WebSocket.OPEN`, which a test has no WebSocket to ask for. */
const OPEN = 1;

async function openSocket(vmId: string, force: boolean, line?: number): Promise<SerialSocket> {
  const { path, ticket } = await api.openConsole({
    vmId,
    kind: "serial",
    force,
    ...(line !== undefined && { line }),
  });
  const url = new URL(based(path), location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("ticket", ticket);
  return new WebSocket(url) as SerialSocket;
}

const later = (milliseconds: number, run: () => void) => {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
};

export class SerialLink {
  readonly #options: SerialLinkOptions & Required<Pick<SerialLinkOptions, "open" | "after">>;
  #socket: SerialSocket | undefined;
  #isOn = false;
  #isClosed = false;
  /** Counts attempts: what an older one still gives is not wanted any more. */
  #attempt = 0;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: (() => void) | undefined;

  constructor(options: SerialLinkOptions) {
    this.#options = { open: openSocket, after: later, ...options };
  }

  /** Tells whether the VM is on: the console comes and goes with it. */
  power(isOn: boolean): void {
    if (this.#isClosed || this.#isOn === isOn) return;
    this.#isOn = isOn;
    if (isOn) return void this.connect();
    // The server says goodbye by itself; what it still has to say is shown.
    this.#cancelRetry?.();
    if (this.#socket === undefined) this.#options.onState({ at: "off" });
  }

  /** Connects now. @param force takes the line from whoever has it */
  async connect(force = false): Promise<void> {
    if (this.#isClosed) return;
    this.#cancelRetry?.();
    this.#drop();
    const attempt = ++this.#attempt;
    this.#options.onState({ at: "connecting" });
    let socket: SerialSocket;
    try {
      socket = await this.#options.open(this.#options.vmId, force, this.#options.line);
    } catch (error) {
      if (attempt === this.#attempt) this.#refused(error);
      return;
    }
    if (attempt !== this.#attempt || this.#isClosed) return socket.close(CONSOLE_CLOSE.done);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#options.onState({ at: "open" });
    socket.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return;
      this.#retryMs = FIRST_RETRY_MS;
      this.#options.onBytes(new Uint8Array(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#ended(code, reason);
    };
  }

  /** Sends what was typed; false when there is no connection to send it on. */
  send(data: Uint8Array<ArrayBuffer> | string): boolean {
    if (this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(data);
    return true;
  }

  /** Ends it for good. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#drop();
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(CONSOLE_CLOSE.done);
  }

  #refused(error: unknown): void {
    const { code, message } = error as { code?: string; message: string };
    if (code === "VmNotRunning") return this.#off();
    // What does not change by itself is not asked again and again.
    if (
      code === "Unreachable" || code === "LibvirtUnavailable" || code === "LinkedHostAway" ||
      code === "TooManyRequests"
    ) {
      return this.#again(message);
    }
    this.#options.onState({ at: "failed", why: message });
  }

  #ended(code: number, reason: string): void {
    if (this.#isClosed) return;
    switch (code) {
      case CONSOLE_CLOSE.inUse:
        return this.#options.onState({ at: "inUse" });
      case CONSOLE_CLOSE.takenOver:
        return this.#options.onState({ at: "takenOver" });
      case CONSOLE_CLOSE.vmStopped:
        return this.#off();
    }
    if (!this.#isOn) return this.#off();
    this.#again(reason);
  }

  /** The VM is off, says the server; as long as the page says otherwise, one of them is behind. */
  #off(): void {
    this.#options.onState({ at: "off" });
    if (this.#isOn) this.#cancelRetry = this.#options.after(OFF_RETRY_MS, () => this.connect());
  }

  #again(why: string): void {
    this.#options.onState({ at: "waiting", why });
    this.#cancelRetry = this.#options.after(this.#retryMs, () => this.connect());
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}
