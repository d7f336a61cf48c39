/** A VM's definition on its way to another host: what keeps it where it is, and what changes there. */
import type { BackingImage } from "./new_vm.ts";
import { setDisk } from "./clone.ts";
import { XmlDocument } from "./edit.ts";
import { passedElements, takenByAddress } from "./taken_elements.ts";
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** Parts of a running VM that prevent its migration, each as its element, in libvirt's words. */
export interface Hindrances {
  /** Devices of this host. */
  readonly devices: number;
  readonly sharedFolders: boolean;
  readonly sharedMemory: boolean;
  /** A card that the kernel of this host serves by itself (vDPA). */
  readonly vdpa: boolean;
  /** A screen that is drawn by this host's graphics card. */
  readonly acceleration: boolean;
  /** Targets of disks that forget what is written to them. */
  readonly transient: readonly string[];
  /** Targets of disks that libvirt encrypts. */
  readonly encrypted: readonly string[];
}

const isOn = (element: XmlElement | undefined, name: string) => element?.attributes[name] === "yes";

/** Reads them. @throws {XmlError} */
export function hindrancesOf(source: string): Hindrances {
  const root = parseXml(source), devices = child(root, "devices");
  const disks = children(devices, "disk");
  const targets = (which: (disk: XmlElement) => boolean) =>
    disks.filter(which).map((disk) => child(disk, "target")?.attributes.dev ?? "");
  const has = (name: string) => children(devices, name).length > 0;
  const screens = [...children(devices, "graphics"), ...children(devices, "video")];
  return {
    devices: passedElements(root).length + takenByAddress(root).length,
    sharedFolders: has("filesystem"),
    sharedMemory: has("shmem"),
    vdpa: children(devices, "interface").some(({ attributes }) => attributes.type === "vdpa"),
    acceleration: screens.some((each) =>
      isOn(child(each, "gl"), "enable") || isOn(child(child(each, "model"), "acceleration"), "accel3d")
    ),
    transient: targets((disk) => child(disk, "transient") !== undefined),
    encrypted: targets((disk) =>
      child(disk, "encryption") !== undefined || child(child(disk, "source"), "encryption") !== undefined
    ),
  };
}

/** Network, bridge or device that a card of a VM is connected to. */
export interface CardPlace {
  readonly kind: "network" | "bridge" | "device" | "own";
  readonly name: string;
}

const PLACES = { network: "network", bridge: "bridge", direct: "dev" } as const;

/** Connections of a domain's cards, each once. @throws {XmlError} */
export function cardPlaces(source: string): CardPlace[] {
  const found = new Map<string, CardPlace>();
  for (const card of children(child(parseXml(source), "devices"), "interface")) {
    const { type = "" } = card.attributes;
    const attribute = Object.hasOwn(PLACES, type) ? PLACES[type as keyof typeof PLACES] : undefined;
    const name = attribute === undefined ? type : child(card, "source")?.attributes[attribute] ?? "";
    const kind = type === "network" || type === "bridge" ? type : type === "direct" ? "device" : "own";
    found.set(`${kind}:${name}`, { kind, name });
  }
  return [...found.values()];
}

/** A disk of a VM there. */
export interface PlacedDisk {
  readonly target: string;
  readonly path: string;
  readonly format: string | undefined;
  readonly type: "file" | "block";
  /** Images that it is built on there, nearest first. */
  readonly backing?: readonly BackingImage[];
}

/**
 * A definition as it is on the other host: copied disks are alone there, cards in the networks that were chosen.
 *
 * @throws {XmlError}
 */
export function placedDefinition(
  source: string,
  disks: readonly PlacedDisk[],
  networks: Readonly<Record<string, string>>,
): string {
  const document = new XmlDocument(source);
  for (const disk of disks) setDisk(document, disk.target, { ...disk, backing: disk.backing ?? [] });
  placeCards(document, networks);
  return document.toString();
}

/** Puts each card into the network that was chosen for its own: two networks may be exchanged. */
export function placeCards(document: XmlDocument, networks: Readonly<Record<string, string>>): void {
  const cards = () => children(document.find("devices"), "interface");
  const placed = cards().flatMap((card, index) => {
    const from = card.attributes.type === "network" ? child(card, "source")?.attributes.network : undefined;
    const to = from !== undefined && Object.hasOwn(networks, from) ? networks[from] : undefined;
    return to === undefined || to === from ? [] : [{ index, to }];
  });
  for (const { index, to } of placed) {
    const at = () => child(cards()[index], "source")!;
    document.setAttribute(at(), "network", to);
    // Which port of which bridge it has there is decided there
    for (const name of ["portid", "bridge"]) document.setAttribute(at(), name, undefined);
  }
}
