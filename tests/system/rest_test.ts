/** REST for scripts, on real VMs: addresses of what was made, ETags, names in paths, pages, labels, the limit of requests. */
import assert from "node:assert/strict";
import { testName } from "../testbed/names.ts";
import { readyServer } from "../testbed/product.ts";
import { anonymously, atSocket, TESTER } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { startServer } from "../testbed/server.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name:
    "a script makes VMs by REST, reads them by name and label, changes what it has seen, and follows nothing else",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    const ask = async (
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ) => {
      const response = await fetch(new URL(path, `${server.url}/api/v1/`), {
        method,
        headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === "" ? undefined : JSON.parse(text),
      };
    };
    const stem = await testName("rest"), names = [1, 2, 3].map((at) => `${stem}-${at}`);
    const places: string[] = [];
    try {
      for (const name of names) {
        const made = await ask("POST", "vms", {
          name,
          cpuCount: 1,
          memoryMb: 128,
          diskSizeGb: 1,
          osType: "linux",
          network: "default",
          tags: ["env=test", `n=${name.at(-1)}`],
          virtType: "qemu",
        });
        assert.equal(made.status, 201, JSON.stringify(made.body));
        places.push(made.headers.get("location")!);
        assert.equal(places.at(-1), `/api/v1/vms/${made.body.id}`);
      }
      const [place] = places;
      const shown = await ask("GET", place!), tag = shown.headers.get("etag")!;
      assert.equal(shown.body.name, names[0]);
      assert.deepEqual((await ask("GET", `vms/${names[0]}`)).body, shown.body);
      assert.equal((await ask("GET", place!, undefined, { "if-none-match": tag })).status, 304);
      assert.equal(
        (await ask("PUT", `${place}/tags`, { tags: ["env=prod"] }, { "if-match": tag })).status,
        200,
      );
      const late = await ask("PUT", `${place}/tags`, { tags: [] }, { "if-match": tag });
      assert.deepEqual([late.status, late.body.code], [412, "PreconditionFailed"]);
      assert.deepEqual((await ask("GET", `vms?label=env%3Dprod&name=${stem}*&fields=name,tags`)).body, [
        { name: names[0], tags: ["env=prod"] },
      ]);
      const seen: string[] = [];
      for (let query: string | undefined = `?limit=2&name=${stem}-[1-3]`; query !== undefined;) {
        const { headers, body } = await ask("GET", `vms${query}`);
        seen.push(...body.map(({ name }: { name: string }) => name));
        query = /<([^>]+)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
      }
      assert.deepEqual(seen, names);
      const options = await ask("OPTIONS", place!);
      assert.deepEqual([options.status, options.headers.get("allow")], [
        204,
        "GET, DELETE, PATCH, HEAD, OPTIONS",
      ]);
    } finally {
      for (const place of places) await ask("DELETE", `${place}?deleteDisks=true&permanently=true`);
    }
  },
});

Deno.test("who asks too much is told when to come back, and no other token is held up", async () => {
  await using server = await startServer({ uri: "test:///default" });
  const users = await atSocket(server.socket, "list_users", {}) as { id: string; name: string }[];
  const userId = users.find(({ name }) => name === TESTER)!.id;
  const { token } = await atSocket(server.socket, "create_token", {
    name: "wild",
    userId,
    grants: [{ role: "viewer", on: { kind: "everything" } }],
  }) as { token: string };
  const statuses = new Map<number, number>();
  let after: string | null = null, left = 7200;
  const begun = performance.now();
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (left-- > 0) {
      const response = await anonymously(`${server.url}/api/v1/connection`, {
        headers: { authorization: `Bearer ${token}` },
      });
      await response.body?.cancel();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      if (response.status === 429) after = response.headers.get("retry-after");
    }
  }));
  const most = 2000 + 100 * Math.ceil((performance.now() - begun) / 1000);
  assert.ok(statuses.get(200)! <= most, JSON.stringify([...statuses]));
  assert.ok(statuses.get(200)! >= 2000, JSON.stringify([...statuses]));
  assert.deepEqual([[...statuses.keys()].sort(), after], [[200, 429], "1"]);
  assert.equal((await fetch(`${server.url}/api/v1/connection`)).status, 200);
  const nobody = await anonymously(`${server.url}/api/v1/vms`);
  await nobody.body?.cancel();
  assert.deepEqual([nobody.status, nobody.headers.get("www-authenticate")], [
    401,
    'Bearer realm="KVM Manager"',
  ]);
});
