/** libvirt's domain XML → the hardware it describes. Pure. */
import { CPU_MODES } from "../../contract/choices.ts";
import { BOOT_KINDS, type Hardware, type HardwareChange } from "../../contract/hardware.ts";
import { firmware, mebibytes } from "./domain.ts";
import { child, children, childText, parseXml, type XmlElement } from "./tree.ts";

/** Devices that can be booted from: element → what its id begins with. */
const BOOTABLE = { disk: "disk", interface: "nic", hostdev: "hostdev", redirdev: "redirdev" } as const;

/** A device that can be booted from. */
export interface BootCandidate {
  /** `disk:vda`, `nic:52:54:00:00:00:01`, `hostdev:0`; of cards with one MAC address, `nic:MAC@0000:01:00.0`. */
  readonly id: string;
  readonly element: XmlElement;
  /** Its place in the order; undefined when it has none. */
  readonly order: number | undefined;
  /** Description for people. */
  readonly what: string;
}

/** Attributes of a device's source, whichever names it. */
const SOURCES = ["file", "dev", "volume", "name", "network", "bridge", "path"] as const;

function sourceOf(device: XmlElement): string {
  const source = child(device, "source")?.attributes;
  return SOURCES.map((name) => source?.[name]).find((value) => value !== undefined) ??
    device.attributes.bus ??
    "";
}

/** A device's place on the VM's bus, as `lspci` writes it; its alias where it has none. */
export function devicePlace(device: XmlElement): string | undefined {
  const { type, domain, bus, slot, function: fn } = child(device, "address")?.attributes ?? {};
  if (type !== "pci") return child(device, "alias")?.attributes.name;
  const hex = (text: string | undefined, length: number) =>
    Number(text ?? 0).toString(16).padStart(length, "0");
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${hex(fn, 1)}`;
}

/**
 * Keys of a domain's network cards: the MAC address, and with it the place if several have the same, as those of a team
 * do.
 */
export function nicKeys(domain: XmlElement): ReadonlyMap<XmlElement, string> {
  const cards = children(child(domain, "devices"), "interface").flatMap((element, index) => {
    const mac = child(element, "mac")?.attributes.address;
    return mac === undefined ? [] : [{ element, mac, index }];
  });
  return new Map(cards.map(({ element, mac, index }) => {
    const isOnly = cards.filter((each) => each.mac === mac).length === 1;
    return [element, isOnly ? mac : `${mac}@${devicePlace(element) ?? index}`];
  }));
}

/** Every device of a domain that can be booted from, in the XML's order. */
export function bootCandidates(domain: XmlElement): BootCandidate[] {
  const devices = child(domain, "devices");
  const cards = nicKeys(domain);
  return Object.entries(BOOTABLE).flatMap(([name, prefix]) =>
    children(devices, name).flatMap((element, index): BootCandidate[] => {
      const key = prefix === "disk"
        ? child(element, "target")?.attributes.dev
        : prefix === "nic"
        ? cards.get(element)
        : String(index);
      if (key === undefined) return [];
      const order = Number(child(element, "boot")?.attributes.order);
      return [{
        id: `${prefix}:${key}`,
        element,
        order: Number.isInteger(order) && order > 0 ? order : undefined,
        what: sourceOf(element),
      }];
    })
  );
}

/** Host CPUs of a list like `0-3,8`, in order, each once. */
export function parseCpus(text: string): number[] {
  const found = new Set<number>();
  for (const part of text.split(",").map((each) => each.trim()).filter((each) => each !== "")) {
    const excluded = part.startsWith("^");
    const [first, last = first] = part.replace("^", "").split("-").map(Number);
    for (let cpu = first!; cpu <= Math.min(last!, first! + 9999); cpu++) {
      if (excluded) found.delete(cpu);
      else found.add(cpu);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** `[0, 1, 2, 8]` → `0-2,8`. */
export function formatCpus(cpus: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const cpu of cpus) {
    const last = runs.at(-1);
    if (last && cpu === last[1] + 1) last[1] = cpu;
    else runs.push([cpu, cpu]);
  }
  return runs.map(([from, to]) => from === to ? `${from}` : `${from}-${to}`).join(",");
}

/**
 * The mode a CPU element was made from. A running VM's XML shows `host-model` as the model it became, which has
 * a vendor that is not written by hand (libvirt 9.0).
 */
function cpuMode(cpu: XmlElement | undefined): Hardware["cpu"]["mode"] {
  const mode = cpu?.attributes.mode ?? (child(cpu, "model") ? "custom" : "default");
  if (mode === "custom" && cpu?.attributes.check === "full" && child(cpu, "vendor")) return "host-model";
  return CPU_MODES.find((each) => each === mode) ?? "default";
}

function readPinning(domain: XmlElement, hostCpus: number): Hardware["cpu"]["pinning"] {
  return children(child(domain, "cputune"), "vcpupin")
    .map(({ attributes }) => ({ vcpu: Number(attributes.vcpu), cpus: parseCpus(attributes.cpuset ?? "") }))
    // libvirt writes a vCPU that was let go as one that is bound to all.
    .filter(({ cpus }) => cpus.length < hostCpus)
    .map(({ vcpu, cpus }) => ({ vcpu, cpus: formatCpus(cpus) }))
    .sort((a, b) => a.vcpu - b.vcpu);
}

function readCpu(domain: XmlElement, hostCpus: number): Hardware["cpu"] {
  const vcpu = child(domain, "vcpu");
  const cpu = child(domain, "cpu");
  const max = Number(vcpu?.text ?? 1);
  const topology = child(cpu, "topology")?.attributes;
  const mode = cpuMode(cpu);
  return {
    count: Number(vcpu?.attributes.current ?? max),
    max,
    mode,
    model: mode === "custom" ? childText(cpu, "model") ?? null : null,
    topology: topology
      ? {
        sockets: Number(topology.sockets ?? 1) * Number(topology.dies ?? 1) * Number(topology.clusters ?? 1),
        cores: Number(topology.cores ?? 1),
        threads: Number(topology.threads ?? 1),
      }
      : null,
    pinning: readPinning(domain, hostCpus),
  };
}

function readBoot(domain: XmlElement): Hardware["boot"] {
  const os = child(domain, "os");
  const candidates = bootCandidates(domain);
  return {
    devices: children(os, "boot").map(({ attributes }) => attributes.dev ?? "")
      .filter((dev) => BOOT_KINDS.some((each) => each === dev)),
    order: candidates.filter(({ order }) => order !== undefined)
      .sort((a, b) => a.order! - b.order!).map(({ id }) => id),
    menu: child(os, "bootmenu")?.attributes.enable === "yes",
    kernel: child(os, "kernel") !== undefined,
    candidates: candidates.map(({ id, what }) => ({ id, what })),
  };
}

/**
 * Reads what a domain's XML says of its hardware.
 *
 * @param hostCpus the host's number of CPUs: a vCPU bound to all of them is not bound
 * @throws {XmlError}
 */
export function readHardware(source: string | XmlElement, hostCpus = Infinity): Hardware {
  const domain = typeof source === "string" ? parseXml(source) : source;
  const devices = child(domain, "devices");
  const os = child(domain, "os");
  const tpm = child(devices, "tpm");
  const backend = child(tpm, "backend")?.attributes;
  const watchdog = child(devices, "watchdog")?.attributes;
  const maxMb = mebibytes(child(domain, "memory"));
  return {
    cpu: readCpu(domain, hostCpus),
    memory: { currentMb: mebibytes(child(domain, "currentMemory")) || maxMb, maxMb },
    boot: readBoot(domain),
    firmware: firmware(os),
    nvram: childText(os, "nvram") ?? null,
    tpm: tpm
      ? {
        model: tpm.attributes.model ?? "tpm-tis",
        version: backend?.version ?? "",
        backend: backend?.type ?? "",
      }
      : null,
    video: child(child(devices, "video"), "model")?.attributes.type ?? null,
    watchdog: watchdog ? { model: watchdog.model ?? "", action: watchdog.action ?? "reset" } : null,
    rng: child(devices, "rng") !== undefined,
    sound: child(devices, "sound")?.attributes.model ?? null,
    title: child(domain, "title")?.text ?? "",
    description: child(domain, "description")?.text ?? "",
    machine: child(os, "type")?.attributes.machine ?? "",
    arch: child(os, "type")?.attributes.arch ?? "",
  };
}

/** A field of the hardware, as `update_vm` names it. */
export type HardwareField = keyof typeof FIELDS;

const mib = (value: number) => `${value} MiB`;
const yes = (value: boolean) => value ? "yes" : "no";
const orNull = (text: string) => text === "" ? null : text;

/** Field → how it is told: one text, equal when nothing differs. */
const FIELDS = {
  "cpu.count": ({ cpu }: Hardware) => String(cpu.count),
  "cpu.max": ({ cpu }: Hardware) => String(cpu.max),
  "cpu.mode": ({ cpu }: Hardware) => cpu.mode,
  "cpu.model": ({ cpu }: Hardware) => cpu.model,
  "cpu.topology": ({ cpu: { topology } }: Hardware) =>
    topology && `${topology.sockets} × ${topology.cores} × ${topology.threads}`,
  "cpu.pinning": ({ cpu }: Hardware) =>
    orNull(cpu.pinning.map(({ vcpu, cpus }) => `${vcpu}: ${cpus}`).join("; ")),
  "memory.currentMb": ({ memory }: Hardware) => mib(memory.currentMb),
  "memory.maxMb": ({ memory }: Hardware) => mib(memory.maxMb),
  "boot.devices": ({ boot }: Hardware) => orNull(boot.devices.join(", ")),
  "boot.order": ({ boot }: Hardware) => orNull(boot.order.join(", ")),
  "boot.menu": ({ boot }: Hardware) => yes(boot.menu),
  "firmware": ({ firmware }: Hardware): string => firmware,
  "tpm": ({ tpm }: Hardware) => tpm && `${tpm.model} ${tpm.version}`.trim(),
  "video": ({ video }: Hardware) => video,
  "watchdog": ({ watchdog }: Hardware) => watchdog && `${watchdog.model}, ${watchdog.action}`,
  "rng": ({ rng }: Hardware) => yes(rng),
  "sound": ({ sound }: Hardware) => sound,
  "title": ({ title }: Hardware) => orNull(title),
  "description": ({ description }: Hardware) => orNull(description),
} as const satisfies Record<string, (hardware: Hardware) => string | null>;

/** Every field of the hardware. */
export const HARDWARE_FIELDS = Object.keys(FIELDS) as HardwareField[];

/** A field's value as one text; null when it is not there. */
export function fieldText(hardware: Hardware, field: HardwareField): string | null {
  return FIELDS[field](hardware);
}

/** The hardware's fields that a change names. */
export function changedFields(change: HardwareChange): HardwareField[] {
  const named = Object.entries(change).flatMap(([key, value]) =>
    key === "cpu" || key === "memory" || key === "boot"
      ? Object.entries(value as object).filter(([, part]) => part !== undefined).map(([part]) =>
        `${key}.${part}`
      )
      : value === undefined
      ? []
      : [key]
  );
  return HARDWARE_FIELDS.filter((field) => named.includes(field));
}
