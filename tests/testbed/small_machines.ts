/** Definitions of machines that are never started: for lists and loops that must not slow down with their number. */
import { domainXml } from "./domain_xml.ts";

/**
 * Writes a definition into a folder for each name, as `NAME.xml`.
 *
 * @param count how many machines, named `<prefix>-<number>`
 * @param logs where their serial consoles would be logged to
 * @returns their names
 */
export async function writeDefinitions(
  folder: string,
  prefix: string,
  count: number,
  logs: string,
): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(5, "0")}`);
  for (const name of names) {
    const definition = domainXml({
      name,
      uuid: crypto.randomUUID(),
      memoryMiB: 64,
      vcpus: 1,
      machine: "pc",
      agent: false,
      serial: { kind: "pty", log: `${logs}/${name}.log` },
      disks: [],
    });
    await Deno.writeTextFile(`${folder}/${name}.xml`, String(definition));
  }
  return names;
}
