/** Guesses for the form of a new VM: the operating system of an image, a free name. Pure. */
import type { OperatingSystem } from "../../contract/mod.ts";

/** Fields of an operating system that it is recognized by. */
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

/** A system by the words and numbers its id consists of: `ubuntu24.04` → ubuntu, 24, 04. */
interface Spelled {
  readonly id: string;
  readonly spellings: readonly string[];
  readonly versions: readonly string[];
  /** Its place in the list: of those that fit as well, the first counts. */
  readonly rank: number;
}

/** How a file's words fit a system. */
interface Fit {
  readonly system: Spelled;
  /** End of its version. */
  readonly end: number;
}

/** How a file's words fit a system; undefined when they do not. */
function fit(parts: readonly string[], system: Spelled): Fit | undefined {
  const at = parts.findIndex((part) => system.spellings.includes(part));
  if (at < 0) return undefined;
  // The version follows the name, perhaps with an edition between them: Fedora-Server-dvd-x86_64-40-1.14
  let end = at + 1;
  for (const version of system.versions) {
    const found = parts.findIndex((part, index) => index >= end && part === version);
    if (found < 0) return undefined;
    end = found + 1;
  }
  return { system, end };
}

/**
 * Orders by fit: more of a version, then the one that stands first (12.8 is a 12), then the one that is listed first.
 */
const byFit = (a: Fit, b: Fit): number =>
  b.system.versions.length - a.system.versions.length || a.end - b.end || a.system.rank - b.system.rank;

/**
 * The operating system an image is most likely of, by its file name: `debian-12.5.0-amd64-netinst.iso` → debian12.
 *
 * @returns its id; undefined when none fits
 */
export function guessSystem(path: string, systems: readonly Known[]): string | undefined {
  return systemGuesser(systems)(path);
}

/** The same for many images: the systems are looked through once. */
export function systemGuesser(systems: readonly Known[]): (path: string) => string | undefined {
  const bySpelling = new Map<string, Spelled[]>();
  for (const [rank, { id }] of systems.entries()) {
    const [name = "", ...versions] = words(id);
    const spelled = { id, spellings: SPELLINGS[name] ?? [name], versions, rank };
    for (const spelling of spelled.spellings) {
      bySpelling.set(spelling, [...bySpelling.get(spelling) ?? [], spelled]);
    }
  }
  return (path) => guess(path, bySpelling);
}

function guess(path: string, bySpelling: ReadonlyMap<string, readonly Spelled[]>): string | undefined {
  const file = path.slice(path.lastIndexOf("/") + 1);
  // Architectures hold numbers that are no version.
  const parts = words(file.replace(/x86[_-]64|amd64|aarch64|arm64|i[3-6]86|x64/gi, " "));
  if (parts.includes("virtio")) return undefined; // the drivers' CD is no system
  const fits = parts.flatMap((part) => bySpelling.get(part) ?? []).flatMap((system) =>
    fit(parts, system) ?? []
  );
  return fits.sort(byFit)[0]?.system.id;
}

/** A name for a VM that none has yet: `debian12`, `debian12-2`, … @param base its id or any text */
export function freeVmName(base: string, taken: ReadonlySet<string>): string {
  const plain = base.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[\d-]+|-+$/g, "").slice(0, 56) || "vm";
  if (!taken.has(plain)) return plain;
  let number = 2;
  while (taken.has(`${plain}-${number}`)) number++;
  return `${plain}-${number}`;
}
