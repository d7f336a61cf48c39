/** Media in a VM's drives. */
import { LibvirtError } from "../../../ffi/error.ts";
import {
  type ConfigFinding,
  ContractError,
  type Input,
  type Output,
  type VM,
} from "../../../lib/contract/mod.ts";
import { type DiskSpec, setMedium } from "../../../lib/formats/xml/device_disk.ts";
import type { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import type { Principal } from "../../access.ts";
import type { Operation } from "../../operations/operation.ts";
import { checkImage, requireWish } from "../../storage/disk_images/check.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { requireNoSavedMemory } from "../saved_memory.ts";
import { changedPlaces, configurationsOf, deviceError, diskIn, runOf } from "./configurations.ts";
import { mediumDoubt } from "../../storage/disk_images/medium.ts";
import { refuseUsedImage } from "../../storage/disk_images/usage.ts";
import { isClosedAgain, updateDevice } from "./device_steps.ts";
import { changeDevices } from "./operate.ts";

/** libvirt's words for a guest that holds on to its medium. */
const LOCKED = /tray.*(locked|open)|locked.*tray|timed out waiting to open tray|removal of the media/i;

/** Kinds of disk that have a medium. */
export const DRIVES: ReadonlySet<string> = new Set(["cdrom", "floppy"]);

interface Change {
  readonly vmId: string;
  readonly target: string;
  readonly force?: boolean;
  readonly live?: boolean;
  readonly persistent?: boolean;
}

/** Changes a drive's medium: in the running VM first, back again when the stored configuration cannot follow. */
async function change(
  host: LibvirtHost,
  { target, force = false, ...wish }: Change,
  { command, actor }: { readonly command: "insert_media" | "eject_media"; readonly actor: string },
  medium: (vm: VM, held: DisposableStack, isCd: boolean) => Promise<DiskSpec["source"]>,
): Promise<Output<"eject_media">> {
  const vm = host.requireVm(wish.vmId);
  const places = changedPlaces(host, vm, wish);
  let done: Output<"eject_media"> | undefined;
  const run = async (operation: Operation) => {
    using held = new DisposableStack();
    try {
      await requireNoSavedMemory(host, vm);
      const { live, next } = await configurationsOf(host, vm);
      const at = {
        live: places.live && diskIn(live, target) ? live : undefined,
        next: places.config && diskIn(next, target) ? next : undefined,
      };
      const drive = diskIn(at.live ?? at.next, target);
      if (drive === undefined) throw new ContractError("NoSuchDisk", { target });
      if (!DRIVES.has(drive.attributes.device ?? "disk")) throw new ContractError("NotRemovable", { target });
      const source = await medium(vm, held, drive.attributes.device === "cdrom");
      const put = async (document: XmlDocument, where: { live: boolean; config: boolean }) => {
        const find = () => diskIn(document, target)!;
        const before = document.sourceOf(find());
        setMedium(document, find, source);
        const after = document.sourceOf(find()), run = where.live ? runOf(document) : null;
        operation.add({
          kind: "device-changed",
          uuid: vm.id,
          name: vm.name,
          device: `the medium of ${target}`,
          run,
          before,
          after,
          ...(force && { force }),
        });
        await updateDevice(host, vm.id, after, where, force);
      };
      if (at.live) await put(at.live, { live: true, config: false });
      if (at.next) await put(at.next, { live: false, config: true });
      done = { live: at.live !== undefined, persistent: at.next !== undefined };
    } catch (error) {
      if (isClosedAgain(error)) {
        const told = "the guest closes the drive again each time. Try again once it has started.";
        throw new ContractError("MediaFailed", { error: told }, { cause: error });
      }
      if (error instanceof LibvirtError && error.kind === "libvirt" && LOCKED.test(error.message)) {
        throw new ContractError("MediaLocked", { target, error: error.message }, { cause: error });
      }
      throw deviceError(error, "MediaFailed", "change_media");
    }
  };
  const label = command === "insert_media" ? "inserting a medium" : "ejecting a medium";
  await changeDevices(host, vm, { command, actor, label }, run);
  return done!;
}

/** Puts a medium into a drive. @throws {ContractError} */
export async function insertMedia(
  host: LibvirtHost,
  input: Input<"insert_media">,
  { role, name: actor }: Pick<Principal, "role" | "name">,
): Promise<Output<"insert_media">> {
  const { path, anyMedium = false, ...rest } = input;
  const wish = requireWish(path);
  const warnings: ConfigFinding[] = [];
  const applied = await change(host, rest, { command: "insert_media", actor }, async (vm, held, isCd) => {
    const image = await checkImage(host, wish, { role, purpose: "medium", vm }, held);
    const own = { vmId: input.vmId, target: input.target };
    refuseUsedImage(image.uses, image.path, { readOnly: true, shareable: false }, own);
    const doubt = isCd ? mediumDoubt(image, "path", anyMedium) : undefined;
    if (doubt !== undefined) warnings.push(doubt);
    return image;
  });
  return { ...applied, ...(warnings.length > 0 && { warnings }) };
}

/** Takes the medium out of a drive. @throws {ContractError} */
export function ejectMedia(
  host: LibvirtHost,
  input: Input<"eject_media">,
  actor: string,
): Promise<Output<"eject_media">> {
  return change(host, input, { command: "eject_media", actor }, () => Promise.resolve(undefined));
}
