/** Creates VMs for members of projects, who may have no right to the host. */
import {
  configInProject,
  type MeansHere,
  poolsOfNames,
  type ProjectMeans,
} from "../../../lib/projects/new_vm.ts";
import type { Input, NewProjectVm, VmConfig } from "../../../lib/contract/mod.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { type CreateServices, poolFacts } from "./facts.ts";
import { log } from "../../log.ts";
import { imageKind } from "../../storage/images/roles.ts";
import type { PoolVolume } from "../../storage/volumes.ts";

/** The volumes of a pool; none of one that cannot be read now. */
async function volumesOf(
  { inventory: { storage } }: LibvirtHost,
  pool: string,
): Promise<readonly PoolVolume[]> {
  try {
    return await storage.volumes(pool);
  } catch (error) {
    log.warn("the volumes of a pool cannot be read", { pool, error });
    return [];
  }
}

/** The images of a project on a host: `pool/name`, or a name alone, which is looked for where others cannot put one. */
async function imagesOn(
  services: CreateServices,
  { images, pools }: ProjectMeans,
): Promise<MeansHere["images"]> {
  const active = (await poolFacts(services)).pools.filter(({ active }) => active).map(({ name }) => name);
  const byName = poolsOfNames(active, { pools }, services.vms.projects.poolsOfMembers());
  const order = [...new Set([...byName, ...active])];
  const named = (image: string, pool: string, { name }: PoolVolume) =>
    image === `${pool}/${name}` || (image === name && byName.includes(pool));
  const found = new Map<string, { pool: string; volume: string; kind: "iso" | "disk" }>();
  for (const pool of images.length === 0 ? [] : order) {
    for (const volume of await volumesOf(services.vms, pool)) {
      const kind = imageKind(volume);
      if (kind === undefined) continue;
      for (const image of images.filter((each) => !found.has(each) && named(each, pool, volume))) {
        found.set(image, { pool, volume: volume.name, kind });
      }
    }
  }
  return found;
}

/** The pools, networks and images of a project that the host has. */
async function meansOn(services: CreateServices, means: ProjectMeans): Promise<MeansHere> {
  const { storage, networks } = services.vms.inventory;
  const known = new Set(networks.records().map(({ name }) => name));
  return {
    pools: means.pools.filter((pool) => storage.record(pool) !== undefined),
    networks: means.networks.filter((network) => known.has(network)),
    images: await imagesOn(services, means),
  };
}

/**
 * The configuration that a member's wish comes to.
 *
 * @throws {ContractError} ProjectNotFound, ProjectTakesNoVms, NotNamedByProject, InvalidInput, HostNotConnected
 */
export async function configOfMember(
  services: CreateServices,
  { projectId, ...wanted }: Input<"create_project_vm">,
): Promise<VmConfig> {
  services.vms.requireFilled();
  const { id, ...means } = services.vms.projects.meansOf(projectId);
  return configInProject(wanted as NewProjectVm, id, means, await meansOn(services, means));
}
