/** Screens and their passwords: whoever is on this host reaches the ports of all screens. */
import assert from "node:assert/strict";
import type { Input, VM } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { asRoot, personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, known, readyServer, refusal, refused, shows } from "../testbed/product.ts";
import { removeDomain, removeFiles } from "../testbed/removal.ts";
import { trySpice, tryVnc } from "../testbed/screen_sign_in.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

/** A virsh, of the host's libvirtd or another. */
type Virsh = (...args: string[]) => Promise<string>;

/** A VM that the product makes, gone with everything of its name in the end. */
async function made(
  server: TestServer,
  config: Partial<Input<"create_vm">> = {},
): Promise<AsyncDisposable & { readonly vmId: string; readonly name: string }> {
  const name = await testName("screen");
  const { id: vmId } = await call(server, "create_vm", {
    name,
    memoryMb: 128,
    disks: [],
    nics: [],
    bootOrder: ["network"],
    ...config,
  });
  return {
    vmId,
    name,
    [Symbol.asyncDispose]: async () => {
      await removeDomain(name);
      await removeFiles(name);
      await releaseName(name);
    },
  };
}

/** Passwords of a domain's screens in XML. */
async function passwords(name: string, ask: Virsh = virsh, ...flags: string[]): Promise<string[]> {
  const xml = await ask("dumpxml", "--security-info", ...flags, name);
  return [...xml.matchAll(/ passwd='([^']*)'/g)].map((match) => match[1]!);
}

/** Waits until the next start has another password than this one. */
async function renewed(name: string, ask: Virsh = virsh): Promise<void> {
  await until("another password for the next start", async () => {
    const [live, next] = [await passwords(name, ask), await passwords(name, ask, "--inactive")];
    assert.equal(live.length, next.length);
    return live.every((each, index) => each !== next[index]);
  });
}

interface Door {
  readonly port: number;
  readonly password: string | undefined;
}

/** Address and password of the VNC screen, as users of the console get them. */
async function door(server: TestServer, vmId: string): Promise<Door> {
  const { port, password } = await call(server, "get_vnc_info", { vmId });
  assert.ok(port !== null);
  return { port, password };
}

/** Asserts that the screen accepts the password, and no other one. */
async function guarded({ port, password }: Door): Promise<string> {
  assert.match(password ?? "", /^[A-Za-z0-9_.]{8}$/);
  assert.equal(await tryVnc(port, undefined), "refused");
  assert.equal(await tryVnc(port, "password"), "refused");
  assert.equal(await tryVnc(port, password), "accepted");
  return password!;
}

/** As `guarded()`, after saved memory: the servers of other tests, which run at the same time, renew that password as well. */
async function guardedOnceContinued(server: TestServer, vmId: string): Promise<string> {
  await until("the screen to take the password that is told", async () => {
    const { port, password } = await door(server, vmId);
    return await tryVnc(port, password) === "accepted";
  });
  return guarded(await door(server, vmId));
}

const isOff = ({ state }: VM) => state === "stopped";
const isOn = ({ state }: VM) => state === "running";
/** A QEMU that is continued on a busy machine answers its monitor late, and changes are refused meanwhile. */
const answers = (vm: VM) => isOn(vm) && vm.responsive;

Deno.test({
  name: "create_vm() makes a screen that asks for a password, another one at each start",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await made(server);
    const { vmId, name } = vm;
    const seen = new Set<string>();
    const isNew = (password: string) => {
      assert.ok(!seen.has(password), "a password was used before");
      seen.add(password);
    };

    await t.step("it has one before its first start", async () => {
      assert.equal((await passwords(name)).length, 1);
      const shown = await call(server, "get_vm", { vmId });
      assert.deepEqual([shown.openScreen, shown.attention], [undefined, []]);
      assert.ok(!JSON.stringify(shown).includes((await passwords(name))[0]!));
    });
    await t.step("three starts through the product", async () => {
      for (let n = 0; n < 3; n++) {
        await call(server, "start_vm", { vmId });
        isNew(await guarded(await door(server, vmId)));
        assert.equal((await shows(server, vmId, isOn)).pendingChanges, 0);
        await renewed(name);
        await call(server, "force_stop_vm", { vmId });
        await shows(server, vmId, isOff);
      }
    });
    await t.step("two starts by virsh", async () => {
      for (let n = 0; n < 2; n++) {
        await virsh("start", name);
        await shows(server, vmId, isOn);
        isNew(await guarded(await door(server, vmId)));
        await renewed(name);
        await virsh("destroy", name);
        await shows(server, vmId, isOff);
      }
    });
    await t.step("continued from saved memory", async () => {
      await call(server, "start_vm", { vmId });
      isNew(await guarded(await door(server, vmId)));
      await call(server, "suspend_vm", { vmId });
      await call(server, "start_vm", { vmId });
      isNew(await guardedOnceContinued(server, vmId));
      await virsh("managedsave", name);
      await shows(server, vmId, ({ state }) => state === "suspended");
      const [before] = [...seen].slice(-1);
      await virsh("start", name);
      await until("another password", async () => (await passwords(name))[0] !== before);
      isNew(await guardedOnceContinued(server, vmId));
    });
    await t.step("tags and the XML that is edited keep it so", async () => {
      await shows(server, vmId, answers);
      await call(server, "set_tags", { vmId, tags: ["a"] });
      await call(server, "update_vm", { vmId, tags: ["b"] });
      const { xml, etag } = await call(server, "get_vm_xml", { vmId, secure: true, inactive: true });
      await virsh("destroy", name);
      await shows(server, vmId, isOff);
      await call(server, "start_vm", { vmId });
      await renewed(name);
      assert.ok(etag !== undefined);
      // The password in it is that of the run: the next start must not have it.
      await call(server, "set_vm_xml", { vmId, xml, etag });
      await renewed(name);
    });
    await t.step("what was exported, defined again by virsh, has a password again", async () => {
      await virsh("destroy", name);
      await shows(server, vmId, isOff);
      const file = await Deno.makeTempFile({ suffix: ".xml" });
      try {
        await Deno.writeTextFile(file, (await call(server, "export_vm", { vmId })).xml);
        for (const state of ["off", "on"]) {
          await virsh("define", file);
          await until(`a password, defined while it is ${state}`, async () => {
            const { openScreen, attention } = await call(server, "get_vm", { vmId });
            assert.deepEqual([openScreen, attention], [undefined, []]);
            return (await passwords(name, virsh, "--inactive")).length === 1;
          });
          if (state === "on") {
            await call(server, "force_stop_vm", { vmId });
            await shows(server, vmId, isOff);
          }
          await call(server, "start_vm", { vmId });
          isNew(await guarded(await door(server, vmId)));
        }
      } finally {
        await Deno.remove(file);
      }
    });
    await t.step("no password is in logs, the activity, events or the list of processes", async () => {
      const told = [
        server.log(),
        JSON.stringify(await call(server, "get_activity", { limit: 500 })),
        JSON.stringify(await call(server, "get_vms")),
        (await call(server, "get_vm_xml", { vmId })).xml,
        (await call(server, "export_vm", { vmId })).xml,
      ];
      for await (const { name: pid } of Deno.readDir("/proc")) {
        if (!/^\d+$/.test(pid)) continue;
        told.push(await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "")); // it has ended
      }
      for (const password of seen) {
        for (const text of told) assert.ok(!text.includes(password), "a password was told");
      }
    });
  },
});

Deno.test({
  name: "A start without a running KVM Manager has a password, and the next start another",
  ignore,
  fn: async () => {
    // The servers of other tests watch the host's libvirtd.
    await using host = await privateLibvirt("unwatched");
    const ask: Virsh = (...args) => host.virsh(...args);
    const name = `${host.name}-vm`;
    const dataDir = `${filesOf(host.name)}/data`;
    let vmId: string;
    {
      await using first = await readyServer({ uri: host.uri, dataDir });
      const config = { name, memoryMb: 128, disks: [], nics: [], bootOrder: ["network" as const] };
      ({ id: vmId } = await call(first, "create_vm", config));
    }
    await ask("start", name);
    const [live] = await passwords(name, ask);
    assert.deepEqual(await passwords(name, ask, "--inactive"), [live]);
    await using second = await readyServer({ uri: host.uri, dataDir });
    await known(second, vmId);
    assert.equal((await door(second, vmId)).password, live);
    await renewed(name, ask);
  },
});

Deno.test({
  name: "protect_screens() closes screens that are open, for VMs that are off, on, and suspended",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    const open = (start: boolean) => testMachine({ purpose: "open", guest: false, vnc: true, start });

    await t.step("off: it is closed at once", async () => {
      await using vm = await open(false);
      const before = await known(server, vm.uuid);
      assert.equal(before.openScreen, "open");
      assert.match(before.attention.join(), /no password/);
      const done = await call(server, "protect_screens", { vmId: vm.uuid });
      assert.deepEqual(done, { live: false, persistent: true });
      const after = await call(server, "get_vm", { vmId: vm.uuid });
      assert.deepEqual([after.openScreen, after.attention], [undefined, []]);
      await call(server, "start_vm", { vmId: vm.uuid });
      await guarded(await door(server, vm.uuid));
      await renewed(vm.name);
      assert.deepEqual(await call(server, "protect_screens", { vmId: vm.uuid }), {
        live: true,
        persistent: true,
      });
    });
    await t.step("on: from the next start on, or once it was suspended", async () => {
      await using vm = await open(true);
      await shows(server, vm.uuid, isOn);
      assert.equal(await tryVnc((await door(server, vm.uuid)).port, undefined), "open");
      assert.deepEqual(await call(server, "protect_screens", { vmId: vm.uuid }), {
        live: false,
        persistent: true,
      });
      const waiting = await call(server, "get_vm", { vmId: vm.uuid });
      assert.equal(waiting.openScreen, "until-restart");
      assert.match(waiting.attention.join(), /started again/);
      await call(server, "suspend_vm", { vmId: vm.uuid });
      await call(server, "start_vm", { vmId: vm.uuid });
      assert.equal((await shows(server, vm.uuid, isOn)).openScreen, undefined);
      await guardedOnceContinued(server, vm.uuid);
    });
    await t.step("suspended: continued, it is closed", async () => {
      await using vm = await open(true);
      await virsh("managedsave", vm.name);
      await shows(server, vm.uuid, ({ state }) => state === "suspended");
      await call(server, "protect_screens", { vmId: vm.uuid });
      await call(server, "start_vm", { vmId: vm.uuid });
      await guardedOnceContinued(server, vm.uuid);
    });
    await t.step("a socket and a password of one's own are not open, and stay", async () => {
      await using socket = await testMachine({
        purpose: "socket",
        guest: false,
        vnc: { socket: true },
        start: true,
      });
      assert.equal((await shows(server, socket.uuid, isOn)).openScreen, undefined);
      await using own = await testMachine({
        purpose: "own",
        guest: false,
        vnc: { password: "chosen" },
        start: true,
      });
      assert.equal((await shows(server, own.uuid, isOn)).openScreen, undefined);
      await virsh("destroy", own.name);
      await virsh("start", own.name);
      await shows(server, own.uuid, isOn);
      const { port, password } = await door(server, own.uuid);
      assert.deepEqual([password, await tryVnc(port, "chosen")], ["chosen", "accepted"]);
    });
    await t.step("without a screen there is nothing to protect", async () => {
      await using vm = await testMachine({ purpose: "screenless", guest: false });
      await known(server, vm.uuid);
      await refused(call(server, "protect_screens", { vmId: vm.uuid }), "NoScreen");
    });
  },
});

Deno.test({
  name: "Who may not have the console is not told the password",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await made(server);
    const { vmId } = vm;
    await call(server, "start_vm", { vmId });
    const { port, password = "" } = await door(server, vmId);
    const on = { kind: "vm", vmId } as const;
    const operator = await personWith(server, "operator", [{ role: "operator", on }]);
    const viewer = await personWith(server, "viewer", [{ role: "viewer", on }]);
    await asRoot(server, "create_role", { role: "looker", permissions: ["vms.view", "host.view"] });
    const looker = await personWith(server, "looker", [{ role: "looker", on }]);
    const { content } = await operator.call("get_viewer_file", { vmId });
    assert.ok(content.includes(`\nport=${port}\n`) && content.includes(`\npassword=${password}\n`));
    for (const person of [viewer, looker]) {
      const file = await person.call("get_viewer_file", { vmId });
      assert.ok(!file.content.includes("password="));
      assert.ok(!JSON.stringify(await person.call("get_vm", { vmId })).includes(password));
      assert.equal((await refusal(person.call("get_vnc_info", { vmId }))).code, "Forbidden");
      assert.equal((await refusal(person.call("protect_screens", { vmId }))).code, "Forbidden");
    }
  },
});

Deno.test({
  name: "A SPICE screen asks for a password, another one at each start",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await made(server, { graphics: "spice" });
    const { vmId, name } = vm;
    const seen = new Set<string>();
    for (let n = 0; n < 2; n++) {
      await call(server, "start_vm", { vmId });
      const { content } = await call(server, "get_viewer_file", { vmId });
      const port = Number(/^port=(\d+)$/m.exec(content)?.[1]);
      const password = /^password=(.*)$/m.exec(content)?.[1] ?? "";
      assert.match(password, /^[A-Za-z0-9_.]{24}$/);
      assert.equal(await trySpice(port, undefined), "refused");
      assert.equal(await trySpice(port, "password"), "refused");
      assert.equal(await trySpice(port, password), "accepted");
      seen.add(password);
      await renewed(name);
      await call(server, "force_stop_vm", { vmId });
      await shows(server, vmId, isOff);
    }
    assert.equal(seen.size, 2);
  },
});

Deno.test({
  name: "clone_vm() and import_vm() give the new VM passwords of its own",
  ignore,
  fn: async () => {
    await using pool = await testPool("screen");
    await using server = await readyServer();
    await using vm = await made(server, {
      disks: [{ pool: pool.name, sizeGb: 1, format: "qcow2" }],
    });
    await using copy = await testMachineName();
    await call(server, "clone_vm", { vmId: vm.vmId, name: copy.name, linked: true });
    const [original, cloned] = [await passwords(vm.name), await passwords(copy.name)];
    assert.deepEqual([original.length, cloned.length], [1, 1]);
    assert.notEqual(original[0], cloned[0]);

    await using open = await testMachine({ purpose: "open", guest: false, vnc: true });
    await known(server, open.uuid);
    const { xml } = await call(server, "export_vm", { vmId: open.uuid });
    await using imported = await testMachineName();
    const { vmId } = await call(server, "import_vm", {
      xml,
      name: imported.name,
      newId: true,
      newMacs: true,
    });
    assert.equal((await passwords(imported.name)).length, 1);
    assert.equal((await call(server, "get_vm", { vmId })).openScreen, undefined);
  },
});

/** A name for a VM that a command makes. */
async function testMachineName(): Promise<AsyncDisposable & { readonly name: string }> {
  const name = await testName("screen-copy");
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeDomain(name);
      await releaseName(name);
    },
  };
}
