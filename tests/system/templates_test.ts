/** Templates: made of a VM, VMs made of them that boot, versions, what is refused, and what is undone. */
import assert from "node:assert/strict";
import type { ErrorCode, Job, Template } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { removeDomain, removeSeeds } from "../testbed/removal.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
/** Megabytes of content: enough for a copy to be seen while it is made. */
const SIZE = 700;

/** A name for VMs, which are removed in the end with their numbers and seeds; their disks go with the test's pool. */
async function vmNames(...suffixes: string[]): Promise<{ name: string } & AsyncDisposable> {
  const name = await testName("tmpl");
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      for (const suffix of suffixes) {
        await removeDomain(`${name}${suffix}`);
        // Undefined, and not deleted by the product, it leaves its seed in the usual pool.
        await removeSeeds("default", `${name}${suffix}`);
      }
      await releaseName(name);
    },
  };
}

const info = async (path: string) =>
  JSON.parse(await run(["qemu-img", "info", "-U", "--output=json", path])) as Record<string, unknown>;
/** Writes a pattern to the start of a disk, or reads it there. */
const io = (path: string, format: string, command: "write" | "read") =>
  run(["qemu-io", "-f", format, "-c", `${command} -P 0x5a 0 64k`, path]);
const fill = (path: string, format: string) =>
  run(["qemu-io", "-f", format, "-c", `write -q -P 0x5a 0 ${SIZE}M`, path]);

/** Names of the files in a pool's folder. */
const volumes = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

const diskOf = async (name: string, target = "vda") =>
  (await virsh("domblklist", name)).split("\n").map((line) => line.trim().split(/\s+/))
    .find(([dev]) => dev === target)?.[1] ?? assert.fail(`${name} has no ${target}`);

async function boots(name: string, original: TestMachine): Promise<void> {
  const log = `${original.serialLog}-${name}`;
  await virsh("start", name);
  await until(`${name} to boot`, async () => await exists(log) && (await Deno.readTextFile(log)).length > 0, {
    seconds: 60,
  });
}

/** Waits until a template's disk is being made in a pool's folder. */
const copyBegins = (folder: string) =>
  until(
    "the copy to begin",
    async () =>
      (await Array.fromAsync(Deno.readDir(folder))).some(({ name }) => name.startsWith("template-")),
    {
      seconds: 30,
      every: 5,
    },
  );

/** Whether there is a VM of this name. */
const isThere = async (name: string) => (await virsh("list", "--all", "--name")).split(/\s+/).includes(name);

const jobOf = (server: TestServer, command: string) =>
  until<Job>(`a job ${command}`, async () => {
    const found = await call(server, "list_jobs", { open: true });
    return found.find((job) => job.command === command);
  }, { seconds: 20, every: 10 });

Deno.test({
  name: "a template is made of a VM, and VMs of it that boot, each with an identity of its own",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using network = await testNetwork();
    await using pool = await testPool("tmpl");
    await using vm = await testMachine({
      purpose: "tmpl",
      network,
      vnc: { password: "planted7" },
      disks: [{ pool }, { pool, format: "raw" }],
    });
    await using own = await vmNames("-01", "-02", "-03", "-full");
    await known(server, vm.uuid);
    const [qcow2, raw] = vm.disks as [string, string];
    await io(qcow2, "qcow2", "write");
    await io(raw, "raw", "write");
    await call(server, "set_tags", { vmId: vm.uuid, tags: ["kept"] });
    await call(server, "set_group", { vmId: vm.uuid, group: "people" });
    let template: Template;
    const made = (name: string) => `${own.name}-${name}`;

    await t.step("it has volumes of its own, which are qcow2 and built on nothing", async () => {
      const before = await vm.xml("--inactive");
      template = await call(server, "create_template", { vmId: vm.uuid, name: own.name, description: "one" });
      assert.equal(await vm.xml("--inactive"), before);
      const [version] = template.versions;
      assert.deepEqual(
        [template.name, template.description, version!.version, version!.source, template.vms],
        [own.name, "one", 1, vm.name, []],
      );
      assert.deepEqual(version!.disks.map(({ target, pool: where }) => [target, where]), [
        ["vda", pool.name],
        ["vdb", pool.name],
      ]);
      for (const { path } of version!.disks) {
        const found = await info(path);
        assert.deepEqual([found.format, found["backing-filename"]], ["qcow2", undefined]);
        await io(path, "qcow2", "read");
      }
      await refused(call(server, "create_template", { vmId: vm.uuid, name: own.name }), "TemplateExists");
      assert.deepEqual((await call(server, "list_templates")).map(({ name }) => name), [own.name]);
    });

    await t.step("its disks are not unused volumes: insights report only others", async () => {
      const stray = { pool: pool.name, volume: "stray.qcow2" };
      await call(server, "create_volume", { pool: pool.name, name: stray.volume, capacityBytes: 2 ** 20 });
      const { insights } = await call(server, "analyze_all_vms");
      const seen = insights.map((each) => each.seen).filter((text) => text.includes(`Pool ${pool.name} has`));
      assert.equal(seen.length, 1);
      assert.match(seen[0]!, /\(1, .*: stray\.qcow2$/);
      await call(server, "delete_volume", { ...stray, permanently: true });
    });

    await t.step("three linked ones: overlays, ids, addresses and passwords of their own", async () => {
      const { vms, notStarted } = await call(server, "create_vm_from_template", {
        templateId: template.id,
        name: `${own.name}-##`,
        count: 3,
      });
      assert.deepEqual(vms.map(({ name }) => name), [made("01"), made("02"), made("03")]);
      assert.deepEqual(notStarted, []);
      const macs = new Set<string>([vm.mac!]);
      for (const { vmId, name } of vms) {
        const xml = await virsh("dumpxml", name, "--inactive", "--security-info");
        assert.equal(await virsh("domuuid", name), vmId);
        assert.doesNotMatch(xml, new RegExp(`${vm.mac}|${vm.uuid}|planted7|people`));
        assert.match(xml, /passwd='[^']{8}'/);
        macs.add(/<mac address='(52:54:00:[0-9a-f:]+)'/.exec(xml)?.[1] ?? "");
        const path = await diskOf(name);
        const found = await info(path);
        assert.equal(found["backing-filename"], template.versions[0]!.disks[0]!.path);
        assert.equal(found["backing-filename-format"], "qcow2");
        await io(path, "qcow2", "read");
        await io(await diskOf(name, "vdb"), "qcow2", "read");
        const seen = await known(server, vmId);
        assert.deepEqual([seen.tags, seen.group, seen.state], [[], undefined, "stopped"]);
      }
      assert.equal(macs.size, 4);
      await boots(made("01"), vm);
    });

    await t.step("a full one needs nothing of the template", async () => {
      const { vms } = await call(server, "create_vm_from_template", {
        templateId: template.id,
        name: made("full"),
        linked: false,
        cloudInit: { form: {} },
        start: true,
      });
      assert.deepEqual(vms.map(({ name }) => name), [made("full")]);
      await shows(server, vms[0]!.vmId, ({ state }) => state === "running");
      assert.equal((await info(await diskOf(made("full"))))["backing-filename"], undefined);
      assert.match(await virsh("dumpxml", made("full")), /-seed\.iso/);
      const { cloudInit } = await call(server, "get_cloud_init", { vmId: vms[0]!.vmId });
      assert.deepEqual(cloudInit, { form: {} });
      const shown = await call(server, "get_template", { templateId: template.id });
      assert.deepEqual(shown.vms.map(({ name, linked }) => [name, linked]), [
        [made("01"), true],
        [made("02"), true],
        [made("03"), true],
        [made("full"), false],
      ]);
    });

    await t.step("its volumes cannot be written to or deleted", async () => {
      const { path, volume } = template.versions[0]!.disks[0]!;
      await refused(
        call(server, "attach_disk", { vmId: vm.uuid, path }),
        "DiskRefused",
        new RegExp(`it belongs to the template ${own.name}`),
      );
      await refused(call(server, "delete_volume", { pool: pool.name, volume }), "VolumeInUse");
      await refused(
        call(server, "delete_template", { templateId: template.id }),
        "TemplateInUse",
        new RegExp(`needed by ${made("01")}, ${made("02")}, ${made("03")}\\.`),
      );
    });

    await t.step("a further version; the one before stays while it is needed", async () => {
      const updated = await call(server, "update_template", {
        templateId: template.id,
        vmId: vm.uuid,
        description: "two",
      });
      assert.deepEqual(updated.versions.map(({ version }) => version), [2, 1]);
      assert.equal(updated.description, "two");
      const remove = (version: number) =>
        call(server, "delete_template", { templateId: template.id, version });
      await refused(remove(1), "TemplateInUse");
      await refused(remove(7), "TemplateVersionNotFound");
      await remove(2);
      for (const { path } of updated.versions[0]!.disks) assert.equal(await exists(path), false);
      for (const name of ["01", "02", "03"]) {
        await virsh("destroy", made(name)).catch(() => "it is off");
        const vmId = await virsh("domuuid", made(name));
        await shows(server, vmId, ({ state }) => state === "stopped");
        await call(server, "delete_vm", { vmId, deleteDisks: true });
      }
      await call(server, "delete_template", { templateId: template.id });
      await refused(call(server, "get_template", { templateId: template.id }), "TemplateNotFound");
      assert.deepEqual((await volumes(pool.path)).filter((name) => name.startsWith("template-")), []);
      await io(await diskOf(made("full")), "raw", "read").catch(() => "it runs");
    });
  },
});

Deno.test({
  name: "create_template() and create_vm_from_template() refuse what cannot be, and undo what was cancelled",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("tmpl");
    await using vm = await testMachine({ purpose: "tmpl", guest: false, disks: [{ pool }] });
    await using own = await vmNames("-1", "-2", "-3");
    await known(server, vm.uuid);
    await run(["qemu-img", "resize", "-q", vm.disks[0]!, `${SIZE + 100}M`]);
    await fill(vm.disks[0]!, "qcow2");
    const before = await volumes(pool.path);
    const templates = async () => (await call(server, "list_templates")).length;

    await t.step("a VM that runs, is none, or shares something with its host", async () => {
      const create = () => call(server, "create_template", { vmId: vm.uuid, name: own.name });
      await vm.start();
      await shows(server, vm.uuid, ({ state }) => state === "running");
      await refused(create(), "VmMustBeOff");
      await virsh("destroy", vm.name);
      await shows(server, vm.uuid, ({ state }) => state === "stopped");
      await refused(call(server, "create_template", { vmId: "none", name: own.name }), "VmNotFound");
      await refused(call(server, "create_template", { vmId: vm.uuid, name: "../a" }), "InvalidInput");
      await refused(
        call(server, "create_template", { vmId: vm.uuid, name: own.name, pool: "none" }),
        "StoragePoolNotFound",
      );
      assert.deepEqual([await volumes(pool.path), await templates()], [before, 0]);
    });

    await t.step("cancelled while it copies: no template and no volume", async () => {
      const asked = refused(
        call(server, "create_template", { vmId: vm.uuid, name: own.name }),
        "JobCancelled",
      );
      const job = await jobOf(server, "create_template");
      await copyBegins(pool.path);
      await call(server, "cancel_job", { jobId: job.id });
      await asked;
      assert.deepEqual([await volumes(pool.path), await templates()], [before, 0]);
    });

    await t.step(
      "VMs cancelled in the middle: those that are whole stay, the one that was made goes",
      async () => {
        const { id, versions } = await call(server, "create_template", { vmId: vm.uuid, name: own.name });
        const create = (input: { name: string; count?: number; linked?: boolean; version?: number }) =>
          call(server, "create_vm_from_template", { templateId: id, ...input });
        await refused(create({ name: vm.name }), "VmNameExists");
        await refused(create({ name: "a#b#" }), "InvalidName");
        await refused(create({ name: own.name, version: 9 }), "TemplateVersionNotFound");
        const asked = refused(create({ name: own.name, count: 3, linked: false }), "JobCancelled");
        const job = await jobOf(server, "create_vm_from_template");
        await until(
          "the second to be copied",
          () => exists(`${pool.path}/${own.name}-2-vda.qcow2`),
          { seconds: 60, every: 5 },
        );
        await refused(call(server, "delete_template", { templateId: id }), "StorageBusy");
        await call(server, "cancel_job", { jobId: job.id });
        await asked;
        assert.deepEqual(await Promise.all(["-1", "-2", "-3"].map((n) => isThere(`${own.name}${n}`))), [
          true,
          false,
          false,
        ]);
        assert.deepEqual(
          await volumes(pool.path),
          [...before, `${own.name}-1-vda.qcow2`, versions[0]!.disks[0]!.volume].sort(),
        );
        const { vms } = await call(server, "get_template", { templateId: id });
        assert.deepEqual(vms.map(({ name, linked }) => [name, linked]), [[`${own.name}-1`, false]]);
        await call(server, "delete_template", { templateId: id });
      },
    );
  },
});

Deno.test({
  name: "templates and VMs that are cut off by the end of KVM Manager are taken back by the next run",
  ignore,
  fn: async () => {
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    await using pool = await testPool("tmplcut");
    await using vm = await testMachine({ purpose: "tmplcut", guest: false, disks: [{ pool }] });
    await using own = await vmNames("-1", "-2");
    try {
      await run(["qemu-img", "resize", "-q", vm.disks[0]!, `${SIZE + 100}M`]);
      await fill(vm.disks[0]!, "qcow2");
      const before = await volumes(pool.path);
      const settled = (wanted: readonly string[]) =>
        until("what was cut short to be settled", async () => {
          const now = await volumes(pool.path);
          return JSON.stringify(now) === JSON.stringify([...wanted].sort());
        }, { seconds: 60, lastSeen: async () => JSON.stringify({ now: await volumes(pool.path), wanted }) });
      {
        await using first = await readyServer({ dataDir });
        await known(first, vm.uuid);
        const asked = call(first, "create_template", { vmId: vm.uuid, name: own.name }).catch(() =>
          "cut off"
        );
        await copyBegins(pool.path);
        await first.kill();
        assert.equal(await asked, "cut off");
      }
      let template: Template;
      {
        await using second = await readyServer({ dataDir });
        await settled(before);
        assert.deepEqual(await call(second, "list_templates"), []);
        template = await call(second, "create_template", { vmId: vm.uuid, name: own.name });
        const asked = call(second, "create_vm_from_template", {
          templateId: template.id,
          name: own.name,
          count: 2,
          linked: false,
        }).catch(() => "cut off");
        await until("the second to be copied", () => exists(`${pool.path}/${own.name}-2-vda.qcow2`), {
          seconds: 60,
          every: 5,
        });
        await second.kill();
        assert.equal(await asked, "cut off");
      }
      await using third = await readyServer({ dataDir });
      const disk = template.versions[0]!.disks[0]!;
      await settled([...before, disk.volume, `${own.name}-1-vda.qcow2`]);
      assert.deepEqual([await isThere(`${own.name}-1`), await isThere(`${own.name}-2`)], [true, false]);
      const [found] = await call(third, "list_templates");
      assert.deepEqual(found?.vms.map(({ name }) => name), [`${own.name}-1`]);
      await io(disk.path, "qcow2", "read");
      await call(third, "delete_template", { templateId: template.id });
      await settled([...before, `${own.name}-1-vda.qcow2`]);
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

Deno.test({
  name: "a template is made of an image, without a VM, and VMs of it",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using network = await testNetwork();
    await using pool = await testPool("tmpl");
    await using own = await vmNames("-1", "-new");
    const image = `${pool.path}/cloud.img`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", image, "64M"]);
    await io(image, "qcow2", "write");
    await virsh("pool-refresh", pool.name);
    const wish = { name: own.name, image: `${pool.name}/cloud.img`, pool: pool.name, network: network.name };
    let template: Template;

    await t.step("with the hardware that is said, and a copy of the image", async () => {
      template = await call(server, "create_template", {
        ...wish,
        cpuCount: 1,
        memoryMb: 256,
        diskSizeGb: 1,
        osVariant: "debian12",
      });
      const [version] = template.versions, [disk] = version!.disks;
      assert.deepEqual(
        [version!.cpuCount, version!.memoryMb, version!.osVariant, version!.source, disk!.capacityBytes],
        [1, 256, "debian12", wish.image, 1024 ** 3],
      );
      const found = await info(disk!.path);
      assert.deepEqual([found.format, found["backing-filename"], found["virtual-size"]], [
        "qcow2",
        undefined,
        1024 ** 3,
      ]);
      await io(disk!.path, "qcow2", "read");
      assert.equal((await info(image))["virtual-size"], 64 * 1024 ** 2);
      // No VM was there for it.
      assert.doesNotMatch(await virsh("list", "--all", "--name"), /^image-/m);
    });

    await t.step("VMs of it, which start", async () => {
      const { vms: [vm] } = await call(server, "create_vm_from_template", {
        templateId: template.id,
        name: `${own.name}-1`,
        start: true,
      });
      await shows(server, vm!.vmId, ({ state }) => state === "running");
      const xml = await virsh("dumpxml", `${own.name}-1`, "--security-info");
      assert.match(xml, /passwd='[^']{8}'/);
      assert.match(xml, new RegExp(`network='${network.name}'`));
      assert.match(xml, /http:\/\/debian.org\/debian\/12/);
      await virsh("destroy", `${own.name}-1`);
    });

    await t.step("a further version, of an image, too", async () => {
      const { versions } = await call(server, "update_template", {
        templateId: template.id,
        image: wish.image,
        pool: pool.name,
        network: network.name,
      });
      assert.deepEqual(versions.map(({ version, disks }) => [version, disks[0]!.capacityBytes]), [
        [2, 64 * 1024 ** 2],
        [1, 1024 ** 3],
      ]);
    });

    await t.step("from scratch, with an empty disk, for a system that is installed", async () => {
      const { id, versions: [version] } = await call(server, "create_template", {
        name: `${own.name}-e`,
        pool: pool.name,
        network: network.name,
        cpuCount: 2,
        memoryMb: 256,
        diskSizeGb: 3,
        osVariant: "debian12",
      });
      const [disk] = version!.disks, found = await info(disk!.path);
      assert.deepEqual(
        [version!.source, version!.cpuCount, disk!.capacityBytes, found.format, found["virtual-size"]],
        ["an empty disk of 3 GiB", 2, 3 * 1024 ** 3, "qcow2", 3 * 1024 ** 3],
      );
      const { vms: [vm] } = await call(server, "create_vm_from_template", {
        templateId: id,
        name: `${own.name}-new`,
        linked: false,
      });
      await shows(
        server,
        vm!.vmId,
        ({ disks, cpuCount }) => cpuCount === 2 && disks[0]!.capacityBytes === 3 * 1024 ** 3,
      );
      await call(server, "delete_vm", { vmId: vm!.vmId, deleteDisks: true, permanently: true });
      await call(server, "delete_template", { templateId: id, permanently: true });
    });

    await t.step("what cannot be is refused by its field, and nothing is left", async () => {
      const before = await volumes(pool.path);
      const other = { ...wish, name: `${own.name}-x` };
      const wrong = (more: object, code: ErrorCode, text?: RegExp) =>
        refused(call(server, "create_template", { ...other, ...more }), code, text);
      await wrong({ image: undefined }, "InvalidInput");
      await wrong(
        { image: undefined, diskSizeGb: 1, seal: ["logs"] },
        "InvalidInput",
        /no.* on an empty disk/,
      );
      await wrong({ vmId: "some" }, "InvalidInput", /image cannot be given together with vmId/);
      await wrong({ image: `${pool.name}/none.img` }, "DiskNotFound");
      await wrong({ network: "none" }, "NetworkNotFound");
      await wrong({ memoryMb: 60_000_000 }, "MemoryExceedsHost");
      await wrong({ name: own.name }, "TemplateExists");
      await run(["qemu-img", "create", "-q", "-f", "qcow2", `${pool.path}/large.img`, "2G"]);
      await virsh("pool-refresh", pool.name);
      await wrong(
        { image: `${pool.name}/large.img`, diskSizeGb: 1 },
        "InvalidInput",
        /diskSizeGb must be at least 2/,
      );
      assert.deepEqual((await volumes(pool.path)).filter((name) => name !== "large.img"), before);
      await refused(
        call(server, "update_template", { templateId: template.id, seal: ["logs"] }),
        "InvalidInput",
        /seal is of a new version/,
      );
    });
  },
});
