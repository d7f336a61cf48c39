/**
 * Passwords of screens that are new at each start. The definition of a VM has the password of its next start before
 * that start, whoever starts it: there is no moment in which its screen is open. Once it runs, the next start gets
 * another one.
 */
import type { Inventory } from "../../hosts/inventory/inventory.ts";
import { isActiveState } from "../../hosts/inventory/states.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";

/** How often it is tried; the next start of the VM tries again. */
const MOST_TRIES = 5;

interface Due {
  /** The VM was continued from saved memory, with the password it was saved with. */
  readonly restored: boolean;
  readonly tries: number;
}

export class ScreenPasswords {
  /** VMs that have begun to use their password. */
  readonly #due = new Map<string, Due>();
  #running: Promise<void> | undefined;

  constructor(
    private readonly link: Pick<LibvirtLink, "call">,
    private readonly inventory: Pick<Inventory, "vms" | "record" | "refreshSoon">,
  ) {}

  /** A VM has started, or its definition was replaced: perhaps its next start has the password of this one. */
  onStart(vmId: string, restored: boolean): void {
    this.#due.set(vmId, {
      restored: restored || this.#due.get(vmId)?.restored === true,
      tries: 0,
    });
    void this.renewDue();
  }

  /** Looks at all VMs: they may have been started, or defined without passwords, while no one looked. */
  async renewAll(): Promise<void> {
    for (const { id } of this.inventory.vms()) {
      const record = this.inventory.record(id);
      if (!record?.summary.generatedPasswords || this.#due.has(id)) continue;
      if (isActiveState(record.state) || record.summary.openScreen) {
        this.#due.set(id, { restored: false, tries: 0 });
      }
    }
    await this.renewDue();
  }

  /** Renews the passwords that are due, one after the other. What fails stays due for a while. */
  renewDue(): Promise<void> {
    return this.#running ??= this.#renew().finally(() => this.#running = undefined);
  }

  async #renew(): Promise<void> {
    const failed = new Map<string, Due>();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [uuid, due] = next;
      this.#due.delete(uuid);
      try {
        const count = await this.link.call("domainRenewPasswords", { uuid, restored: due.restored });
        // libvirt sends no event for a screen that was changed.
        if (count > 0 && this.inventory.record(uuid)?.summary.openScreen) this.inventory.refreshSoon(uuid);
      } catch (error) {
        // A VM that is gone needs none; the others are tried again by the periodic job.
        const tries = due.tries + 1;
        if (this.inventory.record(uuid) && tries < MOST_TRIES) failed.set(uuid, { ...due, tries });
        log.warn("the next start of a VM has the screen password of this one for now", { uuid, error });
      }
    }
    for (const [uuid, due] of failed) if (!this.#due.has(uuid)) this.#due.set(uuid, due);
  }

  #next(): [string, Due] | undefined {
    for (const entry of this.#due) return entry;
  }
}
