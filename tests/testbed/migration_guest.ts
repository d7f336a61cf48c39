/** Programs in guests of two hosts, by the guest agent. */
import assert from "node:assert/strict";
import type { MigrationHost } from "./migration_hosts.ts";
import { delay } from "./wait.ts";

/** Runs a line of shell in a guest. @returns what it printed */
export async function guestRuns({ libvirt }: MigrationHost, name: string, line: string): Promise<string> {
  const agent = async (ask: object) =>
    JSON.parse(await libvirt.virsh("qemu-agent-command", name, JSON.stringify(ask))).return;
  const args = { path: "/bin/sh", arg: ["-c", line], "capture-output": true };
  const { pid } = await agent({ execute: "guest-exec", arguments: args });
  for (;;) {
    const status = await agent({ execute: "guest-exec-status", arguments: { pid } });
    if (status.exited) {
      assert.equal(status.exitcode, 0, atob(status["err-data"] ?? ""));
      return atob(status["out-data"] ?? "");
    }
    await delay(50);
  }
}
