import assert from "node:assert/strict";
import type { Activity } from "../../lib/contract/mod.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { ActivityLog } from "../store/activity.ts";
import { VmActivity } from "./activity.ts";

/** The rows that come of events, after those that are there. */
function recorder(rows: Partial<Activity>[]) {
  const recorded: string[] = [];
  const host = {
    inventory: { vm: () => undefined },
    record: ({ action, vmId }: { action: string; vmId: string }) => {
      recorded.push(action);
      rows.push({ action, vmId, result: "event", timestamp: Date.now() });
    },
  } as unknown as LibvirtHost;
  const log = { latest: (limit: number) => rows.slice(-limit).reverse() } as unknown as ActivityLog;
  const activity = new VmActivity(host, log);
  return {
    recorded,
    tell: (vmId: string, event: string) => activity.onChange({ vmId, vmName: vmId, event }),
  };
}

const row = (action: string, vmId: string, ago: number, result: Activity["result"] = "ok") => (
  { action, vmId, result, timestamp: Date.now() - ago }
);

Deno.test("VmActivity leaves to a command what it did, though libvirt tells it after the command's row", () => {
  const { recorded, tell } = recorder([
    row("delete_vm", "gone", 10),
    row("create_vm", "new", 20),
    row("create_vm", "refused", 20, "error"),
    row("force_stop_vm", "off", 5000),
  ]);
  tell("gone", "undefined");
  tell("new", "started");
  assert.deepEqual(recorded, []);
  tell("new", "crashed");
  tell("new", "started");
  tell("refused", "started");
  tell("other", "undefined");
  tell("off", "stopped");
  assert.deepEqual(recorded, ["crashed", "started", "started", "undefined", "stopped"]);
});

Deno.test("VmActivity takes an event that is told again for the same, also when another VM's came between", () => {
  const { recorded, tell } = recorder([]);
  for (const vmId of ["a", "b", "a"]) tell(vmId, "reboot");
  assert.deepEqual(recorded, ["reboot", "reboot"]);
});
