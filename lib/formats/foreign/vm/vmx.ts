/**
 * VMware's `.vmx` files, as ESXi, Workstation, Fusion, Player and the old GSX write them. Sources: VMware's knowledge base
 * (keys), the files themselves. A text is `key = "value"` a line, keys in any case, `|22` for a quotation mark. Pure.
 */
import { busFor, type Guest, guestOfVmware, nicFor, type SourceBus } from "./guests.ts";
import {
  fileNameOf,
  type ForeignDisk,
  type ForeignNic,
  ForeignVmError,
  type ForeignWarning,
  foreignWarning,
  MOST_CPUS,
  MOST_DEFINITION,
  MOST_DISKS,
  MOST_MEMORY_MB,
  MOST_NICS,
  normalizedMac,
  notesOf,
  type SourceVm,
  wholeIn,
} from "./model.ts";

const MOST_LINES = 20_000;
/** Characters of a disk's path that are kept. */
const MOST_PLACE = 1024;
/** MiB and kind of a VM that says nothing. */
const USUAL_MEMORY_MB = 32;
/** Places of each kind of controller: how many controllers, how many units. */
const CONTROLLERS: readonly (readonly [SourceBus, count: number, units: number])[] = [
  ["scsi", 4, 64],
  ["nvme", 4, 64],
  ["sata", 4, 30],
  ["ide", 2, 2],
];
/** `deviceType`s of disks whose content is in a file. */
const DISK_TYPES: ReadonlySet<string> = new Set([
  "",
  "disk",
  "scsi-harddisk",
  "ata-harddisk",
  "nvme-harddisk",
]);

/** Encodings by VMware's names, where the browser's differ. */
const ENCODINGS: Readonly<Record<string, string>> = {
  "shift_jis": "shift_jis",
  "gbk": "gbk",
  "iso-8859-1": "windows-1252",
};

/** The text of a file in the encoding that it names. @throws {ForeignVmError} */
export function vmxText(bytes: Uint8Array): string {
  if (bytes.length > MOST_DEFINITION) throw new ForeignVmError("it is too long for a .vmx file");
  if (bytes.includes(0)) throw new ForeignVmError("it is no text: a .vmx file is expected");
  const ascii = new TextDecoder("windows-1252").decode(bytes);
  const [, named = "utf-8"] = /^[ \t]*\.encoding[ \t]*=[ \t]*"([A-Za-z0-9_-]{1,40})"/im.exec(ascii) ?? [];
  const label = ENCODINGS[named.toLowerCase()] ?? named;
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new ForeignVmError(`its encoding ${named} is not known`, { cause: error });
    }
    // What does not say how it is encoded may be of a Windows before UTF-8.
    if (error instanceof TypeError && label === "utf-8") return ascii;
    if (error instanceof TypeError) {
      throw new ForeignVmError(`it is not encoded as ${named}`, { cause: error });
    }
    throw error;
  }
}

/** A value as it is meant: `|22` is a quotation mark. */
const unescaped = (value: string): string =>
  value.replace(/\|([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/**
 * The key of a line and its value, with and without quotation marks; none of a line that is not understood. Blanks are cut off
 * first: one pattern for the whole line tries every place where a run of blanks could be parted, minutes for a long one.
 */
function partsOf(line: string): readonly [key?: string, quoted?: string, bare?: string] {
  const at = line.indexOf("=");
  const key = line.slice(0, Math.max(at, 0)).trim(), value = line.slice(at + 1).trim();
  const [all, quoted, bare] = /^(?:"([^"]*)"|([^"\s]*))\s*(?:#.*)?$/s.exec(value) ?? [];
  return all !== undefined && /^\S{1,255}$/.test(key) ? [key, quoted, bare] : [];
}

/** Its keys, in small letters, with their values. @throws {ForeignVmError} */
export function vmxEntries(text: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  if (lines.length > MOST_LINES) throw new ForeignVmError("it has too many lines");
  for (const [at, line] of lines.entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [key, quoted, bare] = partsOf(line);
    if (key === undefined) {
      throw new ForeignVmError(`line ${at + 1} is not understood: ${JSON.stringify(line.slice(0, 80))}`);
    }
    const name = key.toLowerCase(), value = unescaped(quoted ?? bare ?? "");
    const known = entries.get(name);
    // VMware refuses such a file: which of them it would take is not said.
    if (known !== undefined && known !== value) {
      throw new ForeignVmError(`it has ${key.slice(0, 80)} twice, with different values`);
    }
    entries.set(name, value);
  }
  return entries;
}

/** Reads a definition's keys one by one. */
class Reader {
  readonly warnings: ForeignWarning[] = [];
  readonly guest: Guest;

  constructor(private readonly entries: ReadonlyMap<string, string>) {
    this.guest = guestOfVmware(this.text("guestos"));
  }

  text(key: string): string {
    return (this.entries.get(key) ?? "").trim();
  }

  is(key: string, usual = false): boolean {
    const text = this.text(key).toLowerCase();
    return text === "" ? usual : text === "true" || text === "yes" || text === "1";
  }

  number(key: string, what: string, least: number, most: number): number | undefined {
    const text = this.text(key);
    return text === "" ? undefined : wholeIn(text, what, least, most);
  }

  keys(): string[] {
    return [...this.entries.keys()];
  }

  /** Disks at their places, in the order in which they are booted from. */
  disks(): ForeignDisk[] {
    const places = CONTROLLERS.flatMap(([kind, count, units]) =>
      Array.from(
        { length: count },
        (_, bus) =>
          Array.from(
            { length: units },
            (_, unit) => ({ kind, controller: `${kind}${bus}`, key: `${kind}${bus}:${unit}` }),
          ),
      )
        .flat()
    ).filter(({ kind, controller, key }) =>
      // IDE and the disks of old Workstations have no line for their controller.
      this.is(`${key}.present`) && (kind === "ide" || this.is(`${controller}.present`))
    );
    const first = this.text("bios.hddorder").toLowerCase().split(/[,\s]+/);
    const rank = (key: string) => {
      const at = first.indexOf(key);
      return at < 0 ? first.length : at;
    };
    places.sort((a, b) => rank(a.key) - rank(b.key));
    const disks: ForeignDisk[] = [];
    for (const { kind, controller, key } of places) {
      const disk = this.#disk(kind, controller, key, `disks.${disks.length}`);
      if (disk !== undefined) disks.push(disk);
    }
    if (disks.length > MOST_DISKS) throw new ForeignVmError(`it has more than ${MOST_DISKS} disks`);
    return disks;
  }

  #disk(kind: SourceBus, controller: string, key: string, field: string): ForeignDisk | undefined {
    const type = this.text(`${key}.devicetype`).toLowerCase(), path = this.text(`${key}.filename`);
    const isDrive = type.includes("cdrom") || type.includes("passthru") || /\.(iso|flp)$/i.test(path);
    if (isDrive) {
      this.warnings.push(foreignWarning("", "CdDropped", { what: `CD drive ${key}` }));
      return undefined;
    }
    if (!DISK_TYPES.has(type)) {
      this.warnings.push(
        foreignWarning("", "DeviceDropped", { what: `Disk ${key} of the kind ${type.slice(0, 40)}` }),
      );
      return undefined;
    }
    const file = fileNameOf(path);
    if (file === undefined) {
      this.warnings.push(foreignWarning("", "DiskNoFile", { what: `Disk ${key}` }));
      return undefined;
    }
    if (file !== path) {
      this.warnings.push(foreignWarning(field, "DiskElsewhere", { was: path.slice(0, 200), file }));
    }
    if (/nonpersistent/i.test(this.text(`${key}.mode`))) {
      this.warnings.push(
        foreignWarning(field, "OptionIgnored", { what: `${key}.mode = independent-nonpersistent` }),
      );
    }
    const device = this.text(`${controller}.virtualdev`).toLowerCase().slice(0, 40);
    const was = device === "" ? key : `${key} (${device})`;
    const { bus, warnings } = busFor(kind, device === "" ? controller : device, this.guest, field);
    this.warnings.push(...warnings);
    return { file, place: path.slice(0, MOST_PLACE), format: undefined, capacityBytes: 0, bus, was };
  }

  nics(): ForeignNic[] {
    const nics: ForeignNic[] = [];
    const numbers = this.keys().flatMap((key) => /^ethernet(\d{1,3})\.present$/.exec(key)?.[1] ?? [])
      .map(Number).sort((a, b) => a - b);
    for (const number of numbers) {
      if (!this.is(`ethernet${number}.present`)) continue;
      if (nics.length === MOST_NICS) {
        throw new ForeignVmError(`it has more than ${MOST_NICS} network interfaces`);
      }
      nics.push(this.#nic(`ethernet${number}`, `nics.${nics.length}`));
    }
    return nics;
  }

  #nic(key: string, field: string): ForeignNic {
    // VMware's usual card is a PCnet, which 64-bit guests have no driver for: there it is an e1000.
    const is64 = /64/.test(this.text("guestos"));
    const device = this.text(`${key}.virtualdev`).toLowerCase() || (is64 ? "e1000" : "vlance");
    const { model, warnings } = nicFor(device, this.guest, field);
    this.warnings.push(...warnings);
    const type = this.text(`${key}.addresstype`).toLowerCase();
    const address = this.text(type === "static" ? `${key}.address` : `${key}.generatedaddress`) ||
      this.text(`${key}.address`);
    const mac = normalizedMac(address);
    if (address !== "" && mac === undefined) {
      this.warnings.push(foreignWarning(field, "MacInvalid", { mac: address.slice(0, 40) }));
    }
    return {
      network: this.#network(key),
      model,
      mac,
      ...(!this.is(`${key}.startconnected`, true) && { linkUp: false }),
      was: device,
    };
  }

  #network(key: string): string {
    const named = this.text(`${key}.networkname`) || this.text(`${key}.dvs.portgroupid`);
    if (named !== "") return named.slice(0, 255);
    const type = this.text(`${key}.connectiontype`).toLowerCase();
    if (type === "custom") return this.text(`${key}.vnet`).slice(0, 255);
    return { nat: "NAT", hostonly: "host-only", bridged: "bridged", "": "bridged" }[type] ?? "";
  }

  /** Warns about devices that are left out. */
  others(): void {
    const drop = (what: string) => this.warnings.push(foreignWarning("", "DeviceDropped", { what }));
    for (const key of this.keys()) {
      const [, kind, number] = /^(pcipassthru|serial|parallel|floppy)(\d{1,2})\.present$/.exec(key) ?? [];
      if (kind === undefined || !this.is(key)) continue;
      if (kind === "floppy") {
        this.warnings.push(foreignWarning("", "CdDropped", { what: `Floppy drive ${number}` }));
      } else {drop(
          `${
            { pcipassthru: "PCI device", serial: "Serial port", parallel: "Parallel port" }[kind]
          } ${number}`,
        );}
    }
    if (this.is("sharedfolder0.present")) drop("Shared folders");
    if (this.text("checkpoint.vmstate") !== "") this.warnings.push(foreignWarning("", "Suspended"));
  }
}

/**
 * The VM that a `.vmx` file describes. Its disks' files are named, not looked at.
 *
 * @throws {ForeignVmError} why it is not taken
 */
export function readVmx(bytes: Uint8Array): SourceVm {
  const entries = vmxEntries(vmxText(bytes)), reader = new Reader(entries);
  if (reader.text("config.version") === "" && reader.text("virtualhw.version") === "") {
    throw new ForeignVmError("it has neither config.version nor virtualHW.version: it is no .vmx file");
  }
  if (reader.keys().some((key) => key === "encryption.data" || key === "encryption.keysafe")) {
    throw new ForeignVmError("it is encrypted. Decrypt the VM at the source first");
  }
  const cpuCount = reader.number("numvcpus", "number of CPUs", 1, MOST_CPUS) ?? 1;
  const cores = reader.number("cpuid.corespersocket", "cores per socket", 0, MOST_CPUS);
  const isUefi = reader.text("firmware").toLowerCase() === "efi";
  const isSecure = isUefi && reader.is("uefi.secureboot.enabled");
  const tpm = reader.is("vtpm.present") || reader.text("managedvm.autoaddvtpm").toLowerCase() === "software";
  const disks = reader.disks(), nics = reader.nics();
  reader.others();
  if (isUefi) reader.warnings.push(foreignWarning("", "FirmwareState"));
  if (tpm) reader.warnings.push(foreignWarning("", "TpmState"));
  const guest = reader.text("guestos");
  if (/^(arm|vmkernel.*arm)/i.test(guest)) {
    reader.warnings.push(foreignWarning("", "GuestArch", { arch: "ARM" }));
  }
  return {
    name: reader.text("displayname") || "vm",
    description: notesOf(reader.text("annotation")),
    osType: reader.guest.osType,
    ...(guest !== "" && { guest: guest.slice(0, 80) }),
    cpuCount,
    coresPerSocket: cores === undefined || cores === 0 ? undefined : cores,
    memoryMb: Math.max(reader.number("memsize", "memory", 4, MOST_MEMORY_MB) ?? USUAL_MEMORY_MB, 4),
    firmware: isSecure ? "uefi-secure" : isUefi ? "uefi" : "bios",
    ...(tpm && { tpm }),
    machine: undefined,
    disks,
    nics,
    warnings: reader.warnings,
  };
}
