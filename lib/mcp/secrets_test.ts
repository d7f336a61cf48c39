import assert from "node:assert/strict";
import Type from "typebox";
import { type Command, COMMANDS } from "../contract/mod.ts";
import { SECRET } from "../contract/schema.ts";
import { HIDDEN, withoutSecrets } from "./secrets.ts";

Deno.test("withoutSecrets() hides marked fields in lists, unions and fields of any name, and nothing else", () => {
  const schema = Type.Object({
    name: Type.String(),
    key: Type.Union([Type.String(SECRET), Type.Null()]),
    rows: Type.Array(
      Type.Union([Type.Object({ a: Type.String(SECRET) }), Type.Object({ b: Type.String() })]),
    ),
    byName: Type.Record(Type.String(), Type.Object({ token: Type.String(SECRET) })),
    codes: Type.Array(Type.String(), SECRET),
  });
  const value = {
    name: "web",
    key: "k",
    rows: [{ a: "s" }, { b: "t" }, { a: 1, c: 2 }],
    byName: { x: { token: "t", more: 1 } },
    codes: ["1", "2"],
    unknown: { a: "kept" },
  };
  assert.deepEqual(withoutSecrets(schema, value), {
    name: "web",
    key: HIDDEN,
    rows: [{ a: HIDDEN }, { b: "t" }, { a: HIDDEN, c: 2 }],
    byName: { x: { token: HIDDEN, more: 1 } },
    codes: HIDDEN,
    unknown: { a: "kept" },
  });
  assert.equal((withoutSecrets(schema, { key: null }) as { key: null }).key, null);
  assert.equal(withoutSecrets(schema, undefined), undefined);
});

interface Schema {
  type?: string;
  "x-secret"?: boolean;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
}

/** Names of secrets, whatever they are of. */
const SECRET_NAME = /^(?:password|passwordHash|passphrase|secret|token|ticket|invitation|recoveryCodes)$/;

/** Fields of answers that are called like secrets and are not marked. */
function unmarked(schema: Schema, at: string): string[] {
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    ...(SECRET_NAME.test(name) && field["x-secret"] !== true ? [`${at}.${name}`] : []),
    ...unmarked(field, `${at}.${name}`),
  ]);
  return [
    ...fields,
    ...(schema.anyOf ?? []).flatMap((each) => unmarked(each, at)),
    ...(schema.items === undefined ? [] : unmarked(schema.items, at)),
  ];
}

Deno.test("fields of answers that are called like secrets are marked as such in the contract", () => {
  const found = Object.entries(COMMANDS).flatMap(([name, { output }]: [string, Command]) =>
    unmarked(output as Schema, name)
  );
  assert.deepEqual(found, []);
  const vnc = withoutSecrets(COMMANDS.get_vnc_info.output, { host: "h", port: 1, password: "p" });
  assert.deepEqual(vnc, { host: "h", port: 1, password: HIDDEN });
});
