/** create_vm with copies of images: what the machine gets, what is refused, and that nothing is left behind. */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import type { Input } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refusal, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { GIB } from "../../lib/text/byte_units.ts";

const ignore = await requirement("qemu") !== null;
const info = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await run(["qemu-img", "info", "-U", "--output=json", path]));

Deno.test({
  name: "create_vm() gives a machine a copy of an image",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("create-copy");
    await using server = await readyServer();
    const image = await pool.createVolume("golden.qcow2", "200M");
    await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 8M", image]);
    await virsh("pool-refresh", pool.name);
    const files = async () => (await Array.fromAsync(Deno.readDir(pool.path))).map(({ name }) => name).sort();
    const config = (name: string, disk: NonNullable<Input<"create_vm">["disks"]>[number]) => ({
      name,
      memoryMb: 128,
      nics: [],
      disks: [{ pool: pool.name, ...disk }],
    });
    const golden = `${pool.name}/golden.qcow2`;

    await t.step("in its format, made larger, started; the image stays as it is", async () => {
      const before = await Deno.readFile(image);
      await using claim = await claimedVm("copied");
      const { name } = claim;
      const wish = { ...config(name, { path: golden, copyAs: "qcow2", sizeGb: 2 }), start: true };
      const { id } = await call(server, "create_vm", wish);
      const copy = `${pool.path}/${name}.qcow2`;
      assert.match(await virsh("domblklist", name), new RegExp(copy));
      assert.equal(await virsh("domstate", name), "running");
      const { "virtual-size": size, format, "backing-filename": backing } = await info(copy);
      assert.deepEqual([size, format, backing], [2 * GIB, "qcow2", undefined]);
      assert.deepEqual(await Deno.readFile(image), before);
      const [job] = await call(server, "list_jobs");
      assert.deepEqual([job?.command, job?.state, job?.subject], ["create_vm", "done", name]);
      await virsh("destroy", name);
      await run(["qemu-io", "-r", "-f", "qcow2", "-c", "read -q -P 0x5a 0 8M", copy]);
      await known(server, id);
      await call(server, "delete_vm", { vmId: id, deleteDisks: true });
      assert.deepEqual(await files(), ["golden.qcow2"]);
    });

    await t.step("converted, at its own size; twice from the same image", async () => {
      await using claim = await claimedVm("copied");
      const { name } = claim;
      const { disks: [raw] } = config(name, { path: image, copyAs: "raw" });
      const { disks: [second] } = config(name, { path: golden, copyAs: "qcow2" });
      await call(server, "create_vm", { ...config(name, {}), disks: [raw!, second!] });
      assert.deepEqual(await files(), [`${name}.qcow2`, `${name}.raw`, "golden.qcow2"].sort());
      assert.equal((await Deno.stat(`${pool.path}/${name}.raw`)).size, 200 * 2 ** 20);
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", `${pool.path}/${name}.raw`, image]);
      await Deno.remove(`${pool.path}/${name}.raw`);
      await Deno.remove(`${pool.path}/${name}.qcow2`);
      await virsh("pool-refresh", pool.name);
    });

    await t.step("of an image that somebody has: not while it is written to", async () => {
      await using user = await testMachine({ purpose: "copy-user", guest: false });
      await virsh("attach-disk", user.name, image, "vdx", "--subdriver", "qcow2", "--config");
      await virsh("start", user.name);
      await known(server, user.uuid);
      await until("the disk to be known", async () => {
        const { disks, state } = await call(server, "get_vm", { vmId: user.uuid });
        return state === "running" && disks.some(({ source }) => source === image);
      });
      await using claim = await claimedVm("copied");
      const { name } = claim;
      const wish = config(name, { path: golden, copyAs: "qcow2" });
      await refused(
        server.call("create_vm", wish),
        "DiskInUse",
        `Disk image is already used by ${user.name}: ${golden}`,
      );
      await virsh("destroy", user.name);
      await until(
        "it to be off",
        async () => (await call(server, "get_vm", { vmId: user.uuid })).state === "stopped",
      );
      await call(server, "create_vm", wish);
      await refused(
        server.call("create_vm", { ...config("x", {}), disks: [{ path: golden }] }),
        "DiskInUse",
        `Disk image is already used by ${user.name}: ${golden}`,
      );
      await Deno.remove(`${pool.path}/${name}.qcow2`);
    });

    await t.step(
      "what is not what it looks like, too large for a guest, or in no pool, is refused",
      async () => {
        const reason = async (disk: Input<"create_vm">["disks"]) => {
          const { code, message } = await refusal(
            server.call("create_vm", { ...config("x", {}), disks: disk! }),
          );
          assert.equal(code, "DiskRefused", message);
          return message;
        };
        await using user = await testMachine({ purpose: "copy-liar", guest: false });
        // A guest can write a qcow2 header onto its raw disk.
        await run(["qemu-img", "create", "-q", "-f", "qcow2", `${pool.path}/lie.img`, "1G"]);
        await virsh(
          "attach-disk",
          user.name,
          `${pool.path}/lie.img`,
          "vdx",
          "--subdriver",
          "raw",
          "--config",
        );
        await run(["qemu-img", "create", "-q", "-f", "qcow2", `${pool.path}/bomb.qcow2`, "60T"]);
        await run([
          "qemu-img",
          "create",
          "-q",
          "-f",
          "qcow2",
          "-b",
          "/etc/shadow",
          "-F",
          "raw",
          "-u",
          `${pool.path}/trap.qcow2`,
          "1G",
        ]);
        await virsh("pool-refresh", pool.name);
        await known(server, user.uuid);
        await until(
          "the disk to be known",
          async () =>
            (await call(server, "get_vm", { vmId: user.uuid })).disks.some(({ source }) =>
              source?.endsWith("lie.img")
            ),
        );
        const at = (name: string) => ({
          path: `${pool.name}/${name}`,
          pool: pool.name,
          copyAs: "qcow2" as const,
        });
        assert.match(await reason([at("lie.img")]), /uses it as raw, but its content looks like qcow2/);
        assert.match(await reason([at("trap.qcow2")]), /built on \/etc\/shadow, which is in no storage pool/);
        assert.match(await reason([at("bomb.qcow2")]), /a guest would see 61440 GiB, allowed are 4096/);
        assert.match(await reason([{ path: `${pool.name}/bomb.qcow2` }]), /a guest would see 61440 GiB/);
        const outside = `${filesOf(pool.name)}/outside.raw`;
        await Deno.writeFile(outside, new Uint8Array(4096));
        assert.match(
          await reason([{ path: outside, format: "raw", copyAs: "raw", pool: pool.name }]),
          /in no storage pool, so it cannot be copied/,
        );
        for (const name of ["lie.img", "bomb.qcow2", "trap.qcow2"]) {
          await Deno.remove(`${pool.path}/${name}`);
        }
        await virsh("pool-refresh", pool.name);
      },
    );

    await t.step("cancelled, nothing is left of it", async () => {
      await pool.createVolume("big.qcow2", "900M");
      await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 900M", `${pool.path}/big.qcow2`]);
      await virsh("pool-refresh", pool.name);
      await using claim = await claimedVm("copied");
      const { name } = claim;
      const making = refusal(
        server.call("create_vm", config(name, { path: `${pool.name}/big.qcow2`, copyAs: "raw" })),
      );
      const job = await until("the job", async () => (await call(server, "list_jobs", { open: true }))[0]);
      await call(server, "cancel_job", { jobId: job.id });
      assert.equal((await making).code, "JobCancelled");
      assert.deepEqual(await files(), ["big.qcow2", "golden.qcow2"]);
      assert.equal((await call(server, "get_vms")).some((vm) => vm.name === name), false);
    });
  },
});
