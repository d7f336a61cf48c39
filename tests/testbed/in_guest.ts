/** Programs that are run inside a test machine's guest. */
import assert from "node:assert/strict";
import type { TestMachine } from "./machine.ts";
import { until } from "./wait.ts";

/** Runs a program in the guest through its agent. @returns what it printed */
export async function inGuest(vm: TestMachine, path: string, ...arg: string[]): Promise<string> {
  const { pid } = await vm.agent("guest-exec", { path, arg, "capture-output": true }) as { pid: number };
  const result = await until(`${path} in the guest`, async () => {
    const status = await vm.agent("guest-exec-status", { pid }) as {
      exited: boolean;
      exitcode?: number;
      "out-data"?: string;
      "err-data"?: string;
    };
    return status.exited ? status : null;
  }, { seconds: 400 });
  const text = (data: string | undefined) =>
    new TextDecoder().decode(Uint8Array.from(atob(data ?? ""), (each) => each.charCodeAt(0)));
  assert.equal(result.exitcode, 0, text(result["err-data"]));
  return text(result["out-data"]);
}
