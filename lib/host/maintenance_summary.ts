/** Maintenance of a host in lists of hosts. */
import type { Maintenance, MaintenanceSummary } from "../contract/mod.ts";
import { oneLine } from "../text/text.ts";

/** Summary of a host's maintenance for lists; undefined if it is in none. */
export function maintenanceSummary({ state, since, note, vms }: Maintenance): MaintenanceSummary | undefined {
  if (state === "off" || since === null) return undefined;
  const meant = vms.filter(({ action }) => action !== "leave");
  const over = state === "returning" ? ["returned"] : ["done", "returning", "returned"];
  const done = meant.filter((vm) => over.includes(vm.state)).length;
  return { state, since, note: oneLine(note, 200), done, all: meant.length };
}
