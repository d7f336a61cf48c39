/**
 * The events for another KVM Manager: without VMs of hosts that this one links to or reads. It takes every VM that it is told
 * of for one of this host.
 */
import type { EventFilter } from "../../lib/access/filter_output.ts";

/**
 * @param isHere whether a VM is on this host
 * @param view further filter of the events; none if left out
 */
export const peerView = (
  isHere: (vmId: string) => boolean,
  view?: EventFilter,
): EventFilter => ({
  shown(event) {
    const [name, data] = event;
    if ((name === "vm-created" || name === "vm-updated") && !isHere(data.vm.id)) return null;
    return view === undefined ? event : view.shown(event);
  },
});
