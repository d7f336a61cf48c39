import { render } from "../../lib/i18n/message.ts";
import assert from "node:assert/strict";
import { libvirtTest, SHARED, testMachine, until } from "../../ffi/testing.ts";
import type { Api } from "../../lib/contract/api.ts";
import { METADATA_URI } from "../../lib/formats/xml/metadata.ts";
import { settingsHere } from "../../tests/testbed/app_here.ts";
import { localPrincipal } from "../testing.ts";
import { Application } from "../app.ts";
import { setLogLevel } from "../log.ts";

setLogLevel("error");

const nic = (mac: string) =>
  `<devices><interface type='network'><mac address='${mac}'/><source network='default'/></interface></devices>`;
const kept = (inside: string, created = 5) =>
  `<metadata><kvmm:vm xmlns:kvmm='${METADATA_URI}' created='${created}'>${inside}</kvmm:vm></metadata>`;

/** An app on the test driver with a VM of its own, defined as another program does. */
async function withVm(run: (vm: Awaited<ReturnType<typeof world>>) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const made = await world(folder);
  try {
    await run(made);
  } finally {
    await made.app.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

async function world(folder: string) {
  const app = new Application({ ...settingsHere(folder), uri: SHARED, demo: true });
  app.start();
  const { link, inventory } = app.hosts.local;
  await until("the host is read", () => inventory.filled);
  const vmId = crypto.randomUUID(), name = `kvmm-test-${vmId.slice(0, 8)}`;
  const define = async (inside = "", called = name) => {
    await link.call("domainDefine", { xml: testMachine(called, vmId, inside) });
    await inventory.refresh(vmId);
  };
  const undefine = async () => {
    await link.call("domainUndefine", { uuid: vmId });
    await until("the VM is gone", () => inventory.vm(vmId) === undefined);
  };
  const happened = (action: string) =>
    app.activity.latest(50).filter((row) => row.vmId === vmId && row.action === action);
  return {
    app,
    vmId,
    name,
    define,
    undefine,
    happened,
    api: app.apiFor(localPrincipal("page")) as Api,
    vm: () => inventory.vm(vmId)!,
  };
}

libvirtTest(
  "tags and group that another program takes away are told, and can be put back or left",
  () =>
    withVm(async ({ api, vmId, define, vm, happened }) => {
      await define();
      await api.setTags({ vmId, tags: ["gold", "web"] });
      await api.setGroup({ vmId, group: "shop" });
      assert.equal(vm().lostLabels, undefined);
      await define(kept("<kvmm:tag>web</kvmm:tag>"));
      await until("it is told", () => vm().lostLabels !== undefined);
      assert.deepEqual(vm().lostLabels, { tags: ["gold"], group: "shop" });
      assert.match(vm().attention.join(), /took away the tag gold, the group shop/);
      assert.equal(happened("labels-lost").length, 1);
      await define();
      await until("the other tag is told, too", () => vm().lostLabels?.tags.length === 2);
      await api.updateVm({ vmId, tags: ["gold", "web"], group: "shop" });
      await until("it is over", () => vm().lostLabels === undefined);
      await define();
      await until("it is told again", () => vm().lostLabels !== undefined);
      await api.setTags({ vmId, tags: [] });
      await until("what somebody leaves so is meant", () => vm().lostLabels === undefined);
      await api.setTags({ vmId, tags: ["gold"] });
      const told = happened("labels-lost").length;
      await api.setTags({ vmId, tags: [] });
      await api.setVmXml({ vmId, xml: testMachine(vm().name, vmId, kept("<kvmm:tag>a</kvmm:tag>")) });
      await api.setVmXml({ vmId, xml: testMachine(vm().name, vmId) });
      assert.deepEqual(
        [vm().lostLabels, happened("labels-lost").length],
        [undefined, told],
        "by a command it is meant",
      );
    }),
);

libvirtTest(
  "another VM with the id of a deleted one is told, and one that comes back is the same",
  () =>
    withVm(async ({ app, vmId, name, define, undefine, happened }) => {
      const mac = "52:54:00:00:00:01";
      await define(nic(mac));
      assert.equal(app.knownVms.since(vmId), 0);
      for (const same of [nic(mac), `${kept("")}${nic(mac)}`]) {
        await undefine();
        await define(same);
        assert.equal(app.knownVms.since(vmId), 0, "a card that both have");
      }
      await undefine();
      await define(nic("52:54:00:00:00:02"), `${name}-x`);
      assert.ok(app.knownVms.since(vmId) > 0);
      const [told] = happened("id-reused");
      assert.match(render(told!.message), new RegExp(`was that of ${name}, which was deleted`));
    }),
);

/** A disk and a card. */
const parts = (path: string, mac: string) =>
  nic(mac).replace(
    "<devices>",
    `<devices><disk type='file' device='disk'><source file='${path}'/><target dev='vda'/></disk>`,
  );

libvirtTest(
  "another VM that took an id while the service was off has nothing of the one before",
  () =>
    withVm(async (elsewhere) => {
      const { vmId, name, define, app: { hosts: { local: { link } } } } = elsewhere;
      const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
      /** Runs the service until it knows the VM. */
      const running = async (run: (app: Application, api: Api) => Promise<void>) => {
        const app = new Application({ ...settingsHere(folder), uri: SHARED, demo: true });
        app.start();
        try {
          await until("the VM is known", () => app.knownVms.get(vmId) !== undefined);
          await until("the host is read", () => app.hosts.local.inventory.vm(vmId) !== undefined);
          await run(app, app.apiFor(localPrincipal("page")) as Api);
        } finally {
          await app.stop();
        }
      };
      const redefine = async (inside: string, called = name) => {
        await link.call("domainUndefine", { uuid: vmId });
        await link.call("domainDefine", { xml: testMachine(called, vmId, inside) });
      };
      const first = "52:54:00:00:00:01", other = "52:54:00:00:00:02";
      let scheduleId = "";
      try {
        await define(parts("/first", first));
        await running(async (_app, api) => {
          ({ id: scheduleId } = await api.createSchedule({
            name: "nightly",
            action: "start",
            targets: { vmIds: [vmId] },
            frequency: "daily",
            time: "01:00",
            timeZone: "UTC",
          }));
        });
        const targets = async (api: Api) => (await api.getSchedule({ scheduleId })).targets.vmIds;
        await redefine(parts("/moved", first), `${name}-y`);
        await running(async (app, api) => {
          await until("it was looked at", () => app.knownVms.get(vmId)?.name === `${name}-y`);
          assert.deepEqual(
            [app.knownVms.since(vmId), await targets(api)],
            [0, [vmId]],
            "a card that both have",
          );
        });
        await redefine(parts("/other", other), `${name}-x`);
        await running(async (app, api) => {
          await until("it is told", () => app.knownVms.since(vmId) > 0);
          assert.deepEqual(await targets(api), []);
          const told = app.activity.latest(50).filter(({ action }) => action === "id-reused");
          assert.deepEqual(told.map(({ vmId }) => vmId), [vmId]);
        });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    }),
);
