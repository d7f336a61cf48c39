/** A new VM's devices as libvirt's XML. Pure. Source: "Devices" in libvirt's domain format. */
import { channelDevice, OWN_AGENT_CHANNEL, QEMU_AGENT_CHANNEL } from "./channel.ts";
import { isPc, isQ35 } from "./machine_type.ts";
import { seedDisk } from "./seed_drive.ts";
import type { NewVm, NewVmDisk, NewVmNic, VmCd, VmSeed, VmTools } from "./new_vm.ts";
import { backingStoreXml, sourceXml } from "./backing_store.ts";
import { xml, type XmlContent, type XmlNode } from "./build.ts";

/** PCI Express takes one device a port: ports for what is plugged in later. */
const SPARE_PORTS = 14;
/** Seconds between the guest's reports of its memory. */
const BALLOON_PERIOD = 5;

/** More CPUs than this need interrupts with longer ids, which a virtual IOMMU gives. */
const MOST_PLAIN_CPUS = 255;

/** Whether a VM has so many CPUs that it needs an IOMMU. */
export function manyCpus({ cpuCount, machine }: Pick<NewVm, "cpuCount" | "machine">): boolean {
  return cpuCount > MOST_PLAIN_CPUS && isQ35(machine);
}

const boot = (order: number | undefined) => order !== undefined && xml("boot", { order });

/** @throws {TypeError} for a disk that was not made yet */
function disk(each: NewVmDisk, order: number | undefined): XmlNode {
  if (each.source === undefined) throw new TypeError(`the image of ${each.target} was not made yet`);
  return xml(
    "disk",
    { type: each.source.type, device: "disk" },
    xml("driver", {
      name: "qemu",
      type: each.format,
      cache: each.cache,
      discard: each.discard ? "unmap" : undefined,
    }),
    sourceXml(each.source),
    backingStoreXml(each.backing),
    xml("target", { dev: each.target, bus: each.bus }),
    each.readOnly && xml("readonly"),
    each.serial !== undefined && xml("serial", {}, each.serial),
    boot(order),
  );
}

function cdrom({ source: iso, bus, target }: VmCd, order: number | undefined): XmlNode {
  return xml(
    "disk",
    { type: iso.type, device: "cdrom" },
    // A CD is what it is: its format is never guessed from what is on it.
    xml("driver", { name: "qemu", type: "raw" }),
    sourceXml(iso),
    backingStoreXml([]),
    xml("target", { dev: target, bus }),
    xml("readonly"),
    boot(order),
  );
}

/** @throws {TypeError} for a CD that was not made yet */
function seedCd(seed: VmSeed): XmlNode {
  if (seed.path === undefined) throw new TypeError("the CD for cloud-init was not made yet");
  return seedDisk(seed);
}

/**
 * The CD with the guest tools. That it is not there any more keeps no VM from starting.
 *
 * @throws {TypeError} for a CD that was not made yet
 */
function toolsCd({ path, target, bus }: VmTools): XmlNode {
  if (path === undefined) throw new TypeError("the CD with the guest tools was not made yet");
  return xml(
    "disk",
    { type: "file", device: "cdrom" },
    xml("driver", { name: "qemu", type: "raw" }),
    xml("source", { file: path, startupPolicy: "optional" }),
    backingStoreXml([]),
    xml("target", { dev: target, bus }),
    xml("readonly"),
  );
}

function nic(each: NewVmNic, order: number | undefined): XmlNode {
  return xml(
    "interface",
    { type: each.type },
    xml("mac", { address: each.mac }),
    xml("source", { [each.type]: each.source }),
    xml("model", { type: each.model }),
    !each.linkUp && xml("link", { state: "down" }),
    boot(order),
  );
}

/** Disks, CD and interfaces, each with its turn at the boot. */
function bootable({ disks, cd, nics, bootOrder }: NewVm): XmlNode[] {
  let next = 1;
  const turns = new Map<NewVmDisk | VmCd | NewVmNic, number>();
  for (const device of bootOrder) {
    const group = { disk: disks, cdrom: cd === undefined ? [] : [cd], network: nics }[device];
    for (const each of group) turns.set(each, next++);
  }
  return [
    ...disks.map((each) => disk(each, turns.get(each))),
    ...cd === undefined ? [] : [cdrom(cd, turns.get(cd))],
    ...nics.map((each) => nic(each, turns.get(each))),
  ];
}

function controllers({ arch, machine, disks, cd, seed, tools }: NewVm): XmlContent {
  const buses = new Set<string | undefined>([...disks.map(({ bus }) => bus), cd?.bus, seed?.bus, tools?.bus]);
  const express = isQ35(machine) || machine === "virt" || machine.startsWith("virt-");
  return [
    express && xml("controller", { type: "pci", model: "pcie-root" }),
    express && Array.from(
      { length: SPARE_PORTS },
      () => xml("controller", { type: "pci", model: "pcie-root-port" }),
    ),
    arch !== "s390x" && xml("controller", { type: "usb", model: "qemu-xhci", ports: 15 }),
    buses.has("scsi") && xml("controller", { type: "scsi", model: "virtio-scsi" }),
  ];
}

const agentChannels = () => [QEMU_AGENT_CHANNEL, OWN_AGENT_CHANNEL].map(channelDevice);

/**
 * A screen listens on loopback alone: who may see it comes through the agent's own door. Everybody who is signed in to
 * the host reaches loopback, so it has a password, from before the first start.
 */
function screen({ graphics, screenPassword, video, arch }: NewVm): XmlContent {
  const input = arch !== "s390x" && graphics !== "none" &&
    [
      xml("input", { type: "tablet", bus: "usb" }),
      !isPc(arch) && xml("input", { type: "keyboard", bus: "usb" }),
    ];
  return [
    input,
    graphics !== "none" &&
    xml(
      "graphics",
      { type: graphics, autoport: true, passwd: screenPassword },
      xml("listen", { type: "address", address: "127.0.0.1" }),
    ),
    graphics === "spice" &&
    xml("channel", { type: "spicevmc" }, xml("target", { type: "virtio", name: "com.redhat.spice.0" })),
    xml("video", {}, xml("model", { type: video })),
  ];
}

/** The `<devices>` element. @throws {TypeError} for a disk that was not made yet */
export function newDevices(vm: NewVm): XmlNode {
  const { sound, watchdog, tpm, balloon, rng } = vm;
  return xml(
    "devices",
    {},
    vm.emulator !== undefined && xml("emulator", {}, vm.emulator),
    bootable(vm),
    vm.seed && seedCd(vm.seed),
    vm.tools && toolsCd(vm.tools),
    controllers(vm),
    xml("serial", { type: "pty" }),
    vm.guestAgent && agentChannels(),
    screen(vm),
    sound !== "none" && xml("sound", { model: sound }),
    tpm !== undefined && xml("tpm", { model: tpm }, xml("backend", { type: "emulator", version: "2.0" })),
    watchdog !== "none" && xml("watchdog", { model: watchdog, action: vm.watchdogAction }),
    balloon
      ? xml("memballoon", { model: "virtio" }, xml("stats", { period: BALLOON_PERIOD }))
      : xml("memballoon", { model: "none" }),
    manyCpus(vm) && xml("iommu", { model: "intel" }, xml("driver", { intremap: "on", eim: "on" })),
    rng && xml("rng", { model: "virtio" }, xml("backend", { model: "random" }, "/dev/urandom")),
  );
}
