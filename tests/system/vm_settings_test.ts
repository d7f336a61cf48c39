/** set_autostart, set_tags, set_group: kept by libvirt itself, seen by virsh, and what virsh changes is seen here. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, EventLog, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;
const URI = "urn:kvm-manager:vm:1";

Deno.test({
  name: "set_autostart(), set_tags() and set_group() are kept by libvirt",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "settings", guest: false });
    await using server = await readyServer();
    await using log = await EventLog.open(server);
    const vmId = vm.uuid;
    await known(server, vmId);

    await t.step("set_autostart(), on and off", async () => {
      for (const [autostart, word] of [[true, "enable"], [false, "disable"]] as const) {
        assert.equal(await call(server, "set_autostart", { vmId, autostart }), null);
        assert.match(await virsh("dominfo", vm.name), new RegExp(`Autostart:\\s+${word}`));
        assert.equal((await call(server, "get_vm", { vmId })).autostart, autostart);
      }
    });
    await t.step("set_tags() and set_group() live in the machine's metadata", async () => {
      const tags = ["web", "<b>&'\"", "日本-💥", "a".repeat(64)];
      const group = `Team <A> & "B"`;
      await call(server, "set_tags", { vmId, tags });
      await call(server, "set_group", { vmId, group });
      const shown = await call(server, "get_vm", { vmId });
      assert.deepEqual([shown.tags, shown.group], [tags, group]);
      assert.match(await virsh("metadata", vm.name, URI), /<tag>web<\/tag>/);
    });
    await t.step("other programs' metadata stays", async () => {
      const foreign = "http://example.org/other/1.0";
      await virsh(
        "metadata",
        vm.name,
        foreign,
        "--key",
        "other",
        "--set",
        "<thing a='1'>text</thing>",
        "--config",
      );
      await call(server, "set_tags", { vmId, tags: ["second"] });
      assert.match(await virsh("metadata", vm.name, foreign), /<thing a="1">text<\/thing>/);
      assert.deepEqual((await call(server, "get_vm", { vmId })).tags, ["second"]);
    });
    await t.step("empty ones leave nothing behind", async () => {
      await call(server, "set_tags", { vmId, tags: [] });
      await call(server, "set_group", { vmId, group: "" });
      assert.equal((await vm.xml()).includes(URI), false);
      const { tags, group } = await call(server, "get_vm", { vmId });
      assert.deepEqual([tags, group], [[], undefined]);
    });
    await t.step("of a running machine, they are in its live and its stored configuration", async () => {
      await call(server, "start_vm", { vmId });
      await call(server, "set_tags", { vmId, tags: ["live"] });
      for (const xml of [await vm.xml(), await vm.xml("--inactive")]) assert.match(xml, />live<\//);
      await call(server, "force_stop_vm", { vmId });
      assert.deepEqual((await call(server, "get_vm", { vmId })).tags, ["live"]);
    });
    await t.step("what is no tag or group is refused, naming the field", async () => {
      const many = Array.from({ length: 33 }, (_, index) => `t${index}`);
      for (const tags of [[""], ["a b"], ["a,b"], ["a\n"], ["x".repeat(65)], ["a", "a"], many]) {
        await refused(call(server, "set_tags", { vmId, tags }), "InvalidInput", /^Invalid input: tags/);
      }
      await refused(call(server, "set_group", { vmId, group: "a\nb" }), "InvalidInput", /group/);
      await refused(call(server, "set_group", { vmId, group: "x".repeat(129) }), "InvalidInput", /group/);
      await refused(server.call("set_autostart", { vmId, autostart: "yes" }), "InvalidInput", /autostart/);
      await refused(
        server.call("set_tags", { vmId, tags: [], extra: 1 }),
        "InvalidInput",
        /unknown field "extra"/,
      );
      for (const command of ["set_tags", "set_group", "set_autostart"] as const) {
        const input = { vmId: crypto.randomUUID(), tags: [], group: "", autostart: true };
        const { tags, group, autostart } = input;
        const own = { set_tags: { tags }, set_group: { group }, set_autostart: { autostart } }[command];
        await refused(server.call(command, { vmId: input.vmId, ...own }), "VmNotFound");
      }
    });
    await t.step("what virsh changes is shown within a second", async () => {
      const changes: [args: string[], fits: (vm: Awaited<ReturnType<typeof known>>) => boolean][] = [
        [["autostart", vm.name], ({ autostart }) => autostart],
        [["autostart", vm.name, "--disable"], ({ autostart }) => !autostart],
        [["setmaxmem", vm.name, "300M", "--config"], ({ maxMemoryMb }) => maxMemoryMb === 300],
        [["setvcpus", vm.name, "3", "--config", "--maximum"], ({ maxCpuCount }) => maxCpuCount === 3],
        [
          ["desc", vm.name, "--config", "--new-desc", "new <words>"],
          ({ description }) => description === "new <words>",
        ],
        [
          ["desc", vm.name, "--config", "--title", "--new-desc", "new title"],
          ({ title }) => title === "new title",
        ],
        [
          ["metadata", vm.name, URI, "--key", "kvmm", "--set", "<vm><tag>virsh</tag></vm>", "--config"],
          ({ tags }) => tags.join() === "virsh",
        ],
      ];
      for (const [args, fits] of changes) {
        const from = log.events.length;
        await virsh(...args);
        const done = performance.now();
        const told = await log.waitFor("vm-updated", (data) => data.vm.id === vmId && fits(data.vm), {
          from,
        });
        assert.ok(told.at - done < 1000, `${args.join(" ")}: ${told.at - done} ms`);
        assert.ok(fits(await call(server, "get_vm", { vmId })), args.join(" "));
      }
    });
  },
});

Deno.test({
  name: "set_autostart(), set_tags() and set_group() outlive libvirtd and KVM Manager",
  ignore,
  fn: async () => {
    await using host = await privateLibvirt("settings");
    const vm = await host.machine();
    const vmId = vm.uuid;
    {
      await using server = await readyServer({ uri: host.uri });
      await known(server, vmId);
      await call(server, "set_autostart", { vmId, autostart: true });
      await call(server, "set_tags", { vmId, tags: ["one", "two"] });
      await call(server, "set_group", { vmId, group: "kept" });
    }
    await host.kill();
    await host.start();
    await using server = await readyServer({ uri: host.uri });
    const { autostart, tags, group } = await known(server, vmId);
    assert.deepEqual([autostart, tags, group], [true, ["one", "two"], "kept"]);
  },
});
