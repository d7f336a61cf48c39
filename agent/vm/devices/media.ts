/** Media in a machine's drives. */
import { LibvirtError } from "../../../ffi/error.ts";
import { ContractError, type Input, type Output, type Role } from "../../../lib/contract/mod.ts";
import { type DiskSpec, setMedium } from "../../../lib/xml/device_disk.ts";
import type { XmlDocument } from "../../../lib/xml/edit.ts";
import type { VmServices } from "../services.ts";
import { configurationsOf, deviceError, diskIn, placesOf, Undo } from "./configurations.ts";
import { imageOf } from "./image.ts";
import { refuseUsed } from "./usage.ts";

/** libvirt's words for a guest that holds on to its medium. */
const LOCKED = /tray.*(locked|open)|locked.*tray|timed out waiting to open tray|removal of the media/i;

const DRIVES: ReadonlySet<string> = new Set(["cdrom", "floppy"]);

interface Change {
  readonly vmId: string;
  readonly target: string;
  readonly force?: boolean;
  readonly live?: boolean;
  readonly persistent?: boolean;
}

/** Changes a drive's medium: in the running machine first, back again when the stored configuration cannot follow. */
async function change(
  services: VmServices,
  { target, force = false, ...wish }: Change,
  label: string,
  medium: () => Promise<DiskSpec["source"]>,
): Promise<Output<"eject_media">> {
  const vm = services.requireVm(wish.vmId);
  const places = placesOf(services, vm, wish);
  let done: Output<"eject_media"> | undefined;
  await services.operate(vm, label, async () => {
    const undo = new Undo();
    try {
      const { live, next } = await configurationsOf(services, vm);
      const at = {
        live: places.live && diskIn(live, target) ? live : undefined,
        next: places.config && diskIn(next, target) ? next : undefined,
      };
      const drive = diskIn(at.live ?? at.next, target);
      if (drive === undefined) throw new ContractError("NoSuchDisk", { target });
      if (!DRIVES.has(drive.attributes.device ?? "disk")) throw new ContractError("NotRemovable", { target });
      const source = await medium();
      const put = async (document: XmlDocument, where: { live: boolean; config: boolean }) => {
        const find = () => diskIn(document, target)!;
        const before = document.sourceOf(find());
        setMedium(document, find, source);
        const update = (xml: string) =>
          services.link.call("domainUpdateDevice", { uuid: vm.id, xml, ...where, force });
        await update(document.sourceOf(find()));
        undo.add(`the medium of ${target}`, () => update(before));
      };
      if (at.live) await put(at.live, { live: true, config: false });
      if (at.next) await put(at.next, { live: false, config: true });
      done = { live: at.live !== undefined, persistent: at.next !== undefined };
    } catch (error) {
      await undo.run();
      if (error instanceof LibvirtError && error.kind === "libvirt" && LOCKED.test(error.message)) {
        throw new ContractError("MediaLocked", { target, error: error.message }, { cause: error });
      }
      throw deviceError(error, "MediaFailed", "change_media");
    }
  });
  return done!;
}

/** Puts a medium into a drive. @throws {ContractError} */
export function insertMedia(
  services: VmServices,
  input: Input<"insert_media">,
  role: Role,
): Promise<Output<"insert_media">> {
  const { volume, path, ...rest } = input;
  if ((volume === undefined) === (path === undefined)) {
    throw new ContractError("InvalidInput", { reason: "say one of volume and path" });
  }
  return change(services, rest, "inserting a medium", async () => {
    const wish = { ...(volume !== undefined && { volume }), ...(path !== undefined && { path }) };
    const image = await imageOf(services, wish, { role, isMedium: true });
    const own = { vmId: input.vmId, target: input.target };
    await refuseUsed(services, image.path, { readOnly: true, shareable: false }, own);
    return image;
  });
}

/** Takes the medium out of a drive. @throws {ContractError} */
export function ejectMedia(
  services: VmServices,
  input: Input<"eject_media">,
): Promise<Output<"eject_media">> {
  return change(services, input, "ejecting a medium", () => Promise.resolve(undefined));
}
