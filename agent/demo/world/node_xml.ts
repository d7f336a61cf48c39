/** A host of the demo as a file of libvirt's test driver. Source: testOpenFromFile. */
import { renderXml, xml, type XmlNode } from "../../../lib/formats/xml/build.ts";
import { METADATA_PREFIX, METADATA_URI } from "../../../lib/formats/xml/metadata.ts";
import { DAY_MS } from "../../../lib/duration.ts";
import { hash, uuidOf } from "./chance.ts";
import type { DemoHost, DemoNetwork, DemoPool } from "./hosts.ts";
import { DEMO_SNAPSHOTS, type DemoSnapshot } from "./snapshots.ts";
import { SYSTEMS } from "./systems.ts";
import { DEMO_VMS, type DemoVm } from "./vms.ts";

/** The driver's own namespace: how a domain is when the file is opened. */
const TEST_URI = "http://libvirt.org/schemas/domain/test/1.0";
const OSINFO_URI = "http://libosinfo.org/xmlns/libvirt/domain/1.0";
/** `virDomainState` */
const RUN_STATES = { running: 1, paused: 3, stopped: 5, suspended: 5 } as const;
/** Nothing in the demo can be reached by it. */
const SCREEN_PASSWORD = "demo";

/** The id of a VM of the demo. */
export const idOf = ({ name, host }: Pick<DemoVm, "name" | "host">): string => uuidOf(`vm ${host} ${name}`);

/** The MAC address of a VM's network card. */
export function macOf({ name }: Pick<DemoVm, "name">, card: number): string {
  const value = hash(`card ${card} of ${name}`);
  return `52:54:00:${
    [16, 8, 0].map((bits) => (value >>> bits & 255).toString(16).padStart(2, "0")).join(":")
  }`;
}

const TARGETS = ["vda", "vdb", "vdc", "vdd"];
/** Device name of a VM's disk in the guest. */
export const diskTargetOf = (index: number): string => TARGETS[index]!;

const poolOf = (host: DemoHost, name: string): DemoPool => {
  const found = host.pools.find((pool) => pool.name === name);
  if (found === undefined) throw new Error(`${host.id} has no pool ${name}`);
  return found;
};

/** The volume of a VM's disk: name, path and format. */
export function simulatedVolume(
  host: DemoHost,
  { name, disks }: DemoVm,
  index: number,
): { readonly name: string; readonly path: string; readonly format: "raw" | "qcow2" } {
  const pool = poolOf(host, disks[index]!.pool), base = index === 0 ? name : `${name}-data`;
  const isVolumeGroup = pool.type === "logical", file = isVolumeGroup ? base : `${base}.qcow2`;
  return { name: file, path: `${pool.path}/${file}`, format: isVolumeGroup ? "raw" : "qcow2" };
}

function diskXml(host: DemoHost, vm: DemoVm, index: number): XmlNode {
  const { path, format } = simulatedVolume(host, vm, index), isBlock = format === "raw";
  return xml(
    "disk",
    { type: isBlock ? "block" : "file", device: "disk" },
    xml("driver", { name: "qemu", type: format, discard: "unmap" }),
    xml("source", { [isBlock ? "dev" : "file"]: path }),
    xml("target", { dev: diskTargetOf(index), bus: "virtio" }),
  );
}

function cardXml(vm: DemoVm, network: string, index: number): XmlNode {
  return xml(
    "interface",
    { type: "network" },
    xml("mac", { address: macOf(vm, index) }),
    xml("source", { network }),
    xml("model", { type: SYSTEMS[vm.system].family === "windows" ? "e1000e" : "virtio" }),
  );
}

const channelXml = (name: string) =>
  xml("channel", { type: "unix" }, xml("target", { type: "virtio", name }));

function metadataXml({ tags, group, ageDays, system }: DemoVm, now: number): XmlNode {
  const own = (name: string, text: string) => xml(`${METADATA_PREFIX}:${name}`, {}, text);
  return xml(
    "metadata",
    {},
    xml(
      `${METADATA_PREFIX}:vm`,
      { [`xmlns:${METADATA_PREFIX}`]: METADATA_URI, created: now - ageDays * DAY_MS },
      tags.map((tag) => own("tag", tag)),
      own("group", group),
    ),
    xml(
      "libosinfo:libosinfo",
      { "xmlns:libosinfo": OSINFO_URI },
      xml("libosinfo:os", { id: SYSTEMS[system].libosinfo }),
    ),
  );
}

/** libvirt takes no snapshot within the disks of a VM that starts by UEFI. */
const hasSnapshots = ({ name }: DemoVm) => DEMO_SNAPSHOTS.some(({ vm }) => vm === name);

function osXml(vm: DemoVm): XmlNode {
  const { system } = vm, isWindows = SYSTEMS[system].family === "windows";
  return xml(
    "os",
    system === "freebsd14" || hasSnapshots(vm) ? {} : { firmware: "efi" },
    xml("type", { arch: "x86_64", machine: "pc-q35-8.2" }, "hvm"),
    isWindows && xml("firmware", {}, xml("feature", { enabled: true, name: "secure-boot" })),
    xml("boot", { dev: "hd" }),
  );
}

/** Elements of a domain in its definition and in its snapshots. */
function bodyOf(host: DemoHost, vm: DemoVm, now: number): XmlNode[] {
  const { name, title, vcpus, memoryGib, disks, networks, agent, system } = vm;
  const isWindows = SYSTEMS[system].family === "windows";
  return [
    xml("name", {}, name),
    xml("uuid", {}, idOf(vm)),
    xml("title", {}, title),
    metadataXml(vm, now),
    xml("memory", { unit: "GiB" }, memoryGib),
    xml("vcpu", {}, vcpus),
    osXml(vm),
    xml("features", {}, xml("acpi"), xml("apic")),
    xml("cpu", { mode: "host-passthrough" }),
    xml("clock", { offset: isWindows ? "localtime" : "utc" }),
    xml(
      "devices",
      {},
      xml("emulator", {}, "/usr/bin/qemu-system-x86_64"),
      disks.map((_, index) => diskXml(host, vm, index)),
      xml(
        "disk",
        { type: "file", device: "cdrom" },
        xml("target", { dev: "sda", bus: "sata" }),
        xml("readonly"),
      ),
      networks.map(([network], index) => cardXml(vm, network, index)),
      xml("serial", { type: "pty" }, xml("target", { port: 0 })),
      xml("console", { type: "pty" }, xml("target", { type: "serial", port: 0 })),
      agent && channelXml("org.qemu.guest_agent.0"),
      xml("input", { type: "tablet", bus: "usb" }),
      xml("graphics", { type: "vnc", port: -1, autoport: true, passwd: SCREEN_PASSWORD }),
      xml("video", {}, xml("model", { type: isWindows ? "qxl" : "virtio" })),
      isWindows && xml("tpm", { model: "tpm-crb" }, xml("backend", { type: "emulator", version: "2.0" })),
      xml("memballoon", { model: "virtio" }, xml("stats", { period: 5 })),
      xml("rng", { model: "virtio" }, xml("backend", { model: "random" }, "/dev/urandom")),
    ),
  ];
}

function snapshotXml(host: DemoHost, vm: DemoVm, snapshot: DemoSnapshot, now: number): XmlNode {
  const { name, description, daysAgo, parent, memory, isCurrent } = snapshot;
  return xml(
    "test:domainsnapshot",
    {},
    xml("name", {}, name),
    xml("description", {}, description),
    xml("state", {}, memory ? "running" : "shutoff"),
    parent !== undefined && xml("parent", {}, xml("name", {}, parent)),
    xml("creationTime", {}, Math.floor((now - daysAgo * DAY_MS) / 1000)),
    xml("memory", { snapshot: memory ? "internal" : "no" }),
    xml(
      "disks",
      {},
      vm.disks.map((_, index) => xml("disk", { name: diskTargetOf(index), snapshot: "internal" })),
    ),
    xml("domain", { type: "test" }, bodyOf(host, vm, now)),
    xml("active", {}, isCurrent === true ? 1 : 0),
  );
}

function domainXml(host: DemoHost, vm: DemoVm, now: number): XmlNode {
  const snapshots = DEMO_SNAPSHOTS.filter(({ vm: name }) => name === vm.name);
  return xml(
    "domain",
    { type: "test", "xmlns:test": TEST_URI },
    bodyOf(host, vm, now),
    xml("test:runstate", {}, RUN_STATES[vm.state]),
    vm.state === "suspended" && xml("test:hasmanagedsave"),
    snapshots.map((snapshot) => snapshotXml(host, vm, snapshot, now)),
  );
}

function networkXml({ name, mode, bridge, subnet }: DemoNetwork, hostId: string): XmlNode {
  return xml(
    "network",
    {},
    xml("name", {}, name),
    xml("uuid", {}, uuidOf(`network ${hostId} ${name}`)),
    mode !== "isolated" && xml("forward", { mode }),
    xml("bridge", mode === "bridge" ? { name: bridge } : { name: bridge, stp: "on", delay: 0 }),
    subnet !== undefined && xml("domain", { name: `${name}.example.com` }),
    subnet !== undefined && xml(
      "ip",
      { address: `${subnet}.1`, netmask: "255.255.255.0" },
      xml("dhcp", {}, xml("range", { start: `${subnet}.10`, end: `${subnet}.199` })),
    ),
  );
}

function volumeXml(
  pool: DemoPool,
  name: string,
  format: string,
  capacity: readonly [unit: "MiB" | "GiB", size: number],
): XmlNode {
  const [unit, size] = capacity, path = `${pool.path}/${name}`;
  return xml(
    "volume",
    { type: pool.type === "logical" ? "block" : "file" },
    xml("name", {}, name),
    xml("key", {}, path),
    xml("capacity", { unit }, size),
    // A pool of the driver has 100 GiB: what volumes of the larger pools take up is answered by the demo
    xml("allocation", {}, 0),
    xml("target", {}, xml("path", {}, path), xml("format", { type: format })),
  );
}

/** Formats of media by the end of their names. */
const MEDIA_FORMATS: Readonly<Record<string, string>> = { iso: "iso", qcow2: "qcow2", img: "qcow2" };

function poolXml(host: DemoHost, pool: DemoPool): XmlNode {
  const vms = DEMO_VMS.filter((vm) => vm.host === host.id);
  const disks = vms.flatMap((vm) =>
    vm.disks.flatMap((disk, index) => {
      const { name, format } = simulatedVolume(host, vm, index);
      return disk.pool === pool.name ? [volumeXml(pool, name, format, ["GiB", disk.gib])] : [];
    })
  );
  const media = (pool.media ?? []).map(([name, mib]) =>
    volumeXml(pool, name, MEDIA_FORMATS[name.split(".").at(-1)!] ?? "raw", ["MiB", mib])
  );
  return xml(
    "pool",
    { type: pool.type },
    xml("name", {}, pool.name),
    xml("uuid", {}, uuidOf(`pool ${host.id} ${pool.name}`)),
    pool.type === "netfs" && xml(
      "source",
      {},
      xml("host", { name: "nas.example.com" }),
      xml("dir", { path: "/export/archive" }),
      xml("format", { type: "nfs" }),
    ),
    pool.type === "logical" && xml(
      "source",
      {},
      xml("device", { path: "/dev/nvme1n1" }),
      xml("name", {}, "vg-nvme"),
      xml("format", { type: "lvm2" }),
    ),
    xml("target", {}, xml("path", {}, pool.path)),
    [...disks, ...media],
  );
}

/** The file of a host. @param now milliseconds since 1970: snapshots were taken before */
export function nodeXml(host: DemoHost, now: number): string {
  const { cores, threads, memoryGib, cpu } = host;
  return renderXml(xml(
    "node",
    {},
    xml(
      "cpu",
      {},
      xml("mhz", {}, 2900),
      xml("model", {}, cpu.libvirtModel),
      xml("active", {}, threads),
      xml("nodes", {}, 1),
      xml("sockets", {}, 1),
      xml("cores", {}, cores),
      xml("threads", {}, Math.max(1, Math.floor(threads / cores))),
    ),
    xml("memory", {}, memoryGib * 1024 * 1024),
    DEMO_VMS.filter((vm) => vm.host === host.id).map((vm) => domainXml(host, vm, now)),
    host.networks.map((network) => networkXml(network, host.id)),
    host.pools.map((pool) => poolXml(host, pool)),
  ));
}
