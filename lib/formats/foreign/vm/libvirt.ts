/** VMs of another libvirt, by the XML that it gives. Its disks' files are named by their paths on that host. Pure. */
import { summarizeDomain } from "../../xml/domain.ts";
import { child, children, childText, parseXml, XmlError } from "../../xml/tree.ts";
import { DISK_BUSES, NIC_MODELS } from "../../../contract/choices.ts";
import {
  type ForeignDisk,
  type ForeignNic,
  ForeignVmError,
  type ForeignWarning,
  foreignWarning,
  MOST_CPUS,
  MOST_DEFINITION,
  MOST_DISKS,
  MOST_MEMORY_MB,
  MOST_NICS,
  normalizedMac,
  notesOf,
  type SourceVm,
} from "./model.ts";

type Summary = ReturnType<typeof summarizeDomain>;

/** Formats of disks, by libvirt's names for QEMU's drivers. */
const FORMATS = new Map(
  (["qcow2", "raw", "vmdk", "vdi", "vpc", "vhdx"] as const).map((format) => [format as string, format]),
);

function disksOf({ disks }: Summary, warnings: ForeignWarning[]): ForeignDisk[] {
  const found: ForeignDisk[] = [];
  for (const { target, bus, device, type, source, format, shareable } of disks) {
    const what = `${device === "disk" ? "Disk" : "Drive"} ${target.slice(0, 20)}`;
    if (device === "cdrom" || device === "floppy") {
      warnings.push(foreignWarning("", "CdDropped", { what }));
      continue;
    }
    if (device !== "disk" || shareable) {
      warnings.push(foreignWarning("", "DeviceDropped", { what: `${what}, which other VMs may have, too,` }));
      continue;
    }
    if (source === undefined || !["file", "block", "volume"].includes(type)) {
      warnings.push(foreignWarning("", "DiskNoFile", { what }));
      continue;
    }
    const field = `disks.${found.length}`, taken = DISK_BUSES.find((each) => each === bus);
    if (taken === undefined) {
      warnings.push(foreignWarning(field, "ControllerReplaced", { was: bus.slice(0, 20), taken: "SATA" }));
    }
    const was = `${target} (${bus})`.slice(0, 60);
    found.push({
      file: source,
      format: FORMATS.get(format ?? "raw"),
      capacityBytes: 0,
      bus: taken ?? "sata",
      was,
    });
  }
  if (found.length > MOST_DISKS) throw new ForeignVmError(`it has more than ${MOST_DISKS} disks`);
  return found;
}

function nicsOf(xml: string, { interfaces }: Summary, warnings: ForeignWarning[]): ForeignNic[] {
  if (interfaces.length > MOST_NICS) {
    throw new ForeignVmError(`it has more than ${MOST_NICS} network interfaces`);
  }
  const elements = children(child(parseXml(xml), "devices"), "interface");
  return interfaces.map(({ mac: address, network, model = "rtl8139", linkUp }, index) => {
    const field = `nics.${index}`,
      mac = normalizedMac(address),
      taken = NIC_MODELS.find((each) => each === model);
    if (mac === undefined && address !== "") {
      warnings.push(foreignWarning(field, "MacInvalid", { mac: address.slice(0, 40) }));
    }
    if (taken === undefined) {
      warnings.push(foreignWarning(field, "NicReplaced", { was: model.slice(0, 40), taken: "e1000e" }));
    }
    const tags = children(child(elements[index], "vlan"), "tag");
    const vlan = Number(tags[0]?.attributes.id ?? NaN);
    return {
      network,
      model: taken ?? "e1000e",
      mac,
      ...(tags.length === 1 && vlan >= 1 && vlan <= 4094 && { vlan }),
      ...(!linkUp && { linkUp: false }),
      was: model.slice(0, 40),
    };
  });
}

/** The VM that a domain's XML describes. @throws {ForeignVmError} why it is not taken */
export function readLibvirt(xml: string): SourceVm {
  if (xml.length > MOST_DEFINITION) throw new ForeignVmError("its XML is too long");
  const warnings: ForeignWarning[] = [];
  try {
    const domain = parseXml(xml), summary = summarizeDomain(xml);
    const { cpuCount, memoryMb, firmware, osType, description, machine = "", arch = "x86_64" } = summary;
    if (!(cpuCount >= 1 && cpuCount <= MOST_CPUS)) throw new ForeignVmError("its number of CPUs is wrong");
    if (!(memoryMb >= 1 && memoryMb <= MOST_MEMORY_MB)) throw new ForeignVmError("its memory is wrong");
    if (arch !== "x86_64") warnings.push(foreignWarning("", "GuestArch", { arch: arch.slice(0, 40) }));
    const disks = disksOf(summary, warnings), nics = nicsOf(xml, summary, warnings);
    const devices = child(domain, "devices"), tpm = child(devices, "tpm") !== undefined;
    for (
      const [name, what] of [["hostdev", "A device of the host"], ["filesystem", "A shared folder"]] as const
    ) {
      for (const _ of children(devices, name)) warnings.push(foreignWarning("", "DeviceDropped", { what }));
    }
    if (firmware !== "bios") warnings.push(foreignWarning("", "FirmwareState"));
    if (tpm) warnings.push(foreignWarning("", "TpmState"));
    const cores = Number(child(child(domain, "cpu"), "topology")?.attributes.cores ?? NaN);
    return {
      name: childText(domain, "name") || "vm",
      description: notesOf(description ?? ""),
      osType,
      cpuCount,
      coresPerSocket: Number.isInteger(cores) && cores > 0 && cpuCount % cores === 0 ? cores : undefined,
      memoryMb,
      firmware,
      ...(tpm && { tpm }),
      machine: /q35/.test(machine) || firmware === "uefi-secure" ? undefined : "pc",
      disks,
      nics,
      warnings,
    };
  } catch (error) {
    if (error instanceof XmlError) throw new ForeignVmError("its XML cannot be read", { cause: error });
    throw error;
  }
}
