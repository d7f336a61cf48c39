import assert from "node:assert/strict";
import { countResults } from "./junit.ts";

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

Deno.test("countResults() refuses a report that ends early", () => {
  assert.throws(() => countResults('<testsuites><testcase name="a"/>'), /not complete/);
});
