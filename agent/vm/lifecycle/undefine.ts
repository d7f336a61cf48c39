/** Undefines VMs without ever letting go of one that runs: what runs has its disks in use. */
import type { DomainRecord } from "../../../ffi/calls/domain.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { nvramOf } from "../../../lib/formats/xml/identity.ts";
import { nvramHolder } from "../../../lib/formats/xml/nvram.ts";
import { isConnectionLost, isHang } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { otherUserOf } from "./other_user.ts";

type Link = Pick<LibvirtHost["link"], "call">;

/** `virDomainState`: shut off, crashed. */
const OFF: ReadonlySet<number> = new Set([5, 6]);

/** Whether a domain has no process. */
export const isOff = ({ state }: Pick<DomainRecord, "state">): boolean => OFF.has(state);

/** Defines a VM again, with what its XML does not hold. @throws {LibvirtError} */
export async function defineAgain(
  link: Link,
  { uuid, xml, autostart }: { readonly uuid: string; readonly xml: string; readonly autostart: boolean },
): Promise<void> {
  await link.call("domainDefine", { xml });
  if (autostart) await link.call("domainSetAutostart", { uuid, autostart });
}

/** Another user of a file; `unknown` where another VM does not respond: the VM is gone, and is not waited for. */
async function otherUserNow(host: LibvirtHost, uuid: string, path: string): Promise<string | undefined> {
  try {
    return await otherUserOf(host, uuid, path);
  } catch (error) {
    if (!isHang(error)) throw error;
    log.warn("whether UEFI variables are another VM's, too, is not known", { path, error });
    return "unknown";
  }
}

/**
 * Deletes the NVRAM file of a VM that is gone. One that libvirt does not delete is left: the VM is gone all the same.
 * So is one that another VM, or a VM in the bin, names too.
 *
 * @param uuid the VM's
 * @param holder the result of {@link nvramHolder} for the VM's XML
 * @throws {LibvirtError} when libvirt is away
 */
export async function eraseNvram(host: LibvirtHost, uuid: string, holder: string): Promise<void> {
  const path = nvramOf(new XmlDocument(holder));
  const user = path === undefined ? undefined : await otherUserNow(host, uuid, path);
  if (user !== undefined) {
    log.info("the UEFI variables of a deleted VM stay: they are another one's, too", { path, user });
    return;
  }
  try {
    await host.link.call("nvramErase", { xml: holder });
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    log.warn("the UEFI variables of a deleted VM could not be deleted", { error });
  }
}

/**
 * Undefines a VM that is off, with its saved memory, NVRAM and snapshots' records. libvirt undefines a VM that runs too
 * and makes it transient: a VM that somebody starts in between is defined again. Its NVRAM goes last, once it is sure
 * that no VM runs with it.
 *
 * @param call leaves NVRAM and TPM state where they were there before the VM, or go into the bin
 * @returns whether the VM is gone; false when it runs, and then it is defined
 * @throws {LibvirtError}
 */
export async function undefineStopped(
  host: LibvirtHost,
  uuid: string,
  call: "domainUndefine" | "domainUndefineKeeping" | "domainUndefineForBin" = "domainUndefine",
): Promise<boolean> {
  const { link } = host;
  const xml = await link.call("domainXml", { uuid, secure: true, inactive: true });
  const before = await link.call("domainRead", { uuid });
  if (before !== null && !isOff(before)) return false;
  await link.call(call, { uuid });
  const after = await link.call("domainRead", { uuid });
  if (after === null) {
    const holder = call === "domainUndefine" ? nvramHolder(xml, crypto.randomUUID()) : undefined;
    if (holder !== undefined) await eraseNvram(host, uuid, holder);
    return true;
  }
  if (!after.persistent) await defineAgain(link, { uuid, xml, autostart: before?.autostart ?? false });
  return false;
}

/**
 * Defines a VM that an interrupted {@link undefineStopped} left running without a definition.
 *
 * @returns whether there is such a VM, defined or not
 * @throws {LibvirtError}
 */
export async function keepRunning(link: Link, uuid: string): Promise<boolean> {
  const domain = await link.call("domainRead", { uuid });
  if (domain === null) return false;
  if (!domain.persistent) {
    const xml = await link.call("domainXml", { uuid, secure: true, inactive: true });
    await defineAgain(link, { uuid, xml, autostart: false });
  }
  return true;
}
