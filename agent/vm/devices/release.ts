/**
 * Taking a device away from a VM. A running guest is asked, and is waited for: what it does not release stays,
 * in the stored configuration too.
 */
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { child, type XmlElement } from "../../../lib/formats/xml/tree.ts";
import { message } from "../../../lib/i18n/message.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { Operation } from "../../operations/operation.ts";
import type { DeviceDoomed } from "../../operations/step.ts";
import { runOf } from "./configurations.ts";

/** Seconds a guest has to release a device; libvirt itself waits for five of them. */
const RELEASE_SECONDS = 15;
/** Reason of a device that the guest refused to release. */
const REFUSED = "did not release it (it refused)";
/** `virDomainEventType`: the VM is off, with all it had. */
const STOPPED = 5;
/** libvirt's and QEMU's words for a request that is made already. */
const UNDER_WAY = /already in the process of unplug|pending removal/i;

/** A device in a configuration. */
interface Place {
  readonly document: XmlDocument;
  readonly element: XmlElement;
}

const sourceOf = ({ document, element }: Place): string => document.sourceOf(element);

/** A device to be taken away: its element in each configuration it is to be removed from. */
export interface Removal {
  /** As people call it: `disk vdb`. */
  readonly device: string;
  readonly live: Place | undefined;
  readonly next: Place | undefined;
  /** Finds it in the live configuration again. */
  readonly find: (document: XmlDocument) => XmlElement | undefined;
}

/** The steps of a removal: the device goes from each of the configurations. */
export function removalSteps(vm: VM, { device, live, next }: Removal): DeviceDoomed[] {
  const at = { kind: "device-doomed", uuid: vm.id, name: vm.name, device } as const;
  return [
    ...live === undefined ? [] : [{ ...at, run: runOf(live.document), xml: sourceOf(live) }],
    ...next === undefined ? [] : [{ ...at, run: null, xml: sourceOf(next) }],
  ];
}

/**
 * Removes a device, first from the running VM: when the guest does not release it, nothing is changed. Its steps are
 * written down already.
 *
 * @throws {ContractError} DeviceNotReleased @throws {LibvirtError}
 */
export async function removeNoted(
  host: LibvirtHost,
  { id: uuid }: VM,
  { device, live, next, find }: Removal,
): Promise<void> {
  if (live !== undefined) await release(host, uuid, device, live.document, live.element, find);
  if (next === undefined) return;
  await host.link.call("domainDetachDevice", { uuid, xml: sourceOf(next), live: false, config: true });
}

/** Writes down that a device goes, and removes it. @throws what {@link removeNoted} throws */
export async function remove(
  host: LibvirtHost,
  vm: VM,
  wanted: Removal,
  operation: Operation,
): Promise<void> {
  operation.addAll(removalSteps(vm, wanted));
  await removeNoted(host, vm, wanted);
}

/**
 * Takes a device out of a running VM, and waits until its guest has let it go.
 *
 * @throws {ContractError} DeviceNotReleased @throws {LibvirtError}
 */
export async function release(
  { link }: Pick<LibvirtHost, "link">,
  uuid: string,
  device: string,
  document: XmlDocument,
  element: XmlElement,
  find: Removal["find"],
): Promise<void> {
  const xml = document.sourceOf(element), alias = child(element, "alias")?.attributes.name ?? "";
  const { promise, resolve } = Promise.withResolvers<"removed" | "refused" | "late">();
  // Before the request: a quick guest answers while it is still under way.
  const unwatch = link.watch((event) => {
    if (event.kind !== "domain" || event.uuid !== uuid) return;
    if (event.event === "device-removed" && event.args[0] === alias) resolve("removed");
    if (event.event === "device-removal-failed" && event.args[0] === alias) resolve("refused");
    if (event.event === "lifecycle" && event.args[0] === STOPPED) resolve("removed");
  });
  const timer = setTimeout(() => resolve("late"), RELEASE_SECONDS * 1000);
  try {
    await request({ link }, uuid, device, xml);
    // What counts is the VM itself: an event can be lost with the connection.
    const isThere = async () =>
      find(new XmlDocument(await link.call("domainXml", { uuid, secure: false, inactive: false }))) !==
        undefined;
    if (!await isThere()) return;
    const answer = await promise;
    if (answer === "removed" || !await isThere()) return;
    const how = answer === "refused"
      ? REFUSED
      : message`did not release it within ${RELEASE_SECONDS} seconds`;
    throw new ContractError("DeviceNotReleased", { device, how });
  } finally {
    clearTimeout(timer);
    unwatch();
  }
}

async function request({ link }: Pick<LibvirtHost, "link">, uuid: string, device: string, xml: string) {
  try {
    await link.call("domainDetachDevice", { uuid, xml, live: true, config: false });
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    if (UNDER_WAY.test(error.message)) return;
    if (error.code === VIR_ERR.OPERATION_FAILED && /rejected by the guest/i.test(error.message)) {
      throw new ContractError("DeviceNotReleased", { device, how: REFUSED }, { cause: error });
    }
    throw error;
  }
}
