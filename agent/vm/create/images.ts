/** Images and CDs that somebody names for a new VM: what they are, and whether they may be used. */
import { type Sentence, userName } from "../../../lib/i18n/message.ts";
import { ContractError, type ImagePolicy, type NewDisk } from "../../../lib/contract/mod.ts";
import { strangeContent } from "../../../lib/formats/content_kind.ts";
import { contentWarning } from "../../../lib/image/content_warning.ts";
import type { ImageFact, IsoFact } from "../../../lib/vm/create/facts.ts";
import { type CheckedImage, checkImage, type ImageUse, wishAt } from "../../storage/disk_images/check.ts";
import { mediumDoubt } from "../../storage/disk_images/medium.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { GIB } from "../../../lib/text/byte_units.ts";

/** In whose name images are looked at, and what they are held by. */
export interface ImageContext {
  readonly host: LibvirtHost;
  readonly role: ImageUse["role"];
  readonly vmName: string;
  /** Limits on images. @throws {ContractError} while they cannot be read */
  readonly policy: () => Pick<ImagePolicy, "maxVirtualGb">;
  /** Holds what is used directly until the VM is made; nothing is held where it is only looked at. */
  readonly held: DisposableStack | undefined;
}

/** Errors that say that nothing is at the place. */
const MISSING: ReadonlySet<string> = new Set([
  "StoragePoolNotFound",
  "StoragePoolNotActive",
  "VolumeNotFound",
  "IsoNotFound",
  "DiskNotFound",
]);

const isMissing = (error: unknown) => error instanceof ContractError && MISSING.has(error.code);

/** The CD at a place; an error when it may not be used, undefined when there is none. @throws {LibvirtError} */
export async function isoFact(
  { host, role, vmName, held }: ImageContext,
  place: string,
  anyMedium: boolean,
): Promise<IsoFact | undefined> {
  const wish = wishAt(place);
  if (wish === undefined) return undefined;
  try {
    const use = { purpose: "medium", role, vm: { name: vmName } } as const;
    const image = await checkImage(host, wish, use, held);
    const { path, type } = image, doubt = mediumDoubt(image, "isoPath", anyMedium);
    return { path, type, ...(doubt !== undefined && { doubt }) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (error instanceof ContractError) return { error };
    throw error;
  }
}

/** @throws {ContractError} DiskRefused for what no host can hold: a few kilobytes can pretend to be such a disk */
function requireVirtualSize(
  place: string,
  { virtualBytes, format }: CheckedImage,
  context: ImageContext,
): void {
  if (format !== "qcow2" || virtualBytes === null) return;
  const { maxVirtualGb } = context.policy();
  if (virtualBytes <= maxVirtualGb * GIB) return;
  const gib = Math.floor(virtualBytes / GIB);
  const reason =
    `a guest would see ${gib} GiB, allowed are ${maxVirtualGb}: see the rules on the page of images`;
  throw new ContractError("DiskRefused", { path: place, reason });
}

/** @throws {ContractError} DiskRefused for a packed file, unless somebody says that its bytes are the disk's */
function requireUnpacked(place: string, { content }: CheckedImage, said: NewDisk["format"]): void {
  if (content?.kind !== "packed" || said === "raw") return;
  const reason =
    `it is packed with ${content.packing}: a guest would find no disk in it. Upload it once more, which ` +
    "unpacks it, or say format raw to use it as it is";
  throw new ContractError("DiskRefused", { path: place, reason });
}

/** @throws {ContractError} DiskRefused, DiskInUse: what cannot be copied */
function requireCopyable(place: string, image: CheckedImage, { host }: ImageContext): void {
  const refused = (reason: Sentence) => new ContractError("DiskRefused", { path: place, reason });
  if (image.volume === undefined) {
    throw refused(
      "it is in no storage pool, so it cannot be copied: upload it, or make a pool of its folder",
    );
  }
  if (image.volume.encryption?.secret !== undefined) {
    throw refused("it is encrypted, and its passphrase belongs to it alone: copy inside a VM");
  }
  const active = new Set(host.inventory.active());
  const writer = image.uses.find(({ vmId, readOnly }) => active.has(vmId) && !readOnly);
  if (writer !== undefined) throw new ContractError("DiskInUse", { path: place, vm: userName(writer) });
}

/**
 * Facts of an image that is to become a disk, or to be copied for one, or the reason why it must not.
 *
 * @throws {LibvirtError}
 */
export async function imageFact(
  context: ImageContext,
  disk: NewDisk & { readonly path: string },
): Promise<ImageFact> {
  const { path: place, format, backingFile, copyAs } = disk;
  const isCopy = copyAs !== undefined;
  try {
    const wish = wishAt(place);
    if (wish === undefined) return { error: new ContractError("DiskNotFound", { path: place }) };
    const image = await checkImage(
      context.host,
      { ...wish, ...(format && { format }), ...(backingFile !== undefined && { backingFile }) },
      { purpose: isCopy ? "content" : "disk", role: context.role, vm: { name: context.vmName } },
      // A copy is decided on once more when its turn has come, and held then.
      isCopy ? undefined : context.held,
    );
    if (isCopy) requireCopyable(place, image, context);
    else if (image.uses[0] !== undefined) {
      throw new ContractError("DiskInUse", { path: place, vm: userName(image.uses[0]) });
    }
    requireVirtualSize(place, image, context);
    requireUnpacked(place, image, format);
    const { path, type, secret, backing, virtualBytes, content } = image;
    const isStrange = content !== undefined && strangeContent(content) !== undefined;
    const doubt = isStrange ? contentWarning("", content, place) : undefined;
    return {
      ...(doubt !== undefined && { doubt }),
      source: { path, type, ...(secret !== undefined && { secret }) },
      format: image.format,
      backing,
      virtualBytes,
    };
  } catch (error) {
    if (isMissing(error)) return { error: new ContractError("DiskNotFound", { path: place }) };
    if (error instanceof ContractError) return { error };
    throw error;
  }
}
