/**
 * No file of the host is read through an image's header, however late it is written (threats 1, 2, 22): on real libvirt
 * and QEMU, with a canary that nothing may open. The caller is an operator, who has no right to files of the host.
 */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { asRoot, type Person, personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { slowStorage } from "../testbed/slow_storage.ts";
import { until } from "../testbed/wait.ts";
import { markup } from "../testbed/xml.ts";

const ignore = await requirement("qemu") !== null;
const isSlowMissing = await requirement("slowStorage") !== null;
const CANARY = "canary of the host";

const qemuImg = (...args: string[]) => run(["qemu-img", ...args]);

const operatorOf = (server: TestServer) =>
  personWith(server, "op", [{ role: "operator", on: { kind: "everything" } }]);

/** A file that is in no pool. */
async function canaryFor(pool: string): Promise<string> {
  const path = `${filesOf(pool)}/canary`;
  await Deno.writeTextFile(path, CANARY.padEnd(65536, "\n"));
  return path;
}

/** Makes an image's header name a file below it; the rest stays. */
const nameBelow = (image: string, below: string) =>
  qemuImg("rebase", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", below, image);

/** Writes over the start of a file, as the guest that has it as a raw disk can. */
async function writeHead(path: string, from: string): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.write((await Deno.readFile(from)).subarray(0, 65536));
}

/** The files a machine's QEMU has open. */
async function openedBy(name: string): Promise<string[]> {
  const pid = (await Deno.readTextFile(`/run/libvirt/qemu/${name}.pid`)).trim();
  const found: string[] = [];
  for await (const { name: fd } of Deno.readDir(`/proc/${pid}/fd`)) {
    found.push(await Deno.readLink(`/proc/${pid}/fd/${fd}`));
  }
  return found;
}

/** Starts it past the product, so that only what stands in its XML holds. */
async function startsWithout(name: string, canary: string): Promise<void> {
  await virsh("start", name);
  try {
    const opened = await openedBy(name);
    assert.ok(opened.some((path) => path.startsWith("/")), "it has files open");
    assert.ok(!opened.includes(canary), `QEMU has opened ${canary}`);
  } finally {
    await virsh("destroy", name);
  }
}

async function attached(
  op: Person,
  vm: TestMachine,
  pool: string,
  name: string,
  format: "qcow2" | "raw" = "qcow2",
) {
  return await op.call("attach_disk", { vmId: vm.uuid, path: `${pool}/${name}`, format, live: false });
}

Deno.test({
  name: "an upload that broke off is no volume for anybody, and no byte of it lies there unjudged",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("chain-upload");
    await using vm = await testMachine({ purpose: "chain-upload", guest: false });
    await using server = await readyServer();
    const op = await operatorOf(server);
    await known(server, vm.uuid);
    const canary = await canaryFor(pool.name);
    const trap = `${filesOf(pool.name)}/trap.qcow2`;
    await qemuImg("create", "-q", "-f", "qcow2", "-u", "-b", canary, "-F", "raw", trap, "1M");
    const bytes = await Deno.readFile(trap);
    await Deno.remove(trap);
    const at = { pool: pool.name, name: "up.qcow2" };
    const put = (body: BodyInit, first: number, signal?: AbortSignal) =>
      op.fetch(`/api/v1/storage/pools/${at.pool}/volumes/${at.name}/content`, {
        method: "PUT",
        body,
        headers: { "content-range": `bytes ${first}-${bytes.length - 1}/${bytes.length}` },
        ...(signal && { signal }),
      });
    const abort = new AbortController();
    const cut = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes.slice(0, 8)),
      pull: () => new Promise(() => {}),
    });
    const broken = put(cut, 0, abort.signal).catch(() => "broken");
    await until("eight bytes to arrive", async () => {
      const { offset } = await op.call("get_upload", { pool: at.pool, volume: at.name }).catch(() => ({
        offset: 0,
      }));
      return offset === 8;
    });
    abort.abort();
    assert.equal(await broken, "broken");
    await until("it to be kept", async () => (await call(server, "list_jobs", { open: true })).length === 0);

    await t.step(
      "no user can attach, copy, download, resize, delete or build on it, and no list has it",
      async () => {
        const volume = { pool: at.pool, volume: at.name }, path = `${at.pool}/${at.name}`;
        const tried: [string, unknown][] = [
          ["attach_disk", { vmId: vm.uuid, path, format: "qcow2" }],
          ["attach_disk", { vmId: vm.uuid, path, device: "cdrom" }],
          ["clone_volume", { ...volume, name: "copy.qcow2" }],
          ["convert_volume", { ...volume, name: "copy.raw", format: "qcow2" }],
          ["resize_volume", { ...volume, capacityBytes: 2 ** 30 }],
          ["create_volume", { pool: at.pool, name: "over.qcow2", backing: `${at.pool}/${at.name}` }],
          ["delete_volume", volume],
        ];
        for (const [command, input] of tried) await refused(op.raw(command, input), "StorageBusy");
        const disks = [{ path: `${at.pool}/${at.name}`, format: "qcow2" as const }];
        await refused(call(server, "create_vm", { name: "never", nics: [], disks }), "StorageBusy");
        const content = await op.fetch(`/api/v1/storage/pools/${at.pool}/volumes/${at.name}/content`);
        assert.equal((await content.json()).code, "StorageBusy");
        assert.deepEqual(await op.call("get_volumes", { pool: at.pool }), []);
        assert.deepEqual((await op.call("list_images")).images.filter(({ pool }) => pool === at.pool), []);
        assert.ok(
          (await Deno.readFile(`${pool.path}/${at.name}`)).every((byte) => byte === 0),
          "nothing is written",
        );
      },
    );
    await t.step("resumed, its head is judged as a whole", async () => {
      const answer = await put(bytes.slice(8), 8);
      const { code, message } = await answer.json();
      assert.equal(code, "DiskRefused", message);
      assert.match(message, /built on another image/);
      assert.equal((await virsh("vol-list", at.pool)).includes(at.name), false);
    });
  },
});

Deno.test({
  name: "a VM's present or former raw disk does not become qcow2 by its header, and is no base",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("chain-raw");
    await using owner = await testMachine({
      purpose: "chain-owner",
      guest: false,
      disks: [{ pool, format: "raw", size: "4M" }],
    });
    await using vm = await testMachine({ purpose: "chain-other", guest: false });
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      const canary = await canaryFor(pool.name);
      const [raw] = owner.disks as [string];
      const name = raw.split("/").at(-1)!, volume = { pool: pool.name, volume: name };
      const trap = `${filesOf(pool.name)}/trap.qcow2`;
      await qemuImg("create", "-q", "-f", "qcow2", "-u", "-b", canary, "-F", "raw", trap, "1M");
      {
        await using server = await readyServer({ dataDir });
        const op = await operatorOf(server);
        await known(server, owner.uuid);
        await known(server, vm.uuid);
        await call(server, "start_vm", { vmId: owner.uuid });
        await writeHead(raw, trap);
        await virsh("pool-refresh", pool.name);
        const over = { pool: pool.name, name: "over.qcow2", backing: `${pool.name}/${name}` };
        await t.step("while it runs", async () => {
          await refused(op.call("create_volume", over), "DiskRefused", /looks like qcow2/);
          await refused(attached(op, vm, pool.name, name), "DiskRefused", /has it as raw, not as qcow2/);
        });
        await t.step("an overlay whose header calls it qcow2 is not attached", async () => {
          await qemuImg(
            "create",
            "-q",
            "-f",
            "qcow2",
            "-u",
            "-b",
            raw,
            "-F",
            "qcow2",
            `${pool.path}/top.qcow2`,
            "1M",
          );
          await virsh("pool-refresh", pool.name);
          await refused(
            attached(op, vm, pool.name, "top.qcow2"),
            "DiskRefused",
            /has it as raw, not as qcow2/,
          );
        });
        await Deno.remove(`${pool.path}/top.qcow2`);
        await call(server, "force_stop_vm", { vmId: owner.uuid });
        await virsh("detach-disk", owner.name, "vda", "--config");
        await shows(server, owner.uuid, ({ disks }) => disks.length === 0);
      }
      await t.step("after it was detached, past the product, and after a restart", async () => {
        await using server = await readyServer({ dataDir });
        const { token } = await asRoot(server, "create_token", {
          name: "again",
          userId: (await asRoot(server, "list_users", {})).find((user) => user.name === "op")!.id,
          grants: [{ role: "operator", on: { kind: "everything" } }],
        });
        const as = async (command: string, input: unknown) => {
          const response = await fetch(`${server.url}/api/v1/commands/${command}`, {
            method: "POST",
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
            body: JSON.stringify(input),
          });
          return await response.json() as { code?: string; message?: string; target?: string };
        };
        await known(server, vm.uuid);
        const source = { vmId: vm.uuid, path: `${pool.name}/${name}` };
        const tried: [string, unknown, RegExp][] = [
          ["attach_disk", { ...source, format: "qcow2" }, /only an administrator may say/],
          [
            "create_volume",
            { pool: pool.name, name: "over.qcow2", backing: `${pool.name}/${name}` },
            /looks like qcow2/,
          ],
          ["clone_volume", { ...volume, name: "copy.qcow2" }, /looks like qcow2/],
          ["convert_volume", { ...volume, name: "copy.raw", format: "raw" }, /looks like qcow2/],
          ["resize_volume", { ...volume, capacityBytes: 2 ** 30 }, /looks like qcow2/],
        ];
        for (const [command, input, reason] of tried) {
          const { code, message = "" } = await as(command, input);
          assert.equal(code, "DiskRefused", `${command}: ${message}`);
          assert.match(message, reason);
        }
        const { target, message } = await as("attach_disk", source);
        assert.ok(target !== undefined, message ?? "");
        assert.match(await vm.xml("--inactive"), new RegExp(`type='raw'[^]*${name}[^]*<backingStore/>`));
        await startsWithout(vm.name, canary);
      });
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

/** A disk that names its pool and volume instead of a path, as virt-manager and virsh can. */
async function attachVolume(vm: TestMachine, pool: string, volume: string, format: string, target: string) {
  const definition = `${filesOf(vm.name)}/${target}.xml`;
  const disk = markup`<disk type='volume' device='disk'>
  <driver name='qemu' type='${format}'/>
  <source pool='${pool}' volume='${volume}'/>
  <target dev='${target}' bus='virtio'/>
</disk>`;
  await Deno.writeTextFile(definition, String(disk));
  await virsh("attach-device", vm.name, definition, "--config");
}

Deno.test({
  name: "a raw disk that others gave a VM stays raw when it is taken away at once, or the VM is",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("chain-at-once");
    await using server = await readyServer();
    const op = await operatorOf(server);
    const canary = await canaryFor(pool.name);
    const trap = `${filesOf(pool.name)}/trap.qcow2`;
    await qemuImg("create", "-q", "-f", "qcow2", "-u", "-b", canary, "-F", "raw", trap, "1M");
    const ways: [string, (vmId: string) => Promise<unknown>][] = [
      ["detached", (vmId) => call(server, "detach_disk", { vmId, target: "vdb" })],
      ["deleted", (vmId) => call(server, "delete_vm", { vmId })],
    ];
    for (const [name, takeAway] of ways) {
      await t.step(name, async () => {
        await using vm = await testMachine({ purpose: `chain-${name}`, guest: false });
        const raw = await pool.createVolume(name, "4M", "raw");
        await known(server, vm.uuid);
        await attachVolume(vm, pool.name, name, "raw", "vdb");
        await shows(server, vm.uuid, ({ disks }) => disks.length === 1);
        await writeHead(raw, trap);
        await takeAway(vm.uuid);
        await virsh("pool-refresh", pool.name);
        assert.match(await virsh("vol-dumpxml", name, "--pool", pool.name), /<format type='qcow2'\/>/);
        const copy = { pool: pool.name, volume: name, name: `${name}-copy` };
        await refused(op.call("clone_volume", copy), "DiskRefused", /it was used as raw/);
      });
    }
  },
});

Deno.test({
  name:
    "a disk that names pool and volume keeps its format: its raw content does not become qcow2 by its header",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("chain-volume");
    await using owner = await testMachine({ purpose: "chain-volume-owner", guest: false });
    await using vm = await testMachine({ purpose: "chain-volume-other", guest: false });
    await using server = await readyServer();
    const op = await operatorOf(server);
    const canary = await canaryFor(pool.name);
    const raw = await pool.createVolume("data", "4M", "raw");
    await attachVolume(owner, pool.name, "data", "raw", "vdb");
    const base = await pool.createVolume("base.qcow2", "4M");
    const top = `${pool.path}/top.qcow2`;
    await qemuImg("create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", top);
    await virsh("pool-refresh", pool.name);
    await attachVolume(owner, pool.name, "top.qcow2", "qcow2", "vdc");
    for (const { uuid } of [owner, vm]) await known(server, uuid);
    await shows(server, owner.uuid, ({ disks }) => disks.length === 2);

    await t.step("what such a disk is built on is in use, also as somebody's own disk", async () => {
      const of = { pool: pool.name, volume: "base.qcow2" };
      await refused(op.call("delete_volume", of), "VolumeInUse");
      await refused(attached(op, vm, pool.name, "base.qcow2"), "DiskInUse");
    });

    const trap = `${filesOf(pool.name)}/trap.qcow2`;
    await qemuImg("create", "-q", "-f", "qcow2", "-u", "-b", canary, "-F", "raw", trap, "1M");
    await call(server, "start_vm", { vmId: owner.uuid });
    await writeHead(raw, trap);
    await virsh("pool-refresh", pool.name);
    assert.match(await virsh("vol-dumpxml", "data", "--pool", pool.name), /<format type='qcow2'\/>/);
    await t.step("another VM does not start with it as qcow2, by its path", async () => {
      await virsh("attach-disk", vm.name, raw, "vdb", "--config", "--subdriver", "qcow2");
      await shows(server, vm.uuid, ({ disks }) => disks.length === 1);
      await refused(call(server, "start_vm", { vmId: vm.uuid }), "DiskRefused", /has it as raw/);
      await virsh("detach-disk", vm.name, "vdb", "--config");
      await shows(server, vm.uuid, ({ disks }) => disks.length === 0);
    });
    await call(server, "force_stop_vm", { vmId: owner.uuid });
    for (const target of ["vdb", "vdc"]) await virsh("detach-disk", owner.name, target, "--config");
    await shows(server, owner.uuid, ({ disks }) => disks.length === 0);
    await t.step("after it was detached, past the product", async () => {
      const volume = { pool: pool.name, volume: "data" };
      await refused(attached(op, vm, pool.name, "data"), "DiskRefused", /only an administrator may say/);
      const over = { pool: pool.name, name: "over.qcow2", backing: `${pool.name}/data` };
      await refused(op.call("create_volume", over), "DiskRefused", /looks like qcow2/);
      const copies = [
        () => op.call("clone_volume", { ...volume, name: "copy.qcow2" }),
        () => op.call("convert_volume", { ...volume, name: "copy.raw", format: "raw" }),
        () => op.call("resize_volume", { ...volume, capacityBytes: 2 ** 30 }),
      ];
      for (const copy of copies) await refused(copy(), "DiskRefused", /looks like qcow2/);
      await op.call("attach_disk", { vmId: vm.uuid, path: `${pool.name}/data`, live: false });
      assert.match(await vm.xml("--inactive"), /type='raw'/);
      await startsWithout(vm.name, canary);
    });
  },
});

Deno.test({
  name: "the chain that was judged stands in the XML: a header that changes later is not followed",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("chain-pinned");
    await using vm = await testMachine({ purpose: "chain-pinned", guest: false });
    await using server = await readyServer();
    const op = await operatorOf(server);
    await known(server, vm.uuid);
    const canary = await canaryFor(pool.name);
    const image = async (name: string) => {
      await qemuImg("create", "-q", "-f", "qcow2", `${pool.path}/${name}`, "4M");
      await virsh("pool-refresh", pool.name);
      return `${pool.path}/${name}`;
    };

    let hotTarget = "";
    await t.step("attached, also to the running VM", async () => {
      const cold = await image("cold.qcow2"), hot = await image("hot.qcow2");
      await attached(op, vm, pool.name, "cold.qcow2");
      await nameBelow(cold, canary);
      await startsWithout(vm.name, canary);
      await virsh("start", vm.name);
      await shows(server, vm.uuid, ({ state }) => state === "running");
      const done = await op.call("attach_disk", {
        vmId: vm.uuid,
        path: `${pool.name}/hot.qcow2`,
        bus: "usb",
      });
      assert.equal(done.live, true);
      hotTarget = done.target;
      await virsh("destroy", vm.name);
      await nameBelow(hot, canary);
      await startsWithout(vm.name, canary);
    });
    await t.step("a data file, which the XML cannot rule out, keeps the VM from starting", async () => {
      await shows(server, vm.uuid, ({ state }) => state === "stopped");
      const cold = `${pool.path}/cold.qcow2`;
      await Deno.remove(`${pool.path}/hot.qcow2`);
      await op.call("detach_disk", { vmId: vm.uuid, target: hotTarget });
      const data = `${filesOf(pool.name)}/data.qcow2`;
      await qemuImg("create", "-q", "-f", "qcow2", "-o", `data_file=${canary}`, data, "1M");
      await writeHead(cold, data);
      await refused(op.call("start_vm", { vmId: vm.uuid }), "DiskRefused", /names another file for its data/);
    });
    await t.step("created with it, cloned full and linked, and imported", async () => {
      const base = await image("base.qcow2");
      const names = await Promise.all(
        ["made", "full", "linked", "brought"].map((each) => testName(`chain-${each}`)),
      );
      const [made, full, linked, brought] = names as [string, string, string, string];
      try {
        const disks = [{ path: `${pool.name}/base.qcow2`, format: "qcow2" as const }];
        const { id } = await call(server, "create_vm", { name: made, memoryMb: 128, nics: [], disks });
        await known(server, id);
        await call(server, "clone_vm", { vmId: id, name: full });
        await call(server, "clone_vm", { vmId: id, name: linked, linked: true });
        const { xml } = await call(server, "get_vm_xml", { vmId: id, secure: true, inactive: true });
        const bare = xml.replace(/\s*<backingStore\/>/, "").replace(base, await image("brought.qcow2"));
        assert.doesNotMatch(bare, /backingStore/);
        await call(server, "import_vm", { xml: bare, name: brought, newId: true, newMacs: true });
        for (const file of ["base.qcow2", "brought.qcow2"]) await nameBelow(`${pool.path}/${file}`, canary);
        for await (const { name } of Deno.readDir(pool.path)) {
          if (name.startsWith(full)) await nameBelow(`${pool.path}/${name}`, canary);
        }
        for (const each of names) await startsWithout(each, canary);
      } finally {
        for (const each of names) {
          await removeDomain(each);
          await releaseName(each);
        }
      }
    });
  },
});

Deno.test({
  name: "a copy takes the chain that is judged when its turn has come, and keeps VMs from writing to it",
  ignore: ignore || isSlowMissing,
  fn: async () => {
    await using pool = await testPool("chain-lane");
    await using slow = await testPool("chain-slow");
    await using _storage = await slowStorage(filesOf(slow.name), { path: slow.path, writeRate: 1 });
    await using vm = await testMachine({
      purpose: "chain-lane",
      guest: false,
      disks: [{ pool, size: "64M" }],
    });
    const canary = await canaryFor(pool.name), own = vm.disks[0]!;
    for (const name of ["one", "late"]) {
      await qemuImg("create", "-q", "-f", "qcow2", `${pool.path}/${name}.qcow2`, "64M");
    }
    for (const path of [own, `${pool.path}/one.qcow2`]) {
      await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 64M", path]);
    }
    await virsh("pool-refresh", pool.name);
    await using server = await readyServer();
    const op = await operatorOf(server);
    await known(server, vm.uuid);
    const open = () => call(server, "list_jobs", { open: true });
    // Both places of the lane are taken, for about a minute each.
    const copies = [own.split("/").at(-1)!, "one.qcow2"].map((volume) =>
      refused(
        op.call("convert_volume", {
          pool: pool.name,
          volume,
          name: `${volume}.raw`,
          format: "raw",
          targetPool: slow.name,
        }),
        "JobCancelled",
      )
    );
    await until(
      "both to be under way",
      async () =>
        (await open()).filter(({ state, doneBytes }) => state === "running" && (doneBytes ?? 0) > 0)
          .length === 2,
    );
    await refused(op.call("start_vm", { vmId: vm.uuid }), "VmBusy", /copying a disk/);
    const stolen = refused(
      op.call("clone_volume", { pool: pool.name, volume: "late.qcow2", name: "stolen.qcow2" }),
      "DiskRefused",
      /which is in no storage pool/,
    );
    await until("the third to wait", async () => (await open()).some(({ state }) => state === "queued"));
    await nameBelow(`${pool.path}/late.qcow2`, canary);
    for (const { id, state } of await open()) {
      if (state === "running") await call(server, "cancel_job", { jobId: id });
    }
    await Promise.all([...copies, stolen]);
    assert.equal((await virsh("vol-list", pool.name)).includes("stolen"), false);
    await shows(server, vm.uuid, ({ operation }) => operation === undefined);
  },
});

Deno.test({
  name: "what a whole definition names is judged and pinned: set_vm_xml, check_vm_xml, import_vm",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("chain-xml");
    await using owner = await testMachine({
      purpose: "chain-xml-owner",
      guest: false,
      disks: [{ pool, format: "raw", size: "4M" }],
    });
    await using vm = await testMachine({ purpose: "chain-xml", guest: false });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await known(server, owner.uuid);
    const canary = await canaryFor(pool.name);
    const at = (name: string) => `${pool.path}/${name}`;
    const make = async (name: string, ...below: string[]) => {
      await qemuImg("create", "-q", "-f", "qcow2", ...below, at(name), "4M");
      await virsh("pool-refresh", pool.name);
      return at(name);
    };
    const load = async () => (await call(server, "get_vm_xml", { vmId, secure: true, inactive: true })).xml;
    const disk = (path: string, below = "", target = "sda") =>
      `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${path}'/>${below}` +
      `<target dev='${target}' bus='scsi'/></disk></devices>`;
    const withDisk = async (element: string) => (await load()).replace("</devices>", element);
    const both = async (xml: string, reason: RegExp) => {
      const { problem } = await call(server, "check_vm_xml", { vmId, xml });
      assert.match(problem?.message ?? "", reason);
      await refused(call(server, "set_vm_xml", { vmId, xml }), "DiskRefused", reason);
    };
    const below = (path: string, format = "qcow2") =>
      `<backingStore type='file'><format type='${format}'/><source file='${path}'/><backingStore/></backingStore>`;

    await t.step("a disk is pinned, by its path and by its volume's name", async () => {
      const base = await make("base.qcow2");
      const plain = await make("plain.qcow2"), over = await make("over.qcow2", "-b", base, "-F", "qcow2");
      const named = disk(over, "", "sdb").replace("type='file'", "type='volume'")
        .replace(`file='${over}'`, `pool='${pool.name}' volume='over.qcow2'`);
      const xml = (await withDisk(disk(plain))).replace("</devices>", named);
      assert.deepEqual(await call(server, "check_vm_xml", { vmId, xml }), { problem: null });
      await call(server, "set_vm_xml", { vmId, xml });
      const stored = await load();
      assert.equal(stored.match(/<backingStore\/>/g)?.length, 2, stored);
      assert.match(stored, new RegExp(`<backingStore type='file'[^]*<source file='${base}'/>`));
      for (const each of [plain, base]) await nameBelow(each, canary);
      await startsWithout(vm.name, canary);
    });
    await t.step("its present disks do not prevent other changes", async () => {
      const xml = (await load()).replace("</name>", "</name><title>changed</title>");
      await call(server, "set_vm_xml", { vmId, xml });
      assert.match(await load(), /<title>changed<\/title>/);
    });
    await t.step("with its chain taken out of the XML it is a new one, and is judged", async () => {
      const plain = new RegExp(`(<source file='${at("plain.qcow2")}'[^>]*/>)\\s*<backingStore/>`);
      const xml = (await load()).replace(plain, "$1");
      assert.notEqual(xml, await load());
      await both(xml, /which is in no storage pool/);
    });
    await t.step("a chain that is not the headers' is refused, and one said to its end is kept", async () => {
      const top = await make("top.qcow2", "-b", await make("low.qcow2"), "-F", "qcow2");
      await both(
        await withDisk(disk(top, "<backingStore/>", "sdc")),
        /says that it is built on no other image/,
      );
      await both(
        await withDisk(disk(top, below(at("base.qcow2")), "sdc")),
        /it is built on .*low\.qcow2, not on/,
      );
      await both(
        await withDisk(disk(top, below(at("low.qcow2"), "raw"), "sdc")),
        /low\.qcow2 \(raw\), its header/,
      );
      await call(server, "set_vm_xml", {
        vmId,
        xml: await withDisk(disk(top, below(at("low.qcow2")), "sdc")),
      });
    });
    await t.step("nothing that another VM has as raw is qcow2, nor below it", async () => {
      const [raw] = owner.disks as [string];
      await both(await withDisk(disk(raw, "", "sdd")), /has it as raw, not as qcow2/);
      await make("liar.qcow2", "-b", raw, "-F", "qcow2", "-u");
      await both(await withDisk(disk(at("liar.qcow2"), "", "sdd")), /has it as raw, not as qcow2/);
      const imported = (xml: string) =>
        call(server, "import_vm", { xml, name: "never", newId: true, newMacs: true });
      await refused(imported(await load()), "DiskRefused", /says that it is built on no other image/);
      const diskless = (await load()).replace(/<disk [^]*<\/disk>/, "").replace("</devices>", disk(raw));
      await refused(imported(diskless), "DiskRefused", /has it as raw, not as qcow2/);
    });
  },
});

Deno.test({
  name: "a cloud-init seed belongs to its VM alone, and a clone does not get it",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("chain-seed");
    await using vm = await testMachine({ purpose: "chain-seed", guest: false });
    await using server = await readyServer();
    const op = await operatorOf(server);
    await known(server, vm.uuid);
    const name = await testName("chain-seeded"), copy = await testName("chain-seed-copy");
    try {
      const { id } = await call(server, "create_vm", {
        name,
        memoryMb: 128,
        nics: [],
        disks: [{ sizeGb: 1, pool: pool.name }],
        cloudInit: { form: { users: [{ name: "ann", password: "not for others" }] } },
      });
      const { disks } = await known(server, id);
      const drive = disks.find(({ device }) => device === "cdrom")!;
      const path = drive.source!, seedPool = await virsh("vol-pool", path);
      const at = { pool: seedPool, name: path.split("/").at(-1)! };
      const volume = { pool: at.pool, volume: at.name }, image = `${at.pool}/${at.name}`;
      await t.step("operators can neither use nor read it by another VM or by its pool", async () => {
        await virsh("attach-disk", vm.name, "", "sdx", "--type", "cdrom", "--targetbus", "scsi", "--config");
        await shows(server, vm.uuid, ({ disks }) => disks.some(({ target }) => target === "sdx"));
        const tried: [string, unknown][] = [
          ["attach_disk", { vmId: vm.uuid, path: image, device: "cdrom" }],
          ["attach_disk", { vmId: vm.uuid, path: image, format: "raw" }],
          ["insert_media", { vmId: vm.uuid, target: "sdx", path: image }],
          ["insert_media", { vmId: vm.uuid, target: "sdx", path }],
          ["clone_volume", { ...volume, name: "copy.iso" }],
          ["convert_volume", { ...volume, name: "copy.qcow2", format: "qcow2" }],
          ["create_volume", { pool: at.pool, name: "over.qcow2", backing: `${at.pool}/${at.name}` }],
        ];
        for (const [command, input] of tried) {
          await refused(op.raw(command, input), "DiskRefused", /cloud-init seed/);
        }
        const content = await op.fetch(`/api/v1/storage/pools/${at.pool}/volumes/${at.name}/content`);
        const { code, message } = await content.json();
        assert.deepEqual([code, /cloud-init seed/.test(message)], ["DiskRefused", true]);
      });
      await t.step("its own VM can be given it again", async () => {
        await op.call("eject_media", { vmId: id, target: drive.target });
        await shows(server, id, ({ disks }) => !disks.some(({ source }) => source === path));
        await refused(
          op.call("insert_media", { vmId: vm.uuid, target: "sdx", path: image }),
          "DiskRefused",
          /cloud-init seed/,
        );
        await call(server, "insert_media", { vmId: id, target: drive.target, path: image });
        await shows(server, id, ({ disks }) => disks.some(({ source }) => source === path));
        await op.call("insert_media", { vmId: id, target: drive.target, path: image });
      });
      await t.step("in a clone the drive is empty, and deleting the clone leaves the seed", async () => {
        const { vmId } = await call(server, "clone_vm", { vmId: id, name: copy });
        const clone = await known(server, vmId);
        assert.deepEqual(
          clone.disks.filter(({ device }) => device === "cdrom").map((
            { target, source },
          ) => [target, source]),
          [[drive.target, undefined]],
        );
        await call(server, "delete_vm", { vmId, deleteDisks: true });
        assert.equal((await virsh("vol-list", at.pool)).includes(at.name), true);
      });
      await call(server, "delete_vm", { vmId: id, deleteDisks: true });
      assert.equal((await virsh("vol-list", at.pool)).includes(at.name), false);
    } finally {
      for (const each of [name, copy]) {
        await removeDomain(each);
        await releaseName(each);
      }
    }
  },
});
