/** QEMUs that are stopped, with all that can be under way, and agents that do not answer: nothing else stops (issue 27). */
import { testHangs } from "../testbed/hang_forms.ts";

await testHangs("stopped QEMUs and mute agents freeze nothing else", [
  ...["one", "three", "console", "backup", "snapshot", "copy", "syncOnly", "lineHeld", "lineFull"] as const,
]);
