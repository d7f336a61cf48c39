/** Seeds as volumes: made, read, and found in a machine. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { type CloudInit, ContractError, KEPT_SECRET, type VM } from "../../lib/contract/mod.ts";
import { checkCloudInit } from "../../lib/cloud_init/check.ts";
import { documentsOf, NoSuchNic } from "../../lib/cloud_init/documents.ts";
import { drivesOf, seedName } from "../../lib/cloud_init/drive.ts";
import { MOST_SEED_BYTES, readSeed, type Seed, writeSeed } from "../../lib/cloud_init/seed.ts";
import { checkNetworkConfig, checkUserData, withSecretsOf, YamlFault } from "../../lib/cloud_init/yaml.ts";
import { messageOf } from "../../lib/message.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { type Caller, defaultPool, deleteVolume, uploadVolume, type Volume } from "../storage/volumes.ts";
import { sha512Crypt } from "./sha512_crypt.ts";

/** Most names tried for a seed: every change of a machine's gives the one before free again. */
const MOST_NAMES = 100;

/** What a seed is made from. */
export interface SeedRequest {
  readonly vmName: string;
  readonly cloudInit: CloudInit;
  /** MAC addresses of the machine's interfaces in their order: what `network` without `mac` is about. */
  readonly macs: readonly string[];
  /** Where the seed goes: the default pool when left out. */
  readonly pool?: string;
  /** The seed before: what secrets that are kept are taken from. */
  readonly before?: Seed;
}

/** A seed that was made. */
export interface MadeSeed {
  readonly volume: Volume;
  readonly path: string;
  readonly instanceId: string;
  /** Deletes it again, when a later step fails. What goes wrong with that is logged. */
  undo(): Promise<void>;
}

/** An error that names the field. The values stay out of it: they may be secrets. */
function refusal(field: string, message: string): ContractError {
  return new ContractError("InvalidInput", { reason: `cloudInit.${field} ${message}`, field });
}

/** Runs what may find a fault in a YAML document. */
function yaml<T>(field: "userData" | "networkConfig", run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof YamlFault) throw refusal(field, error.message);
    throw error;
  }
}

/**
 * Checks everything, hashes passwords, and puts kept secrets in: what comes out is what goes into the seed.
 *
 * @throws {ContractError} InvalidInput, naming the field
 */
export function completed(cloudInit: CloudInit, before?: Seed): CloudInit {
  const [fault] = checkCloudInit(cloudInit);
  if (fault !== undefined) throw refusal(fault.field, fault.message);
  const { form, userData, networkConfig, ...rest } = cloudInit;
  const hashes = new Map(
    before?.cloudInit.form?.users?.map(({ name, passwordHash }) => [name, passwordHash]) ?? [],
  );
  const users = form?.users?.map(({ password, passwordHash, ...user }, index) => {
    const hash = password !== undefined
      ? sha512Crypt(password)
      : passwordHash === KEPT_SECRET
      ? hashes.get(user.name)
      : passwordHash;
    if (passwordHash === KEPT_SECRET && hash === undefined) {
      throw refusal(`form.users.${index}.passwordHash`, "cannot be kept: this user had no password before");
    }
    return { ...user, ...(hash !== undefined && { passwordHash: hash }) };
  });
  const whole = userData === undefined ? undefined : yaml("userData", () => {
    checkUserData(userData);
    return withSecretsOf(userData, before?.files.userData);
  });
  const network = networkConfig === undefined ? undefined : yaml("networkConfig", () => {
    checkNetworkConfig(networkConfig);
    return withSecretsOf(networkConfig, before?.files.networkConfig);
  });
  return {
    ...rest,
    ...(form !== undefined && { form: { ...form, ...(users !== undefined && { users }) } }),
    ...(whole !== undefined && { userData: whole }),
    ...(network !== undefined && { networkConfig: network }),
  };
}

/** The documents of what was {@link completed}. @throws {ContractError} InvalidInput, naming the field */
export function documents(
  cloudInit: CloudInit,
  about: { readonly vmName: string; readonly instanceId: string; readonly macs: readonly string[] },
): ReturnType<typeof documentsOf> {
  try {
    const files = documentsOf(cloudInit, about);
    yaml("userData", () => checkUserData(files.userData));
    return files;
  } catch (error) {
    if (!(error instanceof NoSuchNic)) throw error;
    throw refusal(`network.${error.index}.mac`, "must be given: the machine has no such interface");
  }
}

/** What {@link makeSeed} would refuse, without making anything; undefined when it would not. */
export function seedRefusal({ vmName, cloudInit, macs }: SeedRequest): ContractError | undefined {
  try {
    documents(completed(cloudInit), { vmName, macs, instanceId: "" });
    return undefined;
  } catch (error) {
    if (error instanceof ContractError) return error;
    throw error;
  }
}

/**
 * Makes a seed as a new volume; none that is there is touched.
 *
 * @throws {ContractError} InvalidInput, naming the field; CloudInitFailed; what any libvirt call may give
 */
export async function makeSeed(link: Caller, request: SeedRequest): Promise<MadeSeed> {
  const { vmName, macs, before } = request;
  const cloudInit = completed(request.cloudInit, before);
  const instanceId = `kvmm-${crypto.randomUUID()}`;
  const bytes = writeSeed(cloudInit, documents(cloudInit, { vmName, instanceId, macs }), Date.now());
  try {
    const volume = await upload(link, request.pool ?? await defaultPool(link), vmName, bytes);
    return { volume, path: volume.path, instanceId, undo: () => dropSeed(link, volume.path) };
  } catch (error) {
    throw contractError(error, "CloudInitFailed", "cloud-init");
  }
}

/** Uploads under the first name that is free. */
async function upload(
  link: Caller,
  pool: string,
  vmName: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Volume> {
  for (let number = 1;; number++) {
    try {
      return await uploadVolume(link, pool, seedName(vmName, number), bytes);
    } catch (error) {
      const taken = error instanceof LibvirtError && error.code === VIR_ERR.STORAGE_VOL_EXIST;
      if (!taken || number === MOST_NAMES) throw error;
    }
  }
}

/** Deletes a seed that nothing needs any more. That it stays behind harms nothing: it is logged. */
export async function dropSeed(link: Caller, path: string): Promise<void> {
  try {
    await deleteVolume(link, path);
  } catch (error) {
    log.warn("a cloud-init seed could not be deleted", { path, error });
  }
}

/** Reads a seed. @throws {ContractError} CloudInitUnreadable; what any libvirt call may give */
export async function seedAt(link: Caller, path: string): Promise<Seed> {
  try {
    return readSeed(await link.call("volumeRead", { path, most: MOST_SEED_BYTES }));
  } catch (thrown) {
    if (thrown instanceof LibvirtError && thrown.kind !== "libvirt") throw contractError(thrown);
    const error = messageOf(thrown);
    throw new ContractError("CloudInitUnreadable", { path, error }, { cause: thrown });
  }
}

/** The seed of a machine that goes with it when it is deleted: not one that another machine has in a drive. */
export function ownSeed(domainXml: string, vm: VM, all: readonly VM[]): string | undefined {
  const path = drivesOf(domainXml).seed?.path;
  const shared = all.some(({ id, disks }) => id !== vm.id && disks.some(({ source }) => source === path));
  return shared ? undefined : path;
}
