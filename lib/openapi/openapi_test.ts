import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import { COMMANDS, ERRORS } from "../contract/mod.ts";
import { openApi } from "./openapi.ts";
import { Compile } from "typebox/compile";
import { needOf } from "../access/permissions.ts";
import { exampleOf, inputExample } from "./examples.ts";
import { inputFields, REST_ROUTES } from "../contract/rest.ts";
import { listQueryOf } from "../rest/list_query.ts";
import { conditionsOn, LISTED_ITEMS } from "../rest/resources.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters?: { name: string; in: string; required: boolean }[];
  readonly requestBody?: {
    content: {
      "application/json": {
        schema: { properties: Record<string, unknown>; anyOf?: { properties: Record<string, unknown> }[] };
      };
    };
  };
  readonly responses: Record<string, { description: string }>;
}
const description = openApi("1.2.3") as {
  info: { version: string };
  paths: Record<string, Record<string, Operation>>;
};
const { components } = openApi("1.2.3") as {
  components: { responses: Record<string, { description: string }>; schemas: Record<string, unknown> };
};
/** An answer, which many commands may share. */
const responseOf = (response: { description?: string; $ref?: string } | undefined) =>
  response?.$ref === undefined ? response : components.responses[response.$ref.split("/").at(-1)!];
const operations = Object.entries(description.paths).flatMap(([path, item]) =>
  Object.entries(item).filter(([method]) => method !== "servers").map(([method, operation]) => ({
    path,
    method,
    operation,
  }))
);

Deno.test("openApi() is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(description)));
  assert.deepEqual([valid, errors, validator.version], [true, undefined, "3.1"]);
});

Deno.test("openApi() has every command at its route, and its version", () => {
  assert.equal(description.info.version, "1.2.3");
  for (const { name, method, path } of REST_ROUTES) {
    assert.equal(description.paths[path]?.[method.toLowerCase()]?.operationId, name);
  }
  const ids = operations.map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(ids.length, Object.keys(COMMANDS).length + LISTED_ITEMS.length + 5);
});

Deno.test("openApi() has every field of a command once: in path, query or body", () => {
  for (const route of REST_ROUTES) {
    const { name, command, method, path, pathFields } = route;
    const { parameters = [], requestBody } = description.paths[path]![method.toLowerCase()]!;
    if (command.content !== undefined) {
      // Its body is content; which part of it is meant, the request's head says.
      const canGoOn = Object.hasOwn(inputFields(command), "offset");
      const heads = command.content === "download" ? ["Range"] : canGoOn ? ["Content-Range"] : [];
      const expected = [...pathFields, ...command.contentFields ?? [], ...heads];
      assert.deepEqual(parameters.map((parameter) => parameter.name), expected, name);
      continue;
    }
    const schema = requestBody?.content["application/json"].schema;
    const inBody = Object.keys((schema?.anyOf?.[0] ?? schema)?.properties ?? {});
    const all = [...parameters.map((parameter) => parameter.name), ...inBody];
    const views = Object.keys(listQueryOf(route));
    const heads = method === "GET"
      ? ["If-None-Match"]
      : conditionsOn(route) === undefined
      ? []
      : ["If-Match"];
    const expected = [...Object.keys(inputFields(command)), ...views, ...heads];
    assert.deepEqual(all.toSorted(), expected.toSorted(), name);
  }
});

Deno.test("openApi() declares every place in a path as a required parameter", () => {
  for (const { path, operation } of operations) {
    const places = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const declared = (operation.parameters ?? []).filter((each) => each.in === "path");
    assert.deepEqual(declared.map((each) => each.name), places);
    assert.ok(declared.every((each) => each.required));
  }
});

Deno.test("openApi() tells every error a command may give, with its status", () => {
  const always = [
    "InvalidInput",
    "LibvirtUnavailable",
    "PermissionDenied",
    "LibvirtTimeout",
    "ConnectionLost",
    "LibvirtBusy",
    "LibvirtFailed",
    "NotSupported",
    "Internal",
  ] as const;
  for (const { name, command, method, path } of REST_ROUTES) {
    const { responses } = description.paths[path]![method.toLowerCase()]!;
    for (const code of [...command.errors, ...always]) {
      assert.match(
        responseOf(responses[ERRORS[code].status])?.description ?? "",
        new RegExp(`^${code}: `, "m"),
        name,
      );
    }
  }
});

Deno.test("openApi() has what each command needs, and says which need no sign-in", () => {
  for (const { name, method, path } of REST_ROUTES) {
    const found = description.paths[path]![method.toLowerCase()]! as Operation & {
      "x-permission": string;
      security?: unknown[];
    };
    assert.equal(found["x-permission"], needOf(name).permission, name);
    assert.deepEqual(found.security, needOf(name).permission === "anyone" ? [] : undefined, name);
    const codes = needOf(name).permission === "anyone" ? [] : ["NotSignedIn", "TokenInvalid"];
    for (const code of codes) assert.ok(responseOf(found.responses[401])?.description?.includes(code), name);
  }
});

Deno.test("examples of inputs and outputs are what their schemas allow", () => {
  for (const [name, command] of Object.entries(COMMANDS)) {
    for (
      const [schema, example] of [
        [command.input, inputExample(command)],
        [command.output, exampleOf(command.output)],
      ] as const
    ) {
      const validator = Compile(schema);
      assert.ok(
        validator.Check(example),
        `${name}: ${JSON.stringify(example)} ${JSON.stringify(validator.Errors(example))}`,
      );
    }
  }
});

Deno.test("openApi() has the schemas of everything that has a name once, and none that is for us alone", () => {
  const text = JSON.stringify(description);
  assert.match(text, /"\$ref":"#\/components\/schemas\/VM"/);
  assert.doesNotMatch(text, /x-refusal|x-secret|x-one-time|x-empty|x-host-clock/);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    assert.ok(name! in components.schemas, name);
  }
  const each = text.length / operations.length;
  assert.ok(each < 6000, `${each} characters for a command`);
});

Deno.test("openApi() has no field write-only that is answered", () => {
  const answers = JSON.stringify([
    operations.map(({ operation }) => operation.responses),
    components.schemas,
  ]);
  assert.doesNotMatch(answers, /"writeOnly"/);
});

Deno.test("openApi() says what each group of commands is about", () => {
  const { tags } = openApi("1.2.3") as { tags: { name: string }[] };
  const used = operations.flatMap(({ operation }) => (operation as { tags?: string[] }).tags ?? []);
  assert.deepEqual(new Set(tags.map(({ name }) => name)), new Set(used));
});
