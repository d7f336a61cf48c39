/**
 * Every path of the host that a domain's definition names, whatever for: images, firmware, kernels, ROMs, tables, files of
 * serial lines, shared folders. Elements are not listed here: one that a later libvirt has counts like all others. Pure.
 */
import { TPM_FOLDER } from "../swtpm.ts";
import { usualNvram } from "./nvram.ts";
import { child, childText, type XmlElement } from "./tree.ts";

/** Elements that hold people's words, or other programs' own data. */
const WORDS: ReadonlySet<string> = new Set(["metadata", "description", "title", "cmdline"]);
/** Elements whose values are words for QEMU's own command line: a path is one part of many. */
const ARGUMENTS: ReadonlySet<string> = new Set(["qemu:arg", "qemu:env", "qemu:property"]);

/** Paths within a word for QEMU: `file=/a.img,if=none`, `{"filename":"/a.img"}`, `file:/a.img`. */
const pathsInArgument = (value: string): string[] =>
  [...value.matchAll(/(?:^|[=,:"'\s])(\/[^,"'\s]+)/g)].flatMap(([, path]) => path ?? []);

/** Folder where libvirt's system daemon keeps the memory of a saved domain. */
const SAVED = "/var/lib/libvirt/qemu/save";

/**
 * Paths that libvirt uses for a domain but that its definition does not name: UEFI variables, a TPM's state, saved
 * memory.
 */
function unnamedPaths(root: XmlElement): string[] {
  const name = childText(root, "name"), uuid = childText(root, "uuid"), os = child(root, "os");
  if (root.name !== "domain" || name === undefined) return [];
  const leavesNvram = os?.attributes.firmware === "efi" && childText(os, "nvram") === undefined;
  const tpm = child(child(child(root, "devices"), "tpm"), "backend")?.attributes.type === "emulator";
  return [
    `${SAVED}/${name}.save`,
    ...leavesNvram ? [usualNvram(name)] : [],
    ...tpm && uuid !== undefined ? [`${TPM_FOLDER}/${uuid}`] : [],
  ];
}

/**
 * Finds them, each once, and those of what libvirt keeps next to a definition.
 *
 * @param disks false leaves disks and drives out
 */
export function namedPaths(root: XmlElement, { disks = true }: { readonly disks?: boolean } = {}): string[] {
  const found = new Set<string>();
  const take = (value: string) => {
    if (value.startsWith("/") && value !== "/") found.add(value);
  };
  const look = ({ name, attributes, text, children }: XmlElement): void => {
    if (WORDS.has(name) || (!disks && name === "disk")) return;
    const plain = text.trim();
    if (plain !== "") take(plain);
    const isArgument = ARGUMENTS.has(name);
    for (const value of Object.values(attributes)) {
      if (isArgument) { for (const path of pathsInArgument(value)) take(path); }
      else take(value);
    }
    for (const each of children) look(each);
  };
  look(root);
  for (const path of unnamedPaths(root)) found.add(path);
  return [...found];
}
