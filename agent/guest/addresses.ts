/** The interfaces that a guest reports, as the addresses that the inventory keeps. */
import type { GuestAddress } from "../../ffi/calls/mod.ts";
import type { GuestInterface } from "../../lib/contract/mod.ts";

/** Those of one interface; none where the guest does not say which card it is. */
export function addressesOf({ mac, addresses }: GuestInterface): GuestAddress[] {
  if (mac === undefined) return [];
  return addresses.map((each) => {
    const [address = "", prefix] = each.split("/");
    return { mac, address, prefix: Number(prefix) };
  });
}
