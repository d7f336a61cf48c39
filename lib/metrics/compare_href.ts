/** The address of the page that compares VMs. Pure. */

/** Path of the page. */
export const COMPARE = "/monitoring/compare";

/** Most VMs of the page: more lines cannot be told apart. */
export const MOST_COMPARED = 12;

/** The host, among the ids of what is compared: no VM has such a one. */
export const HOST_LINE = "host";

/** The page of these VMs. */
export function compareHref(vmIds: readonly string[]): string {
  return `${COMPARE}?${new URLSearchParams(vmIds.map((id) => ["vm", id]))}`;
}
