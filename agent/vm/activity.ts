/** What happened to VMs without a command of ours, for the activity list. A command's own effect is told by the command. */
import type { Host } from "../hosts/host.ts";
import type { DomainChange } from "../hosts/inventory/inventory.ts";
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
/** Milliseconds within which the same event of a VM is one: libvirt tells a guest's reboot more than once. */
const REPEAT_MS = 1000;

export class VmActivity {
  constructor(private readonly host: Host, private readonly activity: ActivityLog) {}

  onChange({ vmId, vmName, event }: DomainChange): void {
    if (!LOGGED_EVENTS.has(event) || this.host.inventory.vm(vmId)?.operation !== undefined) return;
    const [last] = this.activity.latest(1);
    const isRepeated = last?.vmId === vmId && last.action === event &&
      Date.now() - last.timestamp < REPEAT_MS;
    if (isRepeated) return;
    this.host.record({ actor: "libvirt", door: "libvirt", action: event, vmId, vmName, result: "event" });
  }
}
