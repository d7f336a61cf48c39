/**
 * Removes libvirt's own additions from a running VM's XML (seen with libvirt 9.0 and in its formatter), so that the
 * live and the stored XML of an unchanged VM are the same. Pure.
 */
import { renderXml, type XmlNode } from "./build.ts";
import { child, type XmlElement } from "./tree.ts";

/** An element under cleaning, with what the stored configuration has in its place. */
interface Pair {
  readonly live: XmlElement;
  readonly next: XmlElement | undefined;
}

const attribute = (element: XmlElement | undefined, path: string): string | undefined => {
  const [names, name] = path.split("@") as [string, string];
  let at = element;
  for (const each of names.split("/").filter((part) => part !== "")) at = child(at, each);
  return at?.attributes[name];
};

/** Device → attributes (`child@name`, `@name`) and children that a start fills in where the configuration has none. */
const FILLED: Readonly<Record<string, readonly string[]>> = {
  disk: ["source@index", "backingStore", "mirror", "privateData"],
  interface: [
    "target",
    "source@portid",
    "source@bridge",
    "source@index",
    "@managed",
    "virtualport",
    "mtu",
    "bandwidth",
  ],
  graphics: [
    "@tlsPort",
    "@listen",
    "@socket",
    "listen@address",
    "listen@socket",
    "@passwdValidTo",
    "@connected",
  ],
  serial: ["source", "source@path", "@tty", "log@append"],
  parallel: ["source", "source@path", "@tty"],
  console: ["source", "source@path", "@tty"],
  channel: ["source", "source@path", "source@mode", "target@state", "source@channel"],
  hostdev: ["driver", "source/address", "@managed"],
  redirdev: ["source"],
  filesystem: ["source@socket", "binary"],
  tpm: ["backend@debug", "backend@persistent_state"],
  video: ["model@vram64", "model@vgamem"],
};

/** Attributes that a start fills in where the configuration says "any". */
const CHOSEN: Readonly<Record<string, readonly { name: string; any: (device: XmlElement) => boolean }[]>> = {
  graphics: [
    { name: "port", any: ({ attributes }) => attributes.autoport === "yes" || attributes.port === "-1" },
    {
      name: "tlsPort",
      any: ({ attributes }) => attributes.autoport === "yes" || attributes.tlsPort === "-1",
    },
    { name: "websocket", any: ({ attributes }) => attributes.websocket === "-1" },
  ],
};

/** Terminals of the host that a start opens: never part of a configuration. */
const TERMINAL = /^\/dev\/pts\/\d+$/;
/** Images below a disk, and their sources: a running VM's are numbered. */
const BELOW = /^(backingStore\/)*backingStore(\/source)?$/;
/** Devices libvirt makes for interfaces. */
const OWN_TARGET = /^(vnet|macvtap|macvlan)\d+$/;

function isFilled(kind: string, path: string, { live, next }: Pair): boolean {
  if (!FILLED[kind]?.includes(path)) return false;
  if (path.includes("@")) return attribute(next, path) === undefined;
  if (path === "bandwidth" && child(live, "source")?.attributes.portgroup === undefined) return false;
  if (path === "target") return OWN_TARGET.test(child(live, "target")?.attributes.dev ?? "");
  const [first, second] = path.split("/");
  const there = child(next, first!);
  return second === undefined ? there === undefined : child(there, second) === undefined;
}

/** Children of a device that say nothing of what the configuration is. */
function isNoise(name: string, element: XmlElement, withPlace: boolean): boolean {
  if (name === "alias") return !element.attributes.name?.startsWith("ua-");
  return !withPlace && name === "address";
}

function cleanNode(
  kind: string,
  pair: Pair,
  element: XmlElement,
  path: string,
  options: CleanOptions,
): XmlNode {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(element.attributes)) {
    if (isFilled(kind, `${path}@${name}`, pair)) continue;
    if (kind === "disk" && name === "index" && BELOW.test(path)) continue;
    const sides = [pair.live, pair.next].filter((each) => each !== undefined);
    // A screen's password is another at each start, and no part of what is compared.
    if (kind === "graphics" && path === "" && !options.withPlace && /^passwd/.test(name)) continue;
    if (path === "" && CHOSEN[kind]?.some((each) => each.name === name && sides.some(each.any))) continue;
    if (value !== "" && TERMINAL.test(value) && (name === "tty" || name === "path")) continue;
    attributes[name] = value;
  }
  const content: XmlNode[] = [];
  for (const each of element.children) {
    const at = path === "" ? each.name : `${path}/${each.name}`;
    if (path === "" && isNoise(each.name, each, options.withPlace)) continue;
    if (path === "" && options.without?.includes(each.name)) continue;
    if (isFilled(kind, at, pair)) continue;
    const node = cleanNode(kind, pair, each, at, options);
    // <source/> of a pty, whose path was all it had.
    const emptied = node.content.length === 0 && Object.keys(node.attributes).length === 0 &&
      Object.keys(each.attributes).length > 0;
    if (!emptied) content.push(node);
  }
  const text = element.children.length === 0 ? element.text.trim() : "";
  return { name: element.name, attributes, content: text === "" ? content : [text] };
}

interface CleanOptions {
  /** Keeps the guest's addresses of devices: needed to write a device, noise when two are compared. */
  readonly withPlace: boolean;
  /** Children to leave out. */
  readonly without?: readonly string[];
}

/** A device, or any other part, of a running VM as a configuration would have it. */
export function cleaned(live: XmlElement, next: XmlElement | undefined, options: CleanOptions): XmlNode {
  const node = cleanNode(live.name, { live, next }, live, "", options);
  // An interface on a network shows what the network gave it: a bridge, a macvtap.
  const network = child(live, "source")?.attributes.network;
  const isNetwork = live.name === "interface" && network !== undefined;
  return isNetwork ? { ...node, attributes: { ...node.attributes, type: "network" } } : node;
}

/** One text for an element, equal when two say the same: the order of attributes and children does not count. */
export function canonical({ name, attributes, content }: XmlNode): string {
  const sorted = Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1));
  const inside = content.map((each) =>
    typeof each === "string" ? renderXml({ name: "t", attributes: {}, content: [each] }) : canonical(each)
  );
  return JSON.stringify([name, sorted, inside.sort()]);
}
