/** Looking for what a storage pool can be made of, on a server or on this host. */
import { ContractError, type Input, type Output } from "../../lib/contract/mod.ts";
import { FOUND_TYPES } from "../../lib/contract/choices.ts";
import { foundSources, sourceSpecXml } from "../../lib/formats/xml/pool.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { poolTypes } from "./pool_make.ts";
import { storageError } from "./shared.ts";
import { message } from "../../lib/i18n/message.ts";

/** Questions under way: libvirt keeps a worker for each until the server answers. */
const asking = new Set<string>();

/**
 * Sources of storage that libvirt finds. A server is asked one question at a time.
 *
 * @throws {ContractError} InvalidInput, NotOnThisHost, StorageBusy, StorageSourcesFailed, LibvirtTimeout when
 *   the server does not answer
 */
export async function findSources(
  host: LibvirtHost,
  { type, sourceHost }: Input<"find_storage_sources">,
): Promise<Output<"find_storage_sources">> {
  const needsHost = FOUND_TYPES[type] === "host";
  if (needsHost !== (sourceHost !== undefined)) {
    const reason = needsHost
      ? `sourceHost is missing: where to look`
      : `sourceHost means nothing to type ${type}`;
    throw new ContractError("InvalidInput", { reason });
  }
  const { available, reason } = (await poolTypes(host)).find((each) => each.type === type)!;
  if (!available) {
    throw new ContractError("NotOnThisHost", { what: message`A storage pool of type ${type}`, reason });
  }
  const asked = `${host.id} ${type} ${sourceHost ?? ""}`;
  if (asking.has(asked)) {
    const what = sourceHost === undefined ? `The look for ${type} sources` : `The look at ${sourceHost}`;
    throw new ContractError("StorageBusy", { what });
  }
  asking.add(asked);
  try {
    const spec = sourceHost === undefined ? null : sourceSpecXml(sourceHost);
    return foundSources(await host.link.call("poolSources", { type, spec }));
  } catch (error) {
    throw storageError(error, "StorageSourcesFailed", {});
  } finally {
    asking.delete(asked);
  }
}
