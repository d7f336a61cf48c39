/**
 * Images, ISOs, pools and backup targets on storage that stops answering, and servers that are gone (issue 27). Each file that
 * is waited for holds a thread: their growth is counted once all requests have come (`hang_watch.ts`).
 */
import { hangTests } from "../testbed/hang_forms.ts";

const tests = await hangTests("storage that stops answering freezes nothing else", [
  ...["offImage", "offIso", "runningIso", "runningDisks", "forcedOff", "pools", "goneServer", "nfs"] as const,
]);
for (const test of tests) Deno.test(test);
