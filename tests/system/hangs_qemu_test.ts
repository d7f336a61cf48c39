/** QEMUs that are stopped, with all that can be under way, and agents that do not answer: nothing else stops (issue 27). */
import { hangTests } from "../testbed/hang_forms.ts";

const tests = await hangTests("stopped QEMUs and mute agents freeze nothing else", [
  ...["one", "three", "console", "backup", "snapshot", "copy", "syncOnly", "lineHeld", "lineFull"] as const,
]);
for (const test of tests) Deno.test(test);
