/** Devices of the demo's hosts that VMs could have, and the filters of their networks. */
import { renderXml, xml, type XmlNode } from "../../../lib/formats/xml/build.ts";
import type { FilterRecord } from "../../../ffi/calls/nic.ts";
import { uuidOf } from "../world/chance.ts";
import type { DemoHost } from "../world/hosts.ts";

type Ids = readonly [product: string, productId: string, vendor: string, vendorId: string];

const named = ([product, productId, vendor, vendorId]: Ids): XmlNode[] => [
  xml("product", { id: productId }, product),
  xml("vendor", { id: vendorId }, vendor),
];

const usb = (bus: number, device: number, ids: Ids): XmlNode =>
  xml(
    "device",
    {},
    xml("name", {}, `usb_${bus}_${device}`),
    xml("path", {}, `/sys/devices/pci0000:00/0000:00:14.0/usb${bus}/${bus}-${device}`),
    xml("parent", {}, `usb_usb${bus}`),
    xml("driver", {}, xml("name", {}, "usb")),
    xml(
      "capability",
      { type: "usb_device" },
      xml("bus", {}, bus),
      xml("device", {}, device),
      named(ids),
    ),
  );

const pci = (bus: number, pciClass: string, driver: string, group: number, ids: Ids): XmlNode => {
  const place = bus.toString(16).padStart(2, "0");
  return xml(
    "device",
    {},
    xml("name", {}, `pci_0000_${place}_00_0`),
    xml("path", {}, `/sys/devices/pci0000:00/0000:${place}:00.0`),
    xml("parent", {}, "computer"),
    xml("driver", {}, xml("name", {}, driver)),
    xml(
      "capability",
      { type: "pci" },
      xml("class", {}, pciClass),
      xml("domain", {}, 0),
      xml("bus", {}, bus),
      xml("slot", {}, 0),
      xml("function", {}, 0),
      named(ids),
      xml(
        "iommuGroup",
        { number: group },
        xml("address", { domain: "0x0000", bus: `0x${place}`, slot: "0x00", function: "0x0" }),
      ),
    ),
  );
};

const YUBIKEY: Ids = ["YubiKey 5 NFC", "0x0407", "Yubico", "0x1050"];
const STICK: Ids = ["Ultra Fit", "0x5583", "SanDisk Corp.", "0x0781"];
const GPU: Ids = ["TU104GL [Tesla T4]", "0x1eb8", "NVIDIA Corporation", "0x10de"];
const CARD: Ids = ["Ethernet Controller E810-XXV", "0x159b", "Intel Corporation", "0x8086"];

/** The XML of a host's devices. */
export function deviceXmls({ memoryGib }: DemoHost): string[] {
  const isLarge = memoryGib > 64, small = [usb(1, 4, YUBIKEY), usb(1, 7, STICK)];
  const large = [pci(65, "0x030200", "nvidia", 38, GPU), pci(66, "0x020000", "ice", 41, CARD)];
  return (isLarge ? [...small, ...large] : small).map((device) => renderXml(device));
}

/** Filters that libvirt brings along. */
export const FILTERS: readonly FilterRecord[] = ["clean-traffic", "no-mac-spoofing", "no-ip-spoofing"].map(
  (name) => {
    const uuid = uuidOf(`filter ${name}`);
    const rule = xml(
      "rule",
      { action: "drop", direction: "out", priority: 500 },
      xml("mac", { match: false }),
    );
    return {
      name,
      uuid,
      xml: renderXml(xml("filter", { name, chain: "root" }, xml("uuid", {}, uuid), rule)),
    };
  },
);
