/** USB and PCI devices of the host that a VM has: giving, taking away and showing them. */
import { message, type Sentence, type Unrendered, vmName } from "../../../lib/i18n/message.ts";
import {
  ContractError,
  type HostDevice,
  type Input,
  type Output,
  type VM,
  type VmHostDevice,
} from "../../../lib/contract/mod.ts";
import { renderXml } from "../../../lib/formats/xml/build.ts";
import type { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import {
  compareHostDevices,
  type HostDeviceRef,
  hostDeviceXml,
  mayBeSame,
  parseRef,
  passedDevice,
  refText,
  takenDevices,
} from "../../../lib/formats/xml/host_device.ts";
import { passedElements } from "../../../lib/formats/xml/taken_elements.ts";
import type { XmlElement } from "../../../lib/formats/xml/tree.ts";
import { listedDevices, meantBy, refOf } from "../../../lib/host_devices/list.ts";
import { knownNodeDevices, listHostDevices } from "../../host_devices/devices.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { Operation } from "../../operations/operation.ts";
import { requireNoSavedMemory } from "../saved_memory.ts";
import { attachElement } from "./attach_disk.ts";
import { changedPlaces, configurationsOf, deviceError, type Places, requireUsb } from "./configurations.ts";
import { rememberDevices } from "./device_identity.ts";
import { changeDevices } from "./operate.ts";
import { remove } from "./release.ts";

const DEVICE = "host device";
/** Slots and ports that a running VM can run out of. */
const SLOTS = { usb: "USB port", pci: "PCI slot" } as const;

/** @throws {ContractError} InvalidInput */
function requireRef(device: string): HostDeviceRef {
  const ref = parseRef(device);
  if (ref !== undefined) return ref;
  const reason = "it is neither a USB device (0781:5581, 0781:5581@2:5) nor a PCI device (0000:01:00.0)";
  throw new ContractError("InvalidInput", { field: "device", reason });
}

/** The one device that is meant, if the host can do without it and no other VM that runs has it. @throws {ContractError} */
async function requireAssignable(
  host: LibvirtHost,
  vm: VM,
  input: Input<"attach_host_device">,
): Promise<HostDevice> {
  const ref = requireRef(input.device);
  const { iommu, devices } = await listHostDevices(host);
  const found = meantBy(devices, ref), [one] = found;
  if (one === undefined) throw new ContractError("HostDeviceNotFound", { device: input.device });
  if (found.length > 1) {
    const names = found.map(({ device }) => device).join(", ");
    throw new ContractError("HostDeviceAmbiguous", { device: input.device, names });
  }
  const { device, refused, caution } = one;
  if (refused !== undefined) throw new ContractError("HostDeviceRefused", { device, reason: refused });
  if (caution !== undefined && input.allowHostUse !== true) {
    throw new ContractError("HostDeviceUsedByHost", { device, reason: caution });
  }
  if (one.kind === "pci" && !iommu) throw new ContractError("NoIommu");
  const other = one.usedBy.find(({ vmId, running }) => running && vmId !== vm.id);
  if (other !== undefined) throw new ContractError("HostDeviceInUse", { device, vm: vmName(other) });
  return one;
}

/** Keeps a device while it is given: two VMs at the same time would both find it free. @throws {ContractError} HostDeviceInUse */
function hold(host: LibvirtHost, { device, kind, address }: HostDevice, vm: VM): Disposable {
  const taken = host.reservations.take("host-device", `${kind} ${address}`, vm.name);
  if (typeof taken === "string") throw new ContractError("HostDeviceInUse", { device, vm: taken });
  return taken;
}

function notesOn({ usedBy, groupMembers, kind }: HostDevice, ref: HostDeviceRef, vm: VM): Sentence[] {
  const others = usedBy.filter(({ vmId }) => vmId !== vm.id).map(vmName);
  return [
    ...others.length === 0
      ? []
      : [message`Only one VM can run with it at a time; it is also in the definition of ${others}.`],
    ...kind === "pci" && groupMembers.length > 0
      ? [`No driver of the host may have the others of its IOMMU group: ${groupMembers.join(", ")}.`]
      : [],
    ...ref.kind === "usb" && ref.place !== undefined
      ? ["It is known by its place on USB, which changes when it is plugged in again."]
      : [],
  ];
}

/**
 * Gives a device of the host to a VM.
 *
 * @throws {ContractError}
 */
export async function attachHostDevice(
  host: LibvirtHost,
  input: Input<"attach_host_device">,
): Promise<Unrendered<Output<"attach_host_device">>> {
  const vm = host.requireVm(input.vmId);
  const places = changedPlaces(host, vm, input);
  let output: Unrendered<Output<"attach_host_device">> | undefined;
  await host.claims.operate(vm, "adding a host device", async () => {
    try {
      await requireNoSavedMemory(host, vm);
      const found = await requireAssignable(host, vm, input);
      using _held = hold(host, found, vm);
      // By what it is, and by where it is only where several are alike.
      const ref = requireRef(found.device);
      await requireAbsent(host, vm, refOf(found), places);
      const done = await attachElement(host, vm, renderXml(hostDeviceXml(ref)), places, input, DEVICE);
      if (done.config) await rememberDevices(host, vm, found.device);
      const waits = places.live && !done.live;
      output = {
        live: done.live,
        persistent: done.config,
        device: found.device,
        name: found.name,
        notes: [
          ...waits
            ? [`The running VM has it from its next start on: it has no free ${SLOTS[found.kind]}.`]
            : [],
          ...notesOn(found, ref, vm),
        ],
      };
    } catch (error) {
      throw deviceError(error, "AttachFailed", "attach_host_device", { device: DEVICE });
    }
  });
  return output!;
}

/** @throws {ContractError} HostDevicePresent, NoUsbController */
async function requireAbsent(host: LibvirtHost, vm: VM, ref: HostDeviceRef, places: Places): Promise<void> {
  const both = await configurationsOf(host, vm), { live, next } = both;
  if (ref.kind === "usb") requireUsb(vm, both, places, DEVICE);
  const has = (document: XmlDocument | undefined) =>
    document !== undefined && takenDevices(document.root).some((each) => mayBeSame(each, ref));
  if (!(places.live && has(live)) && !(places.config && has(next))) return;
  throw new ContractError("HostDevicePresent", { device: refText(ref) });
}

/** The host device that a name means: the one with that very name, else the one that it may be. @throws {ContractError} HostDeviceAmbiguous */
function passedIn(document: XmlDocument | undefined, wanted: HostDeviceRef): XmlElement | undefined {
  const all = passedElements(document?.root).map((element) => ({ element, ...passedDevice(element) }));
  const name = refText(wanted);
  const same = all.filter(({ device }) => device === name);
  const found = same.length > 0 ? same : all.filter(({ ref }) => ref !== undefined && mayBeSame(ref, wanted));
  const names = [...new Set(found.map(({ device }) => device))];
  if (names.length > 1) {
    throw new ContractError("HostDeviceAmbiguous", { device: name, names: names.join(", ") });
  }
  return found[0]?.element;
}

/**
 * Takes a device of the host away from a VM.
 *
 * @throws {ContractError}
 */
export async function detachHostDevice(
  host: LibvirtHost,
  input: Input<"detach_host_device">,
  actor: string,
): Promise<Output<"detach_host_device">> {
  const vm = host.requireVm(input.vmId);
  const ref = requireRef(input.device);
  const places = changedPlaces(host, vm, input);
  const device = `${DEVICE} ${refText(ref)}`;
  let output: Output<"detach_host_device"> | undefined;
  const run = async (operation: Operation) => {
    try {
      await requireNoSavedMemory(host, vm);
      const { live, next } = await configurationsOf(host, vm);
      const inLive = places.live ? passedIn(live, ref) : undefined;
      const inNext = places.config ? passedIn(next, ref) : undefined;
      if (!inLive && !inNext) throw new ContractError("NoSuchHostDevice", { device: input.device });
      await remove(host, vm, {
        device,
        live: live && inLive && { document: live, element: inLive },
        next: next && inNext && { document: next, element: inNext },
        find: (document) => passedIn(document, ref),
      }, operation);
      output = { live: inLive !== undefined, persistent: inNext !== undefined };
    } catch (error) {
      throw deviceError(error, "DetachFailed", "detach_host_device", { device });
    }
  };
  await changeDevices(
    host,
    vm,
    { command: "detach_host_device", actor, label: "removing a host device" },
    run,
  );
  return output!;
}

/** The host's devices in a VM's two configurations, by the names that the host knows. @throws {LibvirtError} */
export async function showHostDevices(
  host: LibvirtHost,
  live: string | undefined,
  next: string | undefined,
): Promise<VmHostDevice[]> {
  const compared = compareHostDevices(live, next);
  if (compared.length === 0) return [];
  const known = listedDevices(await knownNodeDevices(host) ?? [], {
    uses: [],
    taken: [],
    serials: new Map(),
  });
  return compared.map(({ device: { ref, device, startupPolicy }, place, pending }) => {
    const found = ref && meantBy(known, ref)[0];
    return {
      device,
      kind: ref?.kind ?? "other",
      name: found?.name ?? device,
      ...(startupPolicy !== undefined && { startupPolicy }),
      plugged: found !== undefined,
      place,
      pending,
    };
  });
}
