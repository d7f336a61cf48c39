/** Making a storage pool, and which types of pools this host can have. */
import { ContractError, type Input, type StoragePoolType } from "../../lib/contract/mod.ts";
import { POOL_TYPES, type PoolType } from "../../lib/contract/choices.ts";
import { POOL_KINDS, poolFieldFault, targetFault } from "../../lib/storage/pool_types.ts";
import { describePool, newPoolXml, poolTarget } from "../../lib/formats/xml/pool.ts";
import { child, children, parseXml, type XmlElement } from "../../lib/formats/xml/tree.ts";
import { isUnsupported } from "../libvirt/failure.ts";
import { resolvedPath } from "../machine/resolved_path.ts";
import { keyOf } from "../operations/operation_record.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { requireUnshared } from "./guest_folders.ts";
import { message } from "../../lib/i18n/message.ts";

/** `VIR_STORAGE_POOL_BUILD_NO_OVERWRITE`: what is on the device already is not lost. */
const NO_OVERWRITE = 4;
/**
 * Capabilities of libvirt's pool drivers; undefined for a driver without them, as its test driver. @throws
 * {LibvirtError}
 */
async function poolCapabilities(link: LibvirtHost["link"]): Promise<XmlElement | undefined> {
  try {
    return parseXml(await link.call("poolCapabilities"));
  } catch (error) {
    if (isUnsupported(error)) return undefined;
    throw error;
  }
}

/** Every type of pool that can be created somewhere, and why not here. @throws {LibvirtError} */
export async function poolTypes({ link }: LibvirtHost): Promise<StoragePoolType[]> {
  const root = await poolCapabilities(link);
  const known = new Map(children(root, "pool").map((pool) => [pool.attributes.type, pool]));
  return await Promise.all(POOL_TYPES.map(async (type): Promise<StoragePoolType> => {
    const { driver, tool } = POOL_KINDS[type];
    const pool = known.get(type);
    const options = children(child(pool, "poolOptions") ?? root, "enum")
      .find(({ attributes }) => attributes.name === "sourceFormatType");
    const formats = options === undefined ? [] : children(options, "value").map(({ text }) => text.trim());
    const lacks = root !== undefined && pool?.attributes.supported !== "yes"
      ? `libvirt has no driver for it: install ${driver}`
      : tool !== undefined && link.machine !== null && !await link.machine.hasProgram(tool.program)
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
  { link }: LibvirtHost,
  type: PoolType,
  target: string | undefined,
  asked: boolean,
): Promise<{ build: number | null; undoBuild: boolean }> {
  const kind = POOL_KINDS[type].build;
  if (asked && kind !== "asked") {
    throw new ContractError("InvalidInput", {
      reason: message`build means nothing to a pool of type ${type}`,
    });
  }
  const isFolder = type === "dir" || type === "fs" || type === "netfs";
  if (isFolder) {
    // libvirt would make a folder there, with the pool's lock held.
    if (target !== undefined && link.machine !== null) await link.machine.files.requireResponding(target);
    const isNew = target !== undefined && link.machine !== null && type === "dir" &&
      !await link.machine.files.isThere(target);
    return { build: asked ? NO_OVERWRITE : 0, undoBuild: isNew };
  }
  if (!asked) return { build: null, undoBuild: false };
  return { build: type === "zfs" ? 0 : NO_OVERWRITE, undoBuild: type !== "disk" };
}

/** A folder that a pool has already must not become a second one's: both would delete each other's volumes. */
async function refuseTaken({ inventory, machine }: LibvirtHost, path: string): Promise<void> {
  const real = await resolvedPath(machine, path);
  for (const { name, xml } of inventory.storage.records()) {
    const own = describePool(xml).path;
    if (own === undefined || (own !== path && await resolvedPath(machine, own) !== real)) continue;
    throw new ContractError("InvalidInput", {
      reason: message`path ${path} belongs to the storage pool ${name}`,
    });
  }
}

/**
 * Makes a pool and starts it; what was made is undone when a later step fails.
 *
 * @throws {ContractError} InvalidInput, PathRefused, NotOnThisHost @throws {LibvirtError}
 */
export async function createPool(
  host: LibvirtHost,
  input: Input<"create_storage_pool">,
  actor: string,
): Promise<void> {
  const { name, type: _type, build: wantsBuild = false, autostart = true, ...given } = input;
  const { type } = input;
  const target = poolTarget(input);
  const fault = poolFieldFault(type, given) ??
    (given.path === undefined ? undefined : targetFault(type, given.path)) ??
    (given.device?.startsWith("/") === false && type !== "iscsi" ? "device must begin with /" : undefined);
  if (fault !== undefined) throw new ContractError("InvalidInput", { reason: fault });
  if (target !== undefined && (type === "dir" || type === "fs" || type === "netfs")) {
    await refuseTaken(host, target);
    await requireUnshared(host, target);
  }
  const { available, reason } = (await poolTypes(host)).find((each) => each.type === type)!;
  if (!available) {
    throw new ContractError("NotOnThisHost", { what: message`A storage pool of type ${type}`, reason });
  }
  const { build, undoBuild } = await building(host, type, target, wantsBuild);
  const uuid = crypto.randomUUID();
  const spec = { command: "create_storage_pool", subject: name, actor, keys: [keyOf.pool(name)] } as const;
  await host.operations.run(spec, (operation) => {
    operation.add({ kind: "pool-made", uuid, name, undoBuild });
    return host.link.call("poolMake", { xml: newPoolXml(input, uuid), build, undoBuild, autostart });
  });
}
