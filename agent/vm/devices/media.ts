/** Media in a VM's drives. */
import { LibvirtError } from "../../../ffi/error.ts";
import {
  type ConfigFinding,
  ContractError,
  type Input,
  type Output,
  type Role,
  type VM,
} from "../../../lib/contract/mod.ts";
import { type DiskSpec, setMedium } from "../../../lib/formats/xml/device_disk.ts";
import type { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { sleep, SYSTEM_CLOCK } from "../../clock.ts";
import { checkImage, requireWish } from "../../storage/disk_images/check.ts";
import { Rollback } from "../../rollback.ts";
import type { Host } from "../../hosts/host.ts";
import { requireNoSavedMemory } from "../saved_memory.ts";
import { configurationsOf, deviceError, diskIn, placesOf } from "./configurations.ts";
import { mediumDoubt } from "../../storage/disk_images/medium.ts";
import { refuseUsedImage } from "../../storage/disk_images/usage.ts";
import { requireReachable } from "../../storage/reachable.ts";

/** libvirt's words for a guest that holds on to its medium. */
const LOCKED = /tray.*(locked|open)|locked.*tray|timed out waiting to open tray|removal of the media/i;

/** … and for one whose system has closed the drive again just then, as those do that look for a medium. */
const CLOSED_AGAIN = /tray of (?:the )?device\b.* is not open/i;
/** Milliseconds that a medium is tried to be changed until the drive stays open for it, and between: firmware closes it for seconds. */
const CLOSING_MS = 8000, AGAIN_MS = 200;
const isClosedAgain = (error: unknown) => error instanceof LibvirtError && CLOSED_AGAIN.test(error.message);

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
  host: Host,
  { target, force = false, ...wish }: Change,
  label: string,
  medium: (vm: VM, held: DisposableStack, isCd: boolean) => Promise<DiskSpec["source"]>,
): Promise<Output<"eject_media">> {
  const vm = host.requireVm(wish.vmId);
  const places = placesOf(host, vm, wish);
  let done: Output<"eject_media"> | undefined;
  await host.operate(vm, label, async () => {
    const rollback = new Rollback();
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
        const update = async (xml: string) => {
          const end = SYSTEM_CLOCK.monotonic() + CLOSING_MS;
          while (true) {
            await requireReachable(host, xml);
            try {
              return await host.link.call("domainUpdateDevice", { uuid: vm.id, xml, ...where, force });
            } catch (error) {
              if (!isClosedAgain(error) || SYSTEM_CLOCK.monotonic() > end) throw error;
              await sleep(SYSTEM_CLOCK, AGAIN_MS);
            }
          }
        };
        await update(document.sourceOf(find()));
        rollback.add(`the medium of ${target}`, () => update(before));
      };
      if (at.live) await put(at.live, { live: true, config: false });
      if (at.next) await put(at.next, { live: false, config: true });
      done = { live: at.live !== undefined, persistent: at.next !== undefined };
    } catch (error) {
      await rollback.run();
      if (isClosedAgain(error)) {
        const told = "the guest closes the drive again each time. Try again once it has started.";
        throw new ContractError("MediaFailed", { error: told }, { cause: error });
      }
      if (error instanceof LibvirtError && error.kind === "libvirt" && LOCKED.test(error.message)) {
        throw new ContractError("MediaLocked", { target, error: error.message }, { cause: error });
      }
      throw deviceError(error, "MediaFailed", "change_media");
    }
  });
  return done!;
}

/** Puts a medium into a drive. @throws {ContractError} */
export async function insertMedia(
  host: Host,
  input: Input<"insert_media">,
  role: Role,
): Promise<Output<"insert_media">> {
  const { path, anyMedium = false, ...rest } = input;
  const wish = requireWish(path);
  const warnings: ConfigFinding[] = [];
  const applied = await change(host, rest, "inserting a medium", async (vm, held, isCd) => {
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
  host: Host,
  input: Input<"eject_media">,
): Promise<Output<"eject_media">> {
  return change(host, input, "ejecting a medium", () => Promise.resolve(undefined));
}
