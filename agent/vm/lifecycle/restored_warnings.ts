/** Checks the dependencies of a VM that came back from the bin for missing and changed ones. */
import { LEFT_NVRAM, type StoredEntry } from "../../../lib/bin/entry.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { child, children } from "../../../lib/formats/xml/tree.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { filtersMissing } from "../../network/filters.ts";
import { resolvedPath } from "../../machine/resolved_path.ts";
import { mayBeFile, pathOfDisk } from "../../storage/disk_path.ts";
import { fileAt } from "../../storage/file_id.ts";

/** Warnings about files that were not in the bin and are missing or changed. @throws {LibvirtError} */
async function leftWarnings(
  { link }: LibvirtHost,
  xml: string,
  { name, definition, lost }: StoredEntry,
  placed: readonly string[],
): Promise<string[]> {
  const gone = lost.map((path) => `${path} was deleted for good.`), warnings: string[] = [];
  if (link.machine === null) return gone;
  const left = definition?.left ?? [], nvram = left.filter(({ target }) => target === LEFT_NVRAM);
  const disks: { target: string; path: string | undefined }[] = [...nvram];
  for (const disk of summarizeDomain(xml).disks) {
    if (!mayBeFile(disk)) continue;
    const path = await pathOfDisk(link, disk);
    disks.push({ target: disk.target, path });
    if (path === undefined && disk.source !== undefined) {
      warnings.push(`${disk.source} is not there any more.`);
    }
  }
  const own = new Set([...lost, ...placed]);
  for (const { target, path } of disks) {
    if (path === undefined || own.has(path)) continue;
    const now = await fileAt(link.machine, await resolvedPath(link.machine, path));
    const before = left.find((each) => each.target === target)?.file;
    if (now === null) warnings.push(`${path} is not there any more.`);
    else if (now !== undefined && before !== undefined && now !== before) {
      warnings.push(
        `${path} is another file than the one that ${name} had. Look at it before you start the VM.`,
      );
    }
  }
  return [...warnings, ...gone];
}

/** Networks that a VM's cards name and that are not there. @throws {LibvirtError} */
async function networkWarnings({ inventory: { networks } }: LibvirtHost, xml: string): Promise<string[]> {
  const named = summarizeDomain(xml).interfaces.flatMap(({ type, network }) =>
    type === "network" ? [network] : []
  );
  const warnings: string[] = [];
  for (const network of new Set(named)) {
    if (networks.record(network) === undefined) await networks.refresh(network);
    if (networks.record(network) !== undefined) continue;
    const cure = "Create it, or give the network card another network";
    warnings.push(
      `The network ${network} is not there any more, and the VM does not start without it. ${cure}.`,
    );
  }
  return warnings;
}

/** Network filters that a VM's cards name and that are not there. @throws {LibvirtError} */
async function filterWarnings({ link }: LibvirtHost, xml: string): Promise<string[]> {
  const cards = children(new XmlDocument(xml).find("devices"), "interface");
  const named = new Set(cards.flatMap((card) => child(card, "filterref")?.attributes.filter ?? []));
  if (named.size === 0) return [];
  const there = new Set<string>();
  try {
    for (const { name } of await link.call("filterScan")) there.add(name);
  } catch (error) {
    if (filtersMissing(error) === undefined) throw error;
  }
  const cure = "Create it, or take it from the network card";
  return [...named].filter((name) => !there.has(name)).map((name) =>
    `The network filter ${name} is not there any more, and the VM does not start without it. ${cure}.`
  );
}

/** That a VM was suspended, and will not go on where it was, as sentences. */
function memoryWarnings({ definition }: StoredEntry): string[] {
  if (definition?.lostMemory !== true) return [];
  return ["Its saved memory was not kept: it boots at its next start, as after a power cut."];
}

/**
 * Warnings about a VM that came back: its missing and changed parts, as sentences.
 *
 * @param xml its present definition
 * @param placed paths of its files that were in the bin
 * @throws {LibvirtError}
 */
export async function restoredWarnings(
  host: LibvirtHost,
  xml: string,
  entry: StoredEntry,
  placed: readonly string[],
): Promise<string[]> {
  return [
    ...await leftWarnings(host, xml, entry, placed),
    ...await networkWarnings(host, xml),
    ...await filterWarnings(host, xml),
    ...memoryWarnings(entry),
  ];
}
