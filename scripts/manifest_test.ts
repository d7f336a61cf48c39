import assert from "node:assert/strict";
import { join } from "node:path";
import { manifestSource, routeName } from "./manifest.ts";

Deno.test("routeName() is a name of the language, by the route's path", () => {
  assert.equal(routeName("vms/[id]/index.tsx"), "route_vms_$id_index");
  assert.equal(routeName("_app.tsx"), "route__app");
  assert.equal(routeName("sign-in.tsx"), "route_sign_in");
});

Deno.test("manifestSource() of a page more has two lines more, and the others as they were", async () => {
  const app = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const page = async (path: string) => {
    await Deno.mkdir(join(app, "routes", path, ".."), { recursive: true });
    await Deno.writeTextFile(join(app, "routes", path), "");
  };
  try {
    await Deno.mkdir(join(app, "islands"));
    for (const path of ["index.tsx", "vms/[id]/index.tsx"]) await page(path);
    const before = (await manifestSource(app)).split("\n");
    await page("networks/index.tsx");
    const after = (await manifestSource(app)).split("\n");
    assert.deepEqual(after.filter((line) => !before.includes(line)), [
      'import * as route_networks_index from "./routes/networks/index.tsx";',
      '    "networks/index.tsx": route_networks_index,',
    ]);
    assert.deepEqual(before.filter((line) => !after.includes(line)), []);
    await page("net-works/a.tsx");
    await page("net_works/a.tsx");
    await assert.rejects(manifestSource(app), /both route_net_works_a/);
  } finally {
    await Deno.remove(app, { recursive: true });
  }
});
