/** A form that is sent twice by a double-click acts once, with script and without. */
import assert from "node:assert/strict";
import { call } from "../testbed/product.ts";
import { until } from "../testbed/wait.ts";
import { startServer } from "../testbed/server.ts";

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
    assert.deepEqual(both[1], both[0], path);
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
