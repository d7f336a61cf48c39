/** check_vm_xml, set_vm_xml: what is refused and where, what is kept, and that no change by another user is lost. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { personWith } from "../testbed/people.ts";
import { call, known, readyServer, refusal, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;
const editable = { secure: true, inactive: true };

/** The line, from 1, that something is in. */
const lineOf = (xml: string, text: string) => xml.slice(0, xml.indexOf(text)).split("\n").length;

Deno.test({
  name: "set_vm_xml() applies what libvirt accepts, and check_vm_xml() changes nothing",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({
      purpose: "xml",
      guest: false,
      disks: [{}],
      vnc: { password: "planted7" },
      description: "before",
    });
    await known(server, vm.uuid);
    const vmId = vm.uuid;
    const load = async () => await call(server, "get_vm_xml", { vmId, ...editable });
    /** Machines that have this one's id or name in theirs: other tests make machines meanwhile. */
    const machines = async () =>
      (await virsh("list", "--all", "--name", "--uuid")).split("\n")
        .filter((line) => line.includes(vm.name) || line.includes(vm.uuid));

    await t.step("a change is applied, secrets stay, and the version changes", async () => {
      const { xml, etag } = await load();
      assert.match(etag!, /^[0-9a-f]{64}$/);
      const edited = xml.replace("before", "after");
      assert.deepEqual(await call(server, "check_vm_xml", { vmId, xml: edited }), { problem: null });
      assert.match(await vm.xml("--inactive"), /before/, "a check changes nothing");
      const saved = await call(server, "set_vm_xml", { vmId, xml: edited, etag: etag! });
      assert.equal(saved.pending, false);
      assert.match(await vm.xml("--inactive"), /after/);
      assert.match(await vm.xml("--inactive", "--security-info"), /passwd='planted7'/);
      assert.equal((await load()).etag, saved.etag);
      await shows(server, vmId, ({ description }) => description === "after");
    });
    await t.step("without secure, or of the live one, there is no version to edit", async () => {
      const { etag } = await call(server, "get_vm_xml", { vmId, inactive: true });
      assert.equal(etag, undefined);
    });
    await t.step("what somebody else changed in between is not overwritten", async () => {
      const { xml, etag } = await load();
      const mine = { vmId, xml: xml.replace("after", "mine"), etag: etag! };
      assert.deepEqual(await call(server, "check_vm_xml", mine), { problem: null });
      await virsh("desc", vm.name, "--config", "by another");
      await refused(call(server, "set_vm_xml", mine), "XmlChanged");
      const { problem } = await call(server, "check_vm_xml", mine);
      assert.match(problem!.message, /changed/, "a check says what set_vm_xml would");
      assert.match(await vm.xml("--inactive"), /by another/);
    });
    await t.step("what we do not know is kept", async () => {
      const { xml, etag } = await load();
      const metadata = "<metadata><x:y xmlns:x='urn:x-other:1' z='1'>kept</x:y></metadata>";
      await call(server, "set_vm_xml", {
        vmId,
        xml: xml.replace("<memory", `${metadata}<memory`),
        etag: etag!,
      });
      assert.match(await vm.xml("--inactive"), /<x:y xmlns:x="urn:x-other:1" z="1">kept<\/x:y>/);
    });

    const { xml } = await load();
    const swap = (from: string | RegExp, to: string) => {
      const changed = xml.replace(from, to);
      assert.notEqual(changed, xml, `${from} is not in the XML`);
      return changed;
    };
    const faults: [name: string, xml: string, message: RegExp, at: string | undefined][] = [
      ["an attribute no schema knows", swap("<vcpu", "<vcpu bogus='1'"), /Extra element vcpu/, "<vcpu bogus"],
      [
        "a value no schema knows",
        swap(/bus='virtio'\/>/, "bus='floppydisk'/>"),
        /failed to validate/,
        "floppydisk",
      ],
      ["an element no schema knows", swap("<features>", "<features><warp/>"), /failed to validate/, "<warp"],
      [
        "an element in a disk",
        swap("<target dev", "<nonsense/><target dev"),
        /failed to validate/,
        "<nonsense",
      ],
      ["tags that do not match", swap("</vcpu>", "</vcpus>"), /mismatch/, "</vcpus>"],
      ["a document cut off", xml.slice(0, xml.indexOf("</devices>")), /Premature end|EndTag/, undefined],
      [
        "a document type",
        `<!DOCTYPE domain SYSTEM "file:///etc/passwd">\n${xml}`,
        /document type/,
        "<!DOCTYPE",
      ],
      ["entities", `<!DOCTYPE d [<!ENTITY a "b">]>\n${xml}`, /document type/, "<!DOCTYPE"],
      ["another encoding", `<?xml version="1.0" encoding="UTF-7"?>\n${xml}`, /encoding UTF-7/, "<?xml"],
      ["a control character", swap("by another", "by\u0001another"), /cannot hold/, "by\u0001"],
      ["no domain at all", "<network><name>x</name></network>", /failed to validate|domain/, undefined],
      ["a second name", swap("</name>", `</name><name>${vm.name}-other</name>`), /name/, undefined],
      ["a machine type there is not", swap(/machine='[^']+'/, "machine='q99-9'"), /./, undefined],
      ["a device libvirt's parser refuses", swap(/<target dev='vda'/, "<target dev='vda9x'"), /./, undefined],
      ["no UUID", swap(/<uuid>[^<]+<\/uuid>/, ""), /UUID/, undefined],
      ["another UUID", swap(vm.uuid, crypto.randomUUID()), /UUID/, "<uuid>"],
      ["another name", swap(`<name>${vm.name}</name>`, `<name>${vm.name}-other</name>`), /name/, "<name>"],
    ];
    for (const [name, bad, message, at] of faults) {
      await t.step(`refused, and said where: ${name}`, async () => {
        const before = [await machines(), await vm.xml("--inactive", "--security-info")];
        const { problem } = await call(server, "check_vm_xml", { vmId, xml: bad });
        assert.ok(problem, "the check finds it");
        assert.match(problem.message, message);
        if (at !== undefined) assert.equal(problem.line, lineOf(bad, at), JSON.stringify(problem));
        const { code } = await refusal(call(server, "set_vm_xml", { vmId, xml: bad }));
        assert.ok(code === "XmlInvalid" || code === "XmlIdentity", code);
        assert.deepEqual([await machines(), await vm.xml("--inactive", "--security-info")], before);
      });
    }
    await t.step("too long is refused before it is parsed", async () => {
      const long = xml.replace("</domain>", `<!--${"x".repeat(300_000)}--></domain>`);
      await refused(call(server, "set_vm_xml", { vmId, xml: long }), "InvalidInput", /xml/);
    });
    await t.step("the audit holds no password", async () => {
      const rows = await call(server, "get_activity", { limit: 200 });
      assert.ok(rows.some(({ action }) => action === "set_vm_xml"));
      assert.doesNotMatch(JSON.stringify(rows), /planted7/);
      for await (const file of Deno.readDir(server.dataDir)) {
        const bytes = await Deno.readFile(`${server.dataDir}/${file.name}`);
        assert.equal(new TextDecoder("latin1").decode(bytes).includes("planted7"), false, file.name);
      }
    });
  },
});

Deno.test({
  name: "set_vm_xml() of a running machine is for its next start",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "xml", guest: false, start: true, description: "before" });
    await shows(server, vm.uuid, ({ state }) => state === "running");
    const { xml, etag } = await call(server, "get_vm_xml", { vmId: vm.uuid, ...editable });
    const saved = await call(server, "set_vm_xml", {
      vmId: vm.uuid,
      xml: xml.replace("before", "after"),
      etag: etag!,
    });
    assert.equal(saved.pending, true);
    assert.match(await vm.xml(), /before/);
    assert.match(await vm.xml("--inactive"), /after/);
    assert.equal(await vm.state(), "running");
  },
});

Deno.test({
  name: "set_vm_xml() of a running machine: rights to the group that it is taken out of end at once",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "xml-group", guest: false, start: true });
    const { uuid: vmId } = vm;
    await known(server, vmId);
    await call(server, "set_group", { vmId, group: "before" });
    const on = { kind: "group", group: "before" } as const;
    const ann = await personWith(server, "ann", [{ role: "operator", on }]);
    assert.equal((await ann.call("get_vm", { vmId })).group, "before");
    const { xml, etag } = await call(server, "get_vm_xml", { vmId, ...editable });
    const moved = xml.replace(">before<", ">after<");
    const saved = await call(server, "set_vm_xml", { vmId, xml: moved, etag: etag! });
    await shows(server, vmId, ({ group }) => group === "after");
    await refused(ann.call("get_vm", { vmId }), "VmNotFound");
    assert.match(await vm.xml("--inactive"), />after</);
    assert.equal((await call(server, "get_vm_xml", { vmId, ...editable })).etag, saved.etag);
  },
});
