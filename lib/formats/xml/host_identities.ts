/**
 * Parts of a domain that only one VM of a host can have: names of devices, ports, sockets, files it writes to, and
 * devices of the host itself. A copy gets its own, or does without. One table: a further part that libvirt can fix is
 * one row more.
 */
import type { XmlDocument } from "./edit.ts";
import { child, children, type XmlElement } from "./tree.ts";

/** Names of the domain that has it all, and of its copy. */
interface Names {
  readonly from: string;
  readonly to: string;
}

/** One thing that is fixed, and how a copy gets its own. */
interface Rule {
  /** Elements of `devices` that can have it. */
  readonly devices: readonly string[];
  readonly isFixed: (device: XmlElement) => boolean;
  /** Frees it. `device` gives the element as it is after each edit; where it is taken out, nothing else may follow. */
  readonly free: (document: XmlDocument, device: () => XmlElement, names: Names) => void;
}

/** Devices with a character device of the host at their other end. */
export const CHARACTER_DEVICES = ["serial", "parallel", "console", "channel"];

/** The last part of a path under a name of the copy's own: `web.log` → `web-2.log`, `serial.log` → `serial.log-web-2`. */
export function ownPath(path: string, from: string, to: string): string {
  const slash = path.lastIndexOf("/") + 1;
  const [folder, file] = [path.slice(0, slash), path.slice(slash)];
  return folder + (file.includes(from) ? file.replaceAll(from, () => to) : `${file}-${to}`);
}

const takenOut: Rule["free"] = (document, device) => document.remove(device());

/** A part of a device that goes. */
const without = (devices: readonly string[], part: string): Rule => ({
  devices,
  isFixed: (device) => child(device, part) !== undefined,
  free: (document, device) => document.remove(child(device(), part)!),
});

/** A device that goes where it is of these types. */
const hostDevices = (name: string, ...types: readonly string[]): Rule => ({
  devices: [name],
  isFixed: ({ attributes }) => types.includes(attributes.type ?? ""),
  free: takenOut,
});

/** An attribute of a device's part that libvirt chooses where it is left out. */
const chosen = (
  name: string,
  attribute: string,
  part: (device: XmlElement) => XmlElement | undefined,
): Rule => ({
  devices: [name],
  isFixed: (device) => part(device)?.attributes[attribute] !== undefined,
  free: (document, device) => document.setAttribute(part(device())!, attribute, undefined),
});

/** A path of a device's part under the copy's name. */
const renamed = (
  devices: readonly string[],
  part: (device: XmlElement) => XmlElement | undefined,
  attribute: string,
): Rule => ({
  devices,
  isFixed: (device) => part(device)?.attributes[attribute] !== undefined,
  free: (document, device, { from, to }) => {
    const path = part(device())!.attributes[attribute]!;
    document.setAttribute(part(device())!, attribute, ownPath(path, from, to));
  },
});

const sourceOf = (device: XmlElement) => child(device, "source");
const isListening = ({ attributes: { type }, children: parts }: XmlElement) =>
  (type === "tcp" || type === "udp") &&
  parts.some(({ name, attributes }) => name === "source" && attributes.mode === "bind");
const parameters = (nic: XmlElement) => child(child(nic, "virtualport"), "parameters");
const isSet = (port: string | undefined) => port !== undefined && port !== "-1";
const socketListen = (graphics: XmlElement) =>
  children(graphics, "listen").find(({ attributes }) => attributes.socket !== undefined);

/** A line that is a terminal of the copy's own. */
const asTerminal: Rule["free"] = (document, line) => {
  for (const part of ["source", "protocol"]) {
    for (let found = child(line(), part); found; found = child(line(), part)) document.remove(found);
  }
  document.setAttribute(line(), "type", "pty");
};

/** Devices of the host: who copies VMs may not give them, and most can be had once. */
const HOST_DEVICES: readonly Rule[] = [
  { devices: ["hostdev", "filesystem", "lease", "shmem", "pstore"], isFixed: () => true, free: takenOut },
  hostDevices("interface", "hostdev", "vdpa"),
  {
    devices: ["rng"],
    isFixed: (rng) => child(rng, "backend")?.attributes.model === "egd",
    free: takenOut,
  },
  {
    devices: ["smartcard"],
    isFixed: ({ attributes: { mode } }) => mode === "host" || mode === "host-certificates",
    free: takenOut,
  },
  // Serial ports, named pipes and null modems of the host.
  {
    devices: CHARACTER_DEVICES,
    isFixed: ({ attributes: { type } }) => ["dev", "pipe", "nmdm"].includes(type ?? ""),
    free: asTerminal,
  },
  hostDevices("input", "passthrough", "evdev"),
  {
    devices: ["tpm"],
    isFixed: (tpm) => ["passthrough", "external"].includes(child(tpm, "backend")?.attributes.type ?? ""),
    free: takenOut,
  },
  { devices: ["redirdev", "smartcard"], isFixed: isListening, free: takenOut },
];

const IDENTITIES: readonly Rule[] = [
  // Memory that is a file or a device of the host: two VMs that write to one destroy it, and nothing locks it.
  {
    devices: ["memory"],
    isFixed: ({ attributes: { model }, children: parts }) =>
      (model === "nvdimm" || model === "virtio-pmem") && parts.some(({ name }) => name === "source"),
    free: takenOut,
  },
  // The tap or macvtap device, and the port's id in Open vSwitch or at a switch (802.1Qbg).
  {
    devices: ["interface"],
    isFixed: (nic) => child(nic, "target")?.attributes.dev !== undefined,
    free: (document, nic) => document.remove(child(nic(), "target")!),
  },
  chosen("interface", "interfaceid", parameters),
  chosen("interface", "instanceid", parameters),
  // Ports of the host that passt listens on.
  without(["interface"], "portForward"),
  renamed(
    ["interface"],
    (nic) => {
      const source = sourceOf(nic);
      return nic.attributes.type === "vhostuser" && source?.attributes.mode === "server" ? source : undefined;
    },
    "path",
  ),
  // Ports and sockets of screens.
  {
    devices: ["graphics"],
    isFixed: ({ attributes: { autoport, port, tlsPort } }) =>
      autoport !== "yes" && (isSet(port) || isSet(tlsPort)),
    free: (document, graphics) => {
      document.setAttribute(graphics(), "autoport", "yes");
      for (const name of ["port", "tlsPort"]) document.setAttribute(graphics(), name, undefined);
    },
  },
  {
    devices: ["graphics"],
    isFixed: ({ attributes }) => isSet(attributes.websocket),
    free: (document, graphics) => document.setAttribute(graphics(), "websocket", "-1"),
  },
  chosen("graphics", "socket", socketListen),
  chosen("graphics", "socket", (graphics) => graphics),
  // The number by which the host reaches a guest through vsock.
  {
    devices: ["vsock"],
    isFixed: (vsock) => child(vsock, "cid")?.attributes.address !== undefined,
    free: (document, vsock) => {
      document.setAttribute(child(vsock(), "cid")!, "address", undefined);
      document.setAttribute(child(vsock(), "cid")!, "auto", "yes");
    },
  },
  // Lines that listen on a port of the host: the copy's is a terminal of its own.
  {
    devices: CHARACTER_DEVICES,
    isFixed: isListening,
    free: asTerminal,
  },
  // Files and sockets that the VM writes to or listens on.
  renamed(CHARACTER_DEVICES, (line) => child(line, "log"), "file"),
  renamed(
    CHARACTER_DEVICES,
    (line) =>
      line.attributes.type === "file" || sourceOf(line)?.attributes.mode === "bind"
        ? sourceOf(line)
        : undefined,
    "path",
  ),
];

/** @returns what was taken out, for people */
function apply(rules: readonly Rule[], document: XmlDocument, names: Names): string[] {
  const told: string[] = [];
  const devices = () => document.find("devices")?.children ?? [];
  for (const { devices: elements, isFixed, free } of rules) {
    // From the end: what is taken out moves none that is still to be looked at.
    for (let at = devices().length - 1; at >= 0; at--) {
      const device = () => devices()[at]!;
      if (!elements.includes(device().name) || !isFixed(device())) continue;
      const { name, attributes: { type, model } } = device(), count = devices().length;
      free(document, device, names);
      if (devices().length < count) told.push([name, type ?? model].filter(Boolean).join(" "));
    }
  }
  return told;
}

/** Whether a device of a domain is one of the host, or leads to one. */
export const isHostDevice = (device: XmlElement): boolean =>
  HOST_DEVICES.some(({ devices, isFixed }) => devices.includes(device.name) && isFixed(device));

/**
 * Has a domain leave to the host what it fixed of it, so that it runs at the same time as the one that it was made from.
 *
 * @returns what was taken out, for people
 */
export const freeHostIdentities = (document: XmlDocument, names: Names): string[] =>
  apply(IDENTITIES, document, names);

/** Takes devices and folders of the host from a domain. @returns what was taken out, for people */
export const dropHostDevices = (document: XmlDocument): string[] =>
  apply(HOST_DEVICES, document, { from: "", to: "" });
