/** Addresses that pages offer a user. Pure, and without the contract's schemas: browsers have it, too. */
import { FORM_NEEDS, PAGE_NEEDS } from "../contract/page_needs.ts";
import { isOffered, looking, type Offers } from "./looking.ts";

/** The VM that an address is about. */
export function vmIdOf(address: string): string | undefined {
  const id = /^\/vms\/([^/?]+)/.exec(address)?.[1] ?? /[?&]vmId=([^&]+)/.exec(address)?.[1];
  return id === undefined || ["new", "import", "import-ova", "import-from", "actions"].includes(id)
    ? undefined
    : decodeURIComponent(id);
}

/** Whether a page may be opened. @param address path and query @param hostId the host that the address names */
export function mayOpen(offers: Offers, address: string, hostId?: string): boolean {
  const [, ...needs] = PAGE_NEEDS.find(([at]) => at.test(address)) ?? [];
  return (needs as string[]).every((command) => isOffered(offers, command, vmIdOf(address), hostId));
}

/** Whether a form may be sent. @param address path and query that it is sent to @param hostId the host that it names */
export function maySend(offers: Offers, address: string, hostId?: string): boolean {
  const command = /^\/do\/(\w+)/.exec(address)?.[1] ?? FORM_NEEDS.find(([at]) => at.test(address))?.[1];
  return command === undefined
    ? mayOpen(offers, address, hostId)
    : isOffered(offers, command, vmIdOf(address), hostId);
}

/** Whether a page may be opened by who looks. @param address path and query */
export function mayOpenNow(address: string): boolean {
  const now = looking();
  return now === null || mayOpen(now.offers, address);
}
