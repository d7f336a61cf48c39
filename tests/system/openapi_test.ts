/** The API's description: clean by public rules, and good enough for a public generator's client to work with. */
import assert from "node:assert/strict";
import openapiTS, { astToString } from "openapi-typescript";
import spectralCore from "@stoplight/spectral-core";
import owaspRules from "@stoplight/spectral-owasp-ruleset";
import spectralRules from "@stoplight/spectral-rulesets";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { openApi } from "../../lib/openapi/openapi.ts";
import { REST_ROUTES } from "../../lib/contract/rest.ts";
import { type Person, personWith } from "../testbed/people.ts";
import { readyServer } from "../testbed/product.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;
const ROOT = new URL("../../", import.meta.url).pathname;
const description = JSON.parse(JSON.stringify(openApi("1.2.3"))) as {
  paths: Record<string, Record<string, unknown>>;
  components: { schemas: Record<string, unknown> };
};

/** Rules that are not ours to follow, and why. */
const NOT_OURS: Readonly<Record<string, string>> = {
  "info-license": "what a server's owner runs is under no licence for the API's users",
  "license-url": "the same",
  "contact-properties": "only the server's owner is to be asked, whose address we do not know",
  "owasp:api4:2023-rate-limit":
    "requests are bounded for each address and account: 429 says so, no header counts",
  "owasp:api8:2023-define-cors-origin": "pages from elsewhere may read nothing: no answer has that header",
  "owasp:api2:2023-no-credentials-in-url": "tokenId is a token's public id, not the token",
};
/** Rules on how large values may be: for what is sent to us. What we send, our own limits bound. */
const BOUNDS = /^owasp:api4:2023-(string|integer|array)-(limit|restricted)$/;
/** The same, but a text may be any text where its length is bounded. */
const ANY_TEXT = "owasp:api4:2023-string-restricted";
/** Operations without sign-in, as in `paths./session.post`. */
const OPEN = new Set(
  REST_ROUTES.filter(({ command }) => command.permission === "anyone").map(({ path, method }) =>
    `paths.${path}.${method.toLowerCase()}`
  ),
);

/** Names of the schemas that requests are made of. */
function sentSchemas(): Set<string> {
  const names = new Set<string>();
  const follow = (value: unknown) => {
    for (const [, name] of JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (names.has(name!)) continue;
      names.add(name!);
      follow(description.components.schemas[name!]);
    }
  };
  for (const item of Object.values(description.paths)) {
    for (const operation of Object.values(item) as { requestBody?: unknown; parameters?: unknown }[]) {
      follow([operation.requestBody, operation.parameters]);
    }
  }
  return names;
}

Deno.test("openApi() is clean by Spectral's rules for OpenAPI, and by OWASP's as far as they are ours", async () => {
  const spectral = new spectralCore.Spectral();
  const owasp = ("default" in owaspRules ? owaspRules.default : owaspRules) as never;
  spectral.setRuleset({ extends: [[spectralRules.oas as never, "all"], [owasp, "all"]] });
  const found = await spectral.run(description);
  const sent = sentSchemas();
  const isSent = (path: readonly (string | number)[]) =>
    path[0] === "components"
      ? path[1] === "schemas" && sent.has(String(path[2]))
      : !path.includes("responses") && (path.includes("requestBody") || path.includes("parameters"));
  const left = found.filter(({ code, path }) => {
    const rule = String(code), place = path.join(".");
    if (rule in NOT_OURS || rule === ANY_TEXT) return false;
    if (BOUNDS.test(rule)) return isSent(path);
    if (/write-restricted|define-error-responses-401/.test(rule)) {
      return ![...OPEN].some((open) => place.startsWith(open));
    }
    // A WebSocket's success is 101.
    return !(rule === "operation-success-response" && place.startsWith("paths./consoles/"));
  });
  assert.deepEqual(
    left.map(({ code, message, path }) => `${String(code)} ${path.join(".")}: ${message}`),
    [],
  );
  for (const rule of Object.keys(NOT_OURS)) {
    assert.ok(
      found.some(({ code }) => code === rule),
      `${rule} finds nothing any more: take it off the list`,
    );
  }
});

/** Redocly's rules that are not ours to follow, and why. */
const NOT_REDOCLYS: Readonly<Record<string, string>> = {
  "info-license": NOT_OURS["info-license"]!,
  "operation-2xx-response": "a WebSocket's success is 101",
};

Deno.test("openApi() is clean by Redocly's rules, as far as they are ours", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const found = await lintFromString({ source: JSON.stringify(description), config });
  const told = found.map(({ ruleId, message, location: [at] }) =>
    `${ruleId} ${at && "pointer" in at ? at.pointer : ""}: ${message}`
  );
  const allowed = Object.keys(NOT_REDOCLYS);
  assert.deepEqual(told.filter((each) => !allowed.some((rule) => each.startsWith(`${rule} `))), []);
  for (const rule of allowed) {
    assert.equal(found.filter(({ ruleId }) => ruleId === rule).length, 1, `${rule} is for one place`);
  }
});

/** A program with the generated types and a public client, which says what it got. */
const PROGRAM = `
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";
const [url, token] = Deno.args;
const client = createClient<paths>({ baseUrl: url + "/api/v1", headers: { authorization: "Bearer " + token } });
const { data: vms, error } = await client.GET("/vms");
if (error !== undefined) throw new Error(error.code + error.message);
const first: components["schemas"]["VM"] = vms[0]!;
const vmId: string = first.id;
const { data: vm } = await client.GET("/vms/{vmId}", { params: { path: { vmId } } });
const { error: missing } = await client.GET("/vms/{vmId}", { params: { path: { vmId: "none" } } });
const { response } = await client.PUT("/vms/{vmId}/autostart", { params: { path: { vmId } }, body: { autostart: true } });
const { data: any } = await client.POST("/commands/{name}", { params: { path: { name: "get_host_info" } }, body: {} });
console.log(JSON.stringify({ name: vm?.name, code: missing?.code, status: response.status, host: any }));
`;

Deno.test({
  name: "openApi() gives openapi-typescript types that check, and openapi-fetch a client that works",
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      await using server = await readyServer({ uri: "test:///default", logLevel: "warn" });
      const everything = { kind: "everything" } as const;
      const ann: Person = await personWith(server, "ann", [{ role: "operator", on: everything }]);
      const served = await (await ann.fetch("/api/v1/openapi.json")).json();
      await Deno.writeTextFile(`${folder}/api.d.ts`, astToString(await openapiTS(served)));
      await Deno.writeTextFile(`${folder}/client.ts`, PROGRAM);
      const deno = [Deno.execPath()];
      const config = ["--config", `${ROOT}deno.json`];
      await run([...deno, "check", ...config, `${folder}/client.ts`]);
      const token = ann.headers.authorization!.replace("Bearer ", "");
      const said = JSON.parse(
        await run([...deno, "run", "-A", ...config, `${folder}/client.ts`, server.url, token]),
      );
      assert.deepEqual([said.name, said.code], ["test", "VmNotFound"]);
      assert.ok([200, 501].includes(said.status), "libvirt's test driver may not know autostart");
      assert.equal(typeof said.host.hostname, "string");
      // Types that say nothing would let everything through.
      const wrong = PROGRAM.replace("autostart: true", "autostart: 3");
      await Deno.writeTextFile(`${folder}/wrong.ts`, wrong);
      await assert.rejects(run([...deno, "check", ...config, `${folder}/wrong.ts`]), /autostart|number/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
