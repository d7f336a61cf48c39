/**
 * The one decision on an image: what it is, whether it may be used, and the whole chain of images below it. Every
 * door asks here, and nothing else decides: disks and media of VMs, new VMs, bases of overlays, copies,
 * downloads, resizing.
 *
 * The rules, in the order in which they are looked at:
 *  1. What is not whole belongs to no VM: a volume that an upload, a download or a copy fills is held by it alone.
 *  2. The image and everything it is built on is held (`take`) before its head is read, and until the work is over.
 *     Work that waits for its turn as a job asks after the wait.
 *  3. Files outside all pools are the administrators', who are root on the host anyway.
 *  4. A cloud-init seed belongs to its VM alone, and nothing that is built on it is given to others.
 *  5. What VMs have is for who may see them: {@link refuseUnseen}.
 *  6. The format: {@link decideFormat}. Every use by a VM is recorded (`FormatRecords`), so that a raw disk stays
 *     raw after it was detached, whatever its guest wrote on it.
 *  7. The chain: {@link checkedChain}. An image that a VM has as raw is nowhere taken as qcow2, and is no base.
 *  8. The chain that was found is what is used: written into the domain's XML with an empty `<backingStore/>` at its
 *     end, or given to qemu-img node by node. It is not read from the headers again.
 */
import { message, type Sentence, vmName } from "../../../lib/i18n/message.ts";
import { isSystemError } from "../../machine/files.ts";
import { resolve } from "node:path";
import { isNameable } from "../../machine/host_file.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import { isInBin } from "../../../lib/bin/place.ts";
import { ContractError, type Role } from "../../../lib/contract/mod.ts";
import type { BackingImage, DiskSource } from "../../../lib/formats/xml/new_vm.ts";
import { SEED_SUFFIX } from "../../../lib/formats/xml/seed_drive.ts";
import { isSeed } from "../../../lib/vm/cloud_init/seed_file.ts";
import { type ContentKind, contentKind } from "../../../lib/formats/content_kind.ts";
import { decideFormat, type ImageFormat } from "../../../lib/formats/qcow2/format.ts";
import { looksLikeQcow2 } from "../../../lib/formats/qcow2/qcow2_header.ts";
import { may, vmObject } from "../../../lib/access/rights.ts";
import { includes } from "../../access.ts";
import { askedRights } from "../../access/asking.ts";
import { hostUseOf, stableName } from "../block_devices.ts";
import { secretFor } from "../passphrases.ts";
import { overlays, readPoolsSoon } from "../overlays.ts";
import { type Hold, NO_POOL } from "../locks.ts";
import { requireActive } from "../shared.ts";
import { findVolumeAt, findVolumeNamed, type PoolVolume } from "../volumes.ts";
import { directUses, type Use, usesOf } from "./usage.ts";
import { type ChainRequest, checkedChain, ImageRefused, qcow2Header, realPath } from "./chain.ts";
import { imageReader } from "./reader.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { requirePoolReachable } from "../reachable.ts";

/** Milliseconds the heads of an image's chain may take to be read: behind a dead server they never are. */
const HEADS_MS = 10_000;

/** An image, by volume or by path. */
export interface ImageRequest {
  readonly volume?: { readonly pool: string; readonly name: string };
  readonly path?: string;
  readonly format?: ImageFormat;
  /** The image that it is said to be built on, as a path or `pool/volume`: any file of the host, so for administrators alone. */
  readonly backingFile?: string;
}

/** Parses an absolute path or `pool/volume`; undefined for other texts. */
export function wishAt(place: string): ImageRequest | undefined {
  if (place.startsWith("/")) return { path: place };
  const slash = place.indexOf("/");
  return slash > 0 ? { volume: { pool: place.slice(0, slash), name: place.slice(slash + 1) } } : undefined;
}

/** As {@link wishAt}. @throws {ContractError} InvalidInput for what can name nothing */
export function requireWish(place: string, field = "path"): ImageRequest {
  const wish = wishAt(place);
  if (wish !== undefined) return wish;
  const reason = `${field} must be an absolute path on the host, or pool/volume`;
  throw new ContractError("InvalidInput", { field, reason });
}

/**
 * Purpose of an image: a VM's disk; a medium in its drive; the base of an overlay; its content as a guest
 * sees it, to be copied or resized; its bytes as they are stored, uninterpreted.
 */
export type ImagePurpose = "disk" | "medium" | "base" | "content" | "bytes";

/** Purpose of a request for an image, and the principal's role. */
export interface ImageUse {
  readonly purpose: ImagePurpose;
  readonly role: Role;
  /** The VM that is given it. */
  readonly vm?: { readonly id?: string; readonly name: string };
  /** Whether the caller holds the image itself already. */
  readonly isHeld?: boolean;
  /** Whether its chain may leave the pools: where administrators bring a whole definition. */
  readonly anyBase?: boolean;
}

/** An image that may be used. */
export interface CheckedImage extends DiskSource {
  readonly format: ImageFormat;
  /** Everything it is built on, nearest first. */
  readonly backing: readonly BackingImage[];
  readonly volume: PoolVolume | undefined;
  /** Size that a guest sees, in bytes; null if unknown. */
  readonly virtualBytes: number | null;
  /** How VMs use it already. */
  readonly uses: readonly Use[];
  /** Kind of content by its first bytes; undefined if they were not read. */
  readonly content: ContentKind | undefined;
}

const refused = (path: string, reason: Sentence, cause?: unknown) =>
  new ContractError("DiskRefused", { path, reason }, { cause });

function requireAdministrator({ role }: ImageUse): void {
  if (!includes(role, "administrator")) throw new ContractError("Forbidden", { role: "administrator" });
}

/** An image that was found at a place. */
interface FoundImage {
  readonly source: DiskSource;
  readonly volume: PoolVolume | undefined;
  /** The path without links, where its own has any. */
  readonly real?: string;
}

function ofVolume(volume: PoolVolume): FoundImage {
  const { path, type } = volume;
  if (type !== "file" && type !== "block") throw refused(path, message`it is a volume of type ${type}`);
  return { source: { path, type }, volume };
}

/** The path that a guest's disk, or an image built on it, would be told: libvirt's XML is UTF-8. */
const BY_NAME: ReadonlySet<ImagePurpose> = new Set(["disk", "medium", "base"]);

/** @throws {ContractError} DiskRefused for a name that libvirt's XML cannot hold */
async function find(host: LibvirtHost, wish: ImageRequest, use: ImageUse): Promise<FoundImage> {
  const found = await look(host, wish, use);
  const { path } = found.source;
  if (isInBin(path)) throw refused(path, "it is in the bin: restore it first");
  const isDevice = found.source.type === "block" && host.machine !== null;
  if (isDevice && found.volume !== undefined && use.purpose === "disk") await requireUnusedByHost(path);
  if (!BY_NAME.has(use.purpose) || isNameable(path)) return found;
  throw refused(path, "its name is no UTF-8, which libvirt's XML cannot hold: clone or rename it");
}

/** @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive, VolumeNotFound */
async function requireVolume(
  host: LibvirtHost,
  { pool, name }: NonNullable<ImageRequest["volume"]>,
): Promise<PoolVolume> {
  requireActive(host, pool);
  const volume = await findVolumeNamed(host.link, pool, name);
  if (volume === undefined) throw new ContractError("VolumeNotFound", { pool, name });
  return volume;
}

/** The path of the image that another is said to be built on. @throws {ContractError} InvalidInput @throws {ImageRefused} */
async function baseNamed(host: LibvirtHost, place: string): Promise<string> {
  const { path, volume } = requireWish(place, "backingFile");
  if (path !== undefined) return path;
  try {
    return (await requireVolume(host, volume!)).path;
  } catch (error) {
    // What is not found is the base, not the image itself.
    if (error instanceof ContractError) throw new ImageRefused(`there is no backing file ${place}`);
    throw error;
  }
}

async function look(host: LibvirtHost, wish: ImageRequest, use: ImageUse): Promise<FoundImage> {
  const { link } = host;
  if (wish.backingFile !== undefined) requireAdministrator(use);
  // Before libvirt, which opens the file with its pool's lock held.
  if (wish.volume !== undefined) await requirePoolReachable(host, wish.volume.pool);
  else if (wish.path !== undefined && link.machine !== null) {
    await link.machine.files.requireResponding(wish.path);
  }
  if (wish.volume !== undefined) return ofVolume(await requireVolume(host, wish.volume));
  const { path } = wish;
  if (path === undefined) {
    throw new ContractError("InvalidInput", { reason: "say which image: a volume or a path" });
  }
  const known = await findVolumeAt(link, path);
  if (known !== undefined) return ofVolume(known);
  const missing = () =>
    use.purpose === "medium"
      ? new ContractError("IsoNotFound", { isoPath: path })
      : new ContractError("DiskNotFound", { path });
  if (link.machine === null) throw missing();
  const real = await realPath(resolve(path));
  if (real !== undefined && isInBin(real)) throw refused(path, "it is in the bin: restore it first");
  // A pool knows its volumes by the path it has, which may hold links.
  const linked = real === undefined
    ? undefined
    : await findVolumeAt(link, real) ?? await findVolumeAt(link, resolve(path));
  if (linked !== undefined) return ofVolume(linked);
  // Any file of the host: whoever may use it can read it.
  requireAdministrator(use);
  if (real === undefined) throw missing();
  const { isFile, isBlockDevice } = await link.machine.files.statFile(real);
  if (!isFile && !isBlockDevice) {
    if (use.purpose === "medium") throw missing();
    throw refused(path, "it is neither a file nor a block device");
  }
  if (isBlockDevice) await requireUnusedByHost(real, path);
  return {
    source: {
      path: isBlockDevice ? await deviceName(resolve(path), real) : real,
      type: isFile ? "file" : "block",
    },
    volume: undefined,
    real,
  };
}

/**
 * The name by which a VM has a block device. The kernel's is another disk's after a start of the host; /dev/disk/by-id/…,
 * /dev/mapper/…, /dev/VG/LV stay.
 */
async function deviceName(path: string, real: string): Promise<string> {
  if (path !== real && path.startsWith("/dev/")) return path;
  return await stableName(real) ?? real;
}

/** A guest that writes to it, too, would destroy it. @throws {ContractError} DiskRefused */
async function requireUnusedByHost(device: string, path = device): Promise<void> {
  const use = await hostUseOf(device);
  if (use !== undefined) throw refused(path, message`this host uses it: ${use}`);
}

/** Holds an image, or sees at least that no operation works on it. @throws {ContractError} StorageBusy, DiskInUse */
function hold(
  { locks }: LibvirtHost,
  held: DisposableStack | undefined,
  { source, volume, real }: FoundImage,
  how: Hold,
  vm?: string,
): void {
  const keys = [[NO_POOL, real ?? source.path], ...volume ? [[volume.pool, volume.name]] : []] as const;
  for (const [pool, name] of keys) {
    if (held === undefined) locks.require(pool!, name!, "read");
    else held.use(locks.take(pool!, name!, { hold: how, ...(vm !== undefined && { vm }) }));
  }
}

/** @throws {ImageRefused} for a seed, unless it is put back into a drive of its own VM */
function refuseSeed(
  path: string,
  head: Uint8Array,
  { purpose, role, vm }: ImageUse,
  uses: readonly Use[],
): void {
  if (!isSeed(path, head) || includes(role, "administrator")) return;
  if (purpose === "medium" && uses.some(({ vmId }) => vmId === vm?.id)) return;
  throw new ImageRefused("it is a cloud-init seed, which belongs to its VM alone");
}

/**
 * Requires that the principal may see each VM that writes to the image, and one of those whose disks are
 * built on it: to read a VM's disk is to have all that is on it, and no command of storage is about a VM.
 * Media that VMs only read do not count, nor do images that a template keeps: their content is older than the
 * VMs.
 *
 * @throws {ImageRefused}
 */
async function refuseUnseen(host: LibvirtHost, path: string, { role }: ImageUse): Promise<void> {
  const rights = askedRights();
  if (includes(role, "administrator") || may(rights, "vms.view", { hostId: host.id })) return;
  const { inventory, keepers, id: hostId } = host;
  const isSeen = ({ vmId }: Use) =>
    may(
      rights,
      "vms.view",
      vmObject(vmId, {
        group: inventory.vm(vmId)?.group,
        project: inventory.vm(vmId)?.project?.id,
        hostId,
      }),
    );
  const uses = await usesOf(host, path);
  const own = uses.filter(({ format, readOnly }) => format !== undefined && !readOnly);
  const isTemplates = keepers.kept().some((kept) => kept.isFirst === true && kept.path === path);
  const builtOn = uses.filter(({ format }) => format === undefined);
  // What a snapshot, or the bin, keeps was a VM's disk
  const isTheirs = !isTemplates && (builtOn.length > 0 || await keepers.of(path) !== undefined);
  if (!own.every(isSeen) || (isTheirs && !uses.some(isSeen))) {
    throw new ImageRefused("it is a disk of a VM that you may not see, or such a disk is built on it");
  }
}

/** A base must not change below its overlays, and nothing a guest may write on is followed as qcow2. */
async function enterChain(
  host: LibvirtHost,
  held: DisposableStack | undefined,
  use: ImageUse,
  { path, type, format }: BackingImage,
  volume: PoolVolume | undefined,
): Promise<void> {
  hold(host, held, { source: { path, type }, volume }, "read");
  await refuseUnseen(host, path, use);
  const of = `of its backing file ${path}`;
  // Whoever reads what is built on a seed reads the seed.
  const reader = imageReader(host.link);
  if (reader !== undefined && path.endsWith(SEED_SUFFIX)) {
    refuseSeed(path, await reader.head(path), { ...use, purpose: "base" }, []);
  }
  const other = (await directUses(host, path)).find((each) => each.format !== format);
  if (other !== undefined) {
    throw new ImageRefused(message`${of}: ${vmName(other)} has it as ${other.format}, not as ${format}`);
  }
  const recorded = await host.formats.formatAt(path);
  if (recorded !== undefined && recorded !== format) {
    throw new ImageRefused(`${of}: a VM had it as ${recorded}, not as ${format}`);
  }
}

/** Refuses to write to an image that is kept, by a template for example. @throws {ImageRefused} */
async function refuseKept(host: LibvirtHost, path: string, { purpose }: ImageUse): Promise<void> {
  if (purpose !== "disk") return;
  const keeper = await host.keepers.of(path);
  if (keeper !== undefined) {
    throw new ImageRefused(`it belongs to the ${keeper}, and must not change: use a copy of it`);
  }
}

/** Nothing may write below a volume; one that a VM has is told by that VM. @throws {ImageRefused} */
async function refuseBase(
  host: LibvirtHost,
  path: string,
  { purpose }: ImageUse,
  uses: readonly Use[],
): Promise<void> {
  if (purpose !== "disk" || uses.length > 0) return;
  await readPoolsSoon(host);
  const overlay = await (await overlays(host))(path);
  if (overlay === undefined) return;
  throw new ImageRefused(
    `the volume ${overlay.name} of ${overlay.pool} is built on it, and it must not change: use a copy of it`,
  );
}

/** @throws {ImageRefused} when an image's content is to be used that is not what it looks like */
function refuseDisguised(format: ImageFormat, looksQcow2: boolean, uses: readonly Use[]): void {
  if (format !== "raw" || !looksQcow2) return;
  const who = uses[0] === undefined ? "it was used" : `${uses[0].name} uses it`;
  throw new ImageRefused(`${who} as raw, but its content looks like qcow2`);
}

/** Decides about what was found. @throws {ContractError} @throws {ImageRefused} @throws {Error} from reading it */
async function decide(
  host: LibvirtHost,
  wish: ImageRequest,
  use: ImageUse,
  found: FoundImage,
  held: DisposableStack | undefined,
): Promise<CheckedImage> {
  const { link, formats } = host;
  const { source, volume } = found;
  const { path, type } = source;
  const { purpose, role } = use;
  const isMedium = purpose === "medium", reader = imageReader(link);
  const giving = purpose === "disk" ? use.vm?.name : undefined;
  await refuseKept(host, path, use);
  if (!use.isHeld) hold(host, held, found, purpose === "disk" ? "change" : "read", giving);
  await refuseUnseen(host, path, use);
  const uses = purpose === "bytes" ? [] : await usesOf(host, path);
  await refuseBase(host, path, use, uses);
  // A device's first bytes are looked at only where somebody says that they are an image's.
  const isRead = purpose === "bytes"
    ? path.endsWith(SEED_SUFFIX)
    : type === "file" || wish.format === "qcow2";
  const head = reader !== undefined && isRead ? await reader.head(path) : new Uint8Array();
  refuseSeed(path, head, use, uses);
  const plain = {
    ...source,
    format: "raw",
    backing: [],
    volume,
    virtualBytes: volume?.capacity ?? null,
    content: reader !== undefined && isRead ? contentKind(head) : undefined,
  } as const;
  if (purpose === "bytes") return { ...plain, uses };
  const looksQcow2 = looksLikeQcow2(head);
  const direct = uses.flatMap((each) =>
    each.format === undefined ? [] : [{ vm: vmName(each), format: each.format }]
  );
  const recorded = await formats.formatAt(path);
  if (isMedium) {
    const isRaw = recorded === "raw" || direct.some(({ format }) => format === "raw");
    if (looksQcow2 && !isRaw) throw new ImageRefused("it is a qcow2 image, not an ISO");
    return { ...plain, uses };
  }
  const decision = decideFormat({
    said: wish.format,
    uses: direct,
    recorded,
    pool: volume?.format,
    isInPool: volume !== undefined,
    looksQcow2,
    mayOverrule: includes(role, "administrator"),
  });
  if ("refusal" in decision) throw new ImageRefused(decision.refusal);
  const { format, isSaid } = decision;
  const owners = uses.filter((each) => each.format !== undefined);
  if (purpose !== "disk") refuseDisguised(format, looksQcow2, owners);
  if (purpose === "base" && format === "raw" && owners[0] !== undefined) {
    throw new ImageRefused(
      `${owners[0].name} has it as its raw disk, which changes below what is built on it`,
    );
  }
  if (format === "raw" && wish.backingFile !== undefined) {
    throw new ImageRefused("a raw image is built on no other");
  }
  const named = wish.backingFile === undefined ? undefined : await baseNamed(host, wish.backingFile);
  const backing = format === "qcow2" && reader !== undefined
    ? await chainOf(host, path, { reader, named, isSaid, anyBase: use.anyBase }, use, held)
    : [];
  if (purpose === "disk" && held !== undefined && reader !== undefined) await formats.set(path, format);
  const secret = format === "raw" && volume !== undefined ? await secretFor(host, path) : undefined;
  const virtual = format === "qcow2" ? qcow2Header(head)?.virtualSize : undefined;
  return {
    ...source,
    ...(secret !== undefined && { secret }),
    format,
    backing,
    volume,
    virtualBytes: virtual === undefined ? volume?.capacity ?? null : Number(virtual),
    content: plain.content,
    uses,
  };
}

/** The chain below a qcow2 image. @throws {ImageRefused} */
async function chainOf(
  host: LibvirtHost,
  path: string,
  wish: Pick<ChainRequest, "reader" | "named" | "isSaid" | "anyBase">,
  use: ImageUse,
  held: DisposableStack | undefined,
): Promise<BackingImage[]> {
  const { link } = host;
  return await checkedChain(path, {
    ...wish,
    volumeAt: (at) => findVolumeAt(link, at),
    enter: (image, volume) => enterChain(host, held, use, image, volume),
  });
}

/**
 * Decides on an image.
 *
 * @param held keeps the image and all it is built on from change until it is disposed of. Without it the answer is
 * only what would be said now: for previews
 * @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive, VolumeNotFound, DiskNotFound or IsoNotFound,
 * DiskRefused, Forbidden, InvalidInput, StorageBusy, DiskInUse, StorageUnknown @throws {LibvirtError}
 */
export async function checkImage(
  host: LibvirtHost,
  wish: ImageRequest,
  use: ImageUse,
  held: DisposableStack | undefined,
): Promise<CheckedImage> {
  const found = await find(host, wish, use);
  const { path } = found.source;
  // What is decided too late holds nothing.
  const holding = held && new DisposableStack();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    const reason = `${path} cannot be read now`;
    timer = setTimeout(() => reject(new ContractError("StorageUnknown", { reason })), HEADS_MS);
  });
  const deciding = decide(host, wish, use, found, holding);
  try {
    const image = await Promise.race([deciding, limit]);
    if (holding !== undefined) {
      held?.use(holding);
      if (host.mediaOwners !== undefined) held?.use(await host.mediaOwners.hold(path));
    }
    return image;
  } catch (error) {
    deciding.then(() => holding?.dispose(), () => holding?.dispose());
    if (error instanceof ContractError || error instanceof LibvirtError) throw error;
    if (error instanceof ImageRefused) throw refused(path, error.sentence, error);
    if (error instanceof Deno.errors.PermissionDenied) {
      throw refused(path, "KVM Manager may not read it", error);
    }
    if (!isSystemError(error)) throw error;
    throw refused(path, message`it cannot be read (${error.message})`, error);
  } finally {
    clearTimeout(timer);
  }
}
