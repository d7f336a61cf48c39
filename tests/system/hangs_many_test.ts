/** Twelve QEMUs stopped at once, a TPM that is, a second manager, a network that waits: nothing else stops (issue 27). */
import { hangTests } from "../testbed/hang_forms.ts";

const tests = await hangTests(
  "many stopped QEMUs, a stopped TPM, a second manager and a network that waits freeze nothing else",
  [
    ...["twelve", "swtpm", "twoManagers", "networkStart"] as const,
  ],
);
for (const test of tests) Deno.test(test);
