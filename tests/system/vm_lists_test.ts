/** get_vms, get_vm, get_vm_xml: every field against what virsh says, very many machines, hostile texts. */
import assert from "node:assert/strict";
import type { VM } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { testPool } from "../testbed/pool.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, EventLog, known, readyServer, refused, shows } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

/** `key: value` lines of `virsh dominfo` and its kin. */
async function info(...command: string[]): Promise<Record<string, string>> {
  const lines = (await virsh(...command)).split("\n").map((line) => /^([^:]+):\s*(.*)$/.exec(line));
  return Object.fromEntries(lines.flatMap((match) => match ? [[match[1]!, match[2]!.trim()]] : []));
}

/** Rows of a table of virsh. */
async function rows(...command: string[]): Promise<string[][]> {
  const lines = (await virsh(...command)).split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => line.trim().split(/\s+/));
}

const one = (xml: string, pattern: RegExp) => pattern.exec(xml)?.[1];
const mib = (kib: string | undefined) => parseInt(kib ?? "") / 1024;

/** Compares a VM's fields with those that virsh reports of any machine. */
async function assertAsVirsh(vm: VM): Promise<void> {
  const dom = await info("dominfo", vm.id);
  const xml = await virsh("dumpxml", vm.id);
  assert.equal(vm.name, dom.Name);
  assert.equal(vm.id, dom.UUID);
  assert.equal(vm.state === "stopped" ? "shut off" : vm.state, dom.State);
  assert.equal(vm.cpuCount, Number(dom["CPU(s)"]));
  assert.equal(vm.maxMemoryMb, mib(dom["Max memory"]));
  assert.equal(vm.memoryMb, mib(dom["Used memory"]));
  assert.equal(vm.persistent, dom.Persistent === "yes");
  assert.equal(vm.autostart, dom.Autostart === "enable");
  assert.equal(vm.machine, one(xml, /machine='([^']+)'/));
  assert.equal(vm.arch, "x86_64");
  assert.equal(vm.virtType, "qemu");
  assert.equal(vm.host, (await virsh("hostname")).trim());
  assert.deepEqual(
    vm.disks.map(({ target, source }) => [target, source ?? "-"]),
    await rows("domblklist", vm.id),
  );
  assert.deepEqual(
    vm.networkInterfaces.map((nic) => [nic.target ?? "-", nic.type, nic.network, nic.model, nic.mac]),
    await rows("domiflist", vm.id),
  );
}

Deno.test({
  name: "get_vm() tells every field as virsh does",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("lists");
    await using pool = await testPool("lists");
    await using running = await testMachine({
      purpose: "lists",
      title: "A title",
      description: "What it is for",
      start: true,
      vcpus: 2,
      network,
      vnc: true,
      disks: [{ size: "1G" }, { format: "raw", bus: "scsi", size: "512M" }, { pool, size: "100M" }],
    });
    await using stopped = await testMachine({ purpose: "lists", guest: false, agent: false, machine: "pc" });
    await using server = await readyServer();
    await using _watching = await EventLog.open(server); // without open pages, addresses are asked for rarely
    await running.waitForAgent();
    const ready = (vm: VM) =>
      vm.guestAgent === "connected" && vm.diskSizeGb !== null &&
      vm.networkInterfaces[0]?.ipAddress !== undefined;
    const vm = await shows(server, running.uuid, ready, { seconds: 60 });

    await t.step("of a running machine", async () => {
      await assertAsVirsh(vm);
      assert.equal(vm.title, await virsh("desc", running.name, "--title"));
      assert.equal(vm.description, await virsh("desc", running.name));
      assert.equal(vm.maxCpuCount, 2);
      assert.equal(vm.firmware, "bios");
      assert.equal(vm.responsive, true);
      assert.equal(vm.stateReason, /\((.+)\)/.exec(await virsh("domstate", "--reason", running.name))?.[1]);
      assert.deepEqual(vm.attention, [
        "Its screen has no password: everybody who reaches its port on the host has its keyboard.",
      ]);
      assert.deepEqual(vm.tags, []);
      assert.equal(vm.group, undefined);
      assert.equal(vm.operation, undefined);
    });
    await t.step("its disks, with format, bus and sizes", async () => {
      const wanted = [["vda", "virtio", "qcow2"], ["sdb", "scsi", "raw"], ["vdc", "virtio", "qcow2"]];
      for (const [target, bus, format] of wanted) {
        const disk = vm.disks.find((each) => each.target === target)!; // libvirt orders them by bus
        const sizes = await info("domblkinfo", running.name, target!);
        assert.deepEqual(
          [disk.target, disk.bus, disk.format, disk.device, disk.type, disk.readOnly, disk.shareable],
          [target, bus, format, "disk", "file", false, false],
        );
        assert.equal(disk.capacityBytes, Number(sizes.Capacity));
        assert.equal(disk.allocationBytes, Number(sizes.Allocation));
      }
      assert.equal(vm.diskSizeGb, 1.6); // 1 GiB + 512 MiB + 100 MiB
    });
    await t.step("its screen, port and address", async () => {
      const display = await virsh("vncdisplay", running.name); // 127.0.0.1:3
      assert.equal(vm.vncPort, 5900 + Number(display.split(":")[1]));
      assert.deepEqual(vm.graphics, [{ type: "vnc", port: vm.vncPort, listen: "127.0.0.1" }]);
      const [lease] = await network.leases();
      assert.equal(vm.networkInterfaces[0]?.ipAddress, lease?.address);
      assert.deepEqual(vm.networkInterfaces[0]?.ipAddresses[0], `${lease?.address}/24`);
      assert.equal(vm.networkInterfaces[0]?.linkUp, true);
    });
    await t.step("since when it runs, also when it was started before the server", async () => {
      const stat = await Deno.readTextFile(`/proc/${await running.qemuPid()}/stat`);
      const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
      const boot = Number(/^btime (\d+)$/m.exec(await Deno.readTextFile("/proc/stat"))?.[1]) * 1000;
      assert.ok(Math.abs(vm.startedAt! - (boot + ticks * 10)) < 3000, `${vm.startedAt}`);
    });
    await t.step("of a stopped machine", async () => {
      const vm = await known(server, stopped.uuid);
      await assertAsVirsh(vm);
      assert.equal(vm.guestAgent, "not configured");
      assert.equal(vm.diskSizeGb, 0);
      for (const field of ["title", "description", "startedAt", "vncPort", "stats"] as const) {
        assert.equal(vm[field], undefined, field);
      }
      assert.deepEqual(vm.graphics, []);
    });
    await t.step("get_vms() has the same, by name", async () => {
      const vms = await call(server, "get_vms");
      const own = vms.filter(({ id }) => id === running.uuid || id === stopped.uuid);
      assert.equal(own.length, 2);
      const { stats: _stats, ...listed } = own.find(({ id }) => id === running.uuid)!;
      const { stats: _other, ...shown } = await call(server, "get_vm", { vmId: running.uuid });
      assert.deepEqual(listed, shown);
      assert.deepEqual(vms.map(({ name }) => name), vms.map(({ name }) => name).sort());
    });
    await t.step("an unknown id is not found, whatever it is", async () => {
      for (
        const vmId of [
          crypto.randomUUID(),
          "x",
          running.name,
          "../../etc/passwd",
          "%00",
          "💥",
          "a".repeat(128),
        ]
      ) {
        await refused(call(server, "get_vm", { vmId }), "VmNotFound", `VM not found: ${vmId}`);
        await refused(call(server, "get_vm_xml", { vmId }), "VmNotFound");
        await refused(call(server, "get_vm_stats", { vmId }), "VmNotFound");
      }
      await refused(call(server, "get_vm", { vmId: "" }), "InvalidInput");
      await refused(call(server, "get_vm", { vmId: "a".repeat(129) }), "InvalidInput", /vmId/);
    });
    await t.step("get_vm_xml() is virsh dumpxml: live, inactive, with and without secrets", async () => {
      const xml = async (input: { secure?: boolean; inactive?: boolean }) =>
        (await call(server, "get_vm_xml", { vmId: running.uuid, ...input })).xml.trim();
      assert.equal(await xml({}), await running.xml());
      assert.equal(await xml({ inactive: true }), await running.xml("--inactive"));
      assert.equal(await xml({ secure: true }), await running.xml("--security-info"));
    });
    await t.step("a machine defined, renamed and undefined by virsh is told within a second", async () => {
      await using log = await EventLog.open(server);
      const begin = performance.now();
      const fresh = await testMachine({ purpose: "lists", guest: false });
      const created = await log.waitFor("vm-created", ({ vm }) => vm.id === fresh.uuid);
      assert.ok(created.at - begin < 5000);
      assert.equal(created.data.vm.name, fresh.name);
      await virsh("domrename", fresh.name, `${fresh.name}-new`);
      const renamed = performance.now();
      const updated = await log.waitFor("vm-updated", ({ vm }) => vm.name === `${fresh.name}-new`);
      assert.ok(updated.at - renamed < 1000);
      await virsh("domrename", `${fresh.name}-new`, fresh.name);
      await virsh("undefine", fresh.name);
      const undefinedAt = performance.now();
      const deleted = await log.waitFor("vm-deleted", ({ vmId }) => vmId === fresh.uuid);
      assert.ok(deleted.at - undefinedAt < 1000);
      await refused(call(server, "get_vm", { vmId: fresh.uuid }), "VmNotFound");
      await fresh[Symbol.asyncDispose]();
    });
  },
});

async function median(times: number, run: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let index = 0; index < times; index++) {
    const begin = performance.now();
    await run();
    taken.push(performance.now() - begin);
  }
  return taken.sort((a, b) => a - b)[times >> 1]!;
}

async function page(server: TestServer, path: string): Promise<string> {
  const response = await fetch(server.url + path);
  const text = await response.text();
  assert.equal(response.status, 200, `${path}: ${text.slice(0, 500)}`);
  return text;
}

Deno.test({
  name: "get_vms() lists 1,005 machines without asking libvirt",
  ignore,
  fn: async (t) => {
    await using host = await privateLibvirt("thousand");
    await using server = await readyServer({ uri: host.uri, logLevel: "info" });
    await using log = await EventLog.open(server);
    const names = await host.machines(1005);

    await t.step("each is told as it is made", async () => {
      await until("1,005 events", () => Promise.resolve(log.of("vm-created").length >= 1005), {
        seconds: 30,
      });
      assert.deepEqual(log.of("vm-created").map(({ vm }) => vm.name).sort(), names);
    });
    await t.step("all are listed, as virsh lists them", async () => {
      const listed = (await host.virsh("list", "--all", "--name")).split("\n").map((name) => name.trim())
        .sort();
      assert.deepEqual((await call(server, "get_vms")).map(({ name }) => name), listed);
      const { totalVms, activeVms } = await call(server, "get_host_info");
      assert.deepEqual([totalVms, activeVms], [1005, 0]);
    });
    await t.step("faster than virsh, and even while libvirtd stands still", async () => {
      const ours = await median(15, async () => {
        const response = await fetch(`${server.url}/api/v1/vms`);
        await response.arrayBuffer();
      });
      const theirs = await median(3, () => host.virsh("list", "--all"));
      assert.ok(ours < theirs, `${ours} ms, virsh ${theirs} ms`);
      await using _frozen = await host.freeze();
      assert.equal((await call(server, "get_vms")).length, 1005);
    });
    await t.step("a second server reads them all at its start", async () => {
      await using other = await readyServer({ uri: host.uri, logLevel: "info" });
      await until("the list", async () => {
        try {
          return (await call(other, "get_vms")).length === 1005;
        } catch {
          return false; // not read yet
        }
      }, { seconds: 20 });
    });
    await t.step("they vanish as they are undefined", async () => {
      await host.virshBatch(names.map((name) => `undefine ${name}`));
      await until("an empty list", async () => (await call(server, "get_vms")).length === 0, { seconds: 20 });
      assert.equal(log.of("vm-deleted").length, 1005);
    });
  },
});

Deno.test({
  name: "get_vms() carries hostile texts unharmed, and pages show them as text",
  ignore,
  fn: async (t) => {
    await using host = await privateLibvirt("hostile");
    await using server = await readyServer({ uri: host.uri });
    const payload = `<img src=x onerror=alert(1)>"'&amp;</script><script>alert(2)</script>`;
    const texts = [
      { nameEnd: ` ${payload.replaceAll("/", "")}` },
      { nameEnd: "-💥-é-\u202e-日本" },
      { nameEnd: " $(touch x);`id` %s {{x}} ${y} \\" },
      { title: payload, description: `${payload}\nline two\r\n\tline three ]]> &#x3c;` },
      { description: "Ω".repeat(32 * 1024) }, // 64 KB of UTF-8
      { description: "x".repeat(1024 * 1024) },
    ];
    for (const text of texts) {
      await t.step(JSON.stringify(text).slice(0, 60), async () => {
        const machine = await host.machine(text);
        const vm = await known(server, machine.uuid);
        assert.equal(vm.name, machine.name);
        assert.equal(vm.title, text.title);
        // XML itself turns a carriage return into a line feed (XML 1.0, 2.11)
        assert.equal(vm.description, text.description?.replaceAll("\r\n", "\n"));
        for (const path of ["/", "/vms", `/vms/${machine.uuid}`]) {
          const html = await page(server, path);
          assert.equal(html.includes("<img src=x"), false, path);
          assert.equal(html.includes("<script>alert"), false, path);
        }
      });
    }
  },
});
