import assert from "node:assert/strict";
import type { VmState } from "../../lib/contract/mod.ts";
import { type Claimant, ownership } from "./owners.ts";

/** A host's word on the VM: its state; "left" is a definition that a migration left behind; null: never read since the start. */
type Word = VmState | "left" | "none" | null;

const claimant = (id: string, word: Word): Claimant => ({
  id,
  inventory: {
    filled: word !== null,
    anyVm: () =>
      word === null || word === "none"
        ? undefined
        : word === "left"
        ? { state: "stopped", stateReason: "migrated" }
        : { state: word },
  },
});

const TABLE: readonly [what: string, kept: string | undefined, words: Record<string, Word>, owner: string][] =
  [
    ["one that has it", undefined, { local: "stopped" }, "local"],
    ["one that has it, of two", undefined, { local: "none", lab: "running" }, "lab"],
    ["a claim against the owner", "local", { local: "running", lab: "running" }, "local"],
    [
      "a running claim against an owner whose VM is off",
      "local",
      { local: "stopped", lab: "running" },
      "local",
    ],
    ["a claim while the owner was never read", "local", { local: null, lab: "running" }, "local"],
    ["an owner that was never read", "lab", { local: "none", lab: null }, "lab"],
    ["a move: the owner has it no more", "local", { local: "none", lab: "stopped" }, "lab"],
    ["a migration that left the definition", "local", { local: "left", lab: "running" }, "lab"],
    ["a migration that is paused there", "local", { local: "left", lab: "paused" }, "lab"],
    ["after it, the new owner keeps it", "lab", { local: "left", lab: "stopped" }, "lab"],
    [
      "a claim of what is off there against one that went away",
      "local",
      { local: "left", lab: "stopped" },
      "local",
    ],
    ["back where the definition stayed", "lab", { local: "left", lab: "none" }, "local"],
    ["an owner that was removed from the hosts", "gone", { local: "running" }, "local"],
    ["no host has it", "local", { local: "none", lab: "none" }, "free"],
    ["no host was ever known to have it", undefined, { local: null, lab: "none" }, "free"],
    ["two claims, and no owner known", undefined, { local: "running", lab: "stopped" }, "local, lab"],
    [
      "two claims after the owner has it no more",
      "local",
      { local: "none", a: "running", b: "running" },
      "a, b",
    ],
  ];

for (const [what, kept, words, expected] of TABLE) {
  Deno.test(`ownership() of ${what} is ${expected}`, () => {
    const hosts = Object.entries(words).map(([id, word]) => claimant(id, word));
    const found = ownership(hosts, "web1", kept);
    const told = found.kind === "owned"
      ? found.host.id
      : found.kind === "free"
      ? "free"
      : found.hosts.map(({ id }) => id).join(", ");
    assert.equal(told, expected);
  });
}
