/**
 * Carries out the advice of errors, reasons and notes: advice that another rule refuses leaves users without a way on.
 * Every text that advises something has an entry in `remedies/`, with its test or the reason for none; a new one
 * without an entry fails.
 */
import assert from "node:assert/strict";
import { ERRORS } from "../../lib/contract/errors.ts";
import { advises, sourceTexts } from "../testbed/advice.ts";
import { readyServer } from "../testbed/product.ts";
import { parallelSteps } from "../testbed/parallel_steps.ts";
import { requirement } from "../testbed/skip.ts";
import { OF_BOUNDS } from "./remedies/bounds.ts";
import { type RemedyTrial, removePools } from "./remedies/trial.ts";
import { OF_ERRORS } from "./remedies/errors.ts";
import { OF_NOTES } from "./remedies/notes.ts";
import { OF_REASONS, trialOf } from "./remedies/reasons.ts";

const ignore = await requirement("guest") !== null;
const ROOT = new URL("../../", import.meta.url);
/** Lines within which the advised call follows what was refused. */
const NEAR = 40;
/** Sources whose texts are no reasons: the contract's and the dictionary's are judged by themselves, as is the doctor's advice; scripts, and instructions for programs, are none. */
const NO_REASONS =
  /^(?:lib\/(?:contract|i18n|fresh|insights|openapi|guest\/tools|system)\/|lib\/mcp\/(?:prompts|tools)\.ts|agent\/hosts\/inventory\/view\.ts|agent\/hosts\/install\/scripts\.ts)/;

/** The beginnings of the notes that the view of a VM has in its source. */
async function notes(): Promise<string[]> {
  const source = await Deno.readTextFile(new URL("agent/hosts/inventory/view.ts", ROOT));
  const from = source.indexOf("const held ="),
    to = source.indexOf("/** Whether a screen can be used without");
  return [...source.slice(from, to).matchAll(/(?:push\(|\? |: |=>)\s*[`"]([A-Zl][^`"$]{12,})/g)].map((
    [, text],
  ) => text!);
}

Deno.test("every error and note that advises something says here how that is tried", async () => {
  const advising = Object.entries(ERRORS).filter(([, { text }]) => advises(text)).map(([code]) => code);
  assert.deepEqual(advising.filter((code) => !Object.hasOwn(OF_ERRORS, code)), [], "advice without an entry");
  assert.deepEqual(Object.keys(OF_ERRORS).filter((code) => !Object.hasOwn(ERRORS, code)), [], "no error");
  const found = await notes();
  assert.ok(found.length >= 8, found.join("\n"));
  const unknown = found.filter((text) => !Object.keys(OF_NOTES).some((start) => text.startsWith(start)));
  assert.deepEqual(unknown, [], "a note without an entry");
  for (const start of Object.keys(OF_NOTES)) assert.ok(found.some((text) => text.startsWith(start)), start);
});

Deno.test("every reason in the source that advises something says here how that is tried", async () => {
  const found = await sourceTexts(["agent", "lib"], NO_REASONS);
  assert.ok(found.length >= 150, `only ${found.length} were found`);
  const without = found.filter(({ text }) => trialOf(text) === undefined);
  assert.deepEqual(without.map(({ file, text }) => `${file}: ${text}`), [], "advice without an entry");
  const unsaid = Object.keys(OF_REASONS).filter((part) => !found.some(({ text }) => text.includes(part)));
  assert.deepEqual(unsaid, [], "entries of what the source does not say");
});

/** Trials in parallel, each with its own VM and pool. */
const AT_ONCE = 4;

/** Every entry with what it is of. */
const ALL: readonly (readonly [string, RemedyTrial])[] = [OF_ERRORS, OF_NOTES, OF_REASONS].flatMap((
  entries,
) => Object.entries(entries));

Deno.test("what another test tries is there: what was refused, and the advised call after it", async () => {
  const wrong: string[] = [];
  for (const [what, entry] of ALL) {
    if (!("by" in entry)) continue;
    const lines = (await Deno.readTextFile(new URL(entry.by, ROOT))).split("\n");
    const isTried = lines.some((line, at) =>
      line.includes(entry.words) && lines.slice(at, at + NEAR).some((each) => each.includes(entry.then))
    );
    if (!isTried) wrong.push(`${what}: ${entry.by} has no ${entry.then} after ${entry.words}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test({
  name: "what is advised can be done, and helps",
  ignore,
  fn: async (t) => {
    await using all = new AsyncDisposableStack();
    all.defer(removePools);
    await using server = await readyServer({ env: { KVMM_BIN_DAYS: "7" } });
    const tried = ALL.flatMap(([what, entry]) => "here" in entry ? [{ what, here: entry.here }] : []);
    // What fills the server up leaves no room for others
    for (const { what, here } of tried.filter((each) => Object.hasOwn(OF_BOUNDS, each.what))) {
      await t.step(what, () => here(server));
    }
    const others = tried.filter(({ what }) => !Object.hasOwn(OF_BOUNDS, what));
    const works = Object.fromEntries(others.map(({ what, here }) => [what, () => here(server)]));
    assert.equal(Object.keys(works).length, others.length, "two entries of one name");
    await parallelSteps(t, AT_ONCE, works);
  },
});
