/**
 * For whom is drawn: links, buttons and forms that they may not use are drawn as such. It decides what is shown alone; dispatch
 * decides what is done. Pure, and small: browsers have it on every page.
 */

/** Commands that a user may not run, and those that are allowed on some VMs or hosts alone. */
export interface Offers {
  readonly refused: readonly string[];
  readonly partly: readonly { readonly commands: readonly string[]; readonly vmIds: readonly string[] }[];
  /** Commands about a host that are allowed on these alone. */
  readonly onHosts: readonly { readonly commands: readonly string[]; readonly hostIds: readonly string[] }[];
  /** Id of the page's host, which is meant where none is named. */
  readonly host: string;
}

/** Whether a command is offered: on that VM, or on any where none is named; on that host, or else on the page's. */
export function isOffered(offers: Offers, command: string, vmId?: string, hostId = offers.host): boolean {
  const { refused, partly, onHosts } = offers;
  if (refused.includes(command)) return false;
  if (onHosts.some(({ commands, hostIds }) => commands.includes(command) && !hostIds.includes(hostId))) {
    return false;
  }
  return vmId === undefined ||
    partly.every(({ commands, vmIds }) => !commands.includes(command) || vmIds.includes(vmId));
}

/** For whom is drawn: what they are offered, path and query of the page, and the path below which pages are served. */
export interface Looking {
  readonly offers: Offers;
  readonly page: string;
  readonly base: string;
}

let current: () => Looking | null = () => null;

/** Says for whom is drawn. Called once by what serves pages, and in the browser. */
export function useLooking(source: () => Looking | null): void {
  current = source;
}

/** For whom is drawn; null: for who may use everything. */
export const looking = (): Looking | null => current();

/** Whether a command is offered on a VM, or on any where none is named: for buttons that send no form. */
export function isOfferedNow(command: string, vmId?: string): boolean {
  const now = looking();
  return now === null || isOffered(now.offers, command, vmId);
}
