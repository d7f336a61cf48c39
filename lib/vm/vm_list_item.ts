/** VMs without what a list does not show: a page of them is smaller by half. */
import type { VM } from "../contract/mod.ts";

/** Longest reason for attention kept. */
const LONGEST = 300;

/** A VM as a list shows it. The browser fetches whole ones before anything is done with what is left out. */
export function vmListItem(vm: VM): VM {
  const { description: _, ...rest } = vm;
  return {
    ...rest,
    disks: [],
    graphics: [],
    attention: vm.attention.map((text) => text.slice(0, LONGEST)),
    networkInterfaces: vm.networkInterfaces.filter(({ ipAddress }) => ipAddress !== undefined).slice(0, 1),
  };
}
