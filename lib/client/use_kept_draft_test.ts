import assert from "node:assert/strict";
import { CreateModel, type CreateStart } from "./create_model.ts";
import { draftText, restoreDraft } from "./use_kept_draft.ts";

const START = {
  wish: {},
  check: null,
  first: "iso",
  withoutIso: false,
  systems: [],
  taken: [],
  sshKeys: [],
} as const;
const model = () => new CreateModel(START, { pools: [], pool: "" });

Deno.test("a draft comes back as it was left, without its passwords; nothing typed is nothing to keep", () => {
  const left = model(), back = model();
  assert.equal(left.draft(), null);
  left.chooseSource("network");
  left.name("web-1");
  left.set({
    cloudInit: {
      form: { users: [{ name: "admin", password: "secret" }, { name: "ann" }], runCommands: ["echo secret"] },
    },
  });
  const kept = draftText(left.draft()!);
  assert.doesNotMatch(kept, /secret/);
  back.restore(JSON.parse(kept));
  assert.equal(back.source.value, "network");
  assert.equal(back.wish.value.name, "web-1");
  assert.deepEqual(back.wish.value.cloudInit, { form: { users: [{ name: "admin" }, { name: "ann" }] } });
  assert.deepEqual(back.again.value, [0], "who needs a password again");
  // A system that is chosen later does not take the name away.
  back.chooseSystem(undefined);
  assert.equal(back.wish.value.name, "web-1");
});

Deno.test("what was cleared stays cleared; a draft of another version is left alone", () => {
  const start = { ...START, wish: { isoPath: "default/debian.iso" } };
  const left = new CreateModel(start, { pools: [], pool: "" }),
    back = new CreateModel(start, { pools: [], pool: "" });
  left.chooseIso(undefined);
  restoreDraft(back, draftText(left.draft()!));
  assert.equal(back.wish.value.isoPath, undefined);
  const other = new CreateModel(start, { pools: [], pool: "" });
  for (const kept of ["{", "null", '{"wish":{"name":"x"}}']) restoreDraft(other, kept);
  assert.deepEqual(other.wish.value, start.wish);
});

Deno.test("a cloud image gets its usual user and the person's keys, until somebody says something else", () => {
  const systems = [{
    id: "debian12",
    osType: "linux",
    defaults: { diskSizeGb: 10 },
  }] as unknown as CreateStart["systems"];
  const form = new CreateModel({ ...START, systems, sshKeys: ["ssh-ed25519 AAAA"] }, { pools: [], pool: "" });
  assert.equal(form.wish.value.cloudInit, undefined);
  form.chooseSource("cloud");
  form.chooseSystem("debian12", true);
  assert.deepEqual(form.wish.value.cloudInit, {
    form: { users: [{ name: "debian", sudo: "nopasswd", sshKeys: ["ssh-ed25519 AAAA"] }] },
  });
  form.chooseSource("iso");
  assert.equal(form.wish.value.cloudInit, undefined);
  form.chooseSource("cloud");
  form.setCloudInit(undefined);
  form.chooseSystem("debian12");
  assert.equal(form.wish.value.cloudInit, undefined, "it was switched off");
  assert.equal(form.warning("cloudInit"), "No user can sign in: no password and no key");
});

Deno.test("a form without a network interface warns, until it has one", () => {
  const form = model(), codes = () => form.warnings.value.map(({ code }) => code);
  assert.deepEqual(codes(), ["NoNetwork"]);
  form.plugIn("lab");
  assert.deepEqual(codes(), []);
});
