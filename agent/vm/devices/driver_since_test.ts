import assert from "node:assert/strict";
import type { ContractError } from "../../../lib/contract/mod.ts";
import { requireDriverKnown } from "./driver_since.ts";

const host = (version: number) => ({ capabilities: { libvirtVersion: () => Promise.resolve(version) } });

Deno.test("requireDriverKnown() refuses what the host's libvirt is too old for, by its field", async () => {
  const tuning = { discard: "unmap", discardNoUnref: "on" } as const;
  await requireDriverKnown(host(9_005_000), tuning);
  await assert.rejects(
    requireDriverKnown(host(9_000_000), tuning),
    ({ code, message, details }: ContractError) =>
      code === "NotOnThisHost" && details?.field === "discardNoUnref" &&
      /^discardNoUnref .*from version 9\.5\.0 on, and this host has 9\.0\.0/.test(message),
  );
  for (const fine of [{ discard: "unmap" }, { discardNoUnref: "default" }] as const) {
    await requireDriverKnown(host(9_000_000), fine);
  }
});
