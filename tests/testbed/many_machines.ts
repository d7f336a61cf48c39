/** A host with very many machines, for lists and loops that must not slow down with their number. */
import { ensureLibvirtd, virshBatch } from "./libvirt.ts";
import { filesOf, testName } from "./names.ts";
import { removeFiles, removeStoppedDomains } from "./removal.ts";
import { writeDefinitions } from "./small_machines.ts";

/** Stopped domains that are undefined when disposed of. */
export interface ManyMachines extends AsyncDisposable {
  readonly names: readonly string[];
}

/** Defines small machines that are never started, named `kvmm-test-<purpose>-<random>-<number>`. */
export async function manyMachines(count: number, purpose = "many"): Promise<ManyMachines> {
  await ensureLibvirtd();
  const claim = await testName(purpose);
  const folder = filesOf(claim);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeFiles(claim));
  await Deno.mkdir(folder, { recursive: true });
  const names = await writeDefinitions(folder, claim, count, folder);
  undo.defer(() => removeStoppedDomains(names));
  await virshBatch(names.map((name) => `define ${folder}/${name}.xml`));
  const cleanup = undo.move();
  return { names, [Symbol.asyncDispose]: () => cleanup.disposeAsync() };
}
