/** New machines without a disk to allocate: what we add to libvirt's own time. */
import { releaseName, testName } from "../testbed/names.ts";
import { call } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { startServer } from "../testbed/server.ts";
import { virsh } from "../testbed/virsh.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { inTurn, timed } from "./measure.ts";
import { longer } from "./row.ts";

export const creations: Bench = async function* (context) {
  await using server = await startServer({
    ...context.server,
    env: { ...context.server.env, KVMM_VIRT_TYPE: "qemu" },
  });
  const [ours, theirs] = await Promise.all([testName("bench"), testName("bench")]);
  const folder = await Deno.makeTempDir({ prefix: "kvmm-bench-" });
  const path = `${folder}/domain.xml`;
  const create = (name: string) =>
    call(server, "create_vm", {
      name,
      cpuCount: 1,
      memoryMb: 128,
      osType: "linux",
      disks: [],
      nics: [],
    });
  try {
    await create(theirs);
    await Deno.writeTextFile(path, await virsh("dumpxml", theirs));
    await removeDomain(theirs);
    const figures = await inTurn(roundsOf(context, 12), {
      ours: async () => {
        let vmId = "";
        const ms = await timed(async () => ({ id: vmId } = await create(ours)));
        await call(server, "delete_vm", { vmId });
        return ms;
      },
      virsh: () => timed(() => virsh("define", path)).finally(() => removeDomain(theirs)),
    });
    yield longer({
      what: "create without a disk: longer by",
      ours: figures.ours,
      theirs: figures.virsh,
      peer: "virsh define, connected",
      aim: { most: 1000 },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
    for (const name of [ours, theirs]) {
      await removeDomain(name);
      await releaseName(name);
    }
  }
};
