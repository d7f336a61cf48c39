/** Whether this host can run a VM that is to come, whatever becomes of its disks. */
import { LibvirtError } from "../../../ffi/error.ts";
import { type CardPlace, cardPlaces } from "../../../lib/formats/xml/migration.ts";
import { mebibytes } from "../../../lib/formats/xml/domain.ts";
import { child, childText, parseXml, type XmlElement } from "../../../lib/formats/xml/tree.ts";
import type { IncomingVm, MigrationFinding } from "../../../lib/host/migration_protocol.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";
import { problem, warning } from "./findings.ts";

/** Root, name and id of a definition. */
interface IncomingDomain {
  readonly root: XmlElement;
  readonly name: string;
  readonly vmId: string;
}

/** The part of an incoming VM that is checked. */
export type IncomingDefinition = Pick<IncomingVm, "vmId" | "live" | "networks">;

type Check = (
  host: LibvirtHost,
  vm: IncomingDomain,
  wanted: IncomingDefinition,
) => Promise<MigrationFinding[]> | MigrationFinding[];

/** The host takes none. */
function maintenance({ maintenance }: LibvirtHost): MigrationFinding[] {
  return maintenance.isOn ? [problem("maintenance")] : [];
}

/** Another VM has the name, or what was left of this one. */
function identity({ inventory }: LibvirtHost, { name, vmId }: IncomingDomain): MigrationFinding[] {
  const all = inventory.everyVm(), same = all.find(({ id }) => id === vmId);
  if (same !== undefined) return [problem("id-taken", { name: same.name })];
  return all.some((vm) => vm.name === name) ? [problem("name-taken", { name })] : [];
}

/** Architecture, KVM and machine type. */
async function machine({ capabilities }: LibvirtHost, { root }: IncomingDomain): Promise<MigrationFinding[]> {
  const { arch = "", machine = "" } = child(child(root, "os"), "type")?.attributes ?? {};
  const { type: virtType = "" } = root.attributes;
  const guest = (await capabilities.guests()).guests.find((each) => each.arch === arch);
  if (guest === undefined) return [problem("arch", { arch })];
  if (!guest.virtTypes.includes(virtType)) {
    return [virtType === "kvm" ? problem("kvm") : problem("arch", { arch: `${arch} (${virtType})` })];
  }
  try {
    await capabilities.domain({ arch, machine, virtType, emulator: guest.emulator });
    return [];
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    return [problem("machine", { machine })];
  }
}

/** The program that the definition names, as libvirt of a host finds it whose files are not seen from here. */
async function emulatorByLibvirt(
  { capabilities }: LibvirtHost,
  root: XmlElement,
): Promise<MigrationFinding[]> {
  const emulator = childText(child(root, "devices"), "emulator")?.trim();
  if (emulator === undefined) return [];
  const { arch = "", machine = "" } = child(child(root, "os"), "type")?.attributes ?? {};
  const { type: virtType = "" } = root.attributes;
  try {
    await capabilities.domain({ arch, machine, virtType, emulator });
    return [];
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    return [problem("emulator", { path: emulator })];
  }
}

/** Programs and firmware that the definition names. */
async function files(host: LibvirtHost, { root }: IncomingDomain): Promise<MigrationFinding[]> {
  const { machine } = host;
  if (machine === null) return await emulatorByLibvirt(host, root);
  const emulator = childText(child(root, "devices"), "emulator")?.trim();
  const os = child(root, "os");
  const firmware = [childText(os, "loader")?.trim(), child(os, "nvram")?.attributes.template];
  const isThere = async (path: string | undefined) =>
    !path?.startsWith("/") || await machine.files.isThere(path);
  const found = await isThere(emulator) ? [] : [problem("emulator", { path: emulator! })];
  for (const path of firmware) if (!await isThere(path)) found.push(problem("firmware", { path: path! }));
  return found;
}

/** CPU modes that mean the host's own processor. */
const HOST_MODES: ReadonlySet<string> = new Set(["host-passthrough", "maximum"]);

async function processor(
  { link, capabilities }: LibvirtHost,
  { root }: IncomingDomain,
  { live }: IncomingDefinition,
): Promise<MigrationFinding[]> {
  const cpu = child(root, "cpu"), { mode = "custom" } = cpu?.attributes ?? {};
  const { type: virtType = "" } = root.attributes;
  // An emulated processor is the same everywhere
  if (HOST_MODES.has(mode)) return virtType === "kvm" ? [warning("cpu-mode", { mode })] : [];
  if (cpu === undefined || childText(cpu, "model") === undefined) return [];
  const { arch = "", machine = "" } = child(child(root, "os"), "type")?.attributes ?? {};
  const guest = (await capabilities.guests()).guests.find((each) => each.arch === arch);
  if (guest === undefined) return [];
  try {
    const kind = { arch, machine, virtType, emulator: guest.emulator };
    const missing = await link.call("compareCpu", { ...kind, xml: live.slice(cpu.from, cpu.to) });
    return missing === null ? [] : [problem("cpu", { missing })];
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    // What libvirt cannot compare, or knows no machine for, is found by other checks, or by QEMU
    log.info("the processor of a VM that is to come cannot be compared", { error: error.message });
    return [];
  }
}

/** A place for a card there; undefined where all is well. */
async function lacking(
  { inventory, machine }: LibvirtHost,
  { kind, name }: CardPlace,
  networks: Readonly<Record<string, string>>,
): Promise<MigrationFinding | undefined> {
  if (kind === "own") return undefined;
  if (kind === "network") {
    const network = Object.hasOwn(networks, name) ? networks[name]! : name;
    const record = inventory.networks.record(network);
    if (record === undefined) return problem("no-network", { network });
    return record.active ? undefined : problem("network-off", { network });
  }
  if (machine === null) return warning("bridge-unseen", { bridge: name });
  const isThere = (await machine.interfaces()).some((each) =>
    each.name === name && (kind === "device" || each.bridge)
  );
  return isThere ? undefined : problem("no-bridge", { bridge: name });
}

/**
 * Findings about networks and bridges that the cards of a definition need on this host, and that are missing or off.
 *
 * @param networks of the definition → those here that its cards come into @throws {XmlError}
 */
export async function checkCards(
  host: LibvirtHost,
  definition: string,
  networks: Readonly<Record<string, string>> = {},
): Promise<MigrationFinding[]> {
  const found = await Promise.all(cardPlaces(definition).map((place) => lacking(host, place, networks)));
  return found.filter((each) => each !== undefined);
}

const cards: Check = (host, _vm, { live, networks }) => checkCards(host, live, networks);

function memory({ sampler }: LibvirtHost, { root }: IncomingDomain): MigrationFinding[] {
  const { memoryTotalMb, memoryUsedMb = null } = sampler.host ?? {},
    wanted = mebibytes(child(root, "memory"));
  if (memoryTotalMb === undefined || memoryUsedMb === null) return [];
  const free = Math.max(0, memoryTotalMb - memoryUsedMb);
  return wanted <= free ? [] : [warning("memory", { free: String(free), memory: String(wanted) })];
}

const CHECKS: readonly Check[] = [maintenance, identity, machine, files, processor, cards, memory];

/** Problems that keep this host from running a VM, and warnings. @throws {LibvirtError} @throws {XmlError} */
export async function checkIncoming(
  host: LibvirtHost,
  wanted: IncomingDefinition,
): Promise<MigrationFinding[]> {
  const root = parseXml(wanted.live);
  const vm = { root, name: childText(root, "name") ?? "", vmId: wanted.vmId };
  const found = await Promise.all(CHECKS.map((check) => check(host, vm, wanted)));
  return found.flat();
}
