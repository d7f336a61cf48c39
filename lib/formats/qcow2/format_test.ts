import { render, vmName } from "../../i18n/message.ts";
import assert from "node:assert/strict";
import { decideFormat, type FormatEvidence } from "./format.ts";

const nothing: FormatEvidence = {
  said: undefined,
  uses: [],
  recorded: undefined,
  pool: "raw",
  isInPool: true,
  looksQcow2: false,
  mayOverrule: false,
};
const of = (known: Partial<FormatEvidence>) => {
  const decision = decideFormat({ ...nothing, ...known });
  return "refusal" in decision
    ? render(decision.refusal)
    : `${decision.format}${decision.isSaid ? "" : " by content"}`;
};
const looks = { pool: "qcow2", looksQcow2: true } as const;
const raw = [{ vm: vmName({ id: "1", name: "web" }), format: "raw" }];
const qcow2 = [{ vm: vmName({ id: "2", name: "db" }), format: "qcow2" }];

Deno.test("decideFormat() takes what machines have before all else", () => {
  assert.equal(of({ ...looks, uses: raw }), "raw");
  assert.equal(of({ uses: qcow2 }), "qcow2");
  assert.equal(of({ ...looks, uses: raw, said: "raw" }), "raw");
  assert.equal(
    of({ ...looks, uses: raw, said: "qcow2", mayOverrule: true }),
    "web has it as raw, not as qcow2",
  );
  assert.equal(of({ ...looks, uses: [...qcow2, ...raw] }), "web has it as raw, but db as qcow2");
});

Deno.test("decideFormat() keeps raw what a machine had as raw, whatever is in it now", () => {
  assert.equal(of({ ...looks, recorded: "raw" }), "raw");
  assert.match(of({ ...looks, recorded: "raw", said: "qcow2" }), /only an administrator may say/);
  assert.equal(of({ ...looks, recorded: "raw", said: "qcow2", mayOverrule: true }), "qcow2");
  assert.equal(of({ ...looks, recorded: "raw", said: "raw" }), "raw");
});

Deno.test("decideFormat() believes the content of what no guest has written to, and says that it does", () => {
  assert.equal(of({}), "raw by content");
  assert.equal(of({ pool: "iso" }), "raw by content");
  assert.equal(of({ pool: undefined }), "raw by content");
  assert.equal(of(looks), "qcow2 by content");
  assert.equal(of({ ...looks, said: "qcow2" }), "qcow2");
  assert.equal(of({ ...looks, said: "raw" }), "it is a qcow2 image, not raw");
  assert.match(of({ pool: "vmdk" }), /its format is vmdk/);
});

Deno.test("decideFormat() guesses nothing outside all pools", () => {
  const outside = { isInPool: false, pool: undefined } as const;
  assert.match(of(outside), /^say its format/);
  assert.match(of({ ...outside, recorded: "qcow2" }), /^say its format/);
  assert.equal(of({ ...outside, said: "raw", looksQcow2: true }), "raw");
});
