/**
 * Writing an OVF 1.x description that VMware, VirtualBox and oVirt take: stream-optimised VMDK disks on a SATA
 * controller, which all of them have. Elements of an item stand in the order of their names, as VMware wants it. Pure.
 */
import type { DISK_BUSES, FIRMWARES, NIC_MODELS } from "../../contract/choices.ts";
import { renderXml, xml, type XmlNode } from "../xml/build.ts";
import { HINTS, HINTS_URI } from "./hints.ts";

/** A VM to be described. */
export interface VmToExport {
  readonly name: string;
  readonly description: string | undefined;
  readonly isWindows: boolean;
  readonly cpuCount: number;
  readonly memoryMb: number;
  readonly firmware: typeof FIRMWARES[number];
  readonly disks: readonly {
    /** In the archive. */
    readonly file: string;
    readonly fileBytes: number;
    readonly capacityBytes: number;
    readonly bus: typeof DISK_BUSES[number] | undefined;
  }[];
  readonly nics: readonly {
    readonly network: string;
    readonly mac: string;
    readonly model: typeof NIC_MODELS[number] | undefined;
  }[];
}

const OVF = "http://schemas.dmtf.org/ovf/envelope/1";
const CIM = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2";
const VMDK = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";
/** Other Linux (64 bits) and Windows, by CIM's numbers. */
const OTHER_LINUX = { id: 101, vmware: "other3xLinux64Guest" };
const WINDOWS = { id: 120, vmware: "windows9_64Guest" };
/** Hardware that every VMware product since 2016 has. */
const SYSTEM = "vmx-13";
/** Disks a SATA controller has. */
const PORTS = 30;
/** Cards other products have by the models here; the rest become what all of them have. */
const CARDS: Readonly<Record<string, string>> = { e1000: "E1000", e1000e: "E1000e", vmxnet3: "VmxNet3" };

/** The name of a card in the description. */
export const cardOf = (model: string | undefined): string => CARDS[model ?? ""] ?? "E1000";

/** An item: its elements by name, sorted. */
function item(fields: Readonly<Record<string, string | number | undefined>>): XmlNode {
  const names = Object.keys(fields).filter((name) => fields[name] !== undefined).sort();
  return xml("Item", {}, names.map((name) => xml(`rasd:${name}`, {}, String(fields[name]))));
}

function hardware({ name, cpuCount, memoryMb, disks, nics, firmware }: VmToExport): XmlNode {
  let id = 0;
  const controllers = Array.from(
    { length: Math.ceil(disks.length / PORTS) },
    (_, at) => ({ id: 100 + at, at }),
  );
  return xml(
    "VirtualHardwareSection",
    {},
    xml("Info", {}, "Virtual hardware"),
    xml(
      "System",
      {},
      xml("vssd:ElementName", {}, "Virtual Hardware Family"),
      xml("vssd:InstanceID", {}, "0"),
      xml("vssd:VirtualSystemIdentifier", {}, name),
      xml("vssd:VirtualSystemType", {}, SYSTEM),
    ),
    item({
      AllocationUnits: "hertz * 10^6",
      Description: "Number of virtual CPUs",
      ElementName: `${cpuCount} virtual CPU(s)`,
      InstanceID: ++id,
      ResourceType: 3,
      VirtualQuantity: cpuCount,
    }),
    item({
      AllocationUnits: "byte * 2^20",
      Description: "Memory size",
      ElementName: `${memoryMb} MB of memory`,
      InstanceID: ++id,
      ResourceType: 4,
      VirtualQuantity: memoryMb,
    }),
    controllers.map(({ id, at }) =>
      item({
        Address: at,
        Description: "SATA controller",
        ElementName: `SATA controller ${at}`,
        InstanceID: id,
        ResourceSubType: "AHCI",
        ResourceType: 20,
      })
    ),
    disks.map((_, at) =>
      item({
        AddressOnParent: at % PORTS,
        Description: "Hard disk",
        ElementName: `Hard disk ${at + 1}`,
        HostResource: `ovf:/disk/vmdisk${at + 1}`,
        InstanceID: 200 + at,
        Parent: 100 + Math.floor(at / PORTS),
        ResourceType: 17,
      })
    ),
    nics.map(({ network, model, mac }, at) =>
      item({
        Address: mac,
        AutomaticAllocation: "true",
        Connection: network,
        Description: `${cardOf(model)} network card on ${network}`,
        ElementName: `Network card ${at + 1}`,
        InstanceID: 300 + at,
        ResourceSubType: cardOf(model),
        ResourceType: 10,
      })
    ),
    firmware !== "bios" && xml("vmw:Config", {
      "ovf:required": "false",
      "vmw:key": "firmware",
      "vmw:value": "efi",
    }),
    firmware === "uefi-secure" && xml("vmw:Config", {
      "ovf:required": "false",
      "vmw:key": "bootOptions.efiSecureBootEnabled",
      "vmw:value": "true",
    }),
  );
}

/** The description as the text of its file. */
export function writeOvf(vm: VmToExport): string {
  const { name, description, disks, nics, isWindows } = vm;
  const networks = [...new Set(nics.map(({ network }) => network))];
  const system = isWindows ? WINDOWS : OTHER_LINUX;
  const envelope = xml(
    "Envelope",
    {
      "xmlns": OVF,
      "xmlns:ovf": OVF,
      "xmlns:rasd": `${CIM}/CIM_ResourceAllocationSettingData`,
      "xmlns:vssd": `${CIM}/CIM_VirtualSystemSettingData`,
      "xmlns:vmw": "http://www.vmware.com/schema/ovf",
      "xmlns:kvmm": HINTS_URI,
    },
    xml(
      "References",
      {},
      disks.map(({ file, fileBytes }, at) =>
        xml("File", { "ovf:href": encodeURI(file), "ovf:id": `file${at + 1}`, "ovf:size": fileBytes })
      ),
    ),
    xml(
      "DiskSection",
      {},
      xml("Info", {}, "Virtual disks"),
      disks.map(({ capacityBytes }, at) =>
        xml("Disk", {
          "ovf:capacity": capacityBytes,
          "ovf:capacityAllocationUnits": "byte",
          "ovf:diskId": `vmdisk${at + 1}`,
          "ovf:fileRef": `file${at + 1}`,
          "ovf:format": VMDK,
        })
      ),
    ),
    networks.length > 0 && xml(
      "NetworkSection",
      {},
      xml("Info", {}, "Networks"),
      networks.map((network) =>
        xml("Network", { "ovf:name": network }, xml("Description", {}, `The network ${network}`))
      ),
    ),
    xml(
      "VirtualSystem",
      { "ovf:id": name },
      xml("Info", {}, "A virtual machine"),
      xml("Name", {}, name),
      description !== undefined && description !== "" && xml(
        "AnnotationSection",
        {},
        xml("Info", {}, "Description"),
        xml("Annotation", {}, description),
      ),
      xml(
        "OperatingSystemSection",
        { "ovf:id": system.id, "vmw:osType": system.vmware },
        xml("Info", {}, "The operating system"),
      ),
      hardware(vm),
      xml(
        `kvmm:${HINTS}`,
        { "ovf:required": "false" },
        xml("Info", {}, "What KVM Manager needs to import the VM as it was"),
        disks.map(({ bus }) => xml("kvmm:Disk", { bus: bus ?? "" })),
        nics.map(({ model }) => xml("kvmm:Nic", { model: model ?? "" })),
      ),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${renderXml(envelope)}\n`;
}
