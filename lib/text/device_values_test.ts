import assert from "node:assert/strict";
import {
  DISK_BUSES,
  DISK_CACHES,
  DISK_DETECT_ZEROES,
  DISK_DISCARD,
  DISK_IO,
  NIC_MODELS,
  SOUND_MODELS,
  VIDEO_MODELS,
  WATCHDOGS,
} from "../contract/choices.ts";
import { type DeviceField, deviceValue } from "./device_values.ts";

/** Said by the forms themselves. */
const OWN = new Set(["default", "none"]);

Deno.test("deviceValue() has words for everything that forms offer, and leaves the rest as it is", () => {
  const offered: Readonly<Record<DeviceField, readonly string[]>> = {
    bus: DISK_BUSES,
    cache: DISK_CACHES,
    io: DISK_IO,
    discard: DISK_DISCARD,
    detectZeroes: DISK_DETECT_ZEROES,
    nicModel: NIC_MODELS,
    video: VIDEO_MODELS,
    sound: SOUND_MODELS,
    watchdog: WATCHDOGS,
  };
  for (const [field, words] of Object.entries(offered) as [DeviceField, readonly string[]][]) {
    for (const word of words.filter((each) => !OWN.has(each))) {
      assert.notEqual(deviceValue(field, word), word, `${field} ${word} is shown raw`);
    }
  }
  assert.equal(deviceValue("bus", "toString"), "toString");
});
