/**
 * The ends of a copy's devices that lie on the host: the sockets, logs, networks and addresses by which its ports, network
 * cards and screens are reached. A folder of backups is not trusted with them. They are what the VM has on this host now,
 * or what libvirt chooses. Pure.
 */
import type { XmlDocument } from "../formats/xml/edit.ts";
import { child, children, type XmlElement } from "../formats/xml/tree.ts";
import { oneLine } from "../text/text.ts";
import { copyOf, sameness } from "./sameness.ts";

/** Devices with a character device of the host at their other end. */
export const PORTS: ReadonlySet<string> = new Set(["serial", "parallel", "console", "channel"]);
/** Types of ports whose `<source>` is a name within the VM, no path. */
const NAMED: ReadonlySet<string | undefined> = new Set(["spiceport", "qemu-vdagent", "dbus"]);

/** Parts of a port that name files of the host. */
export const PORT_FILES = ["source", "log"] as const;

const devicesOf = (document: XmlDocument | undefined) => document?.find("devices")?.children ?? [];

/** libvirt chooses a socket's path for these alone. */
const hasSocketOfLibvirt = (port: XmlElement): boolean =>
  port.name === "channel" && child(port, "target")?.attributes.type === "virtio";

/**
 * Takes the sockets and logs out of ports that the VM does not have just so: libvirt opens, writes and deletes what is
 * named there, and it may be another VM's.
 *
 * @returns what was taken out, as sentences
 */
export function dropPortFiles(document: XmlDocument, now: XmlDocument | undefined): string[] {
  const told: string[] = [];
  const known = new Set(devicesOf(now).map(sameness));
  devicesOf(document).forEach(({ name }, index) => {
    const port = () => devicesOf(document)[index]!;
    if (!PORTS.has(name) || known.has(sameness(port()))) return;
    const { type } = port().attributes;
    for (const part of PORT_FILES) {
      for (let found = child(port(), part); found; found = child(port(), part)) {
        const { path, file = path } = found.attributes;
        if (part === "source" && NAMED.has(type) && file === undefined) break;
        // The terminal of its last run is nothing that would be missed.
        if (file !== undefined && (part === "log" || type !== "pty")) {
          told.push(`The ${part} ${oneLine(file, 200)} of a ${name} was left out: libvirt chooses its own`);
        }
        document.remove(found);
      }
    }
    if (type === "unix" && !hasSocketOfLibvirt(port())) document.setAttribute(port(), "type", "pty");
  });
  return told;
}

/** What says where a network card is connected. */
const CONNECTION = ["source", "virtualport", "vlan", "portForward"];

const cardsOf = (document: XmlDocument | undefined) => children(document?.find("devices"), "interface");

const connectionOf = (card: XmlElement): string =>
  JSON.stringify([card.attributes.type, ...CONNECTION.map((name) => children(card, name).map(sameness))]);

/** A network card's connection, for people. */
function connectionText(card: XmlElement): string {
  const { network, bridge, dev } = child(card, "source")?.attributes ?? {};
  const mac = child(card, "mac")?.attributes.address;
  const to = [card.attributes.type, network ?? bridge ?? dev].filter((word) => word !== undefined).join(" ");
  return oneLine(`${mac === undefined ? "" : `${mac} `}(${to})`, 120);
}

/**
 * Leaves out network cards that would connect the VM to what it is not connected to now. Of a VM that the host does not
 * have, they stay, and are named.
 *
 * @returns what a person has to know, as sentences
 */
export function confineCards(document: XmlDocument, now: XmlDocument | undefined): string[] {
  const told: string[] = [];
  const known = new Set(cardsOf(now).map(connectionOf));
  const taps = new Set(cardsOf(now).map((card) => child(card, "target")?.attributes.dev));
  const isUnknown = (card: XmlElement) => !known.has(connectionOf(card));
  if (now?.find("devices") === undefined) {
    const reaching = cardsOf(document).filter(({ attributes: { type } }) => type !== "network");
    told.push(
      ...reaching.map((card) =>
        `Network card ${connectionText(card)} is connected to the host's network: check that it belongs there`
      ),
    );
  } else {
    for (let card = cardsOf(document).find(isUnknown); card; card = cardsOf(document).find(isUnknown)) {
      told.push(
        `Network card ${connectionText(card)} was left out: the VM is not connected there now. ` +
          "Add it again if it belongs to the VM",
      );
      document.remove(card);
    }
  }
  // A device of the host that the card would take the name of
  cardsOf(document).forEach((_, index) => {
    const target = child(cardsOf(document)[index], "target");
    if (target !== undefined && !taps.has(target.attributes.dev)) document.remove(target);
  });
  return told;
}

/** Attributes of a screen that say who can open it. */
const LISTENING = ["listen", "port", "autoport", "tlsPort", "websocket", "socket", "multiUser"];
/** Attributes that belong to a run, or are a secret of the folder's. */
const PASSING = ["passwd", "passwdValidTo", "connected"];

const screensOf = (document: XmlDocument | undefined) => children(document?.find("devices"), "graphics");

/**
 * Has the screens listen where those of the VM listen now, else where libvirt has screens listen, and takes their
 * passwords out: `protectNewDomain` gives them new ones.
 */
export function confineScreens(document: XmlDocument, now: XmlDocument | undefined): void {
  const others = [...screensOf(now)];
  screensOf(document).forEach(({ attributes: { type } }, index) => {
    const screen = () => screensOf(document)[index]!;
    const model = others.find((each) => each.attributes.type === type);
    if (model !== undefined) others.splice(others.indexOf(model), 1);
    for (const name of PASSING) document.setAttribute(screen(), name, undefined);
    for (const name of LISTENING) {
      document.setAttribute(screen(), name, model === undefined ? undefined : model.attributes[name]);
    }
    if (model === undefined) document.setAttribute(screen(), "autoport", "yes");
    for (let old = child(screen(), "listen"); old; old = child(screen(), "listen")) document.remove(old);
    for (const listen of children(model, "listen")) document.append(screen(), copyOf(listen));
  });
}
