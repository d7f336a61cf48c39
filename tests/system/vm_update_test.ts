/** update_vm and what waits for the next boot, on real machines; virsh is the independent witness. */
import assert from "node:assert/strict";
import { ensureLibvirtd, virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, EventLog, known, readyServer, refusal, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
const PASSWORD = "pl4nted!";

/** A line of `virsh vcpucount`. */
async function vcpus(name: string, ...which: string[]): Promise<number> {
  return Number(await virsh("vcpucount", name, ...which));
}

/** Lines two texts do not share, the first's with `-`, the second's with `+`. */
function difference(before: string, after: string): string[] {
  const [old, new_] = [before.split("\n"), after.split("\n")];
  return [
    ...old.filter((line) => !new_.includes(line)).map((line) => `-${line.trim()}`),
    ...new_.filter((line) => !old.includes(line)).map((line) => `+${line.trim()}`),
  ];
}

/** The stored XML with its secrets. */
const stored = (name: string) => virsh("dumpxml", name, "--inactive", "--security-info");

Deno.test({
  name: "update_vm() changes a running guest at once where it can, and stores the rest for the next boot",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "update", memoryMiB: 256, vcpus: 4 });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await t.step("while it is off everything is in force from its start on", async () => {
      const answer = await call(server, "update_vm", { vmId, cpu: { count: 1 } });
      assert.deepEqual(answer, {
        applied: [{ field: "cpu.count", live: null, next: "1" }],
        waiting: [],
        warnings: [],
      });
      assert.equal(await vcpus(vm.name, "--current", "--config"), 1);
      assert.equal(await vcpus(vm.name, "--maximum", "--config"), 4);
    });
    await vm.start();
    await vm.waitForBoot();
    await t.step("a vCPU is plugged in live, and stored", async () => {
      const answer = await call(server, "update_vm", { vmId, cpu: { count: 2 } });
      assert.deepEqual(answer.applied, [{ field: "cpu.count", live: "2", next: "2" }]);
      assert.deepEqual(answer.waiting, []);
      assert.equal(await vcpus(vm.name, "--current", "--live"), 2);
      assert.equal(await vcpus(vm.name, "--current", "--config"), 2);
      assert.equal((await call(server, "get_vm", { vmId })).cpuCount, 2);
    });
    await t.step("memory goes through the balloon of the guest", async () => {
      const answer = await call(server, "update_vm", { vmId, memory: { currentMb: 200 } });
      assert.equal(answer.applied.length + answer.waiting.length, 1);
      await until("the balloon", async () => /^actual 204800$/m.test(await virsh("dommemstat", vm.name)), {
        lastSeen: () => virsh("dommemstat", vm.name),
      });
      assert.match(await stored(vm.name), /<currentMemory unit='KiB'>204800</);
      await shows(server, vmId, (shown) => shown.memoryMb === 200 && shown.pendingChanges === 0);
    });
    await t.step("pinning and texts apply live", async () => {
      await call(server, "update_vm", {
        vmId,
        cpu: { pinning: [{ vcpu: 0, cpus: "0" }] },
        title: "A <title>",
        description: "Two\r\nlines & 'quotes'",
      });
      assert.match(await virsh("vcpupin", vm.name, "--vcpu", "0", "--live"), /\b0\s+0\s*$/m);
      assert.match(await virsh("vcpupin", vm.name, "--vcpu", "0", "--config"), /\b0\s+0\s*$/m);
      assert.equal(await virsh("desc", vm.name, "--title", "--live"), "A <title>");
      for (const which of ["--live", "--config"]) {
        assert.equal(await virsh("desc", vm.name, which), "Two\nlines & 'quotes'");
      }
      const freed = await call(server, "update_vm", { vmId, cpu: { pinning: [] } });
      assert.deepEqual(freed.waiting, []);
      assert.doesNotMatch(await stored(vm.name), /vcpupin/);
    });
    await t.step(
      "what a running guest cannot take waits, is told, and is taken back on request",
      async () => {
        const before = await stored(vm.name);
        await using log = await EventLog.open(server);
        const answer = await call(server, "update_vm", {
          vmId,
          cpu: {
            max: 6,
            count: 2,
            mode: "custom",
            model: "Penryn",
            topology: { sockets: 1, cores: 6, threads: 1 },
          },
          memory: { maxMb: 512 },
          boot: { menu: true, devices: ["cdrom", "hd"] },
          video: "virtio",
          rng: true,
          sound: "ich9",
          watchdog: { model: "i6300esb", action: "reset" },
        });
        // The default is a custom model already.
        assert.deepEqual(answer.applied.map(({ field }) => field), ["cpu.count", "cpu.mode"]);
        const fields = answer.waiting.map(({ field }) => field).sort();
        assert.deepEqual(
          fields,
          [
            "boot.devices",
            "boot.menu",
            "cpu.max",
            "cpu.model",
            "cpu.topology",
            "memory.maxMb",
            "rng",
            "sound",
            "video",
            "watchdog",
          ],
        );
        assert.deepEqual(answer.waiting.find(({ field }) => field === "cpu.max"), {
          field: "cpu.max",
          live: "4",
          next: "6",
        });
        await log.waitFor("vm-updated", (data) => data.vm.id === vmId && (data.vm.pendingChanges ?? 0) > 5);
        const pending = await call(server, "get_pending_changes", { vmId });
        assert.deepEqual(pending, (await call(server, "get_hardware", { vmId })).pending);
        assert.ok(
          pending.some(({ area, what }) => area === "devices" && what === "rng 0"),
          JSON.stringify(pending),
        );
        // One area alone, then the rest.
        const first = await call(server, "discard_pending_changes", { vmId, areas: ["cpu"] });
        assert.ok(first.discarded.every(({ area }) => area === "cpu"));
        assert.ok(first.pending.length > 0 && first.pending.every(({ area }) => area !== "cpu"));
        assert.equal(await vcpus(vm.name, "--maximum", "--config"), 4);
        const second = await call(server, "discard_pending_changes", { vmId });
        assert.deepEqual(second.pending, []);
        assert.deepEqual(
          difference(before, await stored(vm.name)).filter((line) =>
            !/bootmenu|video|<model|address|controller|target/.test(line)
          ),
          [],
        );
        assert.equal((await call(server, "get_vm", { vmId })).pendingChanges, 0);
      },
    );
    await t.step("it starts with what was stored", async () => {
      await call(server, "update_vm", { vmId, cpu: { max: 2, count: 2 }, rng: true, nextBootOnly: true });
      await call(server, "force_stop_vm", { vmId });
      assert.equal((await call(server, "get_vm", { vmId })).pendingChanges, undefined);
      await call(server, "start_vm", { vmId });
      await vm.waitForBoot();
      assert.equal(await vcpus(vm.name, "--maximum", "--live"), 2);
      // The guest's balloon takes a moment to give memory back.
      await until(
        "nothing to wait for the next boot",
        async () => (await call(server, "get_pending_changes", { vmId })).length === 0,
        { seconds: 30 },
      );
    });
  },
});

Deno.test({
  name: "update_vm() keeps every other byte of the stored XML: secrets, foreign metadata, qemu's namespace",
  ignore,
  fn: async (t) => {
    await ensureLibvirtd();
    await using vm = await testMachine({
      purpose: "bytes",
      guest: false,
      disks: [{}, { bus: "scsi" }],
      vnc: { password: PASSWORD },
    });
    const file = `${vm.serialLog}.xml`;
    const foreign =
      "<metadata><o:other xmlns:o='http://example.org/o'><o:x y=\"1\">t</o:x></o:other></metadata>";
    const defined = (await stored(vm.name))
      .replace(
        "<domain type='qemu'",
        "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' type='qemu'",
      )
      .replace(
        "</domain>",
        "<qemu:commandline><qemu:arg value='-name'/><qemu:arg value='kvmm-qemu-arg'/></qemu:commandline></domain>",
      )
      .replace("<memory ", `${foreign}<memory `);
    await Deno.writeTextFile(file, defined);
    await virsh("define", file);
    await using server = await readyServer();
    const vmId = vm.uuid;
    await shows(server, vmId, () => true);
    const changes: [change: object, lines: string[]][] = [
      [{ cpu: { max: 8 } }, [
        "-<vcpu placement='static'>1</vcpu>",
        "+<vcpu placement='static' current='1'>8</vcpu>",
      ]],
      [{ memory: { currentMb: 130 } }, [
        "-<currentMemory unit='KiB'>262144</currentMemory>",
        "+<currentMemory unit='KiB'>133120</currentMemory>",
      ]],
      [{ memory: { maxMb: 1024 } }, [
        "-<memory unit='KiB'>262144</memory>",
        "+<memory unit='KiB'>1048576</memory>",
      ]],
      [{ title: "T" }, ["+<title>T</title>"]],
      [{ title: "" }, ["-<title>T</title>"]],
      [{ description: "<&>" }, ["+<description>&lt;&amp;&gt;</description>"]],
      [{ boot: { order: ["disk:sdb", "disk:vda"] } }, [
        "-<boot dev='hd'/>",
        "+<boot order='2'/>",
        "+<boot order='1'/>",
      ]],
      [{ boot: { devices: ["hd"] } }, ["-<boot order='2'/>", "-<boot order='1'/>", "+<boot dev='hd'/>"]],
      [{ boot: { menu: true } }, ["+<bootmenu enable='yes'/>"]],
      [{ cpu: { pinning: [{ vcpu: 0, cpus: "1,0" }, { vcpu: 3, cpus: "1" }] } }, [
        "+<cputune>",
        "+<vcpupin vcpu='0' cpuset='0-1'/>",
        "+<vcpupin vcpu='3' cpuset='1'/>",
        "+</cputune>",
      ]],
    ];
    for (const [change, lines] of changes) {
      await t.step(JSON.stringify(change), async () => {
        const before = await stored(vm.name);
        // The vCPU list is libvirt's own view of the number.
        const answer = await call(server, "update_vm", { vmId, ...change });
        const found = difference(before, await stored(vm.name)).filter((line) =>
          !/<\/?vcpus>|<vcpu id/.test(line)
        );
        assert.deepEqual(found.sort(), [...lines].sort());
        assert.equal(answer.waiting.length, 0);
      });
    }
    await t.step("nothing is written where nothing changes", async () => {
      const before = await stored(vm.name);
      await call(server, "update_vm", { vmId, memory: { maxMb: 1024 }, description: "<&>" });
      assert.equal(await stored(vm.name), before);
    });
    await t.step("the secrets are kept, and were not disclosed", async () => {
      const xml = await stored(vm.name);
      assert.match(xml, /passwd='pl4nted!'/);
      assert.match(xml, /kvmm-qemu-arg/);
      assert.match(xml, /<o:x y=["']1["']>t<\/o:x>/);
      const answers = JSON.stringify([
        await server.call("get_hardware", { vmId }),
        await server.call("get_pending_changes", { vmId }),
      ]);
      assert.equal(answers.includes(PASSWORD), false);
      assert.equal(server.log().includes(PASSWORD), false);
    });
    await t.step("an edit that libvirt refuses leaves everything as it was", async () => {
      const before = await stored(vm.name);
      const refused = await refusal(call(server, "update_vm", {
        vmId,
        title: "never",
        tags: ["never"],
        // libvirt 9.0 does not know it: its schema says no.
        watchdog: { model: "itco", action: "reset" },
        autostart: true,
      }));
      assert.equal(refused.code, "UpdateFailed");
      assert.match(refused.message, /^Failed to update VM: /);
      assert.equal(await stored(vm.name), before);
      const { tags, autostart } = await call(server, "get_vm", { vmId });
      assert.deepEqual([tags, autostart], [[], false]);
    });
    await t.step("tags, group and autostart go with it", async () => {
      const answer = await call(server, "update_vm", { vmId, tags: ["a", "b"], group: "g", autostart: true });
      assert.deepEqual(answer.applied.map(({ field, next }) => [field, next]), [
        ["autostart", "true"],
        ["tags", "a b"],
        ["group", "g"],
      ]);
      assert.match(await virsh("dominfo", vm.name), /Autostart:\s+enable/);
      await call(server, "update_vm", { vmId, autostart: false });
    });
  },
});

Deno.test({
  name: "update_vm() takes everything back when a running guest does not follow",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "undo", guest: false, vcpus: 4 });
    const file = `${vm.serialLog}.xml`;
    await Deno.writeTextFile(
      file,
      (await stored(vm.name)).replace(/<memballoon[\s\S]*?<\/memballoon>/, "<memballoon model='none'/>"),
    );
    await virsh("define", file);
    await virsh("setvcpus", vm.name, "2", "--config");
    await vm.start();
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const before = await stored(vm.name);
    const found = await refusal(call(server, "update_vm", {
      vmId,
      memory: { currentMb: 200 },
      cpu: { count: 3, pinning: [{ vcpu: 0, cpus: "0" }] },
      title: "never",
      description: "never",
    }));
    assert.equal(found.code, "UpdateFailed");
    assert.match(found.message, /balloon/);
    assert.doesNotMatch(found.message, /taken back/);
    assert.equal(await stored(vm.name), before);
    assert.equal(await vcpus(vm.name, "--current", "--live"), 2);
    // Without a system in it the guest refuses to give a vCPU back: what came before that is taken back as well.
    await call(server, "update_vm", { vmId, cpu: { count: 3 } });
    const three = await stored(vm.name);
    const second = await refusal(call(server, "update_vm", {
      vmId,
      cpu: { count: 2, pinning: [{ vcpu: 0, cpus: "0" }] },
      title: "never",
    }));
    assert.equal(second.code, "UpdateFailed", second.message);
    assert.equal(await stored(vm.name), three);
    assert.deepEqual(await call(server, "get_pending_changes", { vmId }), []);
    const { title, pendingChanges } = await call(server, "get_vm", { vmId });
    assert.deepEqual([title, pendingChanges], [undefined, 0]);
    // For the next boot alone it can be had.
    const { waiting } = await call(server, "update_vm", { vmId, cpu: { count: 1 }, nextBootOnly: true });
    assert.deepEqual(waiting, [{ field: "cpu.count", live: "3", next: "1" }]);
  },
});

Deno.test({
  name: "update_vm() refuses what does not fit, naming why and what to do",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "refuse", guest: false, vcpus: 2, machine: "pc" });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const before = await stored(vm.name);
    const cases: [input: object, code: Parameters<typeof refused>[1], message: RegExp][] = [
      [
        { cpu: { count: 3 } },
        "CpuCountAboveMaximum",
        /^CPU count \(3\) is above the VM's maximum \(2\)\. Raise/,
      ],
      [
        { memory: { currentMb: 512 } },
        "MemoryAboveMaximum",
        /^Memory \(512MB\) is above the VM's maximum \(256MB\)/,
      ],
      [
        { cpu: { topology: { sockets: 2, cores: 2, threads: 1 } } },
        "TopologyMismatch",
        /2 sockets × 2 cores × 1 threads = 4 CPUs, but the VM's maximum is 2/,
      ],
      [{ cpu: { pinning: [{ vcpu: 2, cpus: "0" }] } }, "PinningMismatch", /there is no vCPU 2/],
      [{ cpu: { pinning: [{ vcpu: 0, cpus: "9999" }] } }, "PinningMismatch", /the host has no CPU 9999/],
      [{ cpu: { pinning: [{ vcpu: 0, cpus: "3-1" }] } }, "PinningMismatch", /names no CPU/],
      [{ cpu: { pinning: [{ vcpu: 0, cpus: "0" }, { vcpu: 0, cpus: "1" }] } }, "PinningMismatch", /twice/],
      [{ boot: { order: ["disk:vdz"] } }, "BootDeviceNotFound", /^VM has no device disk:vdz to boot from$/],
      [{ boot: { order: [], devices: ["hd"] } }, "HardwareMismatch", /not both/],
      [{ cpu: { mode: "host-model", model: "Penryn" } }, "HardwareMismatch", /takes no model/],
      [{ cpu: { model: "NoSuchModel" } }, "HardwareMismatch", /cannot run the CPU model NoSuchModel/],
      [{ firmware: "uefi-secure" }, "HardwareMismatch", /UEFI|q35/],
      [{ cpu: { count: 0 } }, "InvalidCpuCount", /^Invalid CPU count: 0 \(must be 1-256\)$/],
      [{ cpu: { max: 257 } }, "InvalidCpuCount", /^Invalid CPU count: 257 \(must be 1-256\)$/],
      [{ memory: { maxMb: 127 } }, "InvalidMemorySize", /^Invalid memory size: 127MB \(minimum 128MB\)$/],
      [{ extra: 1 }, "InvalidInput", /unknown field "extra"/],
      [{ cpu: { extra: 1 } }, "InvalidInput", /unknown field "(cpu\.)?extra"/],
      [{ title: "a\nb" }, "InvalidInput", /title/],
      [{ description: "\u0001" }, "InvalidInput", /description/],
      [{ description: "x".repeat(16_385) }, "InvalidInput", /description/],
      [{ cpu: { model: "<b>" } }, "InvalidInput", /cpu\.model/],
      [{ cpu: { pinning: [{ vcpu: 0, cpus: "0' x='" }] } }, "InvalidInput", /cpus/],
    ];
    for (const [input, code, message] of cases) {
      await t.step(
        JSON.stringify(input).slice(0, 80),
        () => refused(server.call("update_vm", { vmId, ...input }), code, message),
      );
    }
    assert.equal(await stored(vm.name), before);
    await refused(call(server, "update_vm", { vmId: crypto.randomUUID() }), "VmNotFound");
    await refused(call(server, "discard_pending_changes", { vmId }), "VmNotRunning");
  },
});

Deno.test({
  name: "what virsh changes shows as pending within a second, is told by area, and can be taken back",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({
      purpose: "pending",
      guest: false,
      disks: [{}],
      vnc: { password: PASSWORD },
    });
    await vm.start();
    await using server = await readyServer();
    const vmId = vm.uuid;
    await t.step(
      "a machine just started has nothing that waits, also one that ran before the server",
      async () => {
        await shows(server, vmId, ({ pendingChanges }) => pendingChanges === 0);
        assert.deepEqual(await call(server, "get_pending_changes", { vmId }), []);
      },
    );
    await using log = await EventLog.open(server);
    const before = await stored(vm.name);
    const device = `${vm.serialLog}.device.xml`;
    await Deno.writeTextFile(
      device,
      "<interface type='user'><mac address='52:54:00:aa:bb:cc'/><model type='virtio'/></interface>",
    );
    const changes: [args: string[], area: string, what: string][] = [
      [["setvcpus", vm.name, "5", "--config", "--maximum"], "cpu", "cpu.max"],
      [["setmaxmem", vm.name, "300M", "--config"], "memory", "memory.maxMb"],
      [["attach-device", vm.name, device, "--config"], "network", "interface 52:54:00:aa:bb:cc"],
      [["detach-disk", vm.name, "vda", "--config"], "disks", "disk vda"],
      [["desc", vm.name, "--config", "--title", "--new-desc", "later"], "general", "title"],
      [["memtune", vm.name, "--hard-limit", "1000000", "--config"], "memory", "memtune"],
    ];
    for (const [args, area, what] of changes) {
      await t.step(args.slice(0, 1).join(), async () => {
        const from = log.events.length;
        const known = (await call(server, "get_vm", { vmId })).pendingChanges ?? 0;
        await virsh(...args);
        const done = performance.now();
        const told = await log.waitFor(
          "vm-updated",
          (data) => data.vm.id === vmId && (data.vm.pendingChanges ?? 0) > known,
          { from },
        );
        assert.ok(told.at - done < 1000, `${told.at - done} ms`);
        const pending = await call(server, "get_pending_changes", { vmId });
        assert.ok(pending.some((each) => each.area === area && each.what === what), JSON.stringify(pending));
      });
    }
    await t.step("taking it back makes the stored configuration what runs", async () => {
      const { discarded, pending } = await call(server, "discard_pending_changes", { vmId });
      assert.deepEqual(pending, []);
      assert.equal(discarded.length >= changes.length, true, JSON.stringify(discarded));
      const after = await stored(vm.name);
      assert.deepEqual(difference(before, after).filter((line) => !/vcpu/.test(line)), []);
      assert.equal((await call(server, "get_vm", { vmId })).pendingChanges, 0);
      assert.match(after, /passwd='pl4nted!'/);
    });
    await t.step("a machine started again has nothing that waits", async () => {
      await virsh("setvcpus", vm.name, "3", "--config", "--maximum");
      await call(server, "force_stop_vm", { vmId });
      await call(server, "start_vm", { vmId });
      await shows(server, vmId, ({ pendingChanges }) => pendingChanges === 0);
    });
  },
});

/** Replaces a machine's stored XML, as virsh does: without libvirt's schemas. */
async function redefine(name: string, change: (xml: string) => string): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "kvmm-test-", suffix: ".xml" });
  try {
    await Deno.writeTextFile(path, change(await stored(name)));
    await virsh("define", path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test({
  name: "update_vm() says no where libvirt does not do it, and leaves everything as it was",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "cells", guest: false, memoryMiB: 256 });
    const cells = "<cpu><numa><cell id='0' cpus='0' memory='256' unit='MiB'/></numa></cpu>";
    await redefine(
      vm.name,
      (xml) => xml.replace(/<cpu[\s\S]*?<\/cpu>|<cpu [^>]*\/>/, "").replace("<devices>", `${cells}<devices>`),
    );
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const before = await stored(vm.name);
    await refused(
      call(server, "update_vm", { vmId, memory: { maxMb: 512 }, title: "never" }),
      "UpdateFailed",
      /libvirt leaves memory.maxMb at 256 MiB, not 512 MiB. The VM's NUMA cells determine it/,
    );
    assert.equal(await stored(vm.name), before);
    const { applied } = await call(server, "update_vm", { vmId, title: "Cells" });
    assert.deepEqual(applied, [{ field: "title", live: null, next: "Cells" }]);
  },
});

Deno.test({
  name: "update_vm() tells a team's cards apart, keeps a redirdev's order, and minds no relative path",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "team", guest: false, machine: "pc" });
    const mac = "52:54:00:aa:bb:cc";
    const card = (slot: string) =>
      `<interface type='user'><mac address='${mac}'/><model type='virtio'/>` +
      `<address type='pci' domain='0' bus='0' slot='${slot}' function='0'/></interface>`;
    const parts = [
      "<disk type='file' device='disk'><source file='kvmm-test-relative.img'/><target dev='vdz' bus='virtio'/></disk>",
      "<controller type='usb' model='ich9-ehci1'/>",
      "<redirdev bus='usb' type='spicevmc'><boot order='1'/></redirdev>",
      "<graphics type='spice'/>",
      card("0x1a"),
      card("0x1b"),
    ];
    await redefine(
      vm.name,
      (xml) => xml.replace(/<boot dev=[^>]*>/g, "").replace("</devices>", `${parts.join("")}</devices>`),
    );
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const { next } = await call(server, "get_hardware", { vmId });
    const cards = [`nic:${mac}@0000:00:1a.0`, `nic:${mac}@0000:00:1b.0`];
    const ids = next.boot.candidates.map(({ id }) => id);
    assert.ok(cards.every((id) => ids.includes(id)), ids.join());
    assert.deepEqual(next.boot.order, ["redirdev:0"]);

    const order = [cards[1]!, "redirdev:0", "disk:vdz"];
    const { applied } = await call(server, "update_vm", { vmId, boot: { order } });
    assert.deepEqual(applied, [{ field: "boot.order", live: null, next: order.join(", ") }]);
    const xml = await stored(vm.name);
    assert.match(xml, /<boot order='1'\/>\s*<address[^>]*slot='0x1b'/);
    assert.match(xml, /<redirdev[^>]*>\s*<boot order='2'\/>/);
    assert.match(xml, /<source file='kvmm-test-relative.img'/);

    await refused(
      call(server, "update_nic", { vmId, mac, linkUp: false }),
      "NicAmbiguous",
      /52:54:00:aa:bb:cc@0000:00:1a.0, 52:54:00:aa:bb:cc@0000:00:1b.0/,
    );
    await call(server, "update_nic", { vmId, mac: `${mac}@0000:00:1b.0`, linkUp: false });
    assert.match(await stored(vm.name), /<link state='down'\/>\s*(<boot[^>]*>\s*)?<address[^>]*slot='0x1b'/);
    await call(server, "detach_nic", { vmId, mac: `${mac}@0000:00:1a.0` });
    const rest = await stored(vm.name);
    assert.deepEqual([/slot='0x1a'/.test(rest), /slot='0x1b'/.test(rest)], [false, true]);

    const edited = rest.replace("<memory", "<description>edited</description><memory");
    assert.deepEqual(await call(server, "check_vm_xml", { vmId, xml: edited }), { problem: null });
    await call(server, "set_vm_xml", { vmId, xml: edited });
    const another = edited.replace("kvmm-test-relative.img", "another.img");
    await refused(call(server, "set_vm_xml", { vmId, xml: another }), "XmlInvalid");
  },
});

Deno.test({
  name: "operate() tells what an operation changed with its end, in one event",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "event", guest: false });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await using log = await EventLog.open(server);
    await call(server, "set_tags", { vmId, tags: ["one"] });
    await call(server, "set_tags", { vmId, tags: ["two"] });
    const has = (tag: string) => (event: { vm: { id: string; tags: string[] } }) =>
      event.vm.id === vmId && event.vm.tags.includes(tag);
    await log.waitFor("vm-updated", (event) => has("two")(event));
    // The second operation begins with the first one's tags, so that one event more has them.
    const first = log.of("vm-updated").filter(has("one"));
    assert.deepEqual(first.map((event) => event.vm.operation), [undefined, "updating"]);
  },
});
