/**
 * Proxmox VE's `/etc/pve/qemu-server/*.conf`: `key: value` a line, comments at its top are the notes, sections behind it are
 * snapshots and changes that wait. Source: Proxmox VE's documentation, qm.conf(5). Pure.
 */
import type { ArrivingFormat } from "../mod.ts";
import { busFor, guestOfProxmox, nicFor, type SourceBus } from "./guests.ts";
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
/** Proxmox's default memory, in MiB. */
const USUAL_MEMORY_MB = 512;
/** Drives in the order in which they are booted from where no order is said. */
const DRIVES: readonly (readonly [SourceBus, count: number])[] = [["virtio", 16], ["scsi", 31], ["sata", 6], [
  "ide",
  4,
]];
/** Characters of a disk's place that are kept. */
const MOST_PLACE = 1024;
/** Characters of names that a warning lists. */
const MOST_NAMES = 200;

/** A text of properties: `local:100/a.qcow2,size=32G`. What has no key is under an empty one. */
function propertiesOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    const key = at < 0 ? "" : part.slice(0, at).trim(), value = part.slice(at + 1).trim();
    if (!found.has(key)) found.set(key, value);
  }
  return found;
}

/** Its sections: the VM as it is, and what stands behind it. */
interface Sections {
  readonly notes: string;
  readonly now: ReadonlyMap<string, string>;
  readonly pending: readonly string[];
  readonly snapshots: readonly string[];
  /** Lines that are not understood. */
  readonly ignored: readonly string[];
}

/** Notes are percent-encoded; what is damaged stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text;
  }
}

/** @throws {ForeignVmError} */
function sectionsOf(text: string): Sections {
  if (text.length > MOST_DEFINITION) throw new ForeignVmError("it is too long for a .conf file");
  if (text.includes("\0")) throw new ForeignVmError("it is no text: a .conf file is expected");
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n/);
  if (lines.length > MOST_LINES) throw new ForeignVmError("it has too many lines");
  const notes: string[] = [], pending: string[] = [], snapshots: string[] = [], ignored: string[] = [];
  const now = new Map<string, string>();
  let section: string | undefined;
  for (const line of lines) {
    if (line.trim() === "") continue;
    const [, opened] = /^\[([^\]]{1,128})\]\s*$/.exec(line) ?? [];
    if (opened !== undefined) {
      section = opened;
      if (opened !== "PENDING" && !opened.startsWith("special:")) snapshots.push(opened);
      continue;
    }
    if (line.startsWith("#")) {
      if (section === undefined) notes.push(decoded(line.slice(1)));
      continue;
    }
    // Blanks are cut off by trim(): a pattern would try every place in a run of them
    const [, key, rest = ""] = /^([a-z][a-z_]*\d*):(.*)$/s.exec(line) ?? [], value = rest.trim();
    if (key === undefined) {
      if (section === undefined) ignored.push(line);
    } else if (section === undefined) now.set(key, value);
    else if (section === "PENDING") pending.push(key === "delete" ? `delete ${value}` : key);
  }
  const described = now.get("description");
  if (described !== undefined) notes.push(decoded(described));
  return { notes: notes.join("\n"), now, pending, snapshots, ignored };
}

const FORMATS: Readonly<Record<string, ArrivingFormat>> = { qcow2: "qcow2", raw: "raw", vmdk: "vmdk" };
const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes of `32G`; 0 for what is none. */
function bytesOf(text: string): number {
  const [, number, unit = ""] = /^(\d{1,12}(?:\.\d{1,3})?)([KMGT]?)$/.exec(text) ?? [];
  const bytes = number === undefined ? 0 : Math.round(Number(number) * UNITS[unit]!);
  return Number.isSafeInteger(bytes) ? bytes : 0;
}

/** The board, without its version. */
function isQ35(machine: string): boolean {
  const properties = propertiesOf(machine);
  return /q35/.test(properties.get("type") ?? properties.get("") ?? "");
}

class Reader {
  readonly warnings: ForeignWarning[] = [];

  constructor(private readonly now: ReadonlyMap<string, string>) {}

  text(key: string): string {
    return this.now.get(key) ?? "";
  }

  get #guest() {
    return guestOfProxmox(this.text("ostype"));
  }

  number(key: string, what: string, usual: number, most: number): number {
    const text = this.text(key);
    return text === "" ? usual : wholeIn(text, what, 1, most);
  }

  /** The names of drives, those that are booted from first. */
  #order(): string[] {
    const all = DRIVES.flatMap(([kind, count]) => Array.from({ length: count }, (_, at) => `${kind}${at}`));
    const named = propertiesOf(this.text("boot")).get("order")?.split(";") ?? [this.text("bootdisk")];
    // Whoever names a drive twice has it once
    const first = [...new Set(named)].filter((name) => all.includes(name));
    return [...first, ...all.filter((name) => !first.includes(name))].filter((name) => this.now.has(name));
  }

  disks(): ForeignDisk[] {
    const disks: ForeignDisk[] = [];
    for (const name of this.#order()) {
      const disk = this.#disk(name, `disks.${disks.length}`);
      if (disk !== undefined) disks.push(disk);
    }
    if (disks.length > MOST_DISKS) throw new ForeignVmError(`it has more than ${MOST_DISKS} disks`);
    return disks;
  }

  #disk(name: string, field: string): ForeignDisk | undefined {
    const properties = propertiesOf(this.text(name));
    const volume = properties.get("file") ?? properties.get("") ?? "";
    if (
      properties.get("media") === "cdrom" || volume === "none" || volume === "cdrom" ||
      /-cloudinit(\.|$)/.test(volume)
    ) {
      const what = /-cloudinit(\.|$)/.test(volume) ? `The cloud-init drive ${name}` : `CD drive ${name}`;
      this.warnings.push(foreignWarning("", "CdDropped", { what }));
      return undefined;
    }
    const isPath = volume.startsWith("/");
    const file = fileNameOf(volume.slice(isPath ? 0 : volume.indexOf(":") + 1));
    if (file === undefined) {
      this.warnings.push(foreignWarning("", "DiskNoFile", { what: `Disk ${name}` }));
      return undefined;
    }
    if (isPath) {
      this.warnings.push(foreignWarning(field, "DiskElsewhere", { was: volume.slice(0, 200), file }));
    }
    const kind = DRIVES.find(([word]) => name.startsWith(word))![0];
    const controller = this.text("scsihw") || "lsi";
    const isVirtio = kind === "scsi" && controller.startsWith("virtio-scsi");
    const was = kind === "scsi" ? `${name} (${controller.slice(0, 40)})` : name;
    const { bus, warnings } = busFor(
      isVirtio ? "virtio-scsi" : kind,
      controller.slice(0, 40),
      this.#guest,
      field,
    );
    this.warnings.push(...warnings);
    const said = properties.get("format") ?? /\.([a-z0-9]+)$/.exec(file)?.[1] ?? "";
    return {
      file,
      place: volume.slice(0, MOST_PLACE),
      format: FORMATS[said],
      capacityBytes: bytesOf(properties.get("size") ?? ""),
      bus,
      was,
    };
  }

  nics(): ForeignNic[] {
    const names = [...this.now.keys()].flatMap((key) => /^net(\d{1,2})$/.exec(key)?.[1] ?? []).map(Number)
      .sort((a, b) => a - b);
    if (names.length > MOST_NICS) {
      throw new ForeignVmError(`it has more than ${MOST_NICS} network interfaces`);
    }
    return names.map((number, index) => this.#nic(this.text(`net${number}`), `nics.${index}`));
  }

  #nic(text: string, field: string): ForeignNic {
    const properties = propertiesOf(text);
    const named = [...properties].find(([, value]) => /^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/.test(value));
    const model = properties.get("model") ??
      (named !== undefined && named[0] !== "macaddr" ? named[0] : properties.get("") ?? "virtio");
    const address = properties.get("macaddr") ?? named?.[1] ?? "", mac = normalizedMac(address);
    if (address !== "" && mac === undefined) {
      this.warnings.push(foreignWarning(field, "MacInvalid", { mac: address.slice(0, 40) }));
    }
    const { model: taken, warnings } = nicFor(model, this.#guest, field);
    this.warnings.push(...warnings);
    const tag = properties.get("tag"), trunks = properties.get("trunks");
    if (trunks !== undefined) {
      this.warnings.push(foreignWarning(field, "OptionIgnored", { what: `trunks=${trunks.slice(0, 60)}` }));
    }
    return {
      network: (properties.get("bridge") ?? "").slice(0, 255),
      model: taken,
      mac,
      ...(tag !== undefined && { vlan: wholeIn(tag, "VLAN", 1, 4094) }),
      ...(properties.get("link_down") === "1" && { linkUp: false }),
      was: model.slice(0, 40),
    };
  }

  /** Warns about devices that are left out. */
  others(): void {
    const WORDS: Readonly<Record<string, string>> = {
      hostpci: "PCI device",
      usb: "USB device",
      audio: "Sound card",
      virtiofs: "Shared folder",
      unused: "Unused disk",
      serial: "Serial port",
      parallel: "Parallel port",
    };
    for (const key of this.now.keys()) {
      const [, kind = "", number] = /^([a-z]+)(\d+)$/.exec(key) ?? [];
      const word = Object.hasOwn(WORDS, kind) ? WORDS[kind] : undefined;
      if (word !== undefined) {
        this.warnings.push(foreignWarning("", "DeviceDropped", { what: `${word} ${number}` }));
      }
    }
    for (const key of ["args", "hookscript"]) {
      if (this.text(key) !== "") this.warnings.push(foreignWarning("", "OptionIgnored", { what: key }));
    }
    const arch = this.text("arch");
    if (arch !== "" && arch !== "x86_64") {
      this.warnings.push(foreignWarning("", "GuestArch", { arch: arch.slice(0, 40) }));
    }
    if (this.text("vmstate") !== "" || this.text("lock") === "suspended") {
      this.warnings.push(foreignWarning("", "Suspended"));
    }
  }

  memoryMb(): number {
    const text = this.text("memory");
    const said = text === "" ? "" : propertiesOf(text).get("current") ?? propertiesOf(text).get("") ?? text;
    return said === "" ? USUAL_MEMORY_MB : wholeIn(said, "memory", 1, MOST_MEMORY_MB);
  }
}

/** Keys that a Proxmox definition is recognized by. */
const KEYS = [
  "memory",
  "cores",
  "sockets",
  "boot",
  "bootdisk",
  "ostype",
  "smbios1",
  "bios",
  "vmgenid",
  "net0",
  "machine",
  "agent",
  "vga",
];
const listed = (names: readonly string[]) => names.join(", ").slice(0, MOST_NAMES);

/**
 * The VM that a `.conf` file describes, as it is now. Its disks' files are named, not looked at.
 *
 * @throws {ForeignVmError} why it is not taken
 */
export function readProxmox(text: string): SourceVm {
  const { notes, now, pending, snapshots, ignored } = sectionsOf(text);
  const drives = [...now.keys()].some((key) => /^(virtio|scsi|sata|ide|efidisk)\d+$/.test(key));
  if (!drives && !KEYS.some((key) => now.has(key))) {
    throw new ForeignVmError(
      "nothing in it is a setting of a Proxmox VM: it is no .conf file of qemu-server",
    );
  }
  const reader = new Reader(now);
  for (const line of ignored.slice(0, 5)) {
    reader.warnings.push(foreignWarning("", "OptionIgnored", { what: JSON.stringify(line.slice(0, 80)) }));
  }
  const sockets = reader.number("sockets", "number of sockets", 1, MOST_CPUS);
  const cores = reader.number("cores", "number of cores", 1, MOST_CPUS);
  const all = sockets * cores;
  if (all > MOST_CPUS) throw new ForeignVmError(`it has ${all} CPUs, at most ${MOST_CPUS} are possible`);
  const cpuCount = reader.number("vcpus", "number of CPUs", all, MOST_CPUS);
  const isUefi = reader.text("bios") === "ovmf";
  const isSecure = isUefi && propertiesOf(reader.text("efidisk0")).get("pre-enrolled-keys") === "1";
  const tpm = reader.text("tpmstate0") !== "";
  const disks = reader.disks(), nics = reader.nics();
  reader.others();
  if (isUefi) reader.warnings.push(foreignWarning("", "FirmwareState"));
  if (tpm) reader.warnings.push(foreignWarning("", "TpmState"));
  if (snapshots.length > 0) {
    reader.warnings.push(foreignWarning("", "Snapshots", { names: listed(snapshots) }));
  }
  if (pending.length > 0) reader.warnings.push(foreignWarning("", "Pending", { names: listed(pending) }));
  const guest = reader.text("ostype");
  return {
    name: reader.text("name") || "vm",
    description: notesOf(notes),
    osType: guestOfProxmox(guest).osType,
    ...(guest !== "" && { guest: guest.slice(0, 80) }),
    cpuCount,
    coresPerSocket: cpuCount % cores === 0 ? cores : undefined,
    memoryMb: reader.memoryMb(),
    firmware: isSecure ? "uefi-secure" : isUefi ? "uefi" : "bios",
    ...(tpm && { tpm }),
    // Secure Boot's firmware needs the newer board.
    machine: isQ35(reader.text("machine")) || isUefi ? undefined : "pc",
    disks,
    nics,
    warnings: reader.warnings,
  };
}
