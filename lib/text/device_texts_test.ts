import assert from "node:assert/strict";
import * as disks from "../../components/vm/devices/disk_fields.const.ts";
import * as nics from "../../components/vm/devices/nic_fields.const.ts";
import { SOUND_MODELS, VIDEO_MODELS, WATCHDOGS } from "../contract/choices.ts";
import type { FieldSpec } from "./command_fields.ts";
import { deviceTexts } from "./device_texts.ts";
import { diskTexts } from "./disk_texts.ts";

import { nicTexts } from "./nic_texts.ts";

/** Said by the forms themselves. */
const OWN = new Set(["default", "none"]);
/** Words that are their own names. */
const PLAIN = new Set(["format", "create.format", "user"]);
/** Fields that none of these forms has: the object, and the scope of a change. */
const UNSHOWN = new Set([
  ...["vmId", "target", "mac", "tag", "device", "live", "persistent", "backingFile", "create.name", "name"],
  // A choice of several fields has these.
  ...["bridge", "direct", "user"],
]);

Deno.test("the fields of forms about devices have labels, and their words a meaning", () => {
  const all = [[disks, diskTexts] as const, [nics, nicTexts] as const].flatMap(([forms, texts]) =>
    Object.values(forms).flatMap((form) => "fields" in form ? [{ ...form, texts }] : [])
  );
  assert.ok(all.length >= 10);
  for (const { command, fields, texts } of all) {
    for (const [field, { choices = [] }] of Object.entries<FieldSpec>(fields)) {
      if (UNSHOWN.has(field)) continue;
      assert.ok(texts.has(field, command), `${command} ${field} has no label`);
      if (PLAIN.has(field)) continue;
      for (const word of choices.filter((each) => field === "cache" ? each !== "default" : !OWN.has(each))) {
        assert.notEqual(texts.word(field, word, command), word, `${field} ${word} is shown raw`);
      }
    }
  }
  for (
    const [field, words] of Object.entries({ video: VIDEO_MODELS, sound: SOUND_MODELS, watchdog: WATCHDOGS })
  ) {
    for (const word of words.filter((each) => !OWN.has(each))) {
      assert.notEqual(deviceTexts.word(field, word), word, `${field} ${word} is shown raw`);
    }
  }
  assert.equal(deviceTexts.word("bus", "toString"), "toString");
});
