/**
 * Taking a device away from a VM. A running guest is asked, and is waited for: what it does not release stays,
 * in the stored configuration too.
 */
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { child, type XmlElement } from "../../../lib/formats/xml/tree.ts";
import type { Rollback } from "../../rollback.ts";
import type { Host } from "../../hosts/host.ts";
import { requireReachable } from "../../storage/reachable.ts";

/** Seconds a guest has to release a device; libvirt itself waits for five of them. */
const RELEASE_SECONDS = 15;
/** `virDomainEventType`: the VM is off, with all it had. */
const STOPPED = 5;
/** libvirt's and QEMU's words for a request that is made already. */
const UNDER_WAY = /already in the process of unplug|pending removal/i;

/** A device to be taken away: its element in each configuration it is to be removed from. */
export interface Removal {
  /** As people call it: `disk vdb`. */
  readonly device: string;
  readonly live: { readonly document: XmlDocument; readonly element: XmlElement } | undefined;
  readonly next: { readonly document: XmlDocument; readonly element: XmlElement } | undefined;
  /** Finds it in the live configuration again. */
  readonly find: (document: XmlDocument) => XmlElement | undefined;
}

/**
 * Removes it, first from the running VM: when the guest does not release it, nothing is changed.
 *
 * @throws {ContractError} DeviceNotReleased @throws {LibvirtError}
 */
export async function remove(
  host: Host,
  vm: VM,
  { device, live, next, find }: Removal,
  rollback: Rollback,
): Promise<void> {
  const { link } = host;
  const uuid = vm.id;
  if (live !== undefined) {
    const xml = live.document.sourceOf(live.element);
    await release(host, vm, device, xml, child(live.element, "alias")?.attributes.name ?? "", find);
    rollback.add(
      `the removal of ${device} from the running VM`,
      async () => {
        await requireReachable(host, xml);
        await link.call("domainAttachDevice", { uuid, xml, live: true, config: false });
      },
    );
  }
  if (next !== undefined) {
    const xml = next.document.sourceOf(next.element);
    await link.call("domainDetachDevice", { uuid, xml, live: false, config: true });
    rollback.add(
      `the removal of ${device} from the next start`,
      () => link.call("domainAttachDevice", { uuid, xml, live: false, config: true }),
    );
  }
}

async function release(
  { link }: Host,
  vm: VM,
  device: string,
  xml: string,
  alias: string,
  find: Removal["find"],
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<"removed" | "refused" | "late">();
  // Before the request: a quick guest answers while it is still under way.
  const unwatch = link.watch((event) => {
    if (event.kind !== "domain" || event.uuid !== vm.id) return;
    if (event.event === "device-removed" && event.args[0] === alias) resolve("removed");
    if (event.event === "device-removal-failed" && event.args[0] === alias) resolve("refused");
    if (event.event === "lifecycle" && event.args[0] === STOPPED) resolve("removed");
  });
  const timer = setTimeout(() => resolve("late"), RELEASE_SECONDS * 1000);
  try {
    await request({ link }, vm, device, xml);
    // What counts is the VM itself: an event can be lost with the connection.
    const isThere = async () =>
      find(new XmlDocument(await link.call("domainXml", { uuid: vm.id, secure: false, inactive: false }))) !==
        undefined;
    if (!await isThere()) return;
    const answer = await promise;
    if (answer === "removed" || !await isThere()) return;
    const how = answer === "refused" ? " (it refused)" : ` within ${RELEASE_SECONDS} seconds`;
    throw new ContractError("DeviceNotReleased", { device, how });
  } finally {
    clearTimeout(timer);
    unwatch();
  }
}

async function request({ link }: Pick<Host, "link">, vm: VM, device: string, xml: string) {
  try {
    await link.call("domainDetachDevice", { uuid: vm.id, xml, live: true, config: false });
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    if (UNDER_WAY.test(error.message)) return;
    if (error.code === VIR_ERR.OPERATION_FAILED && /rejected by the guest/i.test(error.message)) {
      throw new ContractError("DeviceNotReleased", { device, how: " (it refused)" }, { cause: error });
    }
    throw error;
  }
}
