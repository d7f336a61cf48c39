/** Drivers that share folders of the host with guests: virtiofs, and 9p, which QEMU has itself. */
import { LibvirtError } from "../../ffi/error.ts";
import type { DeviceOptions, VM } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import { isSystemError } from "../machine/files.ts";
import { isSession } from "../libvirt/uri.ts";
import { log } from "../log.ts";
import type { LocalMachine } from "../machine/machine.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import type { HostCapabilities } from "./capabilities.ts";

/** Folders in which programs register as back ends of QEMU's vhost-user devices, as libvirt searches them. */
const PLACES = ["/etc/qemu/vhost-user", "/usr/share/qemu/vhost-user"];
const NO_VIRTIOFSD =
  "virtiofsd is not installed (Debian 12: qemu-system-common, Debian 13, Fedora and Ubuntu: virtiofsd)";
/** The first libvirt whose session can start virtiofsd: 10.0.0. */
const SESSION_SINCE = 10_000_000;

/** The parts of a host that are checked. */
interface SharingHost {
  readonly link: Pick<LibvirtLink, "uri" | "machine">;
  readonly capabilities: Pick<HostCapabilities, "domain" | "libvirtVersion">;
}

/** Whether virtiofsd is installed on this host. */
async function hasVirtiofsd({ files }: LocalMachine): Promise<boolean> {
  for (const place of PLACES) {
    try {
      for await (const { name } of Deno.readDir(place)) {
        if (!name.endsWith(".json")) continue;
        const said = JSON.parse(await Deno.readTextFile(`${place}/${name}`)) as Record<string, unknown>;
        if (said.type === "fs" && typeof said.binary === "string" && await files.isThere(said.binary)) {
          return true;
        }
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      if (!(error instanceof SyntaxError) && !isSystemError(error)) throw error;
      log.debug("what QEMU's devices can be connected to cannot be read", { place, error: messageOf(error) });
    }
  }
  return false;
}

async function virtiofsFault(
  { link: { uri, machine }, capabilities }: SharingHost,
  offered: readonly string[],
): Promise<string | undefined> {
  if (!offered.includes("virtiofs")) return "this libvirt or QEMU does not have it";
  if (isSession(uri) && await capabilities.libvirtVersion() < SESSION_SINCE) {
    return "libvirt's session can share folders from version 10.0 on";
  }
  return machine !== null && !await hasVirtiofsd(machine) ? NO_VIRTIOFSD : undefined;
}

/** Every way to share a folder with such a VM; one that cannot be taken says why. @throws {LibvirtError} */
export async function shareDrivers(
  host: SharingHost,
  vm: Pick<VM, "virtType" | "arch" | "machine">,
): Promise<DeviceOptions["shareDrivers"]> {
  const offered = await offeredFor(host, vm);
  const faults = {
    virtiofs: await virtiofsFault(host, offered),
    "9p": offered.includes("path") ? undefined : "this libvirt or QEMU does not have it",
  };
  return (["virtiofs", "9p"] as const).map((driver) => {
    const unavailable = faults[driver];
    return { driver, ...(unavailable !== undefined && { unavailable }) };
  });
}

async function offeredFor(
  { capabilities }: SharingHost,
  { virtType, arch, machine }: Pick<VM, "virtType" | "arch" | "machine">,
): Promise<readonly string[]> {
  try {
    return (await capabilities.domain({
      virtType,
      ...(arch !== undefined && { arch }),
      ...(machine !== undefined && { machine }),
    })).shareDrivers;
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    log.debug("the host does not tell what it can share", { machine, error });
    return [];
  }
}
