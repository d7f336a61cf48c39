/**
 * Maintenance, placement, replication, credentials, the lock manager and imports as people with rights to few VMs have them: no
 * answer and no page names other VMs, their number or other hosts, and no page fails.
 */
import assert from "node:assert/strict";
import { type Command, type CommandName, COMMANDS, type Grant } from "../../lib/contract/mod.ts";
import { REST_ROUTES } from "../../lib/contract/rest.ts";
import { furnished, VMS } from "../testbed/furnished.ts";
import { asRoot, type Person, signedIn } from "../testbed/people.ts";
import { until } from "../testbed/wait.ts";

const PASSWORD = "one bed for every machine";
const vm = (vmId: string): Grant["on"] => ({ kind: "vm", vmId });
/** Users, with the VMs that they see. */
const PEOPLE: Readonly<
  Record<string, { readonly grants: readonly Grant[]; readonly sees: readonly string[] }>
> = {
  "viewer-of-one": { grants: [{ role: "viewer", on: vm(VMS.own) }], sees: ["own"] },
  "operator-of-group": {
    grants: [{ role: "operator", on: { kind: "group", group: "lab" } }],
    sees: ["grouped"],
  },
  // Rights to the host alone, and to replications, and to no VM
  "watcher-of-host": { grants: [{ role: "watcher", on: { kind: "everything" } }], sees: [] },
  "watcher-and-viewer": {
    grants: [{ role: "watcher", on: { kind: "everything" } }, { role: "viewer", on: vm(VMS.own) }],
    sees: ["own"],
  },
};
/** Pages of these nouns. */
const PAGES = [
  ...["/", "/maintenance", "/vms", "/vms/move", "/vms/import-from", "/replication", "/tasks", "/alerts"],
  ...["/settings/placement", "/settings/lock-manager", "/settings/credentials", "/settings/hosts"],
  ...["/settings/hosts/local", "/settings/health", "/settings/mcp", "/storage", "/storage/default-pool"],
  ...["/storage/default-pool/copy?volume=default-vol", "/settings/audit", "/insights"],
  ...[VMS.own, VMS.grouped, VMS.foreign].flatMap((id) =>
    ["", "/replicate", "/migrate", "/network", "/disks", "/hardware"].map((page) => `/vms/${id}${page}`)
  ),
];
const NOUNS =
  /maintenance|placement|replica|lock_manager|credential|foreign|get_host|list_hosts|cluster|mcp|search_|copy_volume/;

/** The names of VMs that somebody does not see. */
const hiddenFrom = (sees: readonly string[]) =>
  Object.entries(VMS).filter(([name]) => !sees.includes(name)).flatMap((
    [name, id],
  ) => [`${NAMES[name]}`, id]);
/** Names that nothing else has: the machines' own are words. */
const NAMES: Readonly<Record<string, string>> = {
  own: "ownmachine",
  foreign: "payrollmachine",
  grouped: "labmachine",
  off: "ledgermachine",
  binned: "binned",
};

function requireHidden(what: string, text: string, sees: readonly string[], asked: string): void {
  for (const secret of hiddenFrom(sees)) {
    if (secret === "binned" || asked.includes(secret)) continue;
    const at = text.indexOf(secret);
    assert.equal(at, -1, `${what} tells ${secret}: ${text.slice(Math.max(0, at - 300), at + 100)}`);
  }
}

Deno.test("people with rights to few VMs learn nothing of others by maintenance, placement and replication", async (t) => {
  await using bed = await furnished();
  const { server } = bed;
  for (const [name, to] of Object.entries(NAMES)) {
    const vmId = VMS[name as keyof typeof VMS];
    if (name === "binned") continue;
    if (name !== "off") await asRoot(server, "force_stop_vm", { vmId });
    await asRoot(server, "rename_vm", { vmId, name: to });
    if (name !== "off") await asRoot(server, "start_vm", { vmId });
  }
  const { own, foreign, grouped } = VMS;
  await asRoot(server, "create_placement_rule", {
    name: "those three",
    kind: "apart",
    vmIds: [own, foreign, grouped],
  });
  await asRoot(server, "start_maintenance", {
    reason: "new memory",
    vms: [own, foreign, grouped].map((vmId) => ({ vmId, action: "shutdown" as const })),
    off: "leave",
  });
  await until("the VMs to be asked to shut down", async () => {
    const { vms } = await asRoot(server, "get_maintenance", {});
    return vms.length >= 3;
  });
  await asRoot(server, "create_role", {
    role: "watcher",
    permissions: ["host.view", "replications.operate", "alerts.view", "storage.view", "storage.operate"],
  });

  await t.step("the whole is there for who may see all", async () => {
    const { all } = (await asRoot(server, "list_hosts", {}))[0]!.maintenance!;
    assert.equal(all, 3);
    const { vms } = await asRoot(server, "get_maintenance", {});
    assert.ok([own, foreign, grouped].every((id) => vms.some(({ vmId }) => vmId === id)));
  });

  for (const [name, { grants, sees }] of Object.entries(PEOPLE)) {
    await asRoot(server, "create_user", { name, password: PASSWORD, grants: [...grants] });
    const person = await signedIn(server, name, PASSWORD);
    await t.step(`${name}: commands`, async () => {
      let tried = 0;
      for (const command of Object.keys(COMMANDS) as CommandName[]) {
        const { readOnly }: Command = COMMANDS[command];
        if (!readOnly || !NOUNS.test(command)) continue;
        for (const input of [{}, { hostId: "local" }, { host: "local" }, { vmId: own }, { vmId: foreign }]) {
          const response = await person.fetch(`/api/v1/commands/${command}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(input),
          });
          const text = await response.text();
          assert.notEqual(response.status, 500, `${command}: ${text}`);
          requireHidden(`${name}: ${command} ${JSON.stringify(input)}`, text, sees, JSON.stringify(input));
          tried++;
        }
      }
      assert.ok(tried > 60, String(tried));
      const rest = REST_ROUTES.filter(({ method, pathFields }) =>
        method === "GET" && pathFields.length === 0
      );
      for (const { path } of rest) {
        const response = await person.fetch(`/api/v1${path}`);
        const text = await response.text();
        assert.notEqual(response.status, 500, `${path}: ${text}`);
        requireHidden(`${name}: ${path}`, text, sees, "");
      }
    });
    await t.step(`${name}: how many VMs there are is not told`, async () => {
      for (const host of await person.call("list_hosts")) {
        assert.deepEqual(Object.keys(host.maintenance ?? {}).sort(), ["note", "since", "state"]);
      }
      if (!grants.some(({ role }) => role === "watcher")) return;
      const { vms, moving, queued } = await person.call("get_maintenance");
      assert.deepEqual(vms.map(({ vmId }) => vmId), sees.map((each) => VMS[each as keyof typeof VMS]));
      assert.ok(moving + queued <= vms.length);
    });
    await t.step(`${name}: pages`, async () => {
      for (const page of PAGES) await look(person, page, sees, name);
    });
  }
});

/** Looks at a page: it does not fail, and names no VM that is not seen. */
async function look(person: Person, page: string, sees: readonly string[], name: string): Promise<void> {
  const response = await person.fetch(page, { headers: { accept: "text/html" } });
  const text = await response.text();
  assert.ok(response.status < 500, `${name}: ${page}: ${response.status}`);
  requireHidden(`${name}: ${page} (${response.status})`, text, sees, page);
}
