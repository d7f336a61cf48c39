/** Configuration of a VM that a member creates in a project. Pure. */
import {
  type CloudInit,
  ContractError,
  type NewProjectVm,
  type Project,
  type VmConfig,
} from "../contract/mod.ts";
import type { ImageKind } from "../contract/images.ts";
import { message } from "../i18n/message.ts";

/** Pools, networks, images and defaults that members may create VMs with. */
export type ProjectMeans = Pick<Project, "name" | "pools" | "networks" | "images" | "defaults">;

/** The part of them that exists on a host. */
export interface MeansHere {
  readonly pools: readonly string[];
  readonly networks: readonly string[];
  /** Image as the project names it → the volume it is. */
  readonly images: ReadonlyMap<
    string,
    { readonly pool: string; readonly volume: string; readonly kind: ImageKind }
  >;
}

/**
 * The pools in which an image is looked for by its name alone, in order. Members choose the names of their VMs, and so of volumes:
 * where no project puts VMs goes before the project's own pools, and pools of other projects alone are left out.
 *
 * @param all pools of the host
 * @param ofMembers pools that some project names
 */
export function poolsOfNames(
  all: readonly string[],
  { pools: own }: Pick<ProjectMeans, "pools">,
  ofMembers: ReadonlySet<string>,
): string[] {
  return [
    ...all.filter((pool) => !ofMembers.has(pool) && !own.includes(pool)).toSorted(),
    ...own.filter((pool) => all.includes(pool)),
  ];
}

const WHAT = { pool: "storage pools", network: "networks", image: "images" } as const;

function requireNamed(
  { name: project }: ProjectMeans,
  field: keyof typeof WHAT,
  name: string,
  choices: Iterable<string>,
): void {
  const all = [...choices];
  if (all.includes(name)) return;
  throw new ContractError("NotNamedByProject", {
    field,
    name,
    project,
    what: WHAT[field],
    choices: all.join(", ") || "none",
  });
}

function cloudInitOf({ name, user, sshKeys = [], userPassword }: NewProjectVm): CloudInit | undefined {
  if (user === undefined) {
    const field = sshKeys.length > 0 ? "sshKeys" : userPassword !== undefined ? "userPassword" : undefined;
    if (field === undefined) return undefined;
    throw new ContractError("InvalidInput", {
      reason: message`${field} is for a user: give the field user as well`,
      field,
    });
  }
  return {
    form: {
      hostname: name.replace(/[_.]+/g, "-"),
      users: [{
        name: user,
        sudo: "nopasswd",
        ...(sshKeys.length > 0 && { sshKeys }),
        ...(userPassword !== undefined && { password: userPassword }),
      }],
    },
  };
}

function disksOf(
  { image, diskSizeGb, pool }: NewProjectVm & { readonly pool: string },
  { defaults }: ProjectMeans,
  here: MeansHere,
): Pick<VmConfig, "disks" | "isoPath" | "diskSizeGb"> {
  const found = image === undefined ? undefined : here.images.get(image)!;
  const sizeGb = diskSizeGb ?? defaults.diskSizeGb;
  const place = found && `${found.pool}/${found.volume}`;
  if (found?.kind === "disk") {
    return { disks: [{ path: place!, copyAs: "qcow2", pool, ...(sizeGb !== undefined && { sizeGb }) }] };
  }
  return {
    disks: [{ sizeGb: sizeGb ?? USUAL_DISK_GB, pool }],
    ...(place !== undefined && { isoPath: place }),
  };
}

/** GiB of an empty disk where neither the member nor the project says more. */
const USUAL_DISK_GB = 20;

/**
 * The configuration of a VM, of nothing but what its project names on a host.
 *
 * @param projectId of the project, which the configuration names
 * @throws {ContractError} ProjectTakesNoVms, NotNamedByProject, InvalidInput
 */
export function configInProject(
  wanted: NewProjectVm,
  projectId: string,
  means: ProjectMeans,
  here: MeansHere,
): VmConfig {
  const { name, title, osVariant, cpuCount, memoryMb, image, start } = wanted;
  if (means.pools.length === 0) throw new ContractError("ProjectTakesNoVms", { project: means.name });
  const pool = wanted.pool ?? here.pools[0] ?? means.pools[0]!;
  requireNamed(means, "pool", pool, here.pools);
  if (image !== undefined) requireNamed(means, "image", image, here.images.keys());
  const usual = means.defaults.network !== undefined && here.networks.includes(means.defaults.network)
    ? means.defaults.network
    : here.networks[0];
  const network = wanted.network ?? usual;
  if (network !== undefined) requireNamed(means, "network", network, here.networks);
  const cloudInit = cloudInitOf(wanted);
  return {
    name,
    project: projectId,
    ...(title !== undefined && { title }),
    ...(osVariant !== undefined && { osVariant }),
    ...(cpuCount !== undefined && { cpuCount }),
    ...(memoryMb !== undefined && { memoryMb }),
    ...disksOf({ ...wanted, pool }, means, here),
    nics: network === undefined ? [] : [{ network }],
    ...(cloudInit !== undefined && { cloudInit }),
    ...(start !== undefined && { start }),
  };
}
