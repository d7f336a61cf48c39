/**
 * Checks that changes of access are confirmed by the user's own password in the form itself: no value of the form is
 * lost.
 */
import assert from "node:assert/strict";
import { formHref } from "../../lib/text/form_href.ts";
import { asRoot, type Person, signedIn } from "../testbed/people.ts";
import { call } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";

const PASSWORD = "correct horse battery staple", NEW = "another horse battery";

async function submit(person: Person, path: string, fields: Record<string, string>) {
  const response = await person.fetch(path, {
    method: "POST",
    headers: { origin: person.server.url, "sec-fetch-site": "same-origin" },
    body: new URLSearchParams(fields),
  });
  return { status: response.status, html: await response.text(), to: response.headers.get("location") };
}

/** The options of a page's lists that are chosen. */
const chosen = (html: string) =>
  [...html.matchAll(/<option[^>]* selected[^>]*>/g)].map(([option]) => /value="([^"]*)"/.exec(option)?.[1]);

Deno.test("a user is created as it was filled in, however often the form was refused before", async () => {
  await using server = await startServer({ uri: "test:///default", logLevel: "error" });
  const vm = (await call(server, "get_vms"))[0]!;
  const grants = [{ role: "administrator", on: { kind: "everything" } } as const];
  await asRoot(server, "create_user", { name: "ann", password: PASSWORD, grants });
  const ann = await signedIn(server, "ann", PASSWORD);
  const page = await (await ann.fetch("/settings/users")).text();
  assert.match(page, /name="ownPassword" type="password"|type="password"[^>]*name="ownPassword"/);
  const form = { name: "eve", display: "Eve", password: NEW, role: "operator", on: `vm:${vm.id}` };
  const refused = [
    ["not confirmed", {}, 403],
    ["one's own password is wrong", { ownPassword: "wrong horse battery" }, 403],
    ["a listed password", { ownPassword: PASSWORD, password: "password1234" }, 400],
  ] as const;
  for (const [why, more, status] of refused) {
    const answer = await submit(ann, "/settings/users", { ...form, ...more });
    assert.equal(answer.status, status, why);
    assert.deepEqual(chosen(answer.html), ["operator", `vm:${vm.id}`], why);
    assert.match(answer.html, /value="eve"[^]*value="Eve"/, why);
    assert.doesNotMatch(answer.html, /horse battery/, why);
  }
  // The proof holds: its field is not shown again.
  assert.doesNotMatch(await (await ann.fetch("/settings/users")).text(), /ownPassword/);
  const done = await submit(ann, "/settings/users", form);
  assert.deepEqual([done.status, done.to], [303, "/settings/users"]);
  const eve = (await call(server, "list_users")).find(({ name }) => name === "eve");
  assert.deepEqual(eve?.grants, [{ role: "operator", on: { kind: "vm", vmId: vm.id } }]);
});

Deno.test("a form without secrets goes on after its question who asks, with all it was filled in with", async () => {
  await using server = await startServer({ uri: "test:///default", logLevel: "error" });
  const grants = [{ role: "administrator", on: { kind: "everything" } } as const];
  await asRoot(server, "create_user", { name: "ann", password: PASSWORD, grants });
  const ann = await signedIn(server, "ann", PASSWORD);
  const address = formHref("create_role", {}, "/settings/roles");
  const asked = await submit(ann, address, { role: "janitor", description: "<b>", permissions: "vms.view" });
  assert.equal(asked.status, 403);
  const hidden = [...asked.html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
    .map(([, name, value]) => [name!, value!.replace("&lt;", "<")] as const);
  assert.deepEqual(Object.fromEntries(hidden), {
    role: "janitor",
    description: "<b>",
    permissions: "vms.view",
  });
  const wrong = await submit(ann, address, { ...Object.fromEntries(hidden), ownPassword: "wrong horse" });
  assert.deepEqual([wrong.status, /name="role" value="janitor"/.test(wrong.html)], [403, true]);
  const done = await submit(ann, address, { ...Object.fromEntries(hidden), ownPassword: PASSWORD });
  assert.deepEqual([done.status, done.to], [303, "/settings/roles"]);
  assert.ok((await call(server, "list_roles")).some(({ role }) => role === "janitor"));
});
