/** Forms that are one command: `POST /do/{command}`, with script and without. */
import assert from "node:assert/strict";
import { backupFolder } from "../testbed/backups.ts";
import { call } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { anonymously, testerHeaders } from "../testbed/sign_in.ts";

const start = () => startServer({ uri: "test:///default", logLevel: "error" });

/** Sends a form as a browser does. */
function send(
  server: TestServer,
  address: string,
  fields: Record<string, string> | [name: string, value: string][],
  headers: Record<string, string> = {},
  how: typeof fetch = fetch,
): Promise<Response> {
  const body = new URLSearchParams(fields);
  return how(server.url + address, { method: "POST", body, headers, redirect: "manual" });
}

const SCRIPT = { accept: "application/json" };

Deno.test("a form is carried out by the command's schema, and its page says so", async () => {
  await using server = await start();
  const vm = (await call(server, "get_vms"))[0]!;
  const to = `/vms/${vm.id}`;
  const done = await send(server, `/do/set_tags?vmId=${vm.id}&to=${to}`, { tags: "web, prod" });
  await done.body?.cancel();
  assert.deepEqual([done.status, done.headers.get("location")], [303, to]);
  assert.deepEqual((await call(server, "get_vm", { vmId: vm.id })).tags, ["web", "prod"]);
  const cookie = done.headers.get("set-cookie")!.split(";", 1)[0]!;
  const next = await fetch(server.url + to, { headers: { ...testerHeaders(server.url), cookie } });
  assert.match(await next.text(), new RegExp(`role="status"[^]*Tags of ${vm.name} saved`));
  assert.match(next.headers.get("set-cookie") ?? "", /notice=;.*Max-Age=0/, "it is said once");
  const asked = await fetch(`${server.url}${to}?done=set_tags`);
  assert.doesNotMatch(await asked.text(), /Tags of/, "an address says nothing");
  const byScript = await send(server, `/do/set_tags?vmId=${vm.id}&to=${to}`, { tags: "" }, SCRIPT);
  assert.deepEqual([byScript.status, await byScript.json()], [200, {
    done: `Tags of ${vm.name} saved.`,
    warnings: [],
  }]);
  for (const to of ["//evil.example/x", "https://evil.example/", "/\\evil.example"]) {
    const away = await send(server, `/do/set_tags?${new URLSearchParams({ vmId: vm.id, to })}`, { tags: "" });
    await away.body?.cancel();
    assert.equal(away.headers.get("location"), "/", to);
  }
});

Deno.test("a refused form is shown again with what was typed, never with a secret", async () => {
  await using server = await start();
  const typed = { name: "Not A Name", displayName: "Ann <b>", password: "correct horse battery staple" };
  const refused = await send(server, "/do/create_user?to=/settings/users", typed);
  const page = await refused.text();
  assert.equal(refused.status, 400);
  assert.match(page, /role="alert"[^]*Invalid input: name/);
  assert.match(refused.headers.get("content-security-policy") ?? "", /'nonce-/, "its islands run");
  assert.doesNotMatch(page, /correct horse/);
  const ticked = ["vms.view", "vms.delete"];
  const role = await send(server, "/do/create_role?to=/settings/roles", [
    ["role", "Not A Role"],
    ...ticked.map((permission): [string, string] => ["permissions", permission]),
  ]);
  const boxes = (await role.text()).match(/<input type="checkbox"[^>]* checked[^>]*>/g) ?? [];
  assert.deepEqual(boxes.map((box) => /value="([^"]*)"/.exec(box)?.[1]), ticked, "every box that was ticked");
  const unknown = await send(server, "/do/set_tags?vmId=none&to=/vms", { tags: "a" });
  assert.deepEqual([unknown.status, /VM not found/.test(await unknown.text())], [404, true]);
  const byScript = await send(server, "/do/set_tags?vmId=none&to=/vms", { tags: "a" }, SCRIPT);
  assert.deepEqual([byScript.status, (await byScript.json()).code], [404, "VmNotFound"]);
  const extra = await send(server, "/do/set_tags?vmId=none&to=/vms", { tags: "a", admin: "yes" }, SCRIPT);
  assert.deepEqual([extra.status, (await extra.json()).code], [400, "InvalidInput"]);
});

Deno.test("what loses something asks first; a form cannot ask for everything, nor can everybody", async () => {
  await using server = await start();
  await call(server, "create_role", { role: "tester-role", description: "", permissions: ["vms.view"] });
  const roles = async () => (await call(server, "list_roles")).map(({ role }) => role);
  const address = "/do/delete_role?role=tester-role&to=/settings/roles";
  const asked = await send(server, address, {});
  assert.match(await asked.text(), /<form[^]*name="confirmed"/);
  assert.ok((await roles()).includes("tester-role"));
  const foreign = await send(server, address, { confirmed: "yes" }, { origin: "https://evil.example" });
  assert.deepEqual([foreign.status, (await foreign.json()).code], [403, "ForeignOrigin"]);
  const nobody = await send(server, address, { confirmed: "yes" }, {}, anonymously);
  await nobody.body?.cancel();
  assert.match(nobody.headers.get("location") ?? "", /^\/sign-in/);
  assert.ok((await roles()).includes("tester-role"));
  const done = await send(server, address, { confirmed: "yes" });
  await done.body?.cancel();
  assert.equal(done.headers.get("location"), "/settings/roles");
  assert.ok(!(await roles()).includes("tester-role"));
  for (const command of ["get_vms", "upload_volume", "none", "constructor"]) {
    const none = await send(server, `/do/${command}?to=/`, {});
    await none.body?.cancel();
    assert.equal(none.status, 404, command);
  }
  const back = await fetch(`${server.url}/do/delete_role?to=/settings/roles`, { redirect: "manual" });
  await back.body?.cancel();
  assert.equal(back.headers.get("location"), "/settings/roles");
});

Deno.test("the warnings of an answer are said by the page and by the answer to a script", async () => {
  await using server = await start();
  await using folder = await backupFolder();
  const vmId = (await call(server, "get_vms"))[0]!.id, to = `/vms/${vmId}`;
  const tag = (tags: string, headers = {}) =>
    send(server, `/do/set_tags?vmId=${vmId}&to=${to}`, { tags }, headers);
  await call(server, "set_tags", { vmId, tags: ["gold"] });
  await call(server, "create_backup", {
    name: "nightly",
    folder: folder.path,
    targets: { vmIds: [], tags: ["gold"] },
    keep: 1,
  });
  const warning = "The backup nightly no longer copies it.";
  const plain = await tag("");
  await plain.body?.cancel();
  const cookie = plain.headers.get("set-cookie")!.split(";", 1)[0]!;
  const next = await fetch(server.url + to, { headers: { ...testerHeaders(server.url), cookie } });
  assert.match(await next.text(), new RegExp(`data-tone="warn"[^]*${warning}`));
  await call(server, "set_tags", { vmId, tags: ["gold"] });
  const byScript = await (await tag("other", SCRIPT)).json();
  assert.deepEqual(byScript.warnings, [warning]);
});
