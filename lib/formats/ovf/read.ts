/**
 * Reading an OVF 1.x description (and what of 2.0 is alike) in the dialects of VMware, VirtualBox and oVirt. Source:
 * DMTF's DSP0243. What has no match here is told in words, with what is taken instead. Pure.
 */
import { fill } from "../../i18n/fill.ts";
import type { FIRMWARES } from "../../contract/choices.ts";
import type { ArrivingFormat } from "../foreign/mod.ts";
import { plainName } from "../tar/entries.ts";
import { decodedName } from "./file_names.ts";
import type { XmlElement } from "../xml/tree.ts";
import {
  busOf,
  DISK_ITEMS,
  DRIVE_ITEMS,
  ITEM,
  NIC_ITEMS,
  ovfNicOf,
  ovfOsTypeOf,
  UNSAID,
} from "./hardware.ts";
import {
  OVF_WARNINGS,
  type OvfDisk,
  OvfError,
  type OvfNic,
  type OvfVm,
  type OvfWarning,
  type OvfWarningCode,
} from "./model.ts";
import { HINTS, hintsIn } from "./hints.ts";
import { attribute, part, parts, partText, readTree } from "./tree.ts";
import { bytesOfQuantity } from "./units.ts";
import { MIB } from "../../text/byte_units.ts";

/** As many as a VM may have here (`VmConfig`). */
const MOST_DISKS = 24, MOST_NICS = 16;
const MOST_ITEMS = 1000, MOST_FILES = 128;
/** Characters kept of a licence. */
const LICENCE = 300;
const MOST_DESCRIPTION = 8192;

/** A warning in words. */
export function ovfWarning(
  field: string,
  code: OvfWarningCode,
  details: Record<string, string> = {},
): OvfWarning {
  return { field, code, message: fill(OVF_WARNINGS[code], details) };
}

/** Disk formats by their URI. */
const FORMATS: readonly (readonly [RegExp, ArrivingFormat])[] = [
  [/vmdk/i, "vmdk"],
  [/qcow/i, "qcow2"],
  [/vhdx/i, "vhdx"],
  [/vhd|microsoft/i, "vpc"],
  [/vdi/i, "vdi"],
  [/raw|iso9660/i, "raw"],
];

/** oVirt's words for how a volume is kept; its formats' URI says qcow2 of both. */
const VOLUME_FORMATS: Readonly<Record<string, ArrivingFormat>> = { COW: "qcow2", RAW: "raw" };

/** A piece of virtual hardware. */
interface Item {
  readonly id: string;
  readonly type: number;
  readonly subtype: string;
  readonly parent: string | undefined;
  /** Its place at its controller; what has none comes last. */
  readonly place: number;
  readonly quantity: string | undefined;
  readonly units: string | undefined;
  readonly caption: string;
  readonly element: XmlElement;
}

function itemOf(element: XmlElement): Item {
  const number = (text: string | undefined) => /^\d{1,6}$/.test(text ?? "") ? Number(text) : undefined;
  return {
    id: partText(element, "InstanceID") ?? partText(element, "InstanceId") ?? "",
    type: number(partText(element, "ResourceType")) ?? -1,
    subtype: partText(element, "ResourceSubType") ?? "",
    parent: partText(element, "Parent"),
    place: number(partText(element, "AddressOnParent")) ?? 1_000_000,
    quantity: partText(element, "VirtualQuantity"),
    units: partText(element, "AllocationUnits"),
    caption: partText(element, "ElementName") ?? partText(element, "Caption") ?? "",
    element,
  };
}

/** The configuration that is taken where there are several. */
function chosenOption(envelope: XmlElement): string | undefined {
  const options = parts(part(envelope, "DeploymentOptionSection"), "Configuration");
  const usual = options.find((option) => /^(true|1)$/.test(attribute(option, "default") ?? ""));
  return attribute(usual ?? options[0], "id");
}

function itemsOf(hardware: XmlElement | undefined, option: string | undefined): Item[] {
  const elements = ["Item", "StorageItem", "EthernetPortItem"].flatMap((kind) => parts(hardware, kind));
  if (elements.length > MOST_ITEMS) throw new OvfError(`it has more than ${MOST_ITEMS} pieces of hardware`);
  const isChosen = (element: XmlElement) => {
    const of = attribute(element, "configuration");
    return of === undefined || (option !== undefined && of.split(/\s+/).includes(option));
  };
  return elements.filter(isChosen).map(itemOf);
}

/** The files of the archive by their ids. @throws {OvfError} for one that is not in the archive itself */
function filesOf(envelope: XmlElement): Map<string, string> {
  const files = parts(part(envelope, "References"), "File");
  if (files.length > MOST_FILES) throw new OvfError(`it has more than ${MOST_FILES} files`);
  return new Map(files.map((file): [string, string] => {
    const id = attribute(file, "id") ?? "", href = attribute(file, "href") ?? "";
    const refuse = (why: string) => new OvfError(`its file ${JSON.stringify(href.slice(0, 80))} ${why}`);
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(href)) throw refuse("is somewhere else, not in the archive");
    if (attribute(file, "chunkSize") !== undefined) {
      throw refuse("is split into pieces. Export it in one piece");
    }
    const compression = attribute(file, "compression") ?? "";
    if (compression !== "" && compression !== "identity") {
      throw refuse(`is compressed (${compression.slice(0, 20)}). Export it without compression`);
    }
    try {
      return [id, plainName(decodedName(href))];
    } catch {
      throw refuse("has a name that is not allowed");
    }
  }));
}

/** A disk as the section of disks has it. */
type Medium = Omit<OvfDisk, "bus"> & {
  readonly interface: string;
  /** oVirt marks the disk that is booted from. */
  readonly isBoot: boolean;
};

function mediaOf(envelope: XmlElement, files: Map<string, string>): Map<string, Medium> {
  const found = new Map<string, Medium>();
  for (const disk of parts(part(envelope, "DiskSection"), "Disk")) {
    const id = attribute(disk, "diskId") ?? "";
    if (attribute(disk, "parentRef") !== undefined && attribute(disk, "parentRef") !== "") {
      throw new OvfError("a disk of it is built on another one. Export it whole, without snapshots");
    }
    const reference = attribute(disk, "fileRef");
    const file = reference === undefined ? null : files.get(reference);
    if (file === undefined) throw new OvfError(`its disk ${JSON.stringify(id.slice(0, 80))} has no file`);
    const uri = attribute(disk, "format") ?? "";
    const volume = attribute(disk, "volume-format") ?? "";
    const capacity = attribute(disk, "capacity") ?? attribute(disk, "size") ?? "";
    const medium = {
      file,
      format: VOLUME_FORMATS[volume] ?? FORMATS.find(([pattern]) => pattern.test(uri))?.[1],
      // oVirt means GiB where it says nothing.
      capacityBytes: bytesOfQuantity(
        capacity,
        attribute(disk, "capacityAllocationUnits") ?? (volume === "" ? "byte" : "byte * 2^30"),
      ),
      interface: attribute(disk, "disk-interface") ?? "",
      isBoot: /^(true|1)$/i.test(attribute(disk, "boot") ?? ""),
    };
    // By its own id, and by its file's, as oVirt names it.
    found.set(id, medium);
    if (reference !== undefined && !found.has(reference)) found.set(reference, medium);
  }
  return found;
}

/** The medium of a piece of hardware: `ovf:/disk/ID`, `/disk/ID`, or oVirt's `GROUP/ID`. */
function mediumOf({ element }: Item, media: Map<string, Medium>): Medium | undefined {
  const resource = partText(element, "HostResource") ?? "";
  const id = resource.slice(resource.lastIndexOf("/") + 1);
  return media.get(id) ?? media.get(resource);
}

/**
 * Whether a piece of hardware is a disk: by its type, or because its medium is one of the section of disks, whatever type
 * a program writes for that.
 */
const isDisk = (item: Item, media: Map<string, Medium>): boolean =>
  DISK_ITEMS.has(item.type) || (!DRIVE_ITEMS.has(item.type) && mediumOf(item, media) !== undefined);

/** Whether the VM boots from a disk, as far as its description marks that. */
const isBootDisk = (item: Item, medium: Medium | undefined): boolean =>
  medium?.isBoot === true || /(^|,)bootable=true(,|$)/i.test(partText(item.element, "Connection") ?? "");

class Reader {
  readonly #envelope: XmlElement;
  readonly #system: XmlElement;
  readonly #hardware: XmlElement | undefined;
  readonly #items: readonly Item[];
  readonly #media: Map<string, Medium>;
  readonly warnings: OvfWarning[] = [];

  constructor(envelope: XmlElement) {
    this.#envelope = envelope;
    this.#system = systemIn(envelope);
    this.#hardware = part(this.#system, "VirtualHardwareSection");
    if (this.#hardware === undefined) throw new OvfError("it describes no hardware");
    const option = chosenOption(envelope);
    if (option !== undefined) this.#warn("", "OptionIgnored", { taken: option.slice(0, 80) });
    this.#items = itemsOf(this.#hardware, option);
    this.#media = mediaOf(envelope, filesOf(envelope));
  }

  #warn(field: string, code: OvfWarningCode, details?: Record<string, string>): void {
    this.warnings.push(ovfWarning(field, code, details));
  }

  /** The last of a type: a configuration's own follows what it replaces. */
  #last(type: number): Item | undefined {
    return this.#items.filter((item) => item.type === type).at(-1);
  }

  #cpus(): { cpuCount: number; coresPerSocket: number | undefined } {
    const item = this.#last(ITEM.cpu);
    const count = Number(item?.quantity ?? "1");
    const cores = Number(
      partText(item?.element, "CoresPerSocket") ?? partText(item?.element, "cpu_per_socket"),
    );
    // oVirt writes the sockets alone where it writes no quantity.
    const sockets = Number(partText(item?.element, "num_of_sockets"));
    const all = item?.quantity === undefined && sockets > 0 ? sockets * (cores > 0 ? cores : 1) : count;
    if (!Number.isInteger(all) || all < 1) throw new OvfError("its number of CPUs is none");
    return {
      cpuCount: all,
      coresPerSocket: Number.isInteger(cores) && cores > 1 && all % cores === 0 ? cores : undefined,
    };
  }

  #memoryMb(): number {
    const item = this.#last(ITEM.memory);
    if (item?.quantity === undefined) throw new OvfError("it does not say how much memory the VM has");
    return Math.ceil(bytesOfQuantity(item.quantity, item.units ?? "MegaBytes") / MIB);
  }

  #firmware(): typeof FIRMWARES[number] {
    const configured = new Map(
      [this.#hardware, this.#system].flatMap((section) => [
        ...parts(section, "Config"),
        ...parts(section, "ExtraConfig"),
      ]).map((each): [string, string] => [attribute(each, "key") ?? "", attribute(each, "value") ?? ""]),
    );
    const isSecure = /^true$/i.test(configured.get("bootOptions.efiSecureBootEnabled") ?? "");
    if (configured.get("firmware") === "efi") return isSecure ? "uefi-secure" : "uefi";
    const box = part(part(part(this.#system, "Machine"), "Hardware"), "Firmware");
    if (/^efi/i.test(attribute(box, "type") ?? "")) return "uefi";
    const ovirt = partText(this.#system, "BiosType");
    if (ovirt === "3") return "uefi";
    return ovirt === "4" ? "uefi-secure" : "bios";
  }

  #disks(hasUefi: boolean): OvfDisk[] {
    const controllers = new Map(this.#items.map((item) => [item.id, item]));
    const order = new Map([...controllers.keys()].map((id, at) => [id, at]));
    const items = this.#items.filter((item) => isDisk(item, this.#media))
      .map((item, index) => {
        const controller = item.parent === undefined ? undefined : controllers.get(item.parent);
        const medium = mediumOf(item, this.#media);
        return {
          item,
          medium,
          controller,
          // What is marked to be booted from comes first, and what says no controller after those that do.
          rank: [
            isBootDisk(item, medium) ? 0 : 1,
            controller === undefined ? order.size : order.get(controller.id)!,
            item.place,
            index,
          ],
        };
      })
      .sort((a, b) => a.rank.map((each, at) => each - b.rank[at]!).find((each) => each !== 0) ?? 0);
    if (items.length > MOST_DISKS) throw new OvfError(`it has more than ${MOST_DISKS} disks`);
    const hints = hintsIn(part(this.#system, HINTS));
    const told = new Set<string>();
    const used = new Set<string>();
    return items.flatMap(({ item, medium, controller }, index): OvfDisk[] => {
      const field = `disks.${index}`;
      if (medium === undefined) {
        throw new OvfError(`its disk ${JSON.stringify(item.caption.slice(0, 80))} has no medium`);
      }
      if (medium.file !== null && used.has(medium.file)) {
        throw new OvfError(`its file ${JSON.stringify(medium.file)} is the medium of two disks`);
      }
      if (medium.file !== null) used.add(medium.file);
      const { file, format, capacityBytes } = medium;
      const hint = hints.buses[index];
      if (hint !== undefined) return [{ file, format, capacityBytes, bus: hint }];
      const was = medium.interface || controller?.subtype || controller?.caption || "";
      const match = busOf(controller?.type ?? -1, medium.interface || controller?.subtype || "");
      // UEFI has no drivers for the older board's IDE.
      const taken = match.taken === "ide" && hasUefi ? "sata" : match.taken;
      if ((!match.isSame || taken !== match.taken) && !told.has(was)) {
        told.add(was);
        this.#warn(field, "ControllerReplaced", {
          was: (was || "of an unknown kind").slice(0, 40),
          taken: taken.toUpperCase(),
        });
      }
      return [{ file, format, capacityBytes, bus: taken }];
    });
  }

  #nics(): OvfNic[] {
    const items = this.#items.filter(({ type }) => NIC_ITEMS.has(type));
    const hints = hintsIn(part(this.#system, HINTS));
    for (const { caption } of items.slice(MOST_NICS)) {
      this.#warn("", "DeviceDropped", { what: (caption || "A network card").slice(0, 80) });
    }
    return items.slice(0, MOST_NICS).map(({ element, subtype }, index) => {
      const match = ovfNicOf(subtype);
      const hint = hints.nics[index];
      if (hint === undefined && !match.isSame) {
        this.#warn(`nics.${index}`, "NicReplaced", { was: subtype.slice(0, 40), taken: match.taken });
      }
      const mac = (partText(element, "MACAddress") ?? partText(element, "Address") ?? "").toLowerCase();
      return {
        network: (partText(element, "Connection") ?? "").slice(0, 200),
        model: hint ?? match.taken,
        mac: /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/.test(mac) ? mac : undefined,
      };
    });
  }

  /** Warns about the rest of the hardware, which is left out. */
  #rest(): void {
    const told = new Set<string>();
    for (const item of this.#items) {
      const { type, caption } = item;
      const isHandled = type === ITEM.cpu || type === ITEM.memory || NIC_ITEMS.has(type) ||
        isDisk(item, this.#media);
      if (isHandled || UNSAID.has(type)) continue;
      const isDrive = DRIVE_ITEMS.has(type);
      const what = (caption || `A device of type ${type}`).slice(0, 80);
      if (told.has(isDrive ? "drive" : what) || told.size > 20) continue;
      told.add(isDrive ? "drive" : what);
      if (isDrive) this.#warn("", "CdDropped");
      else this.#warn("", "DeviceDropped", { what });
    }
    if (parts(this.#system, "ProductSection").some((section) => parts(section, "Property").length > 0)) {
      this.#warn("", "StartupIgnored");
    }
    const licence = partText(
      part(this.#system, "EulaSection") ?? part(this.#envelope, "EulaSection"),
      "License",
    );
    if (licence !== undefined) {
      const text = licence.replace(/\s+/g, " ");
      this.#warn("", "LicenceInside", { text: text.length > LICENCE ? `${text.slice(0, LICENCE)}…` : text });
    }
  }

  read(): OvfVm {
    const system = part(this.#system, "OperatingSystemSection");
    const box = part(this.#system, "Machine");
    const firmware = this.#firmware();
    const disks = this.#disks(firmware !== "bios");
    const nics = this.#nics();
    const memoryMb = this.#memoryMb();
    if (firmware !== "bios") this.#warn("", "FirmwareState");
    this.#rest();
    const annotation = partText(part(this.#system, "AnnotationSection"), "Annotation") ??
      partText(this.#system, "Description");
    return {
      name: partText(this.#system, "Name") ?? attribute(this.#system, "id") ?? "",
      description: annotation === undefined ? undefined : plainText(annotation),
      osType: ovfOsTypeOf(attribute(system, "id"), [
        attribute(system, "osType") ?? "",
        partText(system, "OSType") ?? "",
        partText(system, "Description") ?? "",
        attribute(box, "OSType") ?? "",
      ]),
      ...this.#cpus(),
      memoryMb,
      firmware,
      machine: disks.some(({ bus }) => bus === "ide") ? "pc" : undefined,
      disks,
      leftOut: disks.length > 0
        ? []
        : [...new Set(this.#media.values())].map(({ file }) => file ?? "an empty disk"),
      nics,
      warnings: this.warnings,
    };
  }
}

/** Text as a VM's description may be: characters that libvirt's XML cannot hold, or spells otherwise, are blanks. */
function plainText(text: string): string {
  // deno-lint-ignore no-control-regex -- these are the very characters that a description may not have
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd-\uffff]/g;
  return text.slice(0, MOST_DESCRIPTION).toWellFormed().replace(control, " ");
}

/** The one VM. @throws {OvfError} where there are several, or none */
function systemIn(envelope: XmlElement): XmlElement {
  const collection = part(envelope, "VirtualSystemCollection");
  const systems = [...parts(envelope, "VirtualSystem"), ...parts(collection, "VirtualSystem")];
  const [system] = systems;
  if (system === undefined) throw new OvfError("it describes no VM");
  if (systems.length > 1) {
    throw new OvfError(`it describes ${systems.length} VMs. Export each of them into an archive of its own`);
  }
  return system;
}

/**
 * Reads a description.
 *
 * @throws {OvfError} what is wrong with it
 */
export function readOvf(text: string): OvfVm {
  const envelope = readTree(text);
  if (!/(^|:)Envelope$/.test(envelope.name)) throw new OvfError("its description is no OVF");
  return new Reader(envelope).read();
}
