/** Looking for what a storage pool can be made of, on a server or on this host. */
import { ContractError, type Input, type Output } from "../../lib/contract/mod.ts";
import { FOUND_TYPES } from "../../lib/storage/pool_types.ts";
import { foundSources, sourceSpecXml } from "../../lib/xml/pool.ts";
import type { VmServices } from "../vm/services.ts";
import { poolTypes } from "./pool_make.ts";
import { storageError } from "./shared.ts";

/**
 * What libvirt finds.
 *
 * @throws {ContractError} InvalidInput, NotOnThisHost, StorageSourcesFailed, LibvirtTimeout when the server does not answer
 */
export async function findSources(
  services: VmServices,
  { type, host }: Input<"find_storage_sources">,
): Promise<Output<"find_storage_sources">> {
  const needsHost = FOUND_TYPES[type] === "host";
  if (needsHost !== (host !== undefined)) {
    const reason = needsHost ? `host is missing: where to look` : `host means nothing to type ${type}`;
    throw new ContractError("InvalidInput", { reason });
  }
  const { available, reason } = (await poolTypes(services)).find((each) => each.type === type)!;
  if (!available) {
    throw new ContractError("NotOnThisHost", { what: `A storage pool of type ${type}`, reason });
  }
  try {
    const spec = host === undefined ? null : sourceSpecXml(host);
    return foundSources(await services.link.call("poolSources", { type, spec }));
  } catch (error) {
    throw storageError(error, "StorageSourcesFailed", {});
  }
}
