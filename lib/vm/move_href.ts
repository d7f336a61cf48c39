/** The address of the page that moves several VMs. Pure. */

/** Path of the page. */
export const MOVE = "/vms/move";

/** Most VMs of the page: each is checked on both hosts. */
export const MOST_MOVED = 50;

/** The page of these VMs. */
export function moveHref(vmIds: readonly string[]): string {
  return `${MOVE}?${new URLSearchParams(vmIds.map((id) => ["vm", id]))}`;
}
