/** What the host lacks before VMs can be created on it, for a page: with the steps that the person may take. */
import {
  hasOwnBridge,
  networksNotReady,
  poolLook,
  shownLack,
  storageNotReady,
} from "../../lib/host/ready.ts";
import type { ShownLack } from "../../lib/host/ready.ts";
import type { Network, StoragePool } from "../../lib/contract/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import { unlessAway } from "./fail.ts";

/** What the storage lacks. @param here the page to come back to @param need `files`: a pool that keeps images, and not only disks */
export function storageLack(
  { may }: Pick<PageState, "may">,
  pools: readonly StoragePool[],
  here: string,
  need?: "disks" | "files",
): ShownLack | null {
  return shownLack(storageNotReady(pools.map(poolLook), need), may, here);
}

/** What the networks lack. The host's bridges and a free subnet are asked for only where no network runs. */
export async function networkLack(
  { api, may }: Pick<PageState, "api" | "may">,
  networks: readonly Network[],
  here: string,
): Promise<ShownLack | null> {
  const isAsked = networks.every(({ active }) => !active) && may("get_network_options");
  const options = isAsked ? await api.getNetworkOptions().catch(unlessAway) : null;
  const look = {
    hasBridges: hasOwnBridge(options?.devices.flatMap(({ name, bridge }) => bridge ? [name] : []) ?? []),
    freeIpv4: options?.freeIpv4 ?? null,
  };
  return shownLack(networksNotReady(networks, look), may, here);
}
