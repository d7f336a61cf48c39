/** Two hosts that are two real libvirtds, in one process: nothing that is done or goes wrong on one touches the other. */
import assert from "node:assert/strict";
import { type Principal, principalOf } from "../../agent/access.ts";
import { localPrincipal } from "../../agent/testing.ts";
import { Application } from "../../agent/app.ts";
import { setLogLevel } from "../../agent/log.ts";
import { permissionsOf } from "../../lib/access/permissions.ts";
import type { Api } from "../../lib/contract/api.ts";
import { ContractError, type ErrorCode } from "../../lib/contract/mod.ts";
import { appHere, keepHosts, settingsHere } from "../testbed/app_here.ts";
import { type PrivateLibvirt, privateLibvirt } from "../testbed/private_libvirt.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { markup } from "../testbed/xml.ts";

const ignore = await requirement("guest") !== null;
setLogLevel("error");

/** Milliseconds within which a call is answered that waits for no host which does not answer. */
const SOON_MS = 2500;
const SCREEN = markup`<graphics type='vnc' autoport='yes' listen='0.0.0.0' passwd='secret'/>`;

const code = (call: Promise<unknown>): Promise<ErrorCode | "ok"> =>
  call.then(() => "ok" as const, (error) => {
    assert.ok(error instanceof ContractError, String(error));
    return error.code;
  });

/** How a call ends that must not wait for a host. */
async function soon<T>(call: Promise<T>, what: string): Promise<T> {
  const started = performance.now(), answer = await call, ms = performance.now() - started;
  assert.ok(ms < SOON_MS, `${what} took ${Math.round(ms)} ms`);
  return answer;
}

/** Defines on a libvirtd what another one has, with these changes of its XML. */
async function define(on: PrivateLibvirt, definition: string, changes: Readonly<Record<string, string>>) {
  let xml = (await Deno.readTextFile(definition)).replaceAll(/\.log'/g, "-other.log'");
  for (const [from, to] of Object.entries(changes)) xml = xml.replaceAll(from, to);
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-", suffix: ".xml" });
  try {
    await Deno.writeTextFile(file, xml);
    await on.virsh("define", file);
  } finally {
    await Deno.remove(file);
  }
}

/** Somebody who operates the VMs of a group, and no other one. */
const operatorOf = (group: string): Principal =>
  principalOf({
    name: "ann",
    door: "api",
    via: "session",
    rights: [[{ permissions: permissionsOf("operator"), on: { kind: "group", group } }]],
  });

Deno.test({
  name: "two libvirtds: calls, names, locks, screens and ids of one host are never the other's",
  ignore,
  fn: async (t) => {
    await using first = await privateLibvirt("two-a");
    await using second = await privateLibvirt("two-b");
    const vm = await first.machine({ start: true, serial: "pty", devices: SCREEN });
    const other = await second.machine({ start: true, serial: "pty", devices: SCREEN });
    // A VM of the same name on the other host
    const twin = crypto.randomUUID();
    await define(second, vm.definition, { [vm.uuid]: twin });
    await using here = await appHere([{ id: "lab", uri: second.uri }], first.uri);
    const { app, api } = here;
    const names = async (host?: string) =>
      (await api.getVms(host === undefined ? {} : { host })).map(({ name, host }) => `${host} ${name}`);

    await t.step(
      "a call with a VM's id acts on its host, also where both have one of that name",
      async () => {
        assert.equal((await names("lab")).length, 2);
        assert.equal((await names("local")).length, 1);
        await api.forceStopVm({ vmId: vm.uuid });
        assert.deepEqual([await vm.state(), await second.virsh("domstate", vm.name)], [
          "shut off",
          "shut off",
        ]);
        await api.startVm({ vmId: twin });
        assert.deepEqual([await vm.state(), await second.virsh("domstate", vm.name)], [
          "shut off",
          "running",
        ]);
        const { results } = await api.batchForceStopVms({ vmIds: [twin, vm.uuid] });
        assert.deepEqual(results.map(({ success }) => success), [true, false], "the one is off already");
        await api.startVm({ vmId: vm.uuid });
        assert.deepEqual([await vm.state(), await second.virsh("domstate", vm.name)], [
          "running",
          "shut off",
        ]);
      },
    );

    await t.step(
      "networks and pools of one name are two, and work on one is not in the other's way",
      async () => {
        const name = `${first.name}-same`;
        for (const host of ["local", "lab"]) {
          await api.createNetwork({ name, mode: "isolated", start: false, host });
          await api.createStoragePool({ name, type: "dir", path: `${here.dataDir}/${host}`, host });
        }
        await api.createVolume({
          pool: name,
          name: "a.raw",
          capacityBytes: 1 << 20,
          format: "raw",
          host: "lab",
        });
        assert.equal(
          await code(api.getVolumes({ pool: name }).then((list) => assert.deepEqual(list, []))),
          "ok",
        );
        const all = (host: string) => app.hosts.require(host);
        {
          using _held = all("local").locks.take(name);
          using _name = all("local").reservations.take("name", "web", "web") as Disposable;
          assert.equal(await code(api.refreshStoragePool({ pool: name })), "StorageBusy");
          await api.refreshStoragePool({ pool: name, host: "lab" });
          await api.deleteVolume({ pool: name, volume: "a.raw", host: "lab" });
        }
        await api.deleteNetwork({ name, host: "lab" });
        await api.stopStoragePool({ pool: name, host: "lab" });
        await api.deleteStoragePool({ pool: name, host: "lab" });
        assert.equal((await api.getNetwork({ name })).name, name);
        assert.equal(await code(api.getNetwork({ name, host: "lab" })), "NetworkNotFound");
        assert.ok(
          (await api.getStoragePools()).some((pool) => pool.name === name && pool.state === "running"),
        );
      },
    );

    await t.step("a screen of the other host is refused, and its serial console is not", async () => {
      const vmId = other.uuid;
      assert.equal(await code(api.getVncInfo({ vmId })), "ScreenElsewhere");
      assert.equal(await code(api.getViewerFile({ vmId })), "ScreenElsewhere");
      assert.equal(await code(api.openConsole({ vmId, kind: "vnc" })), "ScreenElsewhere");
      assert.equal(await code(api.openConsole({ vmId, kind: "serial" })), "ok");
      assert.equal((await api.getVncInfo({ vmId: vm.uuid })).host, "127.0.0.1");
      assert.match((await api.screenshotVm({ vmId })).format, /png/, "it comes through libvirt");
    });

    await t.step("what is for this machine's VMs says so of the other's", async () => {
      const vmId = other.uuid, targets = { vmIds: [vmId] };
      assert.equal(await code(api.listVmBackups({ vmId })), "BackupElsewhere");
      const backup = { name: "other", folder: `${here.dataDir}/copies`, targets };
      assert.equal(await code(api.createBackup(backup)), "BackupElsewhere");
      assert.equal(await code(api.getHostHealth({ host: "lab" })), "NotOnThisHost");
      assert.equal((await api.getPortForwarding({ host: "lab" })).available, false);
      assert.deepEqual(await api.listPortForwards({ host: "lab" }), []);
    });

    await t.step("a path of the other host is no file of this machine", async () => {
      const path = `${here.dataDir}/of-this-machine.raw`, vmId = crypto.randomUUID();
      await Deno.writeTextFile(path, "precious");
      const disk =
        `<disk type='file' device='disk'><driver type='raw'/><source file='${path}'/><target dev='vda'/></disk>`;
      await define(second, vm.definition, {
        [vm.uuid]: vmId,
        [`>${vm.name}<`]: ">with-disk<",
        "<devices>": `<devices>${disk}`,
      });
      await until("it is known", () => Promise.resolve(app.hosts.vm(vmId) !== undefined));
      const plan = await api.getDeletePlan({ vmId });
      assert.deepEqual(plan.disks.map(({ deletable }) => deletable), [false]);
      await api.deleteVm({ vmId, permanently: true, deleteDisks: true }).catch((error) =>
        assert.ok(error instanceof ContractError)
      );
      assert.equal(await Deno.readTextFile(path), "precious");
    });

    await t.step("a host that claims another host's id gets no call and no right", async () => {
      await api.setGroup({ vmId: vm.uuid, group: "shop" });
      await api.setGroup({ vmId: twin, group: "lab" });
      const before = app.hosts.vm(vm.uuid)!, told: unknown[] = [];
      using _following = app.hub.follow((events) => void told.push(...events));
      const xml = await second.virsh("dumpxml", "--inactive", twin);
      const file = `${here.dataDir}/claim.xml`;
      await Deno.writeTextFile(file, xml.replaceAll(twin, vm.uuid).replaceAll(`>${vm.name}<`, ">claim<"));
      await second.virsh("define", file);
      await second.virsh("start", "claim");
      const lab = app.hosts.require("lab");
      await until(
        "the claim is known",
        () => Promise.resolve(lab.inventory.anyVm(vm.uuid)?.state === "running"),
      );
      assert.deepEqual([app.hosts.withVm(vm.uuid)?.id, app.hosts.vm(vm.uuid)?.group], ["local", "shop"]);
      assert.ok(!(await names()).some((name) => name.includes("claim")));
      assert.ok(!(await names("lab")).some((name) => name.includes("claim")));
      assert.ok(!JSON.stringify(told).includes('"claim"'), "no event");
      const ann = app.apiFor(operatorOf("lab")) as Api;
      assert.deepEqual((await ann.getVms()).map(({ id }) => id), [twin]);
      assert.equal(await code(ann.forceStopVm({ vmId: vm.uuid })), "VmNotFound");
      await api.forceStopVm({ vmId: vm.uuid });
      assert.deepEqual([await vm.state(), await second.virsh("domstate", "claim")], ["shut off", "running"]);
      assert.equal((await api.getVm({ vmId: vm.uuid })).name, before.name);
      const [, status] = await api.listHosts();
      assert.deepEqual(status!.foreignVms, [{ vmId: vm.uuid, name: "claim", owners: ["local"] }]);
      for (const host of ["local", "lab"]) {
        const { attention } = await api.getHostInfo({ host });
        assert.ok(
          attention.some((text) => /Host lab has the VM claim .* host local/.test(text)),
          attention.join(),
        );
      }
      assert.equal(
        await code(api.importVm({ xml, name: "again", host: "local" })),
        "VmIdTaken",
        "the twin's id is the other host's",
      );
    });

    await t.step("an id goes over once the host before has it no more", async () => {
      await first.virsh("undefine", vm.name);
      await until(
        "it is the other host's",
        async () =>
          (await api.getVms()).some(({ id, name, host }) =>
            id === vm.uuid && name === "claim" && host === "lab"
          ),
      );
      await api.forceStopVm({ vmId: vm.uuid });
      assert.equal(await second.virsh("domstate", "claim"), "shut off");
      assert.deepEqual((await api.listHosts()).flatMap(({ foreignVms }) => foreignVms), []);
    });
  },
});

Deno.test({
  name: "two libvirtds: one that is silent or gone changes nothing for the other, the start included",
  ignore,
  fn: async (t) => {
    await using first = await privateLibvirt("two-c");
    await using second = await privateLibvirt("two-d");
    const of = { local: await first.machine({}), lab: await second.machine({}) };
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    keepHosts(dataDir, [{ id: "lab", label: "Lab", uri: second.uri }]);
    try {
      for (const silent of ["lab", "local"] as const) {
        const well = silent === "lab" ? "local" : "lab", stopped = silent === "lab" ? second : first;
        await t.step(`${silent} is silent while the other works`, async () => {
          await using here = await appHere([{ id: "lab", uri: second.uri }], first.uri);
          const { api } = here;
          await using _frozen = await stopped.freeze();
          await soon(api.startVm({ vmId: of[well].uuid }), "a start");
          await soon(api.forceStopVm({ vmId: of[well].uuid }), "a stop");
          assert.equal((await soon(api.getVms(), "the list")).length, 2, "what was read stays known");
          await soon(api.getNetworks({ host: well }), "networks");
        });

        await t.step(`the first answer of a start while ${silent} is silent`, async () => {
          await using _frozen = await stopped.freeze();
          const app = new Application({ ...settingsHere(dataDir), uri: first.uri });
          app.start();
          try {
            const api = app.apiFor(localPrincipal("page")) as Api;
            assert.deepEqual((await soon(api.getVms({ host: well }), "its list")).map(({ id }) => id), [
              of[well].uuid,
            ]);
            assert.deepEqual((await soon(api.getVms(), "the list of all")).map(({ id }) => id), [
              of[well].uuid,
            ]);
            assert.equal((await soon(api.getVm({ vmId: of[well].uuid }), "its VM")).name, of[well].name);
            const hosts = await soon(api.listHosts(), "the hosts");
            assert.deepEqual(hosts.filter(({ isKnown }) => !isKnown).map(({ id }) => id), [silent]);
          } finally {
            await app.stop();
          }
        });
      }
      await t.step("one that is gone names itself, and is served once it is back", async () => {
        await second.kill();
        const app = new Application({ ...settingsHere(dataDir), uri: first.uri });
        app.start();
        try {
          const api = app.apiFor(localPrincipal("page")) as Api;
          // After it was frozen, libvirtd may end the first connection; the next one comes 0.1 s later
          await until("the list", async () => await soon(code(api.getVms()), "the list") === "ok");
          assert.deepEqual((await soon(api.getVms(), "the list")).map(({ id }) => id), [of.local.uuid]);
          assert.equal(await code(api.getVms({ host: "lab" })), "LibvirtUnavailable");
          const [, lab] = await api.listHosts();
          assert.deepEqual([lab!.id, lab!.label, lab!.isKnown, lab!.status !== "connected"], [
            "lab",
            "Lab",
            false,
            true,
          ]);
          assert.match(lab!.error ?? "", /./);
          await second.start();
          await until("it is back", async () => (await api.getVms()).length === 2, { seconds: 60 });
        } finally {
          await app.stop();
        }
      });
      await t.step(
        "an id that two hosts have at the first start is neither's, until one has it no more",
        async () => {
          const vmId = of.local.uuid;
          await define(second, of.local.definition, { [`>${of.local.name}<`]: ">claim<" });
          await using here = await appHere([{ id: "lab", uri: second.uri }], first.uri);
          const { api } = here;
          const error = await api.startVm({ vmId }).catch((thrown) => thrown);
          assert.ok(error instanceof ContractError && error.code === "VmOnSeveralHosts", String(error));
          assert.match(error.message, /local, lab/);
          assert.ok(!(await api.getVms()).some(({ id }) => id === vmId));
          const claims = (await api.listHosts()).map(({ foreignVms }) =>
            foreignVms.map(({ owners }) => owners)
          );
          assert.deepEqual(claims, [[["lab"]], [["local"]]]);
          await second.virsh("undefine", "claim");
          await until("it is the one's", async () => (await api.getVms()).some(({ id }) => id === vmId));
          await api.startVm({ vmId });
          assert.equal(await of.local.state(), "running");
        },
      );
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});
