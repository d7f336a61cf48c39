import { readStaleHosts, STALE_HOSTS_HEADER, staleHostsText } from "../../lib/rest/stale_hosts.ts";
import assert from "node:assert/strict";
import type { TSchema } from "typebox";
import { COMMANDS, ContractError } from "../../lib/contract/mod.ts";
import { inputFields, REST_ROUTES } from "../../lib/contract/rest.ts";
import { listQueryOf } from "../../lib/rest/list_query.ts";
import { isMaking, LISTED_ITEMS } from "../../lib/rest/resources.ts";
import { localPrincipal } from "../testing.ts";
import type { Dispatch } from "../dispatch.ts";
import { EventHub } from "../events/hub.ts";
import { createApi } from "./api.ts";
import { CONTENT_ROUTES } from "./content.ts";
import { PICTURES } from "./picture.ts";

const ID = "6f1d3f3e-9a53-4c1e-8d6e-0c6a2a3b4c5d", OTHER = "7f1d3f3e-9a53-4c1e-8d6e-0c6a2a3b4c5d";
const V1 = "/api/v1";

/** The door before commands that answer what a test says. */
function door(answers: Readonly<Record<string, (input: Record<string, unknown>) => unknown>>) {
  const calls: [string, unknown][] = [];
  const dispatch: Dispatch = (command, input) => {
    calls.push([command, input]);
    return Promise.resolve(answers[command]?.(input as Record<string, unknown>) ?? null);
  };
  const api = createApi({
    dispatch,
    hub: new EventHub(),
    version: "1.2.3",
    vms: () => [],
    places: { vm: () => undefined, vmsOn: () => [] },
    now: Date.now,
    missingHosts: () => ["lab", "attic"],
    staleHosts: () => [{ id: "cellar", heardAt: 1000 }],
  });
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await api(
      new Request(`http://127.0.0.1:8440${V1}${path}`, {
        method,
        headers: { "content-type": "application/json", ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
      localPrincipal("socket"),
    );
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? undefined : JSON.parse(text),
    };
  };
  return { calls, send };
}

const VMS = [
  { id: ID, name: "web1", tags: ["env=prod", "tier=web"], state: "running" },
  { id: OTHER, name: "web2", tags: ["env=test"], state: "stopped" },
  { id: "3", name: "db1", tags: ["env"], state: "running" },
];

Deno.test("lists of all hosts name in their heads the hosts that they have nothing of", async () => {
  const { send } = door({ get_vms: () => VMS, list_jobs: () => [] });
  const missing = async (...request: Parameters<typeof send>) => {
    const { status, headers } = await send(...request);
    assert.equal(status, 200);
    return headers.get("x-missing-hosts");
  };
  assert.equal(await missing("GET", "/vms"), "lab, attic");
  assert.equal(await missing("POST", "/commands/get_vms", {}), "lab, attic");
  assert.equal(await missing("GET", "/vms?host=lab"), null);
  assert.equal(await missing("POST", "/commands/get_vms", { host: "lab" }), null);
  assert.equal(await missing("POST", "/commands/get_vms?host=lab", {}), null);
  assert.equal(await missing("GET", "/jobs"), null);
});

Deno.test("lists of all hosts say how old that is which they have of hosts that do not answer", async () => {
  const { send } = door({ get_vms: () => VMS, list_jobs: () => [] });
  const stale = async (...request: Parameters<typeof send>) =>
    readStaleHosts((await send(...request)).headers.get(STALE_HOSTS_HEADER) ?? "").map(({ id }) => id);
  assert.deepEqual(await stale("GET", "/vms"), ["cellar"]);
  assert.deepEqual(await stale("GET", "/vms?host=cellar"), ["cellar"]);
  assert.deepEqual(await stale("GET", "/vms?host=lab"), []);
  assert.deepEqual(await stale("GET", "/jobs"), []);
  const text = staleHostsText([{ id: "kvm2", heardAt: 1000 }, { id: "kvm3.lan", heardAt: 9e9 }], 313_400);
  assert.equal(text, "kvm2;age=312, kvm3.lan;age=0");
  assert.deepEqual(readStaleHosts(text), [{ id: "kvm2", age: 312 }, { id: "kvm3.lan", age: 0 }]);
  assert.deepEqual(readStaleHosts("nonsense"), []);
});

Deno.test("RestDoor answers 201 with the address of what was made", async () => {
  const table: [string, string, unknown, unknown, string | null][] = [
    ["create_vm", "/vms", { name: "a" }, { id: ID, name: "a" }, `/vms/${ID}`],
    ["import_vm", "/vms/import", {}, { vmId: ID, name: "a" }, `/vms/${ID}`],
    ["clone_vm", `/vms/${OTHER}/clone`, {}, { vmId: ID, name: "a" }, `/vms/${ID}`],
    ["attach_disk", `/vms/${ID}/disks`, {}, { target: "vdb" }, `/vms/${ID}/disks/vdb`],
    ["create_snapshot", `/vms/${ID}/snapshots`, {}, { name: "a b" }, `/vms/${ID}/snapshots/a%20b`],
    ["create_volume", "/storage/pools/p/volumes", {}, { pool: "p", name: "v" }, "/storage/pools/p/volumes/v"],
    [
      "clone_volume",
      "/storage/pools/p/volumes/v/clone",
      {},
      { pool: "q", name: "w" },
      "/storage/pools/q/volumes/w",
    ],
    ["create_token", "/tokens", {}, { token: "kvmm_x", info: { id: "7", name: "ci" } }, "/tokens/7"],
    ["create_network", "/networks", {}, { name: "lab", uuid: "u" }, "/networks/lab"],
    ["create_vm_from_template", `/templates/${ID}/vms`, {}, { vms: [] }, null],
  ];
  for (const [command, path, input, answer, place] of table) {
    const { send } = door({ [command]: () => answer });
    const { status, headers } = await send("POST", path, input);
    assert.deepEqual([status, headers.get("location")], [201, place === null ? null : V1 + place], command);
  }
});

Deno.test("RestDoor: every command that makes a thing is 201, and no other", () => {
  const making = /^(?:create|import|clone|attach|add)_/;
  const without = new Set(["create_setup_link"]); // a link is no thing with an address
  for (const { name, method, command } of REST_ROUTES) {
    if (method !== "POST" || command.readOnly || !making.test(name)) continue;
    assert.equal(isMaking(name), !without.has(name), name);
  }
});

Deno.test("RestDoor answers 202 with the address of the job that goes on", async () => {
  const { send } = door({
    run_backup_now: () => ({ id: "1", jobId: "j 1" }),
    restore_backup: ({ vmId }) => ({ vmId }),
  });
  const begun = await send("POST", `/backups/${ID}/run`, {});
  assert.deepEqual([begun.status, begun.headers.get("location")], [202, `${V1}/jobs/j%201`]);
  const inPlace = await send("POST", `/backups/${ID}/runs/1/restore`, { vmId: OTHER, inPlace: true });
  assert.deepEqual([inPlace.status, inPlace.headers.get("location")], [200, null]);
  const over = door({ run_backup_now: () => ({ id: "1", jobId: null }) });
  assert.equal((await over.send("POST", `/backups/${ID}/run`, {})).status, 200);
});

Deno.test("RestDoor: ETag, If-None-Match and If-Match on what has an address", async () => {
  let name = "web1";
  const { send, calls } = door({
    get_vm: () => ({ id: ID, name }),
    rename_vm: (input) => void (name = input.name as string),
  });
  const first = await send("GET", `/vms/${ID}`), tag = first.headers.get("etag")!;
  assert.match(tag, /^"[\w-]+"$/);
  const known = await send("GET", `/vms/${ID}`, undefined, { "if-none-match": `W/${tag}, "x"` });
  assert.deepEqual([known.status, known.headers.get("etag"), known.body], [304, tag, undefined]);
  const figures = door({ get_vm: () => ({ id: ID, name, stats: { cpuPercent: 7 } }) });
  const asked = { "if-none-match": (await figures.send("GET", `/vms/${ID}`)).headers.get("etag")! };
  assert.equal((await figures.send("GET", `/vms/${ID}`, undefined, asked)).status, 200, "figures are of now");
  // The first of a list may be off, and have none
  const listed = door({ get_vms: () => [{ id: ID, name }, { id: OTHER, name, stats: { cpuPercent: 7 } }] });
  const ofList = { "if-none-match": (await listed.send("GET", "/vms")).headers.get("etag")! };
  assert.equal((await listed.send("GET", "/vms", undefined, ofList)).status, 200, "figures of any of them");
  const renamed = await send("POST", `/vms/${ID}/rename`, { name: "db" }, { "if-match": tag });
  assert.equal(renamed.status, 200);
  for (const [method, path] of [["DELETE", ""], ["PATCH", ""], ["PUT", "/tags"]] as const) {
    const { status, body } = await send(method, `/vms/${ID}${path}`, method === "DELETE" ? undefined : {}, {
      "if-match": tag,
    });
    assert.deepEqual([status, body.code], [412, "PreconditionFailed"], method);
    assert.match(body.message, /has changed: its ETag is "[\w-]+" now/);
  }
  const written = calls.filter(([command]) => !command.startsWith("get_")).map(([command]) => command);
  assert.deepEqual(written, ["rename_vm"]);
  assert.equal((await send("DELETE", `/vms/${ID}`, undefined, { "if-match": "*" })).status, 200);
  const there = await send("PATCH", `/vms/${ID}`, {}, { "if-none-match": "*" });
  assert.deepEqual([there.status, there.body.code], [412, "ThereAlready"]);
  const none = await send("PUT", "/account/password", {}, { "if-match": tag });
  assert.deepEqual([none.status, none.body.code], [400, "InvalidInput"]);
});

Deno.test("RestDoor: of two changes with one ETag at the same time, one is carried out", async () => {
  let name = "a";
  const { send } = door({
    get_vm: () => ({ id: ID, name }),
    rename_vm: async (input) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      name = input.name as string;
    },
  });
  const tag = (await send("GET", `/vms/${ID}`)).headers.get("etag")!;
  const both = ["b", "c"].map((to) => send("POST", `/vms/${ID}/rename`, { name: to }, { "if-match": tag }));
  assert.deepEqual((await Promise.all(both)).map(({ status }) => status).sort(), [200, 412]);
});

Deno.test("RestDoor: an entry of a list has an address and an ETag, and may be named", async () => {
  const users = [{ id: "1", name: "ann", displayName: "A" }, { id: "2", name: "bob", displayName: "B" }];
  const { send, calls } = door({ list_users: () => users });
  const { status, body, headers } = await send("GET", "/users/bob?fields=name");
  assert.deepEqual([status, body], [200, { name: "bob" }]);
  const tag = headers.get("etag")!;
  assert.equal((await send("PATCH", "/users/bob", {}, { "if-match": tag })).status, 200);
  assert.deepEqual(calls.at(-1), ["update_user", { userId: "2" }]);
  const gone = await send("GET", "/users/eve");
  assert.deepEqual([gone.status, gone.body.code], [404, "UserNotFound"]);
  assert.ok(LISTED_ITEMS.length > 5);
});

Deno.test("RestDoor takes names in the place of ids, and says which have the same", async () => {
  const { send, calls } = door({ get_vms: () => [...VMS, { id: "4", name: "db1", tags: [] }] });
  await send("POST", "/vms/web1/start", {});
  assert.deepEqual(calls.at(-1), ["start_vm", { vmId: ID }]);
  await send("POST", "/batch/start", { vmIds: ["web2", ID, "none"] });
  assert.deepEqual(calls.at(-1), ["batch_start_vms", { vmIds: [OTHER, ID, "none"] }]);
  const two = await send("DELETE", "/vms/db1");
  assert.deepEqual([two.status, two.body.code], [409, "NameAmbiguous"]);
  assert.match(two.body.message, /^db1 is the name of several: 3, 4\. /);
  const before = calls.length;
  await send("GET", `/vms/${ID}`);
  assert.equal(calls.length, before + 1); // an id costs no list
  const refused = door({
    get_vms: () => {
      throw new ContractError("Forbidden", { role: "viewer" });
    },
  });
  await refused.send("GET", "/vms/web1");
  assert.deepEqual(refused.calls.at(-1), ["get_vm", { vmId: "web1" }]);
});

Deno.test("files, folders and pictures are at a VM's name as well: every route with a VM takes it", async () => {
  const picture = { format: "image/png", data: "" };
  const { send, calls } = door({
    get_vms: () => VMS,
    ...Object.fromEntries(CONTENT_ROUTES.map(({ name }) => [name, () => ({ name: "a", size: 0 })])),
    ...Object.fromEntries(PICTURES.map(({ command }) => [command, () => picture])),
  });
  const ofVms = [
    ...CONTENT_ROUTES.map(({ method, path }) => [method, path] as const),
    ...PICTURES.map(({ path }) => ["GET", path] as const),
  ].filter(([, path]) => path.includes("{vmId}"));
  assert.ok(ofVms.length > 4);
  for (const [method, path] of ofVms) {
    const at = path.replaceAll("{vmId}", "web1").replaceAll(/\{\w+\}/g, "x");
    await send(method, at, method === "PUT" ? "content" : undefined, { "content-length": "9" });
    const [, input] = calls.at(-1)!;
    assert.equal((input as { vmId: string }).vmId, ID, `${method} ${path}`);
  }
});

Deno.test("RestDoor looks no names up that the command's schema refuses", async () => {
  const { send, calls } = door({ get_vms: () => VMS });
  const names = (count: number) => Array.from({ length: count }, () => "web1");
  const { maxItems } = inputFields(COMMANDS.batch_start_vms).vmIds as TSchema & { maxItems: number };
  const commandsOf = async (method: string, path: string, body: unknown) => {
    const before = calls.length;
    await send(method, path, body);
    return calls.slice(before).map(([command]) => command);
  };
  assert.deepEqual(await commandsOf("POST", "/batch/start", { vmIds: names(maxItems) }), [
    "get_vms",
    "batch_start_vms",
  ]);
  for (
    const [method, path, body, command] of [
      ["POST", "/batch/start", { vmIds: names(maxItems + 1) }, "batch_start_vms"],
      ["POST", "/batch/start", { vmIds: [["web1"]] }, "batch_start_vms"],
      ["POST", "/networks", { vmIds: names(3), vmId: "web1" }, "create_network"],
      ["PATCH", `/vms/${ID}`, { vmIds: names(3), templateId: "gold" }, "update_vm"],
    ] as const
  ) assert.deepEqual(await commandsOf(method, path, body), [command], path);
});

Deno.test("RestDoor finds a thousand names among a thousand VMs in no time", async () => {
  const vms = Array.from({ length: 1000 }, (_, index) => ({ id: `${index}`, name: `vm-${index}`, tags: [] }));
  let compared = 0;
  const counting = vms.map((vm) => ({
    ...vm,
    get name() {
      compared++;
      return vm.name;
    },
  }));
  const { send, calls } = door({ get_vms: () => counting });
  await send("POST", "/batch/start", { vmIds: vms.map(({ name }) => name) });
  assert.deepEqual(calls.at(-1), ["batch_start_vms", { vmIds: vms.map(({ id }) => id) }]);
  assert.equal(compared, vms.length, "each name of the list is read once");
});

Deno.test("RestDoor looks names up on the host that is said", async () => {
  const far = { id: OTHER, name: "gold" }, near = { id: ID, name: "gold" };
  const onHost = ({ host }: Record<string, unknown>) => host === "far" ? [far] : [near];
  const { send, calls } = door({
    list_templates: onHost,
    get_vms: ({ host }) => host === "far" ? [far] : [near, far],
  });
  await send("GET", "/templates/gold?host=far");
  assert.deepEqual(calls.at(-1), ["get_template", { templateId: OTHER, host: "far" }]);
  await send("GET", "/templates/gold");
  assert.deepEqual(calls.at(-1), ["get_template", { templateId: ID }]);
  await send("POST", "/templates", { vmId: "gold", host: "far", name: "a" });
  assert.deepEqual(calls.at(-1), ["create_template", { vmId: OTHER, host: "far", name: "a" }]);
  assert.equal((await send("POST", "/templates", { vmId: "gold", name: "a" })).body.code, "NameAmbiguous");
});

Deno.test("RestDoor: lists by name, label, fields and page", async () => {
  const { send } = door({ get_vms: () => VMS });
  const names = async (query: string) =>
    ((await send("GET", `/vms?${query}`)).body as { name: string }[]).map(({ name }) => name);
  assert.deepEqual(await names("name=web[1-5]"), ["web1", "web2"]);
  assert.deepEqual(await names("label=env%3Dprod"), ["web1"]);
  assert.deepEqual(await names("label=env"), ["web1", "web2", "db1"]);
  assert.deepEqual(await names("label=env=*,tier=w*"), ["web1"]);
  assert.deepEqual((await send("GET", "/vms?name=db*&fields=name,state")).body, [{
    name: "db1",
    state: "running",
  }]);
  const seen: string[] = [];
  for (let query: string | undefined = "?limit=2"; query !== undefined;) {
    const { headers, body } = await send("GET", `/vms${query}`);
    seen.push(...body.map(({ name }: { name: string }) => name));
    query = /^<(\?[^>]+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
  }
  assert.deepEqual(seen, ["db1", "web1", "web2"]);
});

Deno.test("RestDoor: a list with a limit of its own is filtered before it is cut, and says where it was cut", async () => {
  const packages = Array.from({ length: 1500 }, (_, at) => ({
    name: at % 30 === 29 ? `nginx-${at}` : `lib-${at}`,
    version: "1",
    architecture: "all",
  }));
  const { send, calls } = door({
    guest_get_packages: ({ limit = 1000, offset = 0 }) => {
      const from = Number(offset), part = packages.slice(from, from + Number(limit));
      const hasMore = from + part.length < packages.length;
      return { manager: "dpkg", total: packages.length, upgrades: 0, packages: part, hasMore };
    },
  });
  const ask = async (query: string) => {
    const { headers, body } = await send("GET", `/vms/${ID}/guest/packages?${query}`);
    return [body.packages.length, headers.get("link") !== null, headers.get("x-list-cut-at")];
  };
  assert.deepEqual(await ask("name=nginx*&limit=10"), [10, true, "1000"]);
  assert.deepEqual(await ask("name=nginx*"), [33, false, "1000"]);
  assert.deepEqual(await ask("name=nginx*&offset=600"), [30, false, null]);
  assert.deepEqual(await ask("limit=1000"), [1000, false, "1000"]);
  assert.deepEqual(await ask("limit=10"), [10, true, null]);
  assert.deepEqual(calls.at(-1), ["guest_get_packages", { vmId: ID, limit: 11 }]);
});

Deno.test("RestDoor refuses what a query cannot mean", async () => {
  const { send, calls } = door({ get_vms: () => VMS });
  const table: [string, RegExp][] = [
    ["/vms?nmae=x", /unknown field "nmae" in the query\. There are .*limit, after, name, label, fields/],
    ["/vms?limit=0", /limit must be a whole number from 1 to 1000/],
    ["/vms?limit=x", /limit must be/],
    ["/vms?after=x", /after is no mark of a page/],
    ["/vms?fields=name,secret", /"secret", which is no field\. There are .*name/],
    ["/vms?fields=,", /names nothing/],
    [`/vms?name=${"x".repeat(1025)}`, /longer than 1024/],
    ["/host?limit=1", /unknown field "limit"/],
    ["/openapi.json?x=1", /This address takes none/],
    ["/events?x=1", /There are since/],
    ["/users/a?limit=1", /unknown field "limit"/],
  ];
  for (const [path, text] of table) {
    const { status, body } = await send("GET", path);
    assert.equal(status, 400, path);
    assert.match(body.message, text, path);
  }
  assert.equal((await send("POST", "/commands/get_vms?x=1", {})).status, 400);
  assert.deepEqual(calls, []);
});

Deno.test("listQueryOf() leaves a command its own fields, and gives every list its pages", () => {
  for (const route of REST_ROUTES) {
    const views = Object.keys(listQueryOf(route));
    const { properties = {} } = COMMANDS[route.name].input as { properties?: object };
    assert.deepEqual(views.filter((name) => name in properties), [], route.name);
    const isList = route.method === "GET" && (route.command.output as { type?: string }).type === "array";
    const { items } = route.command.output as unknown as { items?: { type?: string } };
    if (isList && items?.type === "object") assert.ok(views.includes("after"), route.name);
  }
});
