/** Parts that the host lacks before VMs can be created on it, for a page: with the steps that the user may take. */
import { networksNotReady, poolLook, shownLack, storageNotReady } from "../../lib/host/ready.ts";
import type { ShownLack } from "../../lib/host/ready.ts";
import type { Network, StoragePool } from "../../lib/contract/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import { unlessAway } from "./fail.ts";

/**
 * Problem of the host's storage.
 *
 * @param here the page to come back to
 * @param need `files`: a pool that keeps images, and not only disks
 */
export function storageLack(
  { may }: Pick<PageState, "may">,
  pools: readonly StoragePool[],
  here: string,
  need?: "disks" | "files",
): ShownLack | null {
  return shownLack(storageNotReady(pools.map(poolLook), need), may, here);
}

/**
 * Problem of the host's networks. The host's own check decides, as it knows the bridges: every page gives the same
 * answer.
 *
 * @param told the result of the host's check, if the caller has it
 */
export async function networkLack(
  { api, may }: Pick<PageState, "api" | "may">,
  networks: readonly Network[],
  here: string,
  told?: readonly string[],
): Promise<ShownLack | null> {
  const lack = networksNotReady(networks, { hasBridges: false });
  if (lack === null) return null;
  const host = told === undefined && may("get_host_info") ? await api.getHostInfo().catch(unlessAway) : null;
  if (!(told ?? host?.attention ?? []).includes(lack.sentence)) return null;
  const isAsked = networks.every(({ active }) => !active) && may("get_network_options");
  const options = isAsked ? await api.getNetworkOptions().catch(unlessAway) : null;
  const look = { hasBridges: false, freeIpv4: options?.freeIpv4 ?? null };
  return shownLack(networksNotReady(networks, look), may, here);
}
