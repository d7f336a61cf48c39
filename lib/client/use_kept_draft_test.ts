import assert from "node:assert/strict";
import { CreateModel } from "./create_model.ts";
import { draftText } from "./use_kept_draft.ts";

const START = { wish: {}, check: null, first: "iso", withoutIso: false, systems: [], taken: [] } as const;
const model = () => new CreateModel(START, { pools: [], pool: "" });

Deno.test("a draft comes back as it was left, without its passwords; nothing typed is nothing to keep", () => {
  const left = model(), back = model();
  assert.equal(left.draft(), null);
  left.chooseSource("network");
  left.name("web-1");
  left.set({ cloudInit: { form: { users: [{ name: "admin", password: "secret" }] } } });
  const kept = draftText(left.draft()!);
  assert.doesNotMatch(kept, /secret/);
  back.restore(JSON.parse(kept));
  assert.equal(back.source.value, "network");
  assert.equal(back.wish.value.name, "web-1");
  assert.deepEqual(back.wish.value.cloudInit, { form: { users: [{ name: "admin" }] } });
  // A system that is chosen later does not take the name away.
  back.chooseSystem(undefined);
  assert.equal(back.wish.value.name, "web-1");
});
