/** The features on one host: each of them is called in the order of their list. */
import type { CommandName, VM } from "../../lib/contract/mod.ts";
import type { Handler, Handlers } from "../dispatch.ts";
import type { HostPart, Portable } from "../feature_part.ts";
import type { PeriodicJob } from "../periodic.ts";
import type { DomainChange } from "./inventory/domain_change.ts";

export class HostFeatures {
  readonly #handlers: Partial<Handlers>;

  constructor(private readonly parts: readonly HostPart<CommandName>[]) {
    this.#handlers = Object.assign({}, ...parts.map(({ handlers }) => handlers));
  }

  /** The handler for a command; undefined where hosts have none. */
  handler<N extends CommandName>(command: N): Handler<N> | undefined {
    return this.#handlers[command] as Handler<N> | undefined;
  }

  /** Periodic work of the features. */
  get periodic(): PeriodicJob[] {
    return this.parts.flatMap(({ periodic = [] }) => periodic);
  }

  /** A fresh connection was read. @returns a promise per feature for its own reading */
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
   * Another VM has the id of one that was deleted: each feature is called, also if one fails.
   *
   * @returns the names of the records that were released from that id, and the errors of features: those are
   *   to be called again
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

  /** Records of a VM that can move with it to another host. */
  portable(vm: VM): readonly Portable[] {
    return this.parts.flatMap((part) => [...part.portable?.(vm) ?? []]);
  }

  /** Ends what they began, one after the other. */
  async stop(): Promise<void> {
    for (const part of this.parts) await part.stop?.();
  }
}
