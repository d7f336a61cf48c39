/** Running a program in a test guest through its agent: what the guest itself sees. */
import type { TestMachine } from "./machine.ts";
import { until } from "./wait.ts";

interface ExecStatus {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly "out-data"?: string;
}

/** Output of a shell line in the guest, for any exit status. */
export async function inGuest(vm: TestMachine, line: string): Promise<string> {
  const { pid } = await vm.agent("guest-exec", {
    path: "/bin/sh",
    arg: ["-c", `${line} 2>&1`],
    env: ["PATH=/bin:/sbin"],
    "capture-output": true,
  }) as { pid: number };
  const status = await until(`the end of ${line}`, async () => {
    const found = await vm.agent("guest-exec-status", { pid }) as ExecStatus;
    return found.exited ? found : null;
  }, { seconds: 30 });
  return atob(status["out-data"] ?? "").trim();
}
