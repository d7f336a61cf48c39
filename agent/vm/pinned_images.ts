/**
 * The images that a whole definition names, where somebody brings one: each is decided on as everywhere, and its chain
 * is written into the XML, so that QEMU opens what was looked at and not what a header names later.
 */
import { ContractError } from "../../lib/contract/mod.ts";
import type { BackingImage } from "../../lib/formats/xml/new_vm.ts";
import { backingStoreXml, type DeclaredChain, declaredChain } from "../../lib/formats/xml/backing_store.ts";
import { type DiskDevice, disksOf } from "../../lib/formats/xml/device_diff.ts";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { child, children, type XmlElement } from "../../lib/formats/xml/tree.ts";
import { diskFormat } from "../storage/format_records.ts";
import { isActivePool } from "../storage/shared.ts";
import { findVolumeNamed } from "../storage/volumes.ts";
import { DRIVES } from "./devices/media.ts";
import { realPath } from "../storage/disk_images/chain.ts";
import { checkImage, type ImageRequest } from "../storage/disk_images/check.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";

/** The VM and the purpose that a definition is judged for. */
export interface DefinitionUse {
  readonly vm: { readonly id?: string; readonly name: string };
  /** The definition that it replaces: what it has already was decided on, or is looked at when the VM starts. */
  readonly before?: string | undefined;
  /** Keeps the images from change until it is disposed of; without it nothing is held, for previews. */
  readonly held: DisposableStack | undefined;
}

const elementsOf = (document: XmlDocument): XmlElement[] => children(document.find("devices"), "disk");

/** A disk as a definition has it. */
interface NamedImage {
  readonly disk: DiskDevice;
  readonly chain: DeclaredChain;
}

/** Key of the parts of a disk that decide which files QEMU opens for it. */
const imageOf = ({ disk: { type, source, format }, chain: { images, isComplete } }: NamedImage): string =>
  JSON.stringify([type, source, format, images, isComplete]);

function imagesIn(document: XmlDocument): NamedImage[] {
  const elements = elementsOf(document);
  return disksOf(document.toString()).map((disk, index) => ({
    disk,
    chain: declaredChain(elements[index]!),
  }));
}

/** Image of a disk; undefined for a source that is no file and no device of this host. */
async function wishOf(
  { link, inventory }: LibvirtHost,
  { type, source, volume }: DiskDevice,
): Promise<ImageRequest | undefined> {
  if (type === "volume") {
    const record = volume && inventory.storage.record(volume.pool);
    if (volume === undefined || record === undefined || !isActivePool(record)) return undefined;
    const found = (await findVolumeNamed(link, volume.pool, volume.name))?.type;
    return found === "file" || found === "block" ? { volume } : undefined;
  }
  const isPath = (type === "file" || type === "block") && source?.startsWith("/") === true;
  return isPath ? { path: source } : undefined;
}

const told = (images: readonly { readonly path: string; readonly format: string }[]) =>
  images.length === 0 ? "no other image" : images.map(({ path, format }) => `${path} (${format})`).join(", ");

/** @throws {ContractError} DiskRefused when a definition says another chain than the headers */
async function requireSameChain(
  path: string,
  { images, isComplete }: DeclaredChain,
  backing: readonly BackingImage[],
): Promise<void> {
  const said = await Promise.all(
    images.map(async (image) => ({ ...image, path: await realPath(image.path) ?? image.path })),
  );
  const isSame = (!isComplete || said.length === backing.length) &&
    said.every((image, at) => image.path === backing[at]?.path && image.format === backing[at]?.format);
  if (isSame) return;
  const reason = `<backingStore> says that it is built on ${told(said)}, its header on ${told(backing)}`;
  throw new ContractError("DiskRefused", { path, reason });
}

/** Decides on one disk's image. @returns the images that it is built on; undefined when there is no image yet */
async function judged(
  host: LibvirtHost,
  disk: DiskDevice,
  { images: [first], isComplete }: DeclaredChain,
  { vm, held }: DefinitionUse,
): Promise<readonly BackingImage[] | undefined> {
  const wish = await wishOf(host, disk);
  const format = diskFormat(disk);
  if (wish === undefined || (format !== "raw" && format !== "qcow2")) return undefined;
  const backingFile = format === "qcow2" ? first?.path : undefined;
  try {
    const { backing } = await checkImage(
      host,
      { ...wish, format, ...(backingFile !== undefined && { backingFile }) },
      // A whole definition is the administrators' alone. What it says of a chain to its end may lie anywhere.
      { purpose: "disk", role: "administrator", vm, anyBase: isComplete },
      held,
    );
    return backing;
  } catch (error) {
    // libvirt defines such a VM, and says what is missing when it starts.
    if (error instanceof ContractError && error.code === "DiskNotFound") return undefined;
    throw error;
  }
}

/**
 * Decides on every image that a definition names, and completes the chains in it.
 *
 * @throws {ContractError} DiskRefused, DiskInUse, StorageBusy, StorageUnknown @throws {LibvirtError}
 */
export async function pinImages(
  host: LibvirtHost,
  document: XmlDocument,
  use: DefinitionUse,
): Promise<void> {
  if (host.machine === null) return;
  const { before } = use;
  const known = new Set(before === undefined ? [] : imagesIn(new XmlDocument(before)).map(imageOf));
  for (const [index, image] of imagesIn(document).entries()) {
    if (known.has(imageOf(image))) continue;
    const { disk, chain } = image;
    // What is raw has no header; a drive's medium is judged only where it is not.
    if (DRIVES.has(disk.device) && diskFormat(disk) === "raw") continue;
    const backing = await judged(host, disk, chain, use);
    if (backing === undefined || diskFormat(disk) !== "qcow2") continue;
    await requireSameChain(disk.source ?? "", chain, backing);
    if (!chain.isComplete) complete(document, index, backing);
  }
}

/** Writes the whole chain of the disk at a place in the list. */
function complete(document: XmlDocument, index: number, backing: readonly BackingImage[]): void {
  const said = child(elementsOf(document)[index], "backingStore");
  if (said !== undefined) document.replace(said, backingStoreXml(backing));
  else document.insertAfter(child(elementsOf(document)[index], "source")!, backingStoreXml(backing));
}
