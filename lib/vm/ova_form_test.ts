import assert from "node:assert/strict";
import { exportOvaInput, importOvaInput, placeValue } from "./ova_form.ts";

Deno.test("importOvaInput() reads the form of an import", () => {
  const form = new FormData();
  const typed = {
    name: "web2",
    targetPool: "fast",
    diskFormat: "raw",
    diskBus: "",
    cpuCount: " 2",
    memoryMb: "512",
    firmware: "uefi",
    nic0: placeValue({ network: "default" }),
    nic1: placeValue({ bridge: "br0" }),
    nic2: placeValue({ leaveOut: true }),
    keepMacs: "yes",
  };
  for (const [name, value] of Object.entries(typed)) form.set(name, value);
  assert.deepEqual(importOvaInput(form, { pool: "default", volume: "web.ova" }), {
    pool: "default",
    volume: "web.ova",
    name: "web2",
    targetPool: "fast",
    diskFormat: "raw",
    cpuCount: 2,
    memoryMb: 512,
    firmware: "uefi",
    nics: [{ network: "default" }, { bridge: "br0" }, { leaveOut: true }],
    keepMacs: true,
  });
  assert.deepEqual(importOvaInput(new FormData(), { pool: "a", volume: "b" }), { pool: "a", volume: "b" });
});

Deno.test("exportOvaInput() leaves out what is empty", () => {
  const form = new FormData();
  form.set("pool", "default");
  form.set("volume", "");
  assert.deepEqual(exportOvaInput(form, "id"), { vmId: "id", pool: "default" });
});
