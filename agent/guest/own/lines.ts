/**
 * The lines to our agents. A virtio channel can be opened once, so all who want something of a guest share one line. It is
 * opened when the first wants something, kept a while after the last, and opened again – with pauses that grow – only
 * while somebody wants it.
 */
import type { Clock } from "../../clock.ts";
import { log } from "../../log.ts";
import { type ByteStreams, OwnAgentClient } from "./client.ts";
import { AgentFailure } from "./failure.ts";

/** Milliseconds an unused line is kept: who looks at a page asks again soon, and each that is open wakes the process. */
const IDLE_MS = 5000;
/** Milliseconds between two looks whether an agent that is waited for is still the same. */
const LOOK_MS = 3000;
/** Milliseconds in which a guest whose line failed is left in peace, by how often it did in a row; the last one repeats. */
const PAUSES_MS = [500, 1000, 2000, 5000, 10_000, 30_000];

interface Line {
  users: number;
  opening: Promise<OwnAgentClient> | undefined;
  client: OwnAgentClient | undefined;
  failures: number;
  /** Until when it is not tried again, and why. */
  pause: { readonly until: number; readonly reason: unknown } | undefined;
  stopIdling: () => void;
}

/** A line that is used. */
export interface Lease extends Disposable {
  readonly client: OwnAgentClient;
}

export class OwnAgentLines {
  readonly #lines = new Map<string, Line>();
  #isStopped = false;

  /** @param open opens a VM's channel @throws {AgentFailure} `taken`, `closed` */
  constructor(private readonly open: (vmId: string) => Promise<ByteStreams>, private readonly clock: Clock) {}

  /** Lines that are open, or being opened. */
  get size(): number {
    return [...this.#lines.values()].filter(({ client, opening }) => client ?? opening).length;
  }

  /** Whether a VM's line is open: somebody wants something of its guest, or did a moment ago. */
  isOpen(vmId: string): boolean {
    return this.#lines.get(vmId)?.client !== undefined;
  }

  /**
   * Takes a part in a VM's line, until it is disposed of.
   *
   * @throws {AgentFailure} @throws {LibvirtError}
   */
  async lease(vmId: string): Promise<Lease> {
    const line = this.#lineOf(vmId);
    line.users++;
    line.stopIdling();
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      line.users--;
      if (line.users === 0) line.stopIdling = this.clock.after(IDLE_MS, () => void this.#close(vmId, line));
    };
    try {
      return { client: await this.#clientOf(vmId, line), [Symbol.dispose]: end };
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Does something with a VM's line. @throws {AgentFailure} @throws {LibvirtError} */
  async use<T>(vmId: string, work: (client: OwnAgentClient) => Promise<T>): Promise<T> {
    using lease = await this.lease(vmId);
    return await work(lease.client);
  }

  /** Another system may run in the VM by now, or another agent: whoever waits for the one before is told at once. */
  forget(vmId: string): void {
    const line = this.#lines.get(vmId);
    if (line === undefined) return;
    line.pause = undefined;
    line.failures = 0;
    void this.#close(vmId, line);
  }

  /** An agent has come: a line that failed before it did is tried at once. */
  hurry(vmId: string): void {
    const line = this.#lines.get(vmId);
    if (line === undefined) return;
    line.pause = undefined;
    line.failures = 0;
  }

  /** libvirt is gone, and every line with it. */
  forgetAll(): void {
    for (const vmId of [...this.#lines.keys()]) this.forget(vmId);
  }

  /** Closes a VM's line at once where it has no users: another program may wait for the channel. */
  closeUnused(vmId: string): void {
    const line = this.#lines.get(vmId);
    if (line?.users === 0) void this.#close(vmId, line);
  }

  /** Closes every line, for good. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#lines].map(([vmId, line]) => this.#close(vmId, line)));
  }

  #lineOf(vmId: string): Line {
    let line = this.#lines.get(vmId);
    if (line === undefined) {
      line = {
        users: 0,
        opening: undefined,
        client: undefined,
        failures: 0,
        pause: undefined,
        stopIdling: () => {},
      };
      this.#lines.set(vmId, line);
    }
    return line;
  }

  async #clientOf(vmId: string, line: Line): Promise<OwnAgentClient> {
    if (this.#isStopped) throw new AgentFailure("closed", "KVM Manager stops");
    if (line.client !== undefined) return line.client;
    if (line.pause !== undefined && this.clock.monotonic() < line.pause.until) throw line.pause.reason;
    return await (line.opening ??= this.#opened(vmId, line).finally(() => line.opening = undefined));
  }

  async #opened(vmId: string, line: Line): Promise<OwnAgentClient> {
    try {
      const client = await OwnAgentClient.open(await this.open(vmId));
      if (this.#isStopped || this.#lines.get(vmId) !== line) {
        await client.close();
        throw new AgentFailure("closed", "the line was closed while it was opened");
      }
      line.client = client;
      void client.over.then((reason) => {
        log.debug("the line to a guest's agent is closed", { vm: vmId, reason });
        if (line.client !== client) return;
        line.client = undefined;
        // One that does not keep to the protocol is not asked again at once.
        if (reason.reason === "invalid") this.#paused(line, reason);
        void client.close();
      });
      line.failures = 0;
      this.#look(vmId, line, client);
      return client;
    } catch (error) {
      this.#paused(line, error);
      throw error;
    }
  }

  /** Ends the line when another agent has taken the place of the one that is waited for. */
  #look(vmId: string, line: Line, client: OwnAgentClient): void {
    this.clock.after(LOOK_MS, async () => {
      if (line.client !== client) return;
      if (client.isWaiting && !await client.isSame() && line.client === client) {
        return await this.#close(vmId, line);
      }
      this.#look(vmId, line, client);
    });
  }

  #paused(line: Line, reason: unknown): void {
    const ms = PAUSES_MS[Math.min(line.failures++, PAUSES_MS.length - 1)]!;
    line.pause = { until: this.clock.monotonic() + ms, reason };
  }

  async #close(vmId: string, line: Line): Promise<void> {
    line.stopIdling();
    if (line.users === 0) this.#lines.delete(vmId);
    const { client } = line;
    line.client = undefined;
    await client?.close();
  }
}
