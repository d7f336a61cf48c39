/** A serial console as a client of the product sees it: a ticket, and the WebSocket it is good for. */
// @ts-types="@types/ws"
import type { WebSocket } from "ws";
import { call } from "./product.ts";
import { openSocket } from "./rfb.ts";
import type { TestServer } from "./server.ts";
import { until, type WaitOptions } from "./wait.ts";

/** Why the server closed it. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

const decoder = new TextDecoder("latin1");

/** An open serial console. Disposing of it closes it. */
export class SerialClient implements AsyncDisposable {
  /** All that came, as characters of one byte. */
  text = "";
  /** Resolved when it is closed, by whomever. */
  readonly closed: Promise<Closed>;

  private constructor(readonly socket: WebSocket) {
    socket.on("message", (data) => this.text += decoder.decode(data as unknown as Uint8Array));
    this.closed = new Promise((resolve) =>
      socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }))
    );
  }

  /** Asks for a ticket and connects; does not wait for the line. */
  static async open(server: TestServer, vmId: string, force = false): Promise<SerialClient> {
    return new SerialClient(
      await openSocket(server, await call(server, "open_console", { vmId, kind: "serial", force })),
    );
  }

  /** Types. */
  type(text: string): void {
    this.socket.send(new TextEncoder().encode(text));
  }

  /** Waits until something came, from the start or from a place on. */
  async waitFor(wanted: string | RegExp, { from = 0, ...options }: WaitOptions & { from?: number } = {}) {
    await until(
      `${wanted} on the serial line`,
      () => {
        const seen = this.text.slice(from);
        return Promise.resolve(typeof wanted === "string" ? seen.includes(wanted) : wanted.test(seen));
      },
      { every: 20, seconds: 20, lastSeen: () => JSON.stringify(this.text.slice(-300)), ...options },
    );
  }

  /** Runs a line in the guest's shell and waits for what it prints. */
  async run(line: string, wanted: string | RegExp, options?: WaitOptions): Promise<void> {
    const from = this.text.length;
    this.type(`${line}\n`);
    await this.waitFor(wanted, { from, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}
