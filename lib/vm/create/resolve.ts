/**
 * A configuration held against the host: what it comes to, what is wrong with it, what is worth knowing. Pure: the
 * form's dry run and the creation itself decide with the same code.
 */
import type { ConfigCheck, VmConfig } from "../../contract/create.ts";
import { isCloudImageName } from "../cloud_init/sign_in.ts";
import { decideDisks } from "./disks.ts";
import type { Facts } from "./facts.ts";
import { Findings } from "./findings.ts";
import { decideCpu, decideDevices, decideFirmware, decideMemory, decideTpm } from "./hardware.ts";
import { decideNics } from "./nics.ts";
import type { NewVm } from "../../formats/xml/new_vm.ts";

/** Default boot order: an empty disk is passed over, so the CD is next. */
const BOOT_ORDER: NewVm["bootOrder"] = ["disk", "cdrom"];

const text = (value: string | undefined) => value === undefined || value.trim() === "" ? undefined : value;

/** Decides everything. What is given back is only to be used when `findings` has no errors. */
export function resolveVm(config: VmConfig, facts: Facts, findings: Findings): NewVm {
  const { os, platform, offer } = facts;
  if (facts.vmNames.has(config.name)) findings.error("name", "VmNameExists", { name: config.name });
  if (!facts.osKnown) findings.warn("osVariant", "OsUnknown", { osVariant: config.osVariant });
  if (facts.emulated) findings.warn("virtType", "Emulated");
  const cpu = decideCpu(config, facts, findings);
  const memoryMb = decideMemory(config, facts, findings);
  const { disks, cd, seed, tools } = decideDisks(config, facts, findings);
  const nics = decideNics(config, facts, findings);
  const firmware = decideFirmware(config, facts, findings);
  const tpm = decideTpm(config, facts, findings);
  const devices = decideDevices(config, facts, findings);
  const bootOrder = config.bootOrder ?? BOOT_ORDER;
  for (
    const [field, path] of [["kernel.path", config.kernel?.path], ["kernel.initrd", config.kernel?.initrd]]
  ) {
    if (path !== undefined && !facts.files.has(path)) findings.error(field!, "FileNotFound", { path });
  }
  const bootable = cd !== undefined || config.kernel !== undefined ||
    disks.some(({ source, copyOf }) => source !== undefined || copyOf !== undefined) ||
    (bootOrder.includes("network") && nics.length > 0);
  if (!bootable) findings.warn("", "NoBootSource");
  const [first] = config.disks ?? [];
  if (config.cloudInit === undefined && first?.path !== undefined && isCloudImageName(first.path)) {
    findings.warn("cloudInit", "NobodySignsIn");
  }
  const windows = os.osType === "windows";
  return {
    uuid: facts.uuid,
    name: config.name,
    title: text(config.title),
    description: text(config.description),
    tags: config.tags ?? [],
    group: text(config.group),
    createdAt: facts.now,
    ...(config.osVariant !== undefined && facts.osKnown
      ? { osUri: os.uri, osType: undefined }
      : { osUri: undefined, osType: config.osType }),
    localClock: os.defaults.localClock,
    ...platform,
    ...cpu,
    memoryMb,
    firmware,
    tpm,
    hyperv: windows && offer.hyperv,
    disks,
    cd,
    seed,
    tools,
    nics,
    bootOrder,
    bootMenu: config.bootMenu ?? false,
    kernel: config.kernel && {
      path: config.kernel.path,
      initrd: config.kernel.initrd,
      args: config.kernel.args,
    },
    ...devices,
    rng: config.rng ?? true,
    balloon: config.balloon ?? true,
    guestAgent: config.guestAgent ?? true,
  };
}

/** Description of a decided VM for people. @param xml the XML for libvirt */
export function described(vm: NewVm, xml: string): NonNullable<ConfigCheck["resolved"]> {
  return {
    virtType: vm.virtType,
    arch: vm.arch,
    machine: vm.machine,
    cpuCount: vm.cpuCount,
    cpuMode: vm.cpuMode,
    memoryMb: vm.memoryMb,
    firmware: vm.firmware,
    tpm: vm.tpm !== undefined,
    disks: vm.disks.map(({ target, bus, format, source, copyOf, pool, sizeGb }) => ({
      target,
      bus,
      format,
      ...(source !== undefined && { path: source.path }),
      ...(copyOf !== undefined && { copyOf: copyOf.path }),
      ...(pool !== undefined && { pool }),
      ...(sizeGb !== undefined && { sizeGb }),
    })),
    nics: vm.nics.map(({ model, type, source }) => ({ model, [type]: source })),
    xml,
  };
}
