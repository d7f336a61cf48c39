/** Images, ISOs, pools and backup targets on storage that stops answering, and servers that are gone (issue 27). */
import { hangTests } from "../testbed/hang_forms.ts";

const tests = await hangTests("storage that stops answering freezes nothing else", [
  ...["offImage", "offIso", "runningIso", "runningDisks", "forcedOff", "pools", "goneServer", "nfs"] as const,
]);
for (const test of tests) Deno.test(test);
