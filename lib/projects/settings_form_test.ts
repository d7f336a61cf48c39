import assert from "node:assert/strict";
import type { ProjectDetails } from "../contract/mod.ts";
import { projectSettingsIn, projectTyped } from "./settings_form.ts";

const PROJECT = {
  name: "Shop",
  description: "its VMs",
  pools: ["fast", "slow"],
  networks: [],
  images: [],
  defaults: { cpuCount: 2, tags: ["web", "shop"], network: "lan" },
} as Partial<ProjectDetails> as ProjectDetails;

Deno.test("projectTyped() shows a project in lines of text, and projectSettingsIn() reads them back", () => {
  const typed = projectTyped(PROJECT);
  assert.deepEqual([typed.pools, typed.tags, typed.cpuCount, typed.memoryMb], [
    "fast, slow",
    "web shop",
    "2",
    "",
  ]);
  assert.deepEqual(projectSettingsIn(typed), {
    name: "Shop",
    description: "its VMs",
    pools: ["fast", "slow"],
    networks: [],
    images: [],
    defaults: { cpuCount: 2, network: "lan", tags: ["web", "shop"] },
  });
});

Deno.test("projectSettingsIn() leaves what is no number for the command to refuse, and empty defaults out", () => {
  const typed = {
    ...projectTyped(PROJECT),
    name: " Shop ",
    cpuCount: "two",
    memoryMb: " 512 ",
    network: " ",
    tags: "",
  };
  const { name, defaults } = projectSettingsIn(typed);
  assert.equal(name, "Shop");
  assert.deepEqual(defaults, { cpuCount: "two", memoryMb: 512 });
});
