/** Capabilities of the demo's hosts: those of libvirt 9.0 with QEMU 8.2 on a PC. */
import { renderXml, xml, type XmlNode } from "../../../lib/formats/xml/build.ts";
import type { DomainKind, NodeRecord } from "../../../ffi/calls/mod.ts";
import { uuidOf } from "../world/chance.ts";
import type { DemoHost } from "../world/hosts.ts";

const EMULATOR = "/usr/bin/qemu-system-x86_64", MACHINE = "pc-q35-8.2";
/** libvirt's way to write versions. */
const LIBVIRT = 9_000_000, QEMU = 8_002_000;

function capabilities({ id, cpu, cores, memoryGib }: DemoHost): string {
  return renderXml(xml(
    "capabilities",
    {},
    xml(
      "host",
      {},
      xml("uuid", {}, uuidOf(`host ${id}`)),
      xml(
        "cpu",
        {},
        xml("arch", {}, "x86_64"),
        xml("model", {}, cpu.name),
        xml("vendor", {}, cpu.vendor),
        xml("topology", { sockets: 1, dies: 1, cores, threads: 2 }),
      ),
      xml("power_management"),
      xml("iommu", { support: true }),
      xml("migration_features", {}, xml("live")),
      xml(
        "topology",
        {},
        xml("cells", { num: 1 }, xml("cell", { id: 0 }, xml("memory", { unit: "GiB" }, memoryGib))),
      ),
    ),
    xml(
      "guest",
      {},
      xml("os_type", {}, "hvm"),
      xml(
        "arch",
        { name: "x86_64" },
        xml("wordsize", {}, 64),
        xml("emulator", {}, EMULATOR),
        xml("machine", { maxCpus: 288 }, MACHINE),
        xml("machine", { canonical: MACHINE, maxCpus: 288 }, "q35"),
        xml("machine", { maxCpus: 255 }, "pc-i440fx-8.2"),
        xml("machine", { canonical: "pc-i440fx-8.2", maxCpus: 255 }, "pc"),
        xml("domain", { type: "qemu" }),
        xml("domain", { type: "kvm" }),
      ),
    ),
  ));
}

/** The make of a host. */
export const nodeRecord = (host: DemoHost, clientVersion: number): NodeRecord => ({
  type: "QEMU",
  cpuModel: "x86_64",
  threads: host.threads,
  cores: host.cores,
  libvirtVersion: LIBVIRT,
  hypervisorVersion: QEMU,
  clientVersion,
  capabilities: capabilities(host),
});

const values = (name: string, ...of: string[]): XmlNode =>
  xml("enum", { name }, of.map((value) => xml("value", {}, value)));
const supported = (name: string, ...content: XmlNode[]): XmlNode => xml(name, { supported: true }, content);

/** Domain capabilities of a kind of VM. */
export function domainCapabilitiesXml({ cpu }: DemoHost, { machine, virtType }: DomainKind): string {
  return renderXml(xml(
    "domainCapabilities",
    {},
    xml("path", {}, EMULATOR),
    xml("domain", {}, virtType ?? "kvm"),
    xml("machine", {}, machine ?? MACHINE),
    xml("arch", {}, "x86_64"),
    xml("vcpu", { max: 288 }),
    supported(
      "os",
      values("firmware", "bios", "efi"),
      supported("loader", values("type", "rom", "pflash"), values("secure", "yes", "no")),
    ),
    xml(
      "cpu",
      {},
      xml("mode", { name: "host-passthrough", supported: true }),
      xml("mode", { name: "maximum", supported: true }),
      xml("mode", { name: "host-model", supported: true }),
      xml(
        "mode",
        { name: "custom", supported: true },
        ["qemu64", "x86-64-v2", cpu.libvirtModel].map((model) => xml("model", { usable: true }, model)),
      ),
    ),
    xml(
      "devices",
      {},
      supported(
        "disk",
        values("diskDevice", "disk", "cdrom", "floppy", "lun"),
        values("bus", "virtio", "scsi", "sata", "usb"),
      ),
      supported("graphics", values("type", "vnc", "spice")),
      supported("video", values("modelType", "virtio", "qxl", "vga", "bochs")),
      supported("tpm", values("model", "tpm-tis", "tpm-crb"), values("backendModel", "emulator")),
      supported("rng", values("model", "virtio"), values("backendModel", "random")),
      supported("filesystem", values("driverType", "virtiofs")),
    ),
    xml("features", {}, supported("hyperv", values("features", "relaxed", "vapic", "spinlocks"))),
  ));
}
