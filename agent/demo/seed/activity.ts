/** Events of the demo's last month, in the audit log. */
import { DAY_MS, MINUTE_MS } from "../../../lib/duration.ts";
import { type Clock, SYSTEM_CLOCK } from "../../clock.ts";
import { ActivityLog } from "../../store/activity.ts";
import { fractionBy, hash, pickBy } from "../world/chance.ts";
import { daysAgo, type Seeding, vmNamed, vmsTagged } from "./moment.ts";

/** One entry. */
interface Entry {
  readonly at: number;
  readonly actor: string;
  readonly door: string;
  readonly action: string;
  /** Name of the VM. */
  readonly vm?: string;
  readonly result?: "ok" | "error" | "event";
  readonly message?: string;
}

/** Single events: days ago, hour, user, command, object. */
const DONE: readonly (readonly [
  days: number,
  hour: number,
  actor: string,
  action: string,
  vm?: string,
  message?: string,
])[] = [
  [30, 11, "anna", "create_vm", "staging-web"],
  [29, 15, "ben", "create_snapshot", "staging-web"],
  [26, 9, "ben", "update_vm", "db-01"],
  [24, 10, "anna", "create_alert_silence"],
  [23, 22, "anna", "reboot_vm", "web-01"],
  [23, 22, "anna", "reboot_vm", "web-02"],
  [19, 16, "ben", "start_vm", "win-build"],
  [17, 14, "carla", "create_snapshot", "staging-web"],
  [16, 9, "carla", "resize_disk", "monitoring"],
  [12, 9, "anna", "reset_vm", "muc-print"],
  [11, 13, "ben", "attach_nic", "git-01"],
  [9, 17, "carla", "suspend_vm", "win-build"],
  [6, 8, "ben", "update_backup"],
  [5, 18, "ben", "create_snapshot", "git-01"],
  [4, 10, "carla", "create_vm", "ci-runner-03"],
  [3, 11, "anna", "create_token"],
  [2, 9, "ben", "set_vm_project", "win-desk-07"],
  [1, 14, "carla", "pause_vm", "ci-runner-03"],
];

const ADDRESSES: Readonly<Record<string, string>> = {
  anna: "10.10.0.34",
  ben: "10.10.0.41",
  carla: "10.10.0.52",
};

/** Events that repeat each day. */
function ofDay(now: number, days: number): Entry[] {
  const desks = vmsTagged("desktop").map(({ name }) => name), found: Entry[] = [];
  const weekday = new Date(now - days * DAY_MS).getDay(), isWorkday = weekday >= 1 && weekday <= 5;
  if (isWorkday) {
    for (const actor of ["anna", "ben", "carla"]) {
      if (fractionBy(`works ${actor} ${days}`) < 0.25) continue;
      const minute = hash(`comes ${actor} ${days}`) % 60;
      found.push({ at: daysAgo(now, days, 8, minute), actor, door: "page", action: "sign_in_with_passkey" });
    }
    for (const vm of desks) {
      found.push({ at: daysAgo(now, days, 7, 30), actor: "demo", door: "schedule", action: "start_vm", vm });
    }
    const vm = pickBy(`looked at ${days}`, ["web-01", "git-01", "mail-01", "wiki", "dc-01"]);
    found.push({ at: daysAgo(now, days, 10, 20), actor: "ben", door: "page", action: "open_console", vm });
  }
  for (const vm of desks) {
    found.push({ at: daysAgo(now, days, 21), actor: "demo", door: "schedule", action: "stop_vm", vm });
    found.push({
      at: daysAgo(now, days, 21, 1),
      actor: "libvirt",
      door: "agent",
      action: "stopped",
      vm,
      result: "event",
    });
  }
  return found;
}

/** A clock that stands where it is put. */
class PastClock implements Clock {
  at = 0;
  now = () => this.at;
  monotonic = () => SYSTEM_CLOCK.monotonic();
  boot = () => SYSTEM_CLOCK.boot();
  after = (ms: number, run: () => void) => SYSTEM_CLOCK.after(ms, run);
}

const DAYS = 30;

/** Writes it. */
export function seedActivity({ store, now }: Seeding): void {
  const clock = new PastClock();
  const log = new ActivityLog(store, () => {}, undefined, clock);
  const once = DONE.map(([days, hour, actor, action, vm, message]): Entry => ({
    at: daysAgo(now, days, hour, hash(action) % 60),
    actor,
    door: "page",
    action,
    ...(vm !== undefined && { vm }),
    ...(message !== undefined && { message }),
  }));
  const daily = Array.from({ length: DAYS }, (_, index) => ofDay(now, DAYS - index)).flat();
  const all = [...once, ...daily].filter(({ at }) => at < now - MINUTE_MS).sort((a, b) => a.at - b.at);
  for (const { at, vm: name, result = "ok", actor, ...entry } of all) {
    clock.at = at;
    const vm = name === undefined ? undefined : vmNamed(name), address = ADDRESSES[actor];
    log.record({
      ...entry,
      actor,
      result,
      ...(vm !== undefined && { vmId: vm.id, vmName: vm.name, host: vm.host }),
      ...(address !== undefined && { address }),
      ...(result === "ok" && { tookMs: 20 + hash(`${at}`) % 400 }),
    });
  }
  log.close();
}
