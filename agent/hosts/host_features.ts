/** What the features do on one host: each of them is asked or told in the order of their list. */
import type { CommandName, VM } from "../../lib/contract/mod.ts";
import type { Handler, Handlers } from "../dispatch.ts";
import type { HostPart, Portable } from "../feature_part.ts";
import type { PeriodicJob } from "../periodic.ts";
import type { DomainChange } from "./inventory/inventory.ts";

export class HostFeatures {
  readonly #handlers: Partial<Handlers>;

  constructor(private readonly parts: readonly HostPart<CommandName>[]) {
    this.#handlers = Object.assign({}, ...parts.map(({ handlers }) => handlers));
  }

  /** The handler for a command; undefined where hosts have none. */
  handler<N extends CommandName>(command: N): Handler<N> | undefined {
    return this.#handlers[command] as Handler<N> | undefined;
  }

  /** What they do regularly. */
  get periodic(): PeriodicJob[] {
    return this.parts.flatMap(({ periodic = [] }) => periodic);
  }

  /** A fresh connection was read. @returns what each of them finds out now */
  connected(): (Promise<void> | undefined)[] {
    return this.parts.map((part) => part.connected?.());
  }

  /** The connection was lost. */
  disconnected(): void {
    for (const part of this.parts) part.disconnected?.();
  }

  /** libvirt told of a change of a VM. */
  changed(change: DomainChange): void {
    for (const part of this.parts) part.changed?.(change);
  }

  /** Something does not respond any more, or does so again. */
  hangsChanged(): void {
    for (const part of this.parts) part.hangsChanged?.();
  }

  /** Each host was read, or cannot be. */
  hostsSettled(): void {
    for (const part of this.parts) part.hostsSettled?.();
  }

  /** A command deleted a network. */
  async networkDeleted(name: string): Promise<void> {
    for (const part of this.parts) await part.networkDeleted?.(name);
  }

  /**
   * Another VM has the id of one that was deleted: each feature is told, also where one fails.
   *
   * @returns what no longer goes by that id, and what features failed with: they are to be told again
   */
  vmReplaced(vmId: string): { readonly released: readonly string[]; readonly errors: readonly unknown[] } {
    const released: string[] = [], errors: unknown[] = [];
    for (const part of this.parts) {
      try {
        released.push(...part.replaced?.(vmId) ?? []);
      } catch (error) {
        errors.push(error);
      }
    }
    return { released, errors };
  }

  /** What is kept of a VM, and can go with it to another host. */
  portable(vm: VM): readonly Portable[] {
    return this.parts.flatMap((part) => [...part.portable?.(vm) ?? []]);
  }

  /** Ends what they began, one after the other. */
  async stop(): Promise<void> {
    for (const part of this.parts) await part.stop?.();
  }
}
