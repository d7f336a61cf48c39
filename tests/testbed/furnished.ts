/** A host of libvirt's test driver that has one of each: for tests that look at every page, link and form. */
import type { CommandName, Input, Output } from "../../lib/contract/mod.ts";
import { testFolder } from "./folder.ts";
import { asRoot } from "./people.ts";
import { call } from "./product.ts";
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

/** Calls commands to make all objects: as the signed-in user, and as root. */
export interface Maker {
  readonly call: <N extends CommandName>(name: N, input: Input<N>) => Promise<Output<N>>;
  /** Whether it is the host that KVM Manager runs on. */
  readonly isLocal: boolean;
  readonly asRoot: <N extends CommandName>(name: N, input: Input<N>) => Promise<Output<N>>;
}

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
      uri: "test:///default",
      logLevel: "error",
      env: { KVMM_BIN_DAYS: "7" },
    }),
  );
  await furnish({
    call: (name, input) => call(server, name, ...[input] as never),
    asRoot: (name, input) => asRoot(server, name, input),
    isLocal: true,
  }, `${folder.path}/backups`);
  const kept = undo.move();
  return { server, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Makes one of each thing that pages list. @param folder for backups */
export async function furnish({ call, asRoot, isLocal }: Maker, folder: string): Promise<void> {
  // The test driver's own host, which all connections share
  for (const [name, uuid] of Object.entries(VMS)) {
    await call("import_vm", { xml: vmXml(name, uuid), allowMissing: true });
    if (uuid !== VMS.off && uuid !== VMS.binned) await call("start_vm", { vmId: uuid });
  }
  const isInGroup = () =>
    until(
      "the group is known",
      async () => (await call("get_vms", {})).find(({ id }) => id === VMS.grouped)?.group === "lab",
    );
  await asRoot("create_role", { role: "janitor", permissions: ["vms.view", "vms.delete"] });
  await asRoot("create_role", { role: "storekeeper", permissions: ["storage.view"] });
  await call("set_group", { vmId: VMS.grouped, group: "lab" });
  await isInGroup();
  await call("set_tags", { vmId: VMS.own, tags: ["one"] });
  await call("delete_vm", { vmId: VMS.binned });
  await call("create_template", { name: "template", diskSizeGb: 1, pool: "default-pool" });
  // Backup jobs copy VMs of the local host alone
  const copied = isLocal ? { all: { all: true }, own: { vmIds: [VMS.own] } } : { all: { all: true } };
  for (const [name, targets] of Object.entries(copied)) {
    await call("create_backup", { name: `backup-${name}`, folder, targets });
  }
  await call("create_backup_target", { name: "target", kind: "folder", folder });
  const daily = { frequency: "daily", time: "03:30", timeZone: "UTC" } as const;
  for (const [name, targets] of Object.entries({ own: { vmIds: [VMS.own] }, lab: { groups: ["lab"] } })) {
    await call("create_schedule", { name: `schedule-${name}`, action: "start", targets, ...daily });
  }
  const watched = { watches: "vm_metric", series: "cpu_usage", threshold: 90, checks: 5 } as const;
  await call("create_alert", { name: "alert-all", ...watched, scope: "everything" });
  await call("create_alert", { name: "alert-own", ...watched, scope: "vm", vmId: VMS.own });
  await call("create_alert", { name: "alert-lab", ...watched, scope: "group", group: "lab" });
  await call("create_alert_target", {
    name: "hook",
    channel: "webhook",
    url: "https://example.test/hook",
  });
  await call("silence_alert", { minutes: 60, scope: "vm", vmId: VMS.own, reason: "one" });
  const { id: userId } = await asRoot("create_user", {
    name: "bob",
    grants: [{ role: "operator", on: { kind: "vm", vmId: VMS.own } }],
  });
  await asRoot("create_token", { name: "robot", userId, grants: [] });
  // The lists that rights go by have all of it
  await isInGroup();
  await until(
    "the deleted VM to be gone",
    async () => !(await call("get_vms", {})).some(({ id }) => id === VMS.binned),
  );
}
