import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FAREWELL } from "./farewell.ts";
import { isControl } from "./session.ts";

Deno.test("isControl() knows resize messages and nothing else", () => {
  assert.ok(isControl('{"type":"resize","cols":80,"rows":24}'));
  for (
    const text of [
      "",
      "resize",
      "null",
      "[]",
      '{"type":"resize"}',
      '{"type":"resize","cols":0,"rows":24}',
      '{"type":"resize","cols":80.5,"rows":24}',
      '{"type":"resize","cols":80,"rows":1e9}',
      '{"type":"other","cols":80,"rows":24}',
    ]
  ) assert.equal(isControl(text), false, text);
});

Deno.test("FAREWELL has reasons that fit into a close frame", () => {
  for (const { reason } of Object.values(FAREWELL)) assert.ok(Buffer.byteLength(reason) <= 123, reason);
});
