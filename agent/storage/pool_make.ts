/** Making a storage pool, and which types of pools this host can have. */
import { ContractError, type Input, type StoragePoolType } from "../../lib/contract/mod.ts";
import {
  POOL_KINDS,
  POOL_TYPES,
  poolFieldFault,
  type PoolType,
  targetFault,
} from "../../lib/storage/pool_types.ts";
import { describePool, poolTarget, poolXml } from "../../lib/xml/pool.ts";
import { child, children, parseXml } from "../../lib/xml/tree.ts";
import { isThere } from "../files.ts";
import { isLocal } from "../host/local.ts";
import type { VmServices } from "../vm/services.ts";

/** `VIR_STORAGE_POOL_BUILD_NO_OVERWRITE`: what is on the device already is not lost. */
const NO_OVERWRITE = 4;
/** Where libvirt looks for the programs it runs. */
const PROGRAMS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

async function hasProgram(name: string): Promise<boolean> {
  const found = await Promise.all(PROGRAMS.map((folder) => isThere(`${folder}/${name}`)));
  return found.includes(true);
}

/** Every type of pool that can be created somewhere, and why not here. @throws {LibvirtError} */
export async function poolTypes({ link }: VmServices): Promise<StoragePoolType[]> {
  const root = parseXml(await link.call("poolCapabilities"));
  const known = new Map(children(root, "pool").map((pool) => [pool.attributes.type, pool]));
  return await Promise.all(POOL_TYPES.map(async (type): Promise<StoragePoolType> => {
    const { driver, tool } = POOL_KINDS[type];
    const pool = known.get(type);
    const options = children(child(pool, "poolOptions") ?? root, "enum")
      .find(({ attributes }) => attributes.name === "sourceFormatType");
    const formats = options === undefined ? [] : children(options, "value").map(({ text }) => text.trim());
    const lacks = pool?.attributes.supported !== "yes"
      ? `libvirt has no driver for it: install ${driver}`
      : tool !== undefined && isLocal(link.uri) && !await hasProgram(tool.program)
      ? `${tool.program} is not there: install ${tool.package}`
      : undefined;
    return {
      type,
      available: lacks === undefined,
      ...(lacks !== undefined && { reason: lacks }),
      formats: formats.filter((format) => format !== "auto" && format !== "unknown"),
    };
  }));
}

/** libvirt's flags for building, null where nothing is built, and whether building makes what was not there before. */
async function building(
  { link }: VmServices,
  type: PoolType,
  target: string | undefined,
  asked: boolean,
): Promise<{ build: number | null; undoBuild: boolean }> {
  const kind = POOL_KINDS[type].build;
  if (asked && kind !== "asked") {
    throw new ContractError("InvalidInput", { reason: `build means nothing to a pool of type ${type}` });
  }
  const isFolder = type === "dir" || type === "fs" || type === "netfs";
  if (isFolder) {
    const isNew = target !== undefined && isLocal(link.uri) && type === "dir" && !await isThere(target);
    return { build: asked ? NO_OVERWRITE : 0, undoBuild: isNew };
  }
  if (!asked) return { build: null, undoBuild: false };
  return { build: type === "zfs" ? 0 : NO_OVERWRITE, undoBuild: type !== "disk" };
}

/** A folder that a pool has already must not become a second one's: both would delete each other's volumes. */
function refuseTaken({ inventory }: VmServices, path: string): void {
  for (const { name, xml } of inventory.storage.records()) {
    if (describePool(xml).path !== path) continue;
    throw new ContractError("InvalidInput", { reason: `path ${path} belongs to the storage pool ${name}` });
  }
}

/**
 * Makes a pool and starts it; what was made is undone when a later step fails.
 *
 * @throws {ContractError} InvalidInput, NotOnThisHost @throws {LibvirtError}
 */
export async function createPool(services: VmServices, input: Input<"create_storage_pool">): Promise<void> {
  const { name: _name, type: _type, build: wantsBuild = false, autostart = true, ...given } = input;
  const { type } = input;
  const target = poolTarget(input);
  const fault = poolFieldFault(type, given) ??
    (given.path === undefined ? undefined : targetFault(type, given.path)) ??
    (given.device?.startsWith("/") === false && type !== "iscsi" ? "device must begin with /" : undefined);
  if (fault !== undefined) throw new ContractError("InvalidInput", { reason: fault });
  if (target !== undefined && (type === "dir" || type === "fs" || type === "netfs")) {
    refuseTaken(services, target);
  }
  const { available, reason } = (await poolTypes(services)).find((each) => each.type === type)!;
  if (!available) {
    throw new ContractError("NotOnThisHost", { what: `A storage pool of type ${type}`, reason });
  }
  const { build, undoBuild } = await building(services, type, target, wantsBuild);
  await services.link.call("poolMake", { xml: poolXml(input), build, undoBuild, autostart });
}
