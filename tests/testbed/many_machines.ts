/** A host with very many machines, for lists and loops that must not slow down with their number. */
import { domainXml } from "./domain_xml.ts";
import { ensureLibvirtd, virshBatch } from "./libvirt.ts";
import { filesOf, testName } from "./names.ts";
import { removeFiles, removeStoppedDomains } from "./removal.ts";

/** Stopped domains that are undefined when disposed of. */
export interface ManyMachines extends AsyncDisposable {
  readonly names: readonly string[];
}

/** Defines small machines that are never started, named `kvmm-test-<purpose>-<random>-<number>`. */
export async function manyMachines(count: number, purpose = "many"): Promise<ManyMachines> {
  await ensureLibvirtd();
  const claim = await testName(purpose);
  const folder = filesOf(claim);
  const names = Array.from({ length: count }, (_, index) => `${claim}-${String(index).padStart(5, "0")}`);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeFiles(claim));
  await Deno.mkdir(folder, { recursive: true });
  for (const name of names) {
    const definition = domainXml({
      name,
      uuid: crypto.randomUUID(),
      memoryMiB: 64,
      vcpus: 1,
      machine: "pc",
      agent: false,
      serial: { kind: "pty", log: `${folder}/${name}.log` },
      disks: [],
    });
    await Deno.writeTextFile(`${folder}/${name}.xml`, String(definition));
  }
  undo.defer(() => removeStoppedDomains(names));
  await virshBatch(names.map((name) => `define ${folder}/${name}.xml`));
  const cleanup = undo.move();
  return { names, [Symbol.asyncDispose]: () => cleanup.disposeAsync() };
}
