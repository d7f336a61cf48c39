/** libvirt's capabilities and domain capabilities → what a host can give to a VM. */
import { child, children, childText, parseXml, type XmlElement } from "./tree.ts";

/** A machine type of QEMU. `canonical` is what a name like `q35` stands for now. */
export interface MachineType {
  readonly name: string;
  readonly canonical: string | undefined;
}

/** One architecture that the host runs guests of. */
export interface GuestArch {
  readonly arch: string;
  /** kvm, qemu, test, … */
  readonly virtTypes: readonly string[];
  readonly emulator: string | undefined;
  readonly machines: readonly MachineType[];
}

/** Guests that the host can run. */
export interface Guests {
  /** The host's own architecture. */
  readonly arch: string;
  readonly guests: readonly GuestArch[];
}

/** Reads virConnectGetCapabilities' XML: fully virtualized guests. @throws {XmlError} */
export function readGuests(source: string): Guests {
  const root = parseXml(source);
  const hvm = children(root, "guest").filter((guest) => childText(guest, "os_type") === "hvm");
  const guests = hvm.flatMap((guest): GuestArch[] => {
    const arch = child(guest, "arch");
    const name = arch?.attributes.name;
    if (name === undefined) return [];
    const domains = children(arch, "domain");
    return [{
      arch: name,
      virtTypes: domains.map((domain) => domain.attributes.type ?? ""),
      emulator: childText(arch, "emulator"),
      machines: children(arch, "machine").map((machine) => ({
        name: machine.text.trim(),
        canonical: machine.attributes.canonical,
      })),
    }];
  });
  return { arch: childText(child(child(root, "host"), "cpu"), "arch") ?? "", guests };
}

/** The user and group QEMU runs as, by number. */
export interface QemuUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * User that QEMU runs as, from virConnectGetCapabilities' XML; undefined when libvirt does not say.
 *
 * @throws {XmlError}
 */
export function readQemuUser(source: string): QemuUser | undefined {
  const models = children(child(parseXml(source), "host"), "secmodel");
  const dac = models.find((model) => childText(model, "model") === "dac");
  const labels = children(dac, "baselabel");
  const found = /^\+(\d+):\+(\d+)$/.exec(
    (labels.find(({ attributes }) => attributes.type === "qemu") ?? labels[0])?.text.trim() ?? "",
  );
  return found === null ? undefined : { uid: Number(found[1]), gid: Number(found[2]) };
}

/** A list of words a domain capability offers. */
function values(element: XmlElement | undefined, name: string): string[] {
  const list = children(element, "enum").find((each) => each.attributes.name === name);
  return children(list, "value").map((value) => value.text.trim());
}

const supported = (element: XmlElement | undefined) => element?.attributes.supported === "yes";

/** Hardware that a VM of one kind may have, in libvirt's words. An empty list: none of it. */
export interface DomainCapabilities {
  readonly arch: string;
  /** With its version, e.g. pc-q35-7.2. */
  readonly machine: string;
  readonly virtType: string;
  readonly emulator: string;
  readonly maxCpus: number | undefined;
  /** Of firmware autoselection: bios, efi. */
  readonly firmwares: readonly string[];
  readonly secureBoot: boolean;
  readonly cpuModes: readonly string[];
  readonly cpuModels: readonly { readonly name: string; readonly usable: boolean }[];
  readonly diskBuses: readonly string[];
  readonly graphics: readonly string[];
  readonly videoModels: readonly string[];
  readonly tpmModels: readonly string[];
  readonly tpmBackends: readonly string[];
  readonly rng: boolean;
  readonly hyperv: readonly string[];
  /** Drivers of folders that are shared with guests: path, handle, virtiofs. */
  readonly shareDrivers: readonly string[];
}

/** Reads virConnectGetDomainCapabilities' XML. @throws {XmlError} */
export function readDomainCapabilities(source: string): DomainCapabilities {
  const root = parseXml(source);
  const os = child(root, "os"), cpu = child(root, "cpu"), devices = child(root, "devices");
  const device = (name: string) => {
    const found = child(devices, name);
    return supported(found) ? found : undefined;
  };
  const modes = children(cpu, "mode");
  const custom = modes.find((mode) => mode.attributes.name === "custom");
  const maximum = Number(child(root, "vcpu")?.attributes.max);
  const tpm = device("tpm"), hyperv = child(child(root, "features"), "hyperv");
  return {
    arch: childText(root, "arch") ?? "",
    machine: childText(root, "machine") ?? "",
    virtType: childText(root, "domain") ?? "",
    emulator: childText(root, "path") ?? "",
    maxCpus: Number.isInteger(maximum) && maximum > 0 ? maximum : undefined,
    firmwares: values(os, "firmware"),
    secureBoot: values(child(os, "loader"), "secure").includes("yes"),
    cpuModes: modes.filter(supported).map((mode) => mode.attributes.name ?? ""),
    cpuModels: children(custom, "model").map((model) => ({
      name: model.text.trim(),
      usable: model.attributes.usable !== "no",
    })),
    diskBuses: values(device("disk"), "bus"),
    graphics: values(device("graphics"), "type"),
    videoModels: values(device("video"), "modelType"),
    tpmModels: values(tpm, "model"),
    tpmBackends: values(tpm, "backendModel"),
    rng: device("rng") !== undefined,
    hyperv: supported(hyperv) ? values(hyperv, "features") : [],
    shareDrivers: values(device("filesystem"), "driverType"),
  };
}

/** Capabilities for a driver that reports none (libvirt's test driver): no firmware, no TPM. */
export function plainCapabilities(
  { arch = "", machine = "", virtType = "", emulator = "" }: {
    readonly arch?: string | undefined;
    readonly machine?: string | undefined;
    readonly virtType?: string | undefined;
    readonly emulator?: string | undefined;
  },
): DomainCapabilities {
  return {
    arch,
    machine,
    virtType,
    emulator,
    maxCpus: undefined,
    firmwares: [],
    secureBoot: false,
    cpuModes: [],
    cpuModels: [],
    diskBuses: ["virtio", "scsi", "sata", "ide", "usb"],
    graphics: ["vnc", "spice"],
    videoModels: ["virtio", "vga", "none"],
    tpmModels: [],
    tpmBackends: [],
    rng: true,
    hyperv: [],
    shareDrivers: [],
  };
}
