import assert from "node:assert/strict";
import { countResults } from "../junit.ts";
import { run } from "./run.ts";

const FILES = {
  fine: 'Deno.test("fine", () => {});',
  fails: 'Deno.test("fine", () => {}); Deno.test("fails", () => { throw new Error("it broke"); });',
  hangs: 'Deno.test("hangs", () => new Promise((_) => setInterval(() => {}, 1000)));',
  crashes: 'Deno.test("crashes", () => Deno.kill(Deno.pid, "SIGKILL"));',
  "does not load": 'import "./nowhere.ts";',
  late: 'Deno.test("late", () => {});',
};

Deno.test("each file is run by itself: what hangs, crashes or does not load fails alone, and is named", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const paths = await Promise.all(
      Object.entries(FILES).map(async ([name, text]) => {
        const path = `${folder}/${name.replaceAll(" ", "_")}_test.ts`;
        await Deno.writeTextFile(path, text);
        return path;
      }),
    );
    const said: Record<string, string> = {};
    const { report, passed } = await run(
      paths.slice(0, -1),
      { jobs: 2, perFile: 8000, total: 600_000 },
      (file, { fault, output }) => {
        said[file] = fault ?? (output.includes("it broke") ? "its output" : "");
        return Promise.resolve();
      },
    );
    const [fine, fails, hangs, crashes, unloadable, late] = paths as [string, ...string[]];
    assert.equal(passed, false);
    assert.deepEqual(Object.fromEntries(Object.entries(said).map(([file, text]) => [file, text])), {
      [fine]: "",
      [fails!]: "its output",
      [hangs!]: "It was ended after 8 s: it hangs, or is too slow",
      [crashes!]: "Its process ended with SIGKILL, without a report",
      [unloadable!]: "Its process ended with exit status 1, without a report",
    });
    const counts = countResults(report);
    assert.deepEqual([counts.passed, counts.failed], [2, 4]);
    assert.deepEqual(
      counts.failedFiles.map((name) => name.replace(/^\.\//, "").split("/").at(-1)).sort(),
      [fails, hangs, crashes, unloadable].map((path) => path!.split("/").at(-1)).sort(),
    );

    const none = await run([late!], { jobs: 1, perFile: 8000, total: 0 }, () => Promise.resolve());
    assert.equal(none.passed, false);
    assert.match(none.report, /It was not begun: the files before it took 0 s/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
