import assert from "node:assert/strict";
import { join } from "node:path";
import { programSources, PROJECT } from "./project.ts";

/**
 * Texts that are hidden from users who may see some VMs only: names of steps in the log, what a VM that is in no list is described as,
 * what is with the VM alone.
 */
const FREE: ReadonlySet<string> = new Set([
  "agent/demo/screen/terminal.ts",
  "agent/vm/cloud_init/handlers.ts",
]);
/** Known by the name alone where they are said: attributed where they come in (`agent/access/attribution.ts`). */
const BY_NAME: ReadonlySet<string> = new Set([
  "agent/storage/image_conflicts.ts",
  "agent/vm/snapshots/images.ts",
]);

/** A template that is no message. */
const PLAIN = /(?<!message)`((?:[^`\\]|\\.)*)`/g;
/** A VM's name in it. */
const NAME = /\$\{\s*(?:\w+\.)*(?:vm|other|same|known|outer|use)\.(?:name|vm)\s*\}/;
/** Words between its places: it is a sentence, no path or key. */
const WORDS = /[A-Za-z]{2,} [A-Za-z]|\}: |\} [a-z]{2,}/;

Deno.test("sentences name VMs by their ids: message`…${vmName(vm)}…`, not by a pasted name", async () => {
  const found = new Set<string>();
  for (const floor of ["agent", "lib"]) {
    for (const path of await programSources(join(PROJECT, floor))) {
      const source = await Deno.readTextFile(path);
      for (const [, text] of source.matchAll(PLAIN)) {
        if (NAME.test(text!) && WORDS.test(text!)) found.add(path.slice(PROJECT.length).replace(/^\//, ""));
      }
    }
  }
  const known = new Set([...FREE, ...BY_NAME]);
  assert.deepEqual([...found].filter((path) => !known.has(path)).sort(), []);
  assert.deepEqual([...known].filter((path) => !found.has(path)), [], "take it out of the list");
});
