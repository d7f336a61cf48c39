/** Changes of VMs without a command of ours, as entries of the activity. A command reports its own effects itself. */
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { DomainChange } from "../hosts/inventory/domain_change.ts";
import type { ActivityLog } from "../store/activity.ts";

/** Events of libvirt that a person wants to read of. */
const LOGGED_EVENTS: ReadonlySet<string> = new Set([
  "started",
  "suspended",
  "resumed",
  "stopped",
  "crashed",
  "undefined",
  "pmsuspended",
  "io-error",
  "watchdog",
  "reboot",
]);
/**
 * libvirt events that a command causes. Most arrive while the operation runs, the last ones a moment after the
 * command's own row.
 */
const effectsOf = (action: string): readonly string[] =>
  Object.hasOwn(COMMANDS, action) ? (COMMANDS[action as CommandName] as Command).effects ?? [] : [];
/**
 * Milliseconds within which the same event of a VM is one, as libvirt tells a guest's reboot more than once, and within
 * which what a command does is the command's.
 */
const REPEAT_MS = 1000;
/** Rows among which the VM's last is looked for: those of others may have come between. */
const ROWS = 50;

export class VmActivity {
  constructor(private readonly host: LibvirtHost, private readonly activity: ActivityLog) {}

  onChange({ vmId, vmName, event }: DomainChange): void {
    if (!LOGGED_EVENTS.has(event) || this.host.inventory.vm(vmId)?.operation !== undefined) return;
    const last = this.activity.latest(ROWS).find((row) => row.vmId === vmId);
    const isTold = last !== undefined && Date.now() - last.timestamp < REPEAT_MS &&
      (last.action === event ||
        (last.result === "ok" && effectsOf(last.action).includes(event)));
    if (isTold) return;
    this.host.record({ actor: "libvirt", door: "libvirt", action: event, vmId, vmName, result: "event" });
  }
}
