/** Changing the hardware a domain's XML describes: what the change does not name stays as it is, byte for byte. Pure. */
import type { HardwareChange } from "../../contract/hardware.ts";
import { xml, type XmlNode } from "./build.ts";
import { XmlDocument } from "./edit.ts";
import { bootCandidates, formatCpus, parseCpus } from "./hardware.ts";
import { child, type XmlElement } from "./tree.ts";

/** libvirt reads the parts in any order; new ones are put where libvirt writes them, after the first of these there is. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  title: ["uuid", "name"],
  description: ["title", "uuid", "name"],
  currentMemory: ["memory"],
  cputune: ["iothreadids", "iothreads", "vcpus", "vcpu"],
  cpu: ["features", "os"],
};

/** Sets or adds a part of the domain that holds a text; an empty one is removed. */
function setPart(
  doc: XmlDocument,
  name: string,
  text: string,
  attributes: Record<string, string> = {},
): void {
  const found = doc.find(name);
  if (text === "") {
    if (found) doc.remove(found);
  } else if (found) {
    for (const [key, value] of Object.entries(attributes)) doc.setAttribute(doc.find(name)!, key, value);
    doc.setText(doc.find(name)!, text);
  } else addPart(doc, xml(name, attributes, text));
}

/** Adds a part of the domain where libvirt would write it. */
function addPart(doc: XmlDocument, node: XmlNode): void {
  const after = PLACES[node.name]?.map((name) => doc.find(name)).find((each) => each !== undefined);
  if (after) doc.insertAfter(after, node);
  else doc.append(doc.root, node);
}

function setVcpus(doc: XmlDocument, { count, max }: NonNullable<HardwareChange["cpu"]>): void {
  if (count === undefined && max === undefined) return;
  if (!doc.find("vcpu")) addPart(doc, xml("vcpu", {}, 1));
  const vcpu = doc.find("vcpu")!;
  const most = max ?? Number(vcpu.text);
  const now = Math.min(count ?? Number(vcpu.attributes.current ?? vcpu.text), most);
  // Which of them are on is told one by one as well, which would contradict; libvirt makes it again.
  const each = doc.find("vcpus");
  if (each) doc.remove(each);
  doc.setAttribute(doc.find("vcpu")!, "current", now === most ? undefined : String(now));
  doc.setText(doc.find("vcpu")!, String(most));
}

/** Modes that need no model, and how libvirt wants them written. */
const MODES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "host-passthrough": { mode: "host-passthrough", check: "none" },
  "host-model": { mode: "host-model", check: "partial" },
  "maximum": { mode: "maximum", check: "none" },
};

/** Children of a CPU element that belong to the mode, and are not kept when that changes. */
const OF_MODE = ["model", "vendor", "feature", "cache", "maxphysaddr"];

function setCpuMode(doc: XmlDocument, { mode, model }: NonNullable<HardwareChange["cpu"]>): void {
  if (mode === undefined && model === undefined) return;
  const wanted = mode ?? "custom";
  if (!doc.find("cpu")) {
    if (wanted === "default") return;
    addPart(doc, xml("cpu"));
  }
  const same = (doc.find("cpu")!.attributes.mode ?? "custom") === wanted;
  const known = child(doc.find("cpu"), "model");
  if (wanted === "custom" && same && known) {
    if (model !== undefined && known.text !== model) {
      // Features were chosen for the model they were chosen with.
      for (const name of ["vendor", "feature"]) doc.removeAll("cpu", name);
      doc.setText(child(doc.find("cpu"), "model")!, model);
    }
    return;
  }
  if (same && wanted !== "default") return;
  for (const name of OF_MODE) doc.removeAll("cpu", name);
  for (const name of ["mode", "match", "check", "migratable"]) {
    doc.setAttribute(doc.find("cpu")!, name, undefined);
  }
  const attributes = wanted === "custom"
    ? { mode: "custom", match: "exact", check: "partial" }
    : MODES[wanted] ?? {};
  for (const [name, value] of Object.entries(attributes)) doc.setAttribute(doc.find("cpu")!, name, value);
  if (wanted === "custom" && model !== undefined) {
    prepend(doc, ["cpu"], xml("model", { fallback: "allow" }, model));
  }
  const cpu = doc.find("cpu")!;
  if (wanted === "default" && cpu.children.length === 0) doc.remove(cpu);
}

/** Adds a child before the others. */
function prepend(doc: XmlDocument, path: readonly string[], node: XmlNode): void {
  const parent = doc.find(...path)!;
  const [first] = parent.children;
  if (first) doc.insertBefore(first, node);
  else doc.append(parent, node);
}

function setTopology(doc: XmlDocument, topology: NonNullable<HardwareChange["cpu"]>["topology"]): void {
  if (topology === undefined) return;
  const old = doc.find("cpu", "topology");
  if (old) doc.remove(old);
  if (topology !== null) {
    if (!doc.find("cpu")) addPart(doc, xml("cpu"));
    const { sockets, cores, threads } = topology;
    const node = xml("topology", { sockets, dies: 1, cores, threads });
    const after = ["vendor", "model"].map((name) => doc.find("cpu", name)).find((each) => each !== undefined);
    if (after) doc.insertAfter(after, node);
    else prepend(doc, ["cpu"], node);
  }
  const cpu = doc.find("cpu");
  if (cpu?.children.length === 0 && Object.keys(cpu.attributes).length === 0) doc.remove(cpu);
}

function setPinning(doc: XmlDocument, pinning: NonNullable<HardwareChange["cpu"]>["pinning"]): void {
  if (pinning === undefined) return;
  doc.removeAll("cputune", "vcpupin");
  if (pinning.length > 0 && !doc.find("cputune")) addPart(doc, xml("cputune"));
  for (const { vcpu, cpus } of [...pinning].sort((a, b) => b.vcpu - a.vcpu)) {
    prepend(doc, ["cputune"], xml("vcpupin", { vcpu, cpuset: formatCpus(parseCpus(cpus)) }));
  }
  const tune = doc.find("cputune");
  if (tune?.children.length === 0) doc.remove(tune);
}

function setMemory(doc: XmlDocument, { currentMb, maxMb }: NonNullable<HardwareChange["memory"]>): void {
  const kib = { unit: "KiB" };
  if (maxMb !== undefined) setPart(doc, "memory", String(maxMb * 1024), kib);
  if (currentMb !== undefined) setPart(doc, "currentMemory", String(currentMb * 1024), kib);
}

/** Takes every single device out of the boot order. */
function clearDeviceOrder(doc: XmlDocument): void {
  const ordered = () =>
    doc.find("devices")?.children.map((device) => child(device, "boot")).find((boot) => boot !== undefined);
  for (let boot = ordered(); boot; boot = ordered()) doc.remove(boot);
}

function setBoot(doc: XmlDocument, { devices, order, menu }: NonNullable<HardwareChange["boot"]>): void {
  if (devices !== undefined) {
    clearDeviceOrder(doc);
    setDeviceKinds(doc, devices);
  }
  if (order !== undefined) {
    clearDeviceOrder(doc);
    // libvirt takes one or the other.
    doc.removeAll("os", "boot");
    for (const [index, id] of order.entries()) {
      const found = bootCandidates(doc.root).find((each) => each.id === id);
      if (found) placeBoot(doc, found.element, index + 1);
    }
  }
  if (menu === undefined) return;
  const found = doc.find("os", "bootmenu");
  if (found) doc.setAttribute(found, "enable", menu ? "yes" : "no");
  else if (menu) doc.append(doc.find("os")!, xml("bootmenu", { enable: true }));
}

function placeBoot(doc: XmlDocument, device: XmlElement, order: number): void {
  const node = xml("boot", { order });
  const address = child(device, "address") ?? child(device, "alias");
  if (address) doc.insertBefore(address, node);
  else doc.append(device, node);
}

function setDeviceKinds(doc: XmlDocument, devices: readonly string[]): void {
  doc.removeAll("os", "boot");
  const menu = doc.find("os", "bootmenu");
  for (const dev of devices) {
    const node = xml("boot", { dev });
    if (menu) doc.insertBefore(doc.find("os", "bootmenu")!, node);
    else doc.append(doc.find("os")!, node);
  }
}

/** Parts of an `<os>` element that belong to the firmware. */
const OF_FIRMWARE = ["firmware", "loader", "nvram"];

function setFirmware(doc: XmlDocument, firmware: HardwareChange["firmware"]): void {
  if (firmware === undefined) return;
  for (const name of OF_FIRMWARE) doc.removeAll("os", name);
  doc.setAttribute(doc.find("os")!, "firmware", firmware === "bios" ? undefined : "efi");
  if (firmware === "bios") return;
  const secure = firmware === "uefi-secure";
  // Without the keys enrolled the guest starts whatever it likes all the same.
  const features = [
    xml("feature", { enabled: secure, name: "enrolled-keys" }),
    xml("feature", { enabled: secure, name: "secure-boot" }),
  ];
  const node = xml("firmware", {}, features);
  const type = doc.find("os", "type");
  if (type) doc.insertAfter(type, node);
  else doc.append(doc.find("os")!, node);
}

/** Puts a device in the place of the first of its kind, adds it, or removes it. */
function setDevice(doc: XmlDocument, name: string, node: XmlNode | null): void {
  const found = doc.find("devices", name);
  if (node === null) doc.removeAll("devices", name);
  else if (found) doc.replace(found, node);
  else doc.append(doc.find("devices")!, node);
}

function setVideo(doc: XmlDocument, model: HardwareChange["video"]): void {
  if (model === undefined) return;
  const node = xml("model", model === "none" ? { type: model } : { type: model, heads: 1, primary: true });
  const found = doc.find("devices", "video", "model");
  if (!found) return setDevice(doc, "video", xml("video", {}, node));
  if (found.attributes.type === model) return;
  doc.replace(found, node);
  // What the old model was told in particular means nothing to the new one; a card that is not there has no place.
  for (const name of model === "none" ? ["driver", "address", "alias"] : ["driver"]) {
    doc.removeAll("devices", "video", name);
  }
}

/** Device → what is built for a change of it; `null` where it is removed, `undefined` where it stays. */
const DEVICES: Readonly<Record<string, (change: HardwareChange) => XmlNode | null | undefined>> = {
  tpm: ({ tpm }) =>
    tpm && xml("tpm", { model: tpm.model }, xml("backend", { type: "emulator", version: tpm.version })),
  watchdog: ({ watchdog }) => watchdog && xml("watchdog", watchdog),
  sound: ({ sound }) => sound === undefined || sound === null ? sound : xml("sound", { model: sound }),
};

function setRng(doc: XmlDocument, wanted: boolean | undefined): void {
  if (wanted === undefined || wanted === (doc.find("devices", "rng") !== undefined)) return;
  const backend = xml("backend", { model: "random" }, "/dev/urandom");
  setDevice(doc, "rng", wanted ? xml("rng", { model: "virtio" }, backend) : null);
}

/**
 * The domain's XML with a change of its hardware. Tags, group and autostart are not part of it.
 *
 * @param source what libvirt wrote, with its secrets when it is to be defined again
 * @throws {XmlError}
 */
export function editHardware(source: string, change: HardwareChange): string {
  const doc = new XmlDocument(source);
  if (change.cpu) {
    setVcpus(doc, change.cpu);
    setCpuMode(doc, change.cpu);
    setTopology(doc, change.cpu.topology);
    setPinning(doc, change.cpu.pinning);
  }
  if (change.memory) setMemory(doc, change.memory);
  if (change.boot) setBoot(doc, change.boot);
  setFirmware(doc, change.firmware);
  setVideo(doc, change.video);
  setRng(doc, change.rng);
  for (const [name, build] of Object.entries(DEVICES)) {
    const node = build(change);
    if (node !== undefined) setDevice(doc, name, node);
  }
  if (change.title !== undefined) setPart(doc, "title", change.title);
  if (change.description !== undefined) setPart(doc, "description", change.description);
  return doc.toString();
}

/** Whether a change touches the stored XML at all. */
export function editsXml({ tags: _t, group: _g, autostart: _a, ...rest }: HardwareChange): boolean {
  return Object.values(rest).some((value) => value !== undefined);
}
