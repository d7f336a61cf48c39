import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { countResults, durationsOf, passedFiles } from "../junit.ts";
import { freeMemoryIn, idleShare, ticksIn } from "./idle.ts";
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

    // What a file took counts, also where it left no report
    const seconds = durationsOf(report)[hangs!]!;
    assert.ok(seconds >= 8 && seconds < 30, String(seconds));

    const none = await run([late!], { jobs: 1, perFile: 8000, total: 0 }, () => Promise.resolve());
    assert.equal(none.passed, false);
    assert.match(none.report, /It was not begun: the files before it took 0 s/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a test or a step that a helper makes counts for the file that was run", async () => {
  const folder = await Deno.makeTempDir();
  const helper = `${folder}/helper.ts`, limits = { jobs: 1, perFile: 60_000, total: 600_000 };
  const files = { fine: "() => {}", fails: '() => { throw new Error("it broke"); }' };
  try {
    await Deno.writeTextFile(
      helper,
      `export const make = (fn) => Deno.test("made", (t) => t.step("step", fn));`,
    );
    const paths = await Promise.all(
      Object.entries(files).map(async ([name, fn]) => {
        const path = `${folder}/${name}_test.ts`;
        await Deno.writeTextFile(path, `import { make } from "./helper.ts"; make(${fn}); make(() => {});`);
        return path;
      }),
    );
    const { report } = await run(paths, limits, () => Promise.resolve());
    const [fine, fails] = paths as [string, string];
    const { failedFiles, passed, failed } = countResults(report);
    assert.deepEqual([failedFiles, passed, failed], [[`./${fails}`], 6, 2]);
    assert.deepEqual([...passedFiles(report)], [fine]);
    assert.deepEqual(Object.keys(durationsOf(report)).sort(), [fails, fine]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what one file of a run has got ready is not done again by the next, unless it failed", async () => {
  const folder = await Deno.makeTempDir();
  const testbed = new URL("../../tests/testbed/once_in_run.ts", import.meta.url).href;
  try {
    const paths = Array.from({ length: 3 }, (_, index) => `${folder}/${index}_test.ts`);
    for (const [index, path] of paths.entries()) {
      await Deno.writeTextFile(
        path,
        `import { onceInRun } from "${testbed}";
        Deno.test("it", () => onceInRun("it", async () => {
          await Deno.writeTextFile("${folder}/done", "${index}", { append: true });
          if (${index} === 0) throw new Error("it broke");
        }));`,
      );
    }
    await run(paths, { jobs: 1, perFile: 60_000, total: 600_000 }, () => Promise.resolve());
    assert.equal(await Deno.readTextFile(`${folder}/done`), "01");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("run() begins more files while the processors are idle, and only then", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const paths = Array.from({ length: 3 }, (_, index) => `${folder}/${index}_test.ts`);
    const write = (body: string) =>
      Promise.all(
        paths.map((path) => Deno.writeTextFile(path, `Deno.test("it", async () => {\n${body}\n});`)),
      );
    const limits = { jobs: 1, most: 3, perFile: 60_000, total: 600_000 };
    const passes = async (idle: number) => {
      const { passed, report } = await run(
        paths,
        { ...limits, idle: () => delay(20).then(() => idle) },
        () => Promise.resolve(),
      );
      assert.equal(passed, true, report);
    };

    // Each ends once all of them have begun.
    await write(`
      await Deno.writeTextFile(import.meta.filename + ".begun", "");
      const isBegun = ({ name }) => name.endsWith(".begun");
      for (let waited = 0; [...Deno.readDirSync("${folder}")].filter(isBegun).length < 3; waited += 50) {
        if (waited > 20_000) throw new Error("the others have not begun");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }`);
    await passes(1);

    // Each fails while another one runs.
    await write(`
      await Deno.mkdir("${folder}/alone");
      await new Promise((resolve) => setTimeout(resolve, 200));
      await Deno.remove("${folder}/alone");`);
    await passes(0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("idleShare() is a share of the processors' time", async () => {
  assert.deepEqual(ticksIn("cpu  10 1 5 80 4 0 0 0 7 7\ncpu0 1 1 1 1\n"), { all: 100, idle: 80 });
  const memory = "MemTotal:       400 kB\nMemFree:   1 kB\nMemAvailable:   100 kB\n";
  assert.equal(freeMemoryIn(memory), 0.25);
  const share = await idleShare(100);
  assert.ok(share >= 0 && share <= 1, String(share));
});
