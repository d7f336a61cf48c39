/** CPU, memory, firmware and the smaller devices of a configuration, decided. Pure. */
import { MEMORY_SHARE, type VmConfig } from "../../contract/create.ts";
import type { Choice } from "../../contract/create_options.ts";
import { gigabytes } from "../../text/quantity.ts";
import type { Facts } from "./facts.ts";
import type { Findings } from "./findings.ts";
import { isPc } from "../../formats/xml/machine_type.ts";
import { newScreenPassword } from "../../formats/xml/screen_passwords.ts";
import type { NewVm } from "../../formats/xml/new_vm.ts";
import { MIB } from "../../text/byte_units.ts";
import { message } from "../../i18n/message.ts";

/** Why a choice is not available, or null. */
function reasonAgainst(choices: readonly Choice[], id: string): string | null {
  const found = choices.find((each) => each.id === id);
  return found?.available ? null : found?.reason ?? "this host does not offer it";
}

type Cpu = Pick<NewVm, "cpuCount" | "topology" | "cpuMode" | "cpuModel">;

/** Decides CPUs and their model. */
export function decideCpu(config: VmConfig, facts: Facts, findings: Findings): Cpu {
  const { offer, os, host, platform } = facts;
  const product = config.cpuTopology &&
    config.cpuTopology.sockets * config.cpuTopology.cores * config.cpuTopology.threads;
  const cpuCount = config.cpuCount ?? product ?? os.defaults.cpuCount;
  if (product !== undefined && config.cpuCount === undefined && product > 256) {
    findings.error("cpuTopology", "InvalidCpuCount", { n: product });
  }
  if (product !== undefined && product !== cpuCount) {
    findings.invalid("cpuTopology", message`comes to ${product} CPUs, and cpuCount is ${cpuCount}`);
  }
  if (offer.maxCpus !== undefined && cpuCount > offer.maxCpus) {
    findings.missing(
      "cpuCount",
      `a VM with ${cpuCount} CPUs`,
      `${platform.machine} takes at most ${offer.maxCpus}`,
    );
  }
  if (cpuCount > host.cpus) {
    findings.warn("cpuCount", "CpuAboveHost", { requested: cpuCount, available: host.cpus });
  }
  const windows = os.osType === "windows";
  return {
    cpuCount,
    // Windows takes only as many sockets as its licence says, and the default is a socket for each CPU.
    topology: config.cpuTopology ?? (windows ? { sockets: 1, cores: cpuCount, threads: 1 } : undefined),
    cpuMode: decideMode(config, facts, findings),
    cpuModel: config.cpuModel,
  };
}

function decideMode(
  { cpuMode, cpuModel }: VmConfig,
  { offer, platform }: Facts,
  findings: Findings,
): NewVm["cpuMode"] {
  const mode = cpuMode ?? (cpuModel === undefined ? undefined : "custom");
  const works = (id: NewVm["cpuMode"]) => reasonAgainst(offer.cpuModes, id) === null;
  if (mode === undefined) {
    if (platform.virtType === "kvm" && works("host-passthrough")) return "host-passthrough";
    return works("maximum") ? "maximum" : "default";
  }
  const reason = reasonAgainst(offer.cpuModes, mode);
  if (reason !== null) findings.missing("cpuMode", `CPU mode ${mode}`, reason);
  if ((mode === "custom") !== (cpuModel !== undefined)) {
    findings.invalid(
      "cpuModel",
      mode === "custom" ? "is missing: cpuMode is custom" : "needs cpuMode custom",
    );
  } else if (cpuModel !== undefined) {
    const model = offer.cpuModels.find(({ name }) => name === cpuModel);
    if (!model?.usable) {
      const why = model ? "the host lacks some of its features" : "it does not know it";
      findings.missing("cpuModel", `CPU model ${cpuModel}`, why);
    }
  }
  return mode;
}

/** Decides the memory, in MiB. */
export function decideMemory(
  { memoryMb, osVariant, allowOvercommit }: VmConfig,
  facts: Facts,
  findings: Findings,
): number {
  const { os, host } = facts;
  const { minimumMemoryMb: minimum, memoryMb: usual } = os.defaults;
  const most = Math.floor(host.memoryMb * MEMORY_SHARE);
  // A default size fits the host.
  const wanted = memoryMb ?? Math.min(usual, most);
  if (wanted > most) {
    const details = {
      requested: gigabytes(wanted * MIB),
      available: gigabytes(most * MIB),
    };
    findings.exceeds("memoryMb", "MemoryExceedsHost", details, allowOvercommit ?? facts.allowOvercommit);
  }
  // What a system asks for is not known where none was named.
  if (osVariant !== undefined && minimum !== undefined && wanted < minimum) {
    findings.warn("memoryMb", "BelowOsMinimum", { os: os.name, minimum: `${minimum} MB`, what: "of memory" });
  }
  return wanted;
}

type Firmware = NewVm["firmware"];

/** Decides BIOS or UEFI: what was asked for must be there; what only suits is replaced, with a warning. */
export function decideFirmware({ firmware }: VmConfig, facts: Facts, findings: Findings): Firmware {
  const { offer, os, platform } = facts;
  const reason = (id: Firmware) => reasonAgainst(offer.firmwares, id);
  const names: Readonly<Record<Firmware, string>> = {
    bios: "BIOS",
    uefi: "UEFI",
    "uefi-secure": "Secure Boot",
  };
  if (firmware !== undefined) {
    const against = reason(firmware);
    if (against !== null) findings.missing("firmware", names[firmware], against);
    return firmware;
  }
  const suits: Firmware = isPc(platform.arch) ? os.defaults.firmware : "uefi";
  const against = reason(suits);
  if (against === null) return suits;
  findings.warn("firmware", "NotForOs", { what: names[suits], os: os.name, reason: against });
  return (["uefi", "bios"] as const).find((id) => reason(id) === null) ?? "bios";
}

/** Decides the TPM: the model, or undefined for none. */
export function decideTpm({ tpm }: VmConfig, { offer, os }: Facts, findings: Findings): string | undefined {
  if (!(tpm ?? os.defaults.tpm)) return undefined;
  if (offer.tpm.available) return offer.tpmModel;
  const reason = offer.tpm.reason ?? "this host does not offer it";
  if (tpm) findings.missing("tpm", "TPM 2.0", reason);
  else findings.warn("tpm", "NotForOs", { what: "TPM 2.0", os: os.name, reason });
  return undefined;
}

/** Decides screen, sound and watchdog. */
export function decideDevices(
  config: VmConfig,
  { offer, os, randomByte }: Facts,
  findings: Findings,
): Pick<NewVm, "graphics" | "screenPassword" | "video" | "sound" | "watchdog" | "watchdogAction"> {
  const among = (field: "video" | "sound" | "watchdog", offered: readonly string[]) => {
    const wanted = config[field];
    if (wanted !== undefined && !offered.includes(wanted)) {
      findings.missing(field, `${field} ${wanted}`, `this VM takes ${offered.join(", ")}`);
    }
  };
  const graphics = config.graphics ??
    (["vnc", "spice"] as const).find((id) => reasonAgainst(offer.graphics, id) === null) ?? "none";
  const against = reasonAgainst(offer.graphics, graphics);
  if (against !== null) findings.missing("graphics", `graphics ${graphics}`, against);
  among("video", offer.videoModels);
  among("sound", offer.soundModels);
  among("watchdog", offer.watchdogs);
  const models = [os.defaults.video, "virtio", "vga", "ramfb", "none"] as const;
  const suits = models.find((model) => offer.videoModels.includes(model)) ?? "none";
  return {
    graphics,
    screenPassword: graphics === "none" ? undefined : newScreenPassword(graphics, randomByte),
    video: config.video ?? (graphics === "none" ? "none" : suits),
    sound: config.sound ?? "none",
    watchdog: config.watchdog ?? "none",
    watchdogAction: config.watchdogAction ?? "reset",
  };
}
