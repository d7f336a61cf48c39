/** What a form for a new machine can guess: the operating system of an image, a free name. Pure. */
import type { OperatingSystem } from "../contract/mod.ts";

/** What of an operating system is needed to recognise it. */
type Known = Pick<OperatingSystem, "id" | "name">;

const words = (text: string): string[] => text.toLowerCase().match(/[a-z]+|\d+/g) ?? [];

/** Short forms that images' names use for a system's words. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  windows: ["win", "windows"],
  win: ["win", "windows"],
  rhel: ["rhel"],
  almalinux: ["almalinux", "alma"],
  rocky: ["rocky"],
  alpinelinux: ["alpine"],
  archlinux: ["archlinux", "arch"],
};

/** The words and numbers a system's id consists of: `ubuntu24.04` → ubuntu, 24, 04. */
function matches(parts: readonly string[], id: string): number {
  const [name = "", ...versions] = words(id);
  const spellings = SPELLINGS[name] ?? [name];
  const at = parts.findIndex((part) => spellings.includes(part));
  if (at < 0) return 0;
  // The version follows the name, perhaps with an edition between them: Fedora-Server-dvd-x86_64-40-1.14
  let from = at + 1;
  for (const version of versions) {
    const found = parts.findIndex((part, index) => index >= from && part === version);
    if (found < 0) return 0;
    from = found + 1;
  }
  return 1 + versions.length;
}

/**
 * The operating system an image is most likely of, by its file name: `debian-12.5.0-amd64-netinst.iso` → debian12.
 *
 * @returns its id; undefined when none fits
 */
export function guessSystem(path: string, systems: readonly Known[]): string | undefined {
  const file = path.slice(path.lastIndexOf("/") + 1);
  // Architectures hold numbers that are no version.
  const parts = words(file.replace(/x86[_-]64|amd64|aarch64|arm64|i[3-6]86|x64/gi, " "));
  if (parts.includes("virtio")) return undefined; // the drivers' CD is no system
  let best: { id: string; score: number } | undefined;
  for (const { id } of systems) {
    const score = matches(parts, id);
    if (score > (best?.score ?? 0)) best = { id, score };
  }
  return best?.id;
}

/** A name for a machine that none has yet: `debian12`, `debian12-2`, … @param base its id or any text */
export function freeName(base: string, taken: ReadonlySet<string>): string {
  const plain = base.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[\d-]+|-+$/g, "").slice(0, 56) || "vm";
  if (!taken.has(plain)) return plain;
  let number = 2;
  while (taken.has(`${plain}-${number}`)) number++;
  return `${plain}-${number}`;
}
