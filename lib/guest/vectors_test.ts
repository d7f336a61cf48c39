/** guest/vectors.json, which the agent's own tests read as well: what one side writes, the other understands. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Compile } from "typebox/compile";
import vectors from "../../guest/vectors.json" with { type: "json" };
import { decodeMessage, encodeRequest } from "./message.ts";
import { AGENT_RESULTS, type AgentMethod } from "./results.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (line: Uint8Array) => new TextDecoder().decode(line);

Deno.test("requests are written as the vectors have them, and their answers are understood", () => {
  let written = 0;
  for (const { name, line, answer, request } of vectors.to_agent) {
    if (request) {
      written++;
      assert.equal(text(encodeRequest(request.id, request.method, request.params)), `${line}\n`, name);
    }
    if (answer === "") continue;
    const message = decodeMessage(bytes(answer));
    assert.ok(message.kind === "error" || message.kind === "result", name);
    assert.equal(message.id, request?.id ?? message.id, name);
  }
  assert.ok(written > 10);
});

Deno.test("what an agent may say is told from what it may not", () => {
  for (const { name, line, expect } of vectors.to_host) {
    const message: Record<string, unknown> = { ...decodeMessage(bytes(line)) };
    for (const [field, value] of Object.entries(expect)) assert.deepEqual(message[field], value, name);
  }
});

Deno.test("the results of the vectors fit their schemas, and none with a field missing does", () => {
  for (const { method, result } of vectors.results) {
    const schema = AGENT_RESULTS[method as AgentMethod];
    const validator = Compile(schema);
    assert.deepEqual(validator.Errors(result), [], method);
    assert.ok(validator.Check({ ...result, added_later: 1 }), method);
    for (const field of schema.required) {
      const { [field]: _, ...rest } = result as Record<string, unknown>;
      assert.ok(!validator.Check(rest), `${method} without ${field}`);
    }
    for (const wrong of [null, [], "x", 5]) assert.ok(!validator.Check(wrong), method);
  }
});

Deno.test("no line makes the decoder throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (line) => {
    decodeMessage(line);
  }));
  fc.assert(fc.property(fc.json(), (line) => {
    const { kind } = decodeMessage(bytes(line));
    assert.ok(["result", "error", "notification", "invalid"].includes(kind));
  }));
});
