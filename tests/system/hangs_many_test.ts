/** Twelve QEMUs stopped at once, a TPM that is, and a second manager on the same host: nothing else stops (issue 27). */
import { testHangs } from "../testbed/hang_forms.ts";

await testHangs("many stopped QEMUs, a stopped TPM and a second manager freeze nothing else", [
  ...["twelve", "swtpm", "twoManagers"] as const,
]);
