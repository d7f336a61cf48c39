/** The osinfo database's files → operating systems and what suits them. Pure. Source: libosinfo's schema, osinfo.rng. */
import type { OperatingSystem } from "../../contract/create.ts";
import { child, children, childText, parseXml, type XmlElement, XmlError } from "../../formats/xml/tree.ts";
import { osTypeOf } from "./builtin.ts";
import { osDefaults, type OsTraits, type UsualHardware } from "./traits.ts";
import { GIB, MIB } from "../../text/byte_units.ts";

const VIRTIO_BLOCK = ["http://pcisig.com/pci/1af4/1001", "http://pcisig.com/pci/1af4/1042"];
const VIRTIO_NET = ["http://pcisig.com/pci/1af4/1000", "http://pcisig.com/pci/1af4/1041"];

/** One <os> as it stands in its file. */
interface Entry {
  readonly element: XmlElement;
  readonly uri: string;
  /** Systems it has its devices from. */
  readonly parents: readonly string[];
}

function entries(source: string): Entry[] {
  return children(parseXml(source), "os").flatMap((element) => {
    const uri = element.attributes.id;
    if (uri === undefined) return [];
    const parents = [...children(element, "derives-from"), ...children(element, "clones")]
      .map((each) => each.attributes.id ?? "");
    return [{ element, uri, parents }];
  });
}

/** A child's text in the file's own language: others have an xml:lang. */
const plain = (element: XmlElement, name: string) =>
  children(element, name).find((each) => each.attributes["xml:lang"] === undefined)?.text.trim();

/** Whether a system, or one it derives from, has a driver for one of these devices. */
function drives(
  uri: string,
  devices: readonly string[],
  all: ReadonlyMap<string, Entry>,
  seen = new Set<string>(),
): boolean {
  const entry = all.get(uri);
  if (entry === undefined || seen.has(uri)) return false;
  seen.add(uri);
  for (const device of children(child(entry.element, "devices"), "device")) {
    if (devices.includes(device.attributes.id ?? "")) return device.attributes.supported !== "false";
  }
  return entry.parents.some((parent) => drives(parent, devices, all, seen));
}

/** A number of an OS's resources for 64-bit PCs, else for all architectures, else for any. */
function resource(element: XmlElement, kind: string, name: string): number | undefined {
  const lists = children(element, "resources");
  for (const arch of ["x86_64", "all", undefined]) {
    for (const list of lists) {
      if (arch !== undefined && list.attributes.arch !== arch) continue;
      const value = Number(childText(child(list, kind), name));
      if (Number.isFinite(value) && value > 0) return value;
    }
  }
  return undefined;
}

const scaled = (value: number | undefined, unit: number) =>
  value === undefined ? undefined : Math.ceil(value / unit);

/** Before AHCI was common in PCs. */
const OLD = "2007";
/** Systems that install on nothing less than Secure Boot and a TPM. The database does not tell of either. */
const NEEDS_TPM = new Set(["win11", "win2k25"]);

function hardware(
  entry: Entry,
  all: ReadonlyMap<string, Entry>,
  released: string | undefined,
): UsualHardware {
  if (drives(entry.uri, VIRTIO_BLOCK, all) && drives(entry.uri, VIRTIO_NET, all)) return "virtio";
  return released !== undefined && released < OLD ? "old" : "common";
}

function traits(entry: Entry, id: string, all: ReadonlyMap<string, Entry>): OsTraits {
  const { element } = entry;
  const memory = resource(element, "recommended", "ram"), leastMemory = resource(element, "minimum", "ram");
  const disk = resource(element, "recommended", "storage"),
    leastDisk = resource(element, "minimum", "storage");
  const windows = osTypeOf(childText(element, "family") ?? "") === "windows";
  const noBios = children(element, "firmware").some(({ attributes }) =>
    attributes.type === "bios" && attributes.supported === "false"
  );
  const needsTpm = NEEDS_TPM.has(id);
  return {
    hardware: hardware(entry, all, childText(element, "release-date")),
    cpuCount: resource(element, "recommended", "n-cpus"),
    memoryMb: scaled(memory ?? (windows ? Math.max(leastMemory ?? 0, 4 * GIB) : undefined), MIB),
    diskSizeGb: scaled(disk ?? (windows ? Math.max(leastDisk ?? 0, 40 * GIB) : undefined), GIB),
    minimumMemoryMb: scaled(leastMemory, MIB),
    minimumDiskGb: scaled(leastDisk, GIB),
    firmware: needsTpm ? "uefi-secure" : noBios ? "uefi" : "bios",
    tpm: needsTpm,
    localClock: windows,
  };
}

function operatingSystem(entry: Entry, all: ReadonlyMap<string, Entry>): OperatingSystem | undefined {
  const { element, uri } = entry;
  const id = childText(element, "short-id"), name = plain(element, "name");
  if (id === undefined || name === undefined) return undefined;
  const family = childText(element, "family") ?? "unknown";
  const version = childText(element, "version");
  const releaseDate = childText(element, "release-date"), endOfLife = childText(element, "eol-date");
  return {
    id,
    uri,
    name,
    osType: osTypeOf(family),
    family,
    ...(version !== undefined && { version }),
    ...(releaseDate !== undefined && { releaseDate }),
    ...(endOfLife !== undefined && { endOfLife }),
    defaults: osDefaults(traits(entry, id, all)),
  };
}

/**
 * Reads the database.
 *
 * @param sources texts of its files; one that is no XML is told to `broken` and left out
 */
export function readOsinfo(
  sources: Iterable<readonly [path: string, text: string]>,
  broken: (path: string, error: XmlError) => void,
): OperatingSystem[] {
  const all = new Map<string, Entry>();
  for (const [path, text] of sources) {
    try {
      for (const entry of entries(text)) all.set(entry.uri, entry);
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      broken(path, error);
    }
  }
  return [...all.values()].flatMap((entry) => operatingSystem(entry, all) ?? []);
}
