import assert from "node:assert/strict";
import { type Signal, signal } from "@preact/signals";
import { type Json, PropsWriter } from "./server/props.ts";
import { reviver } from "./revive.ts";

function travel(...props: Record<string, unknown>[]): Record<string, unknown>[] {
  const writer = new PropsWriter();
  for (const one of props) writer.add("Test", one);
  const sent = JSON.parse(JSON.stringify({ props: writer.props, signals: writer.signals })) as {
    props: Json[];
    signals: Json[];
  };
  return sent.props.map(reviver(sent.signals)) as Record<string, unknown>[];
}

Deno.test("reviver() gives back what was sent", () => {
  const props = { a: [1, "x", null, { b: true }], empty: {}, "": 0, $signal: 0, $$: { $signal: "x" } };
  assert.deepEqual(travel(props), [props]);
});

Deno.test("reviver() leaves out what is undefined", () => {
  assert.deepEqual(travel({ a: undefined, b: { c: undefined } }), [{ b: {} }]);
});

Deno.test("reviver() keeps a signal one and the same, also inside another and inside itself", () => {
  const inner = signal(1), outer = signal<unknown>({ inner }), loop = signal<unknown>();
  loop.value = { loop };
  const [a, b] = travel({ inner, outer }, { inner, loop }) as Record<
    string,
    Signal<Record<string, unknown>>
  >[];
  assert.equal(a?.inner, b?.inner);
  assert.equal(a?.outer?.value.inner, a?.inner);
  assert.equal(b?.loop?.value.loop, b?.loop);
});

Deno.test("reviver() never touches a prototype", () => {
  const [props] = travel(JSON.parse('{"o":{"__proto__":{"polluted":true}}}') as Record<string, unknown>);
  const revived = props?.o as Record<string, unknown>;
  assert.equal(revived.polluted, undefined);
  assert.deepEqual(Object.keys(revived), ["__proto__"]);
});
