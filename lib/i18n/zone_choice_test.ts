import assert from "node:assert/strict";
import { formatClock, formatDay, formatMoment, formatWhen, isMidnight } from "../text/time.ts";
import { perZone, useZone, zone } from "./locale.ts";
import { isZone, pageZone } from "./zone_choice.ts";

/** 2026-11-23, 23:30 UTC. */
const AT = Date.UTC(2026, 10, 23, 23, 30);

Deno.test("all formatters of moments take the zone of the page", () => {
  const shown = (name: string) => {
    using _zone = useZone(() => name);
    return [formatMoment(AT), formatClock(AT), formatDay(AT), formatWhen(AT)];
  };
  assert.deepEqual(shown("UTC"), [
    "Nov 23, 2026, 23:30:00",
    "23:30:00",
    "Nov 23",
    "Mon, Nov 23, 2026, 23:30",
  ]);
  assert.deepEqual(shown("Asia/Tokyo"), [
    "Nov 24, 2026, 08:30:00",
    "08:30:00",
    "Nov 24",
    "Tue, Nov 24, 2026, 08:30",
  ]);
  using _berlin = useZone(() => "Europe/Berlin");
  assert.equal(
    isMidnight(Date.UTC(2026, 10, 23, 23)),
    true,
    "a day begins on the axis where it does in the zone",
  );
  assert.equal(isMidnight(AT), false);
});

Deno.test("perZone() keeps a bounded number of formats, whatever zones browsers name", () => {
  const format = perZone({ hour: "2-digit" });
  const inZone = (name: string) => {
    using _zone = useZone(() => name);
    return format();
  };
  const first = inZone("Europe/Berlin");
  assert.equal(inZone("Europe/Berlin"), first, "it is made once");
  const letters = [..."europe/berlin"], spellings = 1 << 6;
  for (let bits = 0; bits < spellings; bits++) {
    inZone(letters.map((letter, at) => bits & 1 << at ? letter.toUpperCase() : letter).join(""));
  }
  assert.notEqual(inZone("Europe/Berlin"), first, "it was let go");
});

Deno.test("pageZone() is the account's choice, the browser's word, else the host's", () => {
  const own = zone();
  assert.equal(pageZone("America/New_York", "Asia/Tokyo"), "America/New_York");
  assert.equal(pageZone("browser", "Asia/Tokyo"), "Asia/Tokyo");
  assert.equal(pageZone(undefined, "Asia/Tokyo"), "Asia/Tokyo");
  assert.equal(pageZone("host", "Asia/Tokyo"), own);
  assert.equal(pageZone("browser", undefined), own);
  assert.equal(pageZone("Mars/Olympus", "<script>"), own, "what is no zone counts for nothing");
});

Deno.test("isZone() takes names of zones alone", () => {
  for (const name of ["UTC", "Europe/Berlin", "Etc/GMT+1", "America/Argentina/Buenos_Aires"]) {
    assert.equal(isZone(name), true, name);
  }
  for (const name of ["", "x", "Europe/Berlin; Path=/", "../etc", "a".repeat(5000), "Europe/Nowhere"]) {
    assert.equal(isZone(name), false, name.slice(0, 30));
  }
});

/**
 * Files that may use a zone other than {@link zone}: schedules and backups, whose clocks are their own, and files for
 * programs.
 */
const OTHERS =
  /^lib\/(i18n\/(locale|zone_choice)|schedules\/|backup\/(dates|calendar|retention)|alerts\/silence|formats\/)|^agent\/|_test\.tsx?$|^lib\/client\/preferences\.ts$/;

Deno.test("no page, island or text formats a moment otherwise", async () => {
  const wrong: string[] = [];
  const look = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) await look(path);
      else if (/\.tsx?$/.test(name) && !OTHERS.test(path)) {
        const text = await Deno.readTextFile(path);
        const found =
          /\.toLocale(Date|Time)String|Intl\.DateTimeFormat|\.get(Hours|Minutes|Date|Day|Month|FullYear|TimezoneOffset)\(/
            .exec(text);
        if (found !== null) wrong.push(`${path}: ${found[0]}`);
      }
    }
  };
  for (const folder of ["components", "islands", "routes", "lib"]) await look(folder);
  assert.deepEqual(wrong, []);
});
