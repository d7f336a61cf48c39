import assert from "node:assert/strict";
import { printUsageError } from "./host_verb.ts";

Deno.test("printUsageError() sets one full stop behind the reason, whoever brought it", () => {
  const said: string[] = [];
  const { error } = console;
  console.error = (text: string) => void said.push(text);
  try {
    for (const reason of ["no such option: --x", "Port 80 is taken."]) {
      printUsageError("serve", new Error(reason));
    }
  } finally {
    console.error = error;
  }
  assert.deepEqual(said, [
    "kvm-manager serve: no such option: --x. See kvm-manager serve --help",
    "kvm-manager serve: Port 80 is taken. See kvm-manager serve --help",
  ]);
});
