/** A host of libvirt's test driver that has one of each: for tests that look at every page, link and form. */
import { testFolder } from "./folder.ts";
import { asRoot } from "./people.ts";
import { call, shows } from "./product.ts";
import { startServer, type TestServer } from "./server.ts";
import { until } from "./wait.ts";

const vmXml = (name: string, uuid: string) =>
  `<domain type="test"><name>${name}</name><uuid>${uuid}</uuid><memory unit="MiB">64</memory><vcpu>1</vcpu>
  <os><type>hvm</type></os><devices><disk type="file" device="disk"><source file="/${name}.img"/><target dev="vda"/></disk>
  <interface type="network"><source network="default"/><mac address="52:54:00:00:00:0${
    uuid.at(-1)
  }"/></interface></devices></domain>`;

/** Ids of its VMs. `grouped` is in the group `lab`; `off` is off, `binned` is in the bin. */
export const VMS = {
  own: "11111111-1111-4111-8111-111111111111",
  foreign: "22222222-2222-4222-8222-222222222222",
  grouped: "33333333-3333-4333-8333-333333333333",
  off: "55555555-5555-4555-8555-555555555555",
  binned: "44444444-4444-4444-8444-444444444444",
} as const;

/** The server of such a host. */
export interface Furnished extends AsyncDisposable {
  readonly server: TestServer;
}

/** Starts a server at such a host, and makes one of each thing that pages list. */
export async function furnished(): Promise<Furnished> {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await testFolder());
  await Deno.mkdir(`${folder.path}/backups`);
  const server = undo.use(
    await startServer({
      ...{ uri: "test:///default", logLevel: "error", env: { KVMM_BIN_DAYS: "7" } },
    }),
  );
  // The test driver's own host, which all connections share
  for (const [name, uuid] of Object.entries(VMS)) {
    await call(server, "import_vm", { xml: vmXml(name, uuid), allowMissing: true });
    if (uuid !== VMS.off && uuid !== VMS.binned) await call(server, "start_vm", { vmId: uuid });
  }
  await makeAll(server, `${folder.path}/backups`);
  const kept = undo.move();
  return { server, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function makeAll(server: TestServer, folder: string): Promise<void> {
  await asRoot(server, "create_role", { role: "janitor", permissions: ["vms.view", "vms.delete"] });
  await asRoot(server, "create_role", { role: "storekeeper", permissions: ["storage.view"] });
  await call(server, "set_group", { vmId: VMS.grouped, group: "lab" });
  await shows(server, VMS.grouped, ({ group }) => group === "lab");
  await call(server, "set_tags", { vmId: VMS.own, tags: ["one"] });
  await call(server, "delete_vm", { vmId: VMS.binned });
  await call(server, "create_template", { name: "template", diskSizeGb: 1, pool: "default-pool" });
  for (const [name, targets] of Object.entries({ all: { all: true }, own: { vmIds: [VMS.own] } })) {
    await call(server, "create_backup", { name: `backup-${name}`, folder, targets });
  }
  await call(server, "create_backup_target", { name: "target", kind: "folder", folder });
  const daily = { frequency: "daily", time: "03:30", timeZone: "UTC" } as const;
  for (const [name, targets] of Object.entries({ own: { vmIds: [VMS.own] }, lab: { groups: ["lab"] } })) {
    await call(server, "create_schedule", { name: `schedule-${name}`, action: "start", targets, ...daily });
  }
  const watched = { watches: "vm_metric", series: "cpu_usage", threshold: 90, checks: 5 } as const;
  await call(server, "create_alert", { name: "alert-all", ...watched, scope: "everything" });
  await call(server, "create_alert", { name: "alert-own", ...watched, scope: "vm", vmId: VMS.own });
  await call(server, "create_alert", { name: "alert-lab", ...watched, scope: "group", group: "lab" });
  await call(server, "create_alert_target", {
    ...{ name: "hook", channel: "webhook", url: "https://example.test/hook" },
  });
  await call(server, "silence_alert", { minutes: 60, scope: "vm", vmId: VMS.own, reason: "one" });
  const { id: userId } = await asRoot(server, "create_user", {
    ...{ name: "bob", grants: [{ role: "operator", on: { kind: "vm", vmId: VMS.own } }] },
  });
  await asRoot(server, "create_token", { name: "robot", userId, grants: [] });
  // The lists that rights go by have all of it
  await shows(server, VMS.grouped, ({ group }) => group === "lab");
  await until(
    "the deleted VM to be gone",
    async () => !(await call(server, "get_vms")).some(({ id }) => id === VMS.binned),
  );
}
