/** Storage pools for tests: a folder of the test bed as a libvirt `dir` pool. */
import { ensureLibvirtd, virsh } from "./libvirt.ts";
import { filesOf, testName } from "./names.ts";
import { removeFiles, removePool } from "./removal.ts";
import { markup } from "./xml.ts";

/** A started pool that is removed, with its volumes, when it is disposed of. */
export interface TestPool extends AsyncDisposable {
  readonly name: string;
  readonly path: string;
  /** Makes a volume and returns its path. @param size as qemu-img takes it, `64M` */
  createVolume(volume: string, size: string, format?: "qcow2" | "raw"): Promise<string>;
}

/** Defines and starts an empty pool. */
export async function testPool(purpose = "pool"): Promise<TestPool> {
  await ensureLibvirtd();
  const name = await testName(purpose);
  const path = `${filesOf(name)}/pool`;
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeFiles(name));
  await Deno.mkdir(path, { recursive: true });
  undo.defer(() => removePool(name));
  const definition = `${filesOf(name)}/pool.xml`;
  const xml = markup`<pool type='dir'><name>${name}</name><target><path>${path}</path></target></pool>`;
  await Deno.writeTextFile(definition, String(xml));
  await virsh("pool-define", definition);
  await virsh("pool-start", name);
  const cleanup = undo.move();
  return {
    name,
    path,
    createVolume: async (volume, size, format = "qcow2") => {
      await virsh("vol-create-as", name, volume, size, "--format", format);
      return await virsh("vol-path", volume, "--pool", name);
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

/** A name for a pool that the product makes, with a folder for its files; what is left of it is removed in the end. */
export interface PoolPlace extends AsyncDisposable {
  readonly name: string;
  readonly files: string;
  /** Path of a mount point that does not exist yet. */
  readonly path: string;
}

/** Takes a name. */
export async function poolPlace(purpose: string): Promise<PoolPlace> {
  const name = await testName(purpose);
  await Deno.mkdir(filesOf(name), { recursive: true });
  return {
    name,
    files: filesOf(name),
    path: `${filesOf(name)}/mount`,
    [Symbol.asyncDispose]: async () => {
      await removePool(name);
      await removeFiles(name);
    },
  };
}
