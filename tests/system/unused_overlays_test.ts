/**
 * An image that QEMU has opened for a snapshot and does not use, as a libvirtd leaves it that is killed in between: it goes once
 * the VM is off, where nothing is in it.
 */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { LibvirtError } from "../../ffi/error.ts";
import { Application } from "../../agent/app.ts";
import { identityAt } from "../../agent/operations/file_identity.ts";
import type { Step } from "../../agent/operations/step.ts";
import type { OperationSpec } from "../../agent/operations/operation_record.ts";
import { localPrincipal } from "../../agent/testing.ts";
import type { Api } from "../../lib/contract/api.ts";
import { settingsHere } from "../testbed/app_here.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { openNode } from "../testbed/unknown_image.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

/** An application of its own, with a folder that outlives it. */
async function started(dataDir: string, vmId: string) {
  const app = new Application(settingsHere(dataDir)), host = app.hosts.local;
  app.start();
  await until("the VM is known", () => Promise.resolve(host.inventory.vm(vmId) !== undefined));
  const api = app.apiFor(localPrincipal("page")) as Api;
  return { app, host, api, [Symbol.asyncDispose]: () => app.stop() };
}

/** An image without what it is built on, which QEMU has open. */
const alone = (filename: string) => ({ driver: "qcow2", file: { driver: "file", filename }, backing: null });

/** An image on a disk, as create_snapshot makes it, and the steps that are written down of it. */
async function overlayOn(
  pool: TestPool,
  { uuid, name, target, base }: { uuid: string; name: string; target: string; base: string },
): Promise<{ path: string; steps: Step[] }> {
  const path = `${pool.path}/${name}-${target}-cut-${crypto.randomUUID().slice(0, 8)}.qcow2`, at = Date.now();
  await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", path]);
  await virsh("pool-refresh", pool.name);
  const chain = [{ path: base, format: "qcow2", type: "file" }] as const;
  return {
    path,
    steps: [
      { kind: "volume-made", pool: pool.name, name: basename(path), path, file: await identityAt(path), at },
      { kind: "disks-switched", uuid, name, disks: [{ target, overlay: path, chain }] },
    ],
  };
}

Deno.test({
  name:
    "an image that a cut snapshot has left open in QEMU goes once the VM is off, and stays where it has data",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("unused-overlay");
    await using vm = await testMachine({
      purpose: "unused-overlay",
      guest: false,
      start: true,
      disks: [{ pool, size: "8M" }, { pool, size: "8M" }],
    });
    const vmId = vm.uuid, dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const [vda = "", vdb = ""] = vm.disks, of = { uuid: vmId, name: vm.name };
    const spec: OperationSpec = {
      command: "create_snapshot",
      subject: vm.name,
      vmId,
      actor: "someone",
      keys: [`vm:${vmId}`],
    };
    const told = async (api: Api) =>
      (await api.getActivity({ limit: 20 })).filter(({ vmName }) => vmName === vm.name)
        .map(({ message }) => message ?? "");
    try {
      const first = await overlayOn(pool, { ...of, target: "vda", base: vda });
      await openNode(vm.name, first.path);
      await t.step("while QEMU has it open it stays, and what becomes of it is told", async () => {
        await using here = await started(dataDir, vmId);
        const { host, api } = here, operation = host.operations.begin(spec);
        operation.addAll(first.steps);
        await host.operations.failed(operation, new LibvirtError({ kind: "lost", message: "lost" }));
        await until(
          "it is settled",
          async () => (await told(api)).some((text) => /deleted by itself once the VM is off/.test(text)),
          { seconds: 60 },
        );
        await host.unusedOverlays!.sweep(vmId);
        assert.ok(await exists(first.path));
      });
      await t.step("it goes when the VM has stopped while KVM Manager did not run", async () => {
        await virsh("destroy", vm.name);
        await using here = await started(dataDir, vmId);
        await until("it is gone", async () => !await exists(first.path), { seconds: 10 });
        await until(
          "that is told",
          async () => (await told(here.api)).some((text) => text.endsWith(`Removed: ${first.path}.`)),
        );
        await here.api.startVm({ vmId });
      });
      await using here = await started(dataDir, vmId);
      const { host, api } = here;
      /** Has what a cut operation made open in QEMU, and remembered. */
      const leave = async (target: string, base: string, fill?: string) => {
        const made = await overlayOn(pool, { ...of, target, base });
        if (fill !== undefined) {
          await run(["qemu-io", "-c", fill, `json:${JSON.stringify(alone(made.path))}`]);
        }
        await openNode(vm.name, made.path);
        const operation = host.operations.begin(spec);
        operation.addAll(made.steps);
        operation.cut("link", Date.now());
        const [step] = made.steps;
        if (step?.kind !== "volume-made") assert.fail("it was not made");
        assert.ok(await host.unusedOverlays!.keep(operation.record, { ...step, path: made.path }));
        host.operations.end(operation);
        return made.path;
      };
      await t.step("it goes as soon as the VM stops", async () => {
        const path = await leave("vda", vda);
        await virsh("destroy", vm.name);
        await until("it is gone", async () => !await exists(path), { seconds: 10 });
      });
      for (const fill of ["write -P 1 0 64k", "write -z 0 64k"]) {
        await t.step(`one with data of its own stays, and the page says what to do (${fill})`, async () => {
          await api.startVm({ vmId });
          const path = await leave("vdb", vdb, fill);
          await api.forceStopVm({ vmId });
          const attention = async () => (await api.getVm({ vmId })).attention.join();
          await until(
            "that is told",
            async () => /A snapshot that was cut short has left .*-vdb-cut/.test(await attention()),
          );
          await assert.rejects(api.startVm({ vmId }), { code: "DiskIsBase" });
          assert.ok(await exists(path));
          await api.deleteVolume({ pool: pool.name, volume: basename(path) });
          await api.startVm({ vmId });
          assert.equal(await attention(), "");
          await api.forceStopVm({ vmId });
        });
      }
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});
