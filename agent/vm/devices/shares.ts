/** Folders of the host that a VM's guest mounts: adding and removing them. */
import { MOST_SHARE_TAG } from "../../../lib/contract/choices.ts";
import { ContractError, type Input, type Output, type VM } from "../../../lib/contract/mod.ts";
import { renderXml } from "../../../lib/formats/xml/build.ts";
import {
  hasSharedMemory,
  type ShareDriver,
  shareMemory,
  type ShareSpec,
  shareWithTag,
  shareXml,
} from "../../../lib/formats/xml/device_share.ts";
import { sharesOf } from "../../../lib/formats/xml/device_diff.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { tagOf } from "../../../lib/vm/shared_folders.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { closedFolder } from "../../hosts/inaccessible_directory.ts";
import { shareDrivers } from "../../hosts/share_drivers.ts";
import { cannotLive } from "../../libvirt/failure.ts";
import type { Operation, Steps } from "../../operations/operation.ts";
import { requireNoSavedMemory } from "../saved_memory.ts";
import { attachElement } from "./attach_disk.ts";
import { changedPlaces, configurationsOf, deviceError, type Places, runOf } from "./configurations.ts";
import { changeDevices } from "./operate.ts";
import { remove } from "./release.ts";
import { requireFolder } from "./shared_folder.ts";

const DEVICE = "shared folder";
const NO_MEMORY = "it was started without shared memory, which virtiofs needs";
const NO_HOTPLUG = "read-only folders (9p) cannot be added or removed while a VM runs";

/** @throws {ContractError} NotOnThisHost */
async function requireDriver(host: LibvirtHost, vm: VM, driver: ShareDriver): Promise<void> {
  const found = (await shareDrivers(host, vm)).find((each) => each.driver === driver);
  const reason = found?.unavailable;
  if (reason !== undefined) throw new ContractError("NotOnThisHost", { what: driver, reason });
}

/** QEMU itself reads what is shared by 9p, as its own user. @throws {ContractError} PathRefused */
async function requireReadable(host: LibvirtHost, path: string): Promise<void> {
  const user = await host.capabilities.qemuUser();
  const folder = user && await closedFolder(`${path}/.`, user);
  if (folder === undefined) return;
  const reason = `QEMU's user, who reads a read-only share, may not enter ${folder}`;
  throw new ContractError("PathRefused", { path, reason });
}

/** Adds it to the running VM. @returns why that has to wait; undefined where it is done */
async function plugLive(
  host: LibvirtHost,
  vm: VM,
  live: XmlDocument | undefined,
  share: ShareSpec,
  steps: Steps,
): Promise<string | undefined> {
  if (share.driver !== "virtiofs") return NO_HOTPLUG;
  if (live === undefined || !hasSharedMemory(live)) return NO_MEMORY;
  try {
    const element = renderXml(shareXml(share)), device = `${DEVICE} ${share.tag}`;
    const at = { uuid: vm.id, name: vm.name, device, run: runOf(live) };
    steps.add({ kind: "device-changed", ...at, before: null, after: element });
    await attachElement(host, vm, element, { live: true, config: false }, { live: true }, DEVICE);
    return undefined;
  } catch (error) {
    if (error instanceof ContractError && error.code === "NoFreeSlot") return "it has no free PCI slot";
    if (cannotLive(error)) return "this libvirt adds no shared folder to a running VM";
    throw error;
  }
}

/** Adds it to the stored definition, with the memory that it needs, in one step. @returns whether that was switched on */
async function addNext({ link }: LibvirtHost, { id: uuid }: VM, share: ShareSpec): Promise<boolean> {
  const from = await link.call("domainXml", { uuid, secure: true, inactive: true });
  const document = new XmlDocument(from);
  const isNew = share.driver === "virtiofs" && shareMemory(document);
  document.append(document.find("devices")!, shareXml(share));
  if (await link.call("domainRedefine", { uuid, from, xml: document.toString() }) === null) {
    const error = "somebody else changed this VM meanwhile. Try again.";
    throw new ContractError("AttachFailed", { device: DEVICE, error });
  }
  return isNew;
}

function requireFreeTag(
  tag: string,
  places: Places,
  { live, next }: Awaited<ReturnType<typeof configurationsOf>>,
): void {
  const isTaken = (places.live && shareWithTag(live, tag)) || (places.config && shareWithTag(next, tag));
  if (isTaken) throw new ContractError("ShareExists", { tag });
}

/**
 * Shares a folder of the host with a VM.
 *
 * @throws {ContractError}
 */
export async function attachShare(
  host: LibvirtHost,
  input: Input<"attach_share">,
  actor: string,
): Promise<Output<"attach_share">> {
  const vm = host.requireVm(input.vmId);
  const places = changedPlaces(host, vm, input);
  const { readOnly = false } = input;
  // virtiofsd of QEMU 7.2 cannot keep a guest from writing, and libvirt refuses <readonly/> for it.
  const driver: ShareDriver = readOnly ? "9p" : "virtiofs";
  const tag = input.tag ?? tagOf(input.folder, driver), most = MOST_SHARE_TAG[driver];
  if (tag === undefined) {
    const reason = "no tag can be made of the folder's name. Give one";
    throw new ContractError("InvalidInput", { field: "tag", reason });
  }
  if (tag.length > most) {
    const reason =
      `tag: ${driver}, which carries a folder that is shared read-only, takes ${most} characters at most, ` +
      `not ${tag.length}`;
    throw new ContractError("InvalidInput", { field: "tag", reason });
  }
  let output: Output<"attach_share"> | undefined;
  const run = async (operation: Operation) => {
    try {
      await requireNoSavedMemory(host, vm, "ShareWhileSaved");
      await requireDriver(host, vm, driver);
      const { path, isChecked } = await requireFolder(host, input.folder);
      if (driver === "9p" && isChecked) await requireReadable(host, path);
      const share = { folder: path, tag, driver, readOnly };
      const both = await configurationsOf(host, vm);
      requireFreeTag(tag, places, both);
      const reason = places.live ? await plugLive(host, vm, both.live, share, operation) : undefined;
      if (reason !== undefined && (input.live === true || !places.config)) {
        throw new ContractError("ShareNeedsRestart", { reason });
      }
      const isLive = places.live && reason === undefined;
      const isNew = places.config && await addNext(host, vm, share);
      const notes = [
        ...reason === undefined ? [] : [`The running VM has it from its next start on: ${reason}.`],
        ...isNew ? ["Shared memory was switched on, which virtiofs needs. It stays on."] : [],
        ...isChecked ? [] : ["Whether the folder exists is not known: libvirt runs on another host."],
      ];
      output = { live: isLive, persistent: places.config, tag, folder: path, driver, notes };
    } catch (error) {
      throw deviceError(error, "AttachFailed", "attach_share", { device: DEVICE });
    }
  };
  await changeDevices(host, vm, { command: "attach_share", actor, label: "adding a shared folder" }, run);
  return output!;
}

/**
 * Stops sharing a folder with a VM.
 *
 * @throws {ContractError}
 */
export async function detachShare(
  host: LibvirtHost,
  input: Input<"detach_share">,
  actor: string,
): Promise<Output<"detach_share">> {
  const vm = host.requireVm(input.vmId);
  const { tag } = input;
  const places = changedPlaces(host, vm, input);
  let output: Output<"detach_share"> | undefined;
  const run = async (operation: Operation) => {
    try {
      await requireNoSavedMemory(host, vm, "ShareWhileSaved");
      const { live, next } = await configurationsOf(host, vm);
      let inLive = places.live ? shareWithTag(live, tag) : undefined;
      const inNext = places.config ? shareWithTag(next, tag) : undefined;
      if (!inLive && !inNext) throw new ContractError("NoSuchShare", { tag });
      const driver = sharesOf((live ?? next)!.toString()).find((each) => each.tag === tag)?.driver;
      if (inLive && driver === "9p") {
        if (input.live === true || !inNext) {
          throw new ContractError("ShareNeedsRestart", { reason: NO_HOTPLUG });
        }
        inLive = undefined;
      }
      await remove(host, vm, {
        device: `${DEVICE} ${tag}`,
        live: live && inLive && { document: live, element: inLive },
        next: next && inNext && { document: next, element: inNext },
        find: (document) => shareWithTag(document, tag),
      }, operation);
      output = { live: inLive !== undefined, persistent: inNext !== undefined };
    } catch (error) {
      throw deviceError(error, "DetachFailed", "detach_share", { device: `${DEVICE} ${tag}` });
    }
  };
  await changeDevices(host, vm, { command: "detach_share", actor, label: "removing a shared folder" }, run);
  return output!;
}
