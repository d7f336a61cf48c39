/** Changes that a running VM will have at its next boot: its live and its stored XML, compared by meaning. Pure. */
import type { Area, PendingChange } from "../../contract/hardware.ts";
import type { XmlNode } from "./build.ts";
import { DIRECT_BOOT, isBootedOnce } from "./boot_once.ts";
import { fieldText, type HardwareField, nicKeys, readHardware } from "./hardware.ts";
import { canonical, cleaned } from "./pending_clean.ts";
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** How a difference is taken back. */
export type Discard =
  | { readonly by: "field"; readonly field: HardwareField }
  | { readonly by: "part"; readonly path: readonly string[]; readonly name: string }
  | { readonly by: "device"; readonly name: string; readonly key: string };

/** A difference, and how it is taken back. */
export interface Difference extends PendingChange {
  readonly undo: Discard;
}

/** Fields of the hardware that are compared as such, and their area. */
const FIELD_AREAS: readonly (readonly [HardwareField, Area])[] = [
  ["cpu.count", "cpu"],
  ["cpu.max", "cpu"],
  ["cpu.mode", "cpu"],
  ["cpu.model", "cpu"],
  ["cpu.topology", "cpu"],
  ["cpu.pinning", "cpu"],
  ["memory.currentMb", "memory"],
  ["memory.maxMb", "memory"],
  ["boot.devices", "boot"],
  ["boot.order", "boot"],
  ["boot.menu", "boot"],
  ["firmware", "firmware"],
  ["title", "general"],
  ["description", "general"],
];

/** Parts of a domain that are compared as fields, as devices, or that differ without meaning anything. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  "name",
  "uuid",
  "title",
  "description",
  "metadata",
  "vcpu",
  "vcpus",
  "memory",
  "currentMemory",
  "cpu",
  "os",
  "devices",
  "resource",
  "seclabel",
  "iothreadids",
]);

/** The same within `<os>`. */
const OS_PASSED_OVER: ReadonlySet<string> = new Set(["boot", "bootmenu", "firmware", "loader", "nvram"]);

/** The same of a VM that was booted once from elsewhere: its boot order waits for nothing, and must not become the stored one. */
const ONCE_PASSED_OVER: ReadonlySet<string> = new Set([...OS_PASSED_OVER, ...DIRECT_BOOT]);

/** Parts whose area is not `general`. */
const PART_AREAS: Readonly<Record<string, Area>> = {
  cputune: "cpu",
  iothreads: "cpu",
  numatune: "memory",
  memtune: "memory",
  memoryBacking: "memory",
  maxMemory: "memory",
  blkiotune: "disks",
};

/** Devices whose area is not `devices`. */
const DEVICE_AREAS: Readonly<Record<string, Area>> = {
  disk: "disks",
  filesystem: "disks",
  interface: "network",
  tpm: "firmware",
};

/** Devices that libvirt adds and numbers as it needs them. */
const OWN_DEVICES: ReadonlySet<string> = new Set(["controller", "emulator", "audio", "hub"]);

/** Longest text of a value. */
const LONGEST = 200;
const cut = (text: string) => text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;

/** Keys of devices by kind; undefined for a kind whose devices only their number tells apart. */
const KEYS: Readonly<Record<string, (device: XmlElement) => string | undefined>> = {
  disk: (device) => child(device, "target")?.attributes.dev,
  filesystem: (device) => child(device, "target")?.attributes.dir,
  graphics: (device) => device.attributes.type,
  channel: (device) => child(device, "target")?.attributes.name,
};

/** The devices of a domain by `kind key`; where nothing tells them apart, by their number within the kind. */
export function devicesByKey(
  domain: XmlElement,
): Map<string, { name: string; key: string; element: XmlElement }> {
  const found = new Map<string, { name: string; key: string; element: XmlElement }>();
  const counts = new Map<string, number>();
  const cards = nicKeys(domain);
  for (const element of child(domain, "devices")?.children ?? []) {
    if (OWN_DEVICES.has(element.name)) continue;
    const count = counts.get(element.name) ?? 0;
    counts.set(element.name, count + 1);
    const key = cards.get(element) ?? KEYS[element.name]?.(element) ?? String(count);
    found.set(`${element.name} ${key}`, { name: element.name, key, element });
  }
  return found;
}

/** Short description of an element for people. */
function told(element: XmlElement | undefined): string | null {
  if (!element) return null;
  const source = child(element, "source")?.attributes ?? {};
  const model = child(element, "model")?.attributes.type ?? element.attributes.model;
  const parts = [
    element.attributes.device ?? element.attributes.type,
    model,
    source.file ?? source.dev ?? source.dir ?? source.volume ?? source.network ?? source.bridge ??
      source.name,
    child(element, "target")?.attributes.bus,
    child(element, "driver")?.attributes.type,
    child(element, "link")?.attributes.state,
    child(element, "readonly") && "read-only",
    element.text.trim(),
  ];
  return cut(parts.filter((part) => part).join(", ")) || element.name;
}

/** Parts of a device that a start fills in, that are compared by themselves, or that are secret. */
const TOLD_ELSEWHERE = /^(alias|address|boot|backingStore|mirror|privateData)\b|^source index$|passw|secret/i;

/** Values in an element, each by its path: `address slot`, `iotune read_bytes_sec`, `bandwidth inbound average`. */
function partsOf(element: XmlElement, above = ""): [name: string, value: string][] {
  const text = element.text.trim();
  return [
    ...Object.entries(element.attributes).map((
      [name, value],
    ): [string, string] => [`${above}${name}`, value]),
    ...(text === "" || above === "" ? [] : [[above.trim(), text] as [string, string]]),
    ...element.children.flatMap((each) => partsOf(each, `${above}${each.name} `)),
  ];
}

/** Descriptions of two elements; with the first part that differs if they would be the same. */
function toldApart(live: XmlElement | undefined, next: XmlElement | undefined) {
  const [before, after] = [told(live), told(next)];
  if (before !== after || live === undefined || next === undefined) return { live: before, next: after };
  const [old, new_] = [new Map(partsOf(live)), new Map(partsOf(next))];
  const differing = [...new Set([...old.keys(), ...new_.keys()])].filter((name) =>
    !TOLD_ELSEWHERE.test(name) && old.get(name) !== new_.get(name)
  );
  const say = (from: Map<string, string>) =>
    cut(
      differing.filter((name) => from.has(name)).map((name) => `${name} ${from.get(name)}`).join(", ") ||
        before!,
    );
  return { live: say(old), next: say(new_) };
}

/** Options for comparing: places on the guest's buses say nothing, and the boot order is compared by itself. */
const COMPARED = { withPlace: false, without: ["boot"] };

function compareDevices(live: XmlElement, next: XmlElement): Difference[] {
  const [before, after] = [devicesByKey(live), devicesByKey(next)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((what): Difference[] => {
    const [old, new_] = [before.get(what), after.get(what)];
    const { name, key } = (old ?? new_)!;
    if (old && new_) {
      const clean = [
        cleaned(old.element, new_.element, COMPARED),
        cleaned(new_.element, old.element, COMPARED),
      ];
      if (canonical(clean[0]!) === canonical(clean[1]!)) return [];
    }
    const area = DEVICE_AREAS[name] ?? "devices";
    return [{ area, what, ...toldApart(old?.element, new_?.element), undo: { by: "device", name, key } }];
  });
}

/** An element's own text for comparing. */
function meaning(elements: readonly XmlElement[], without: readonly string[]): string {
  const nodes: XmlNode[] = elements.map((each) => cleaned(each, undefined, { withPlace: true, without }));
  return JSON.stringify(nodes.map(canonical).sort());
}

/** Compares the children of two elements that are not passed over, by their names. */
function compareParts(
  live: XmlElement | undefined,
  next: XmlElement | undefined,
  path: readonly string[],
  passedOver: ReadonlySet<string>,
): Difference[] {
  const names = new Set([...live?.children ?? [], ...next?.children ?? []].map(({ name }) => name));
  return [...names].filter((name) => !passedOver.has(name)).flatMap((name): Difference[] => {
    const [old, new_] = [children(live, name), children(next, name)];
    // Pinning is a field of its own, and the clock runs.
    const without = name === "cputune" ? ["vcpupin"] : [];
    const filled = (elements: XmlElement[]) =>
      elements.filter((each) => name !== "cputune" || each.children.some((one) => one.name !== "vcpupin"));
    if (meaning(filled(old).map(still), without) === meaning(filled(new_).map(still), without)) return [];
    // Command lines may hold secrets: that they changed is said, not what they are.
    const isOpen = !name.includes(":");
    const say = (elements: XmlElement[]) => elements.length === 0 ? null : isOpen ? brief(elements) : name;
    const what = [...path, name].join(".");
    return [{
      area: path.length > 0 ? "boot" : PART_AREAS[name] ?? "general",
      what,
      live: say(old),
      next: say(new_),
      undo: { by: "part", path, name },
    }];
  });
}

/** A clock without what it has come to while the VM runs. */
function still(element: XmlElement): XmlElement {
  if (element.name !== "clock") return element;
  const { adjustment: _a, basis: _b, ...attributes } = element.attributes;
  return { ...element, attributes };
}

/** Parts in few words: their texts, or their attributes, or what they have in them. */
function brief(elements: readonly XmlElement[]): string {
  return cut(
    elements.map((each) => {
      const attributes = Object.entries(each.attributes).map(([name, value]) => `${name} ${value}`);
      const inside = each.children.map((one) =>
        [one.name, ...Object.values(one.attributes), one.text.trim()].filter((part) => part).join(" ")
      );
      return [each.text.trim(), ...attributes, ...inside].filter((part) => part).join(", ");
    }).join("; ") || elements[0]!.name,
  );
}

/** Features a custom CPU asks for; a running VM's CPU shows those of its model as well. */
function features(domain: XmlElement): Map<string, string> {
  return new Map(
    children(child(domain, "cpu"), "feature").map(({ attributes }) => [
      attributes.name ?? "",
      attributes.policy === "disable" || attributes.policy === "forbid" ? "off" : "on",
    ]),
  );
}

function compareFeatures(live: XmlElement, next: XmlElement): Difference[] {
  const [now, wanted] = [features(live), features(next)];
  const isExpanded = child(live, "cpu")?.attributes.check === "full";
  const differing = [...new Set([...wanted.keys(), ...(isExpanded ? [] : now.keys())])].filter((name) =>
    now.get(name) !== wanted.get(name) && !(isExpanded && wanted.get(name) === "off" && !now.has(name))
  );
  if (differing.length === 0) return [];
  const say = (from: Map<string, string>) =>
    cut(differing.filter((name) => from.has(name)).map((name) => `${name} ${from.get(name)}`).join(", ")) ||
    null;
  return [{
    area: "cpu",
    what: "cpu.features",
    live: say(now),
    next: say(wanted),
    undo: { by: "part", path: [], name: "cpu" },
  }];
}

/**
 * Compares a running VM's live XML with its stored one.
 *
 * @param hostCpus the host's number of CPUs, where it is known
 * @throws {XmlError}
 */
export function findDifferences(live: string, next: string, hostCpus?: number): Difference[] {
  const [old, new_] = [parseXml(live), parseXml(next)];
  const [now, then] = [readHardware(old, hostCpus), readHardware(new_, hostCpus)];
  const isOnce = isBootedOnce(old);
  const fields = FIELD_AREAS.flatMap(([field, area]): Difference[] => {
    if (isOnce && area === "boot") return [];
    const [before, after] = [fieldText(now, field), fieldText(then, field)];
    if (before === after) return [];
    const say = (text: string | null) => text === null ? null : cut(text);
    return [{ area, what: field, live: say(before), next: say(after), undo: { by: "field", field } }];
  });
  const sameMode = !fields.some(({ what }) => what === "cpu.mode" || what === "cpu.model");
  return [
    ...fields,
    ...(sameMode && then.cpu.mode === "custom" ? compareFeatures(old, new_) : []),
    ...compareParts(child(old, "os"), child(new_, "os"), ["os"], isOnce ? ONCE_PASSED_OVER : OS_PASSED_OVER),
    ...compareDevices(old, new_),
    ...compareParts(old, new_, [], PASSED_OVER),
  ];
}

/** Changes that a running VM will have at its next boot: see {@link findDifferences}. @throws {XmlError} */
export function pendingChanges(live: string, next: string, hostCpus?: number): PendingChange[] {
  if (live === next) return [];
  return findDifferences(live, next, hostCpus).map(({ undo: _, ...change }) => change);
}
