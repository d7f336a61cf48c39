/** Templates of the demo. */
import { renderXml, xml } from "../../../lib/formats/xml/build.ts";
import type { VM } from "../../../lib/contract/vm.ts";
import { demoHost } from "./hosts.ts";

export interface DemoTemplate {
  readonly name: string;
  readonly host: string;
  readonly pool: string;
  readonly description: string;
  readonly cpuCount: number;
  readonly memoryGib: number;
  readonly gib: number;
  readonly usedGib: number;
  readonly osVariant: string;
  readonly osType: NonNullable<VM["osType"]>;
  readonly daysAgo: number;
}

export const DEMO_TEMPLATES: readonly DemoTemplate[] = [
  {
    name: "debian-12-base",
    host: "local",
    pool: "images",
    description: "Updates, monitoring, SSH keys of operations. Sealed with cloud-init.",
    cpuCount: 2,
    memoryGib: 4,
    gib: 40,
    usedGib: 3,
    osVariant: "debian12",
    osType: "linux",
    daysAgo: 34,
  },
  {
    name: "windows-server-2022",
    host: "local",
    pool: "images",
    description: "Sysprepped, with VirtIO drivers and the guest agent",
    cpuCount: 4,
    memoryGib: 8,
    gib: 80,
    usedGib: 19,
    osVariant: "win2k22",
    osType: "windows",
    daysAgo: 71,
  },
  {
    name: "ci-runner",
    host: "kvm-02",
    pool: "ssd",
    description: "Runner with Docker; registers itself at its first boot",
    cpuCount: 8,
    memoryGib: 16,
    gib: 120,
    usedGib: 9,
    osVariant: "ubuntu24.04",
    osType: "linux",
    daysAgo: 121,
  },
];

/** The volume of a template's disk. */
export function templateVolume({ host, pool, name }: DemoTemplate) {
  const { path } = demoHost(host).pools.find((each) => each.name === pool)!;
  const volume = `template-${name}.qcow2`;
  return { pool, volume, path: `${path}/${volume}` };
}

/** The definition that VMs are made of. */
export function templateXml(template: DemoTemplate): string {
  const { name, cpuCount, memoryGib } = template;
  return renderXml(xml(
    "domain",
    { type: "kvm" },
    xml("name", {}, name),
    xml("memory", { unit: "GiB" }, memoryGib),
    xml("vcpu", {}, cpuCount),
    xml("os", { firmware: "efi" }, xml("type", { arch: "x86_64", machine: "pc-q35-8.2" }, "hvm")),
    xml("features", {}, xml("acpi"), xml("apic")),
    xml("cpu", { mode: "host-passthrough" }),
    xml(
      "devices",
      {},
      xml("emulator", {}, "/usr/bin/qemu-system-x86_64"),
      xml(
        "disk",
        { type: "file", device: "disk" },
        xml("driver", { name: "qemu", type: "qcow2" }),
        xml("source", { file: templateVolume(template).path }),
        xml("target", { dev: "vda", bus: "virtio" }),
      ),
      xml(
        "interface",
        { type: "network" },
        xml("source", { network: "backend" }),
        xml("model", { type: "virtio" }),
      ),
      xml("serial", { type: "pty" }),
      xml("graphics", { type: "vnc", port: -1, autoport: true }),
      xml("video", {}, xml("model", { type: "virtio" })),
    ),
  ));
}
