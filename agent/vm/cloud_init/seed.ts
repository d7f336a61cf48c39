/** Seeds as volumes: made, read, and found in a VM. */
import { LibvirtError } from "../../../ffi/error.ts";
import {
  type CloudInit,
  type ConfigFinding,
  ContractError,
  type VM,
  WARNINGS,
} from "../../../lib/contract/mod.ts";
import { drivesOf, seedName } from "../../../lib/formats/xml/seed_drive.ts";
import { MOST_SEED_BYTES, type Seed, writeSeed } from "../../../lib/vm/cloud_init/seed.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { contractError, isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import type { Steps } from "../../operations/operation.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import {
  defaultPool,
  type LinkCaller,
  type PoolVolume,
  removeVolume,
  uploadVolume,
} from "../../storage/volumes.ts";
import type { MadeDocuments } from "./seed_documents.ts";
import { seedDocuments } from "./seed_work.ts";

type Link = Pick<LibvirtLink, "call" | "machine">;

/** The VM and the cloud-init settings that a seed is made from. */
export interface SeedRequest {
  readonly vmName: string;
  readonly cloudInit: CloudInit;
  /** MAC addresses of the VM's interfaces in their order: what `network` without `mac` is about. */
  readonly macs: readonly string[];
  /** Pool of the seed: the default pool when left out. */
  readonly pool?: string;
  /** A script that the first start runs in addition to what `cloudInit` says. Never made of what people write. */
  readonly vendorData?: string;
  /** The seed before: what secrets that are kept are taken from. */
  readonly before?: Seed;
}

/** A seed that was made. */
export interface MadeSeed {
  readonly volume: PoolVolume;
  readonly path: string;
  readonly instanceId: string;
  readonly warnings: ConfigFinding[];
}

/** Warnings about a seed. */
export const seedWarnings = ({ nobodySignsIn }: Pick<MadeDocuments, "nobodySignsIn">): ConfigFinding[] =>
  nobodySignsIn ? [{ field: "cloudInit", code: "NobodySignsIn", message: WARNINGS.NobodySignsIn }] : [];

/** The refusal and the warnings of {@link makeSeed}, without making a seed. */
export async function checkSeed(
  { vmName, cloudInit, macs }: SeedRequest,
): Promise<{ readonly refusal?: ContractError; readonly warnings: ConfigFinding[] }> {
  try {
    const made = await seedDocuments.make(cloudInit, undefined, { vmName, macs, instanceId: "" });
    return { warnings: seedWarnings(made) };
  } catch (error) {
    if (error instanceof ContractError) return { refusal: error, warnings: [] };
    throw error;
  }
}

/**
 * Makes a seed as a new volume, a step of an operation; none that is there is touched.
 *
 * @throws {ContractError} InvalidInput, naming the field; CloudInitFailed; what any libvirt call may give
 */
export async function makeSeed(link: Link, request: SeedRequest, steps: Steps): Promise<MadeSeed> {
  const { vmName, macs, before } = request;
  const instanceId = `kvmm-${crypto.randomUUID()}`;
  const made = await seedDocuments.make(request.cloudInit, before, {
    vmName,
    instanceId,
    macs,
  });
  const { cloudInit, files } = made, warnings = seedWarnings(made);
  const bytes = writeSeed(cloudInit, files, Date.now(), request.vendorData);
  try {
    const pool = request.pool ?? await defaultPool(link), name = seedName(vmName, crypto.randomUUID());
    const volume = await makeVolume(link, steps, { pool, name }, () => uploadVolume(link, pool, name, bytes));
    return { volume, path: volume.path, instanceId, warnings };
  } catch (error) {
    throw contractError(error, "CloudInitFailed", "cloud-init");
  }
}

/** Deletes a seed that nothing needs any more. That it stays behind harms nothing: it is logged. */
export async function dropSeed(link: LinkCaller, path: string): Promise<void> {
  try {
    await removeVolume(link, path);
  } catch (error) {
    if (isConnectionLost(error)) throw error; // the operation that it is part of deletes it later
    log.warn("a cloud-init seed could not be deleted", { path, error });
  }
}

/** Reads a seed. @throws {ContractError} CloudInitUnreadable; what any libvirt call may give */
export async function seedAt(link: LinkCaller, path: string): Promise<Seed> {
  try {
    return await seedDocuments.read(await link.call("volumeRead", { path, most: MOST_SEED_BYTES }));
  } catch (thrown) {
    if (thrown instanceof LibvirtError && thrown.kind !== "libvirt") throw contractError(thrown);
    const error = messageOf(thrown);
    throw new ContractError("CloudInitUnreadable", { path, error }, { cause: thrown });
  }
}

/** The seed of a VM that goes with it when it is deleted: not one that another VM has in a drive. */
export function ownSeed(domainXml: string, vm: VM, all: readonly VM[]): string | undefined {
  const path = drivesOf(domainXml).seed?.path;
  const shared = all.some(({ id, disks }) => id !== vm.id && disks.some(({ source }) => source === path));
  return shared ? undefined : path;
}
