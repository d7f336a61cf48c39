/** Images, ISOs, pools and backup targets on storage that stops answering, and servers that are gone (issue 27). */
import { testHangs } from "../testbed/hang_forms.ts";

await testHangs("storage that stops answering freezes nothing else", [
  ...["offImage", "offIso", "runningIso", "runningDisks", "forcedOff", "pools", "goneServer", "nfs"] as const,
]);
