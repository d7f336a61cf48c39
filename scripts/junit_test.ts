import assert from "node:assert/strict";
import { countResults, durationsOf, passedFiles } from "./junit.ts";

Deno.test("countResults() tells passed, failed and skipped apart", () => {
  const xml = `<?xml version="1.0"?><testsuites name="deno test" tests="4">
    <testsuite name="./fine_test.ts" tests="1"><testcase name="zero"/></testsuite>
    <testsuite name="./a_test.ts" tests="4"><testcase name="one" time="0"/>
      <testcase name="two &gt; three [skipped: no &quot;x&quot;]"><skipped/></testcase>
      <testcase name="four" time="0">
      </testcase>
      <testcase name="five"><failure message="said &lt;skipped/&gt;">text</failure></testcase>
    </testsuite></testsuites>\n`;
  assert.deepEqual(countResults(xml), {
    passed: 3,
    failed: 1,
    skipped: ['two > three [skipped: no "x"]'],
    failedFiles: ["./a_test.ts"],
  });
});

Deno.test("a step that fails in a helper is a failure of its test's file alone", () => {
  const failure = `<failure message="m">t</failure>`;
  const xml = `<testsuites><testsuite name="./a_test.ts"><testcase name="a &gt; b">${failure}</testcase>
    </testsuite><testsuite name="./helper.ts"><testcase name="a &gt; b &gt; step">${failure}</testcase>
    </testsuite></testsuites>`;
  assert.deepEqual(countResults(xml).failedFiles, ["./a_test.ts"]);
});

Deno.test("countResults() refuses a report that ends early", () => {
  assert.throws(() => countResults('<testsuites><testcase name="a"/>'), /not complete/);
});

Deno.test("durationsOf() counts a test once, not again by its steps", () => {
  const xml = `<testsuites><testsuite name="./tests/system/a_test.ts">
      <testcase name="a &gt; b" time="1.5"></testcase><testcase name="whole" time="4"/>
      <testcase name="whole &gt; first" time="3"/><testcase name="whole &gt; first &gt; inner" time="2"/>
    </testsuite><testsuite name="./b_test.ts" time="900.5"><testcase name="x" time="0"/></testsuite>
    <testsuite name="./not_run_test.ts" time="0.000"><testcase name="x" time="0"/></testsuite></testsuites>`;
  assert.deepEqual(durationsOf(xml), { "tests/system/a_test.ts": 5.5, "b_test.ts": 900.5 });
});

Deno.test("passedFiles() leaves out files with a failed, a skipped, or no test", () => {
  const file = (name: string, body: string) => `<testsuite name="./${name}">${body}</testsuite>`;
  const xml = file("good", `<testcase name="x"/>`) + file("none", "") +
    file("bad", `<testcase name="x"/><testcase name="y"><failure message="m">t</failure></testcase>`) +
    file("left", `<testcase name="x"/><testcase name="y"><skipped/></testcase>`);
  assert.deepEqual([...passedFiles(xml)], ["good"]);
});
