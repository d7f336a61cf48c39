/**
 * The ends of a copy's devices that lie on the host: the sockets, logs, networks and addresses by which its ports, network
 * cards and screens are reached. A folder of backups is not trusted with them. They are what the VM has on this host now,
 * or what libvirt chooses. Pure.
 */
import { nodeOf } from "../formats/xml/build.ts";
import type { XmlDocument } from "../formats/xml/edit.ts";
import { CHARACTER_DEVICES } from "../formats/xml/host_identities.ts";
import { child, children, type XmlElement } from "../formats/xml/tree.ts";
import { oneLine } from "../text/text.ts";
import { sameness } from "./sameness.ts";

/** Devices with a character device of the host at their other end. */
export const PORTS: ReadonlySet<string> = new Set(CHARACTER_DEVICES);
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

/** Elements that say where a network card is connected. */
const CONNECTION = ["source", "virtualport", "vlan", "portForward"];
/** Elements that limit a network card's traffic there. */
const GUARDS = ["filterref", "port", "bandwidth"];

const cardsOf = (document: XmlDocument | undefined) => children(document?.find("devices"), "interface");
const macOf = (card: XmlElement) => child(card, "mac")?.attributes.address?.toLowerCase();

const partsOf = (card: XmlElement, names: readonly string[]): string =>
  JSON.stringify(names.map((name) => children(card, name).map(sameness)));

const connectionOf = (card: XmlElement): string => `${card.attributes.type} ${partsOf(card, CONNECTION)}`;

/** A network card's connection, for people. */
function connectionText(card: XmlElement): string {
  const { network, bridge, dev } = child(card, "source")?.attributes ?? {};
  return oneLine(
    [card.attributes.type, network ?? bridge ?? dev].filter((word) => word !== undefined).join(" "),
    100,
  );
}

/** A network card, for people. */
const cardText = (card: XmlElement): string =>
  `Network card ${oneLine(macOf(card) ?? "without MAC", 20)} (${connectionText(card)})`;

/** Gives a card of a copy the connection, the limits and the address of a card that the VM has now. */
function connectAs(document: XmlDocument, card: () => XmlElement, model: XmlElement): string[] {
  const told: string[] = [];
  if (connectionOf(card()) !== connectionOf(model)) {
    told.push(`${cardText(card())} is connected as it is now: ${connectionText(model)}`);
  }
  if (partsOf(card(), GUARDS) !== partsOf(model, GUARDS)) {
    told.push(`${cardText(card())} has the filter, the isolation and the limits that it has now`);
  }
  if (macOf(card()) !== macOf(model) && macOf(model) !== undefined) {
    told.push(`${cardText(card())} has the MAC address that it has now, ${oneLine(macOf(model)!, 20)}`);
  }
  document.setAttribute(card(), "type", model.attributes.type);
  for (const name of ["mac", ...CONNECTION, ...GUARDS]) {
    for (let old = child(card(), name); old; old = child(card(), name)) document.remove(old);
    for (const part of children(model, name)) document.append(card(), nodeOf(part));
  }
  return told;
}

/**
 * Leaves a definition no network cards but those that the VM has now, by their MAC address or their connection, and these
 * connected and limited as they are now. Of a VM that the host does not have, all stay, and those that are connected to the
 * host's own network are named.
 *
 * @returns what a person has to know, as sentences
 */
export function confineCards(document: XmlDocument, now: XmlDocument | undefined): string[] {
  const told: string[] = [];
  const taps = new Set(cardsOf(now).map((card) => child(card, "target")?.attributes.dev));
  if (now?.find("devices") === undefined) {
    const reaching = cardsOf(document).filter(({ attributes: { type } }) => type !== "network");
    told.push(
      ...reaching.map((card) =>
        `${cardText(card)} is connected to the host's network: check that it belongs there`
      ),
    );
  } else {
    const left = [...cardsOf(now)];
    const take = (fits: (model: XmlElement) => boolean) => {
      const found = left.findIndex(fits);
      return found < 0 ? undefined : left.splice(found, 1)[0];
    };
    const wanted = cardsOf(document);
    const models = wanted.map((card) =>
      take((model) => macOf(model) !== undefined && macOf(model) === macOf(card))
    );
    wanted.forEach((card, index) =>
      models[index] ??= take((model) => connectionOf(model) === connectionOf(card))
    );
    for (let index = 0, at = 0; index < wanted.length; index++) {
      const card = () => cardsOf(document)[at]!, model = models[index];
      if (model !== undefined) {
        told.push(...connectAs(document, card, model));
        at++;
        continue;
      }
      told.push(
        `${cardText(card())} was left out: the VM does not have it now. Add it again if it belongs to the VM`,
      );
      document.remove(card());
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
    for (const listen of children(model, "listen")) document.append(screen(), nodeOf(listen));
  });
}
