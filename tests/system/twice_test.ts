/** A form that is sent twice by a double-click acts once, with script and without. */
import assert from "node:assert/strict";
import { furnished } from "../testbed/furnished.ts";
import { collectForms, type HtmlForm, inSendingOrder } from "../testbed/html_forms.ts";
import { asRoot } from "../testbed/people.ts";
import { call } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { visitPages } from "../testbed/visit_pages.ts";
import { until } from "../testbed/wait.ts";

Deno.test("a form that is sent twice at once, or right after, acts once; later it is meant again", async () => {
  await using server = await startServer({ uri: "test:///default", logLevel: "error" });
  const vm = (await call(server, "get_vms"))[0]!;
  const send = async (path: string, fields: Record<string, string>, accept = "text/html") => {
    const response = await fetch(server.url + path, {
      method: "POST",
      headers: { accept },
      body: new URLSearchParams(fields),
      redirect: "manual",
    });
    return [response.status, response.headers.get("location") ?? await response.text()] as const;
  };
  const schedule = {
    name: "nightly",
    action: "start",
    frequency: "daily",
    time: "01:30",
    timeZone: "UTC",
    "targets.vmIds": vm.id,
  };
  const cases = [
    [
      "/do/create_schedule?to=/schedules",
      schedule,
      async () => (await call(server, "list_schedules")).length,
    ],
    ["/settings/tokens", { name: "t", days: "1", role: "viewer", on: "everything" }, undefined],
    [
      "/do/create_role?to=/settings/roles",
      { role: "own", permissions: "vms.view" },
      async () => (await call(server, "list_roles")).filter(({ role }) => role === "own").length,
    ],
  ] as const;
  for (const [path, fields, count] of cases) {
    const both = await Promise.all([send(path, fields), send(path, fields)]);
    const later = await send(path, fields);
    // A page that refuses has a nonce of its own where the second came after the first was answered
    if (both[0][0] < 400) assert.deepEqual(both[1], both[0], path);
    assert.equal(both[1][0], both[0][0], path);
    // What was refused is asked once more: what refused it may have changed
    assert.equal(later[0], both[0][0], `${path}: right after`);
    if (count !== undefined) {
      assert.deepEqual(later, both[0], `${path}: right after`);
      assert.equal(both[0][0], 303, `${path}: ${both[0][1].slice(0, 300)}`);
      assert.equal(await count(), 1, path);
    }
  }
  const script = await Promise.all(
    [1, 2].map(() =>
      send("/do/create_role?to=/settings/roles", { role: "two", permissions: "vms.view" }, "application/json")
    ),
  );
  assert.deepEqual([script[0]![0], script[1]], [200, script[0]]);
  await until("the same form is another wish", async () => {
    const [status] = await send("/do/create_role?to=/settings/roles", {
      role: "own",
      permissions: "vms.view",
    });
    return status === 409;
  });
});

/** Commands that are meant as often as they are sent. */
const REPEATED = /^(?:send_keys|guest_exec\w*)$/;

/** Actions with their objects in the audit log since a moment → their counts. */
async function doneSince(server: TestServer, since: number): Promise<Map<string, number>> {
  const entries = await asRoot(server, "get_audit_log", {
    since,
    result: "ok",
  });
  const counts = new Map<string, number>();
  for (const { action, vmId, input } of entries) {
    const key = `${action} ${vmId ?? ""} ${JSON.stringify(input)}`;
    if (!REPEATED.test(action)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

Deno.test("every form of every page that is sent twice at once acts once", async () => {
  await using host = await furnished();
  const { server } = host;
  const forms = new Map<string, HtmlForm>();
  await visitPages(
    (address) => fetch(server.url + address),
    (address, html) => collectForms(forms, html, address),
  );
  const wrong: string[] = [], accepted = new Set<string>();
  for (const form of inSendingOrder(forms.values())) {
    const since = Date.now();
    const send = async () => {
      const response = await fetch(server.url + form.action, {
        method: "POST",
        redirect: "manual",
        headers: { accept: "text/html" },
        body: new URLSearchParams(form.fields.map(([name, value]) => [name, value])),
      });
      return [response.status, response.headers.get("location"), await response.text()] as const;
    };
    const [first, second] = await Promise.all([send(), send()]);
    // What was refused is asked once more where the second comes after the answer
    const isRefused = first[0] >= 400 || second[0] >= 400;
    if (!isRefused && (first[0] !== second[0] || first[1] !== second[1])) {
      wrong.push(`${form.action}: ${first.slice(0, 2)} and ${second.slice(0, 2)}`);
    }
    if (first[0] === 500) wrong.push(`${form.action}: ${first[0]}`);
    if (first[0] < 400) accepted.add(form.action.split("?")[0]!);
    for (const [what, times] of await doneSince(server, since)) {
      if (times > 1) wrong.push(`${form.action}: ${times} times ${what}`);
    }
  }
  console.log(`${forms.size} forms; accepted: ${[...accepted].join(" ")}`);
  assert.deepEqual(wrong, [], wrong.join("\n"));
  assert.ok(forms.size >= 100 && accepted.size >= 30, `${forms.size} forms, ${accepted.size} accepted`);
});
