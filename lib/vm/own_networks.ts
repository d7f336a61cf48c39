/** Networks of libvirt that a VM's cards are in. Pure. */
import type { VM } from "../contract/mod.ts";

/** Each once, in the order of the cards. */
export const ownNetworks = ({ networkInterfaces }: Pick<VM, "networkInterfaces">): string[] => [
  ...new Set(networkInterfaces.filter(({ type }) => type === "network").map(({ network }) => network)),
];
