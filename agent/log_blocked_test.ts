/** The log of a process whose stderr is not read. */
import assert from "node:assert/strict";

const LINES = 10_000;
/** Bytes of each line, about. */
const LINE = 1000;

/** Logs 10 MB, says so on stdout, and goes on as `then` has it. */
const program = (then: string) => `
  import { log } from ${JSON.stringify(new URL("./log.ts", import.meta.url).href)};
  let turns = 0;
  setInterval(() => turns++, 10);
  for (let n = 0; n < ${LINES}; n++) log.info("line", { n, text: "x".repeat(${LINE - 50}) });
  console.log("logged");
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log(turns > 5 ? "it turns" : "it does not turn");
  ${then}`;

/** A child that runs it. */
function running(then: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `data:text/javascript,${encodeURIComponent(program(then))}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("log: a stderr that is not read stops nothing; what was dropped is counted when it is read again", async () => {
  await using child = running(`
    await Deno.stdin.read(new Uint8Array(1));
    log.info("the last");
    Deno.exit(0);`);
  const stdout = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("turn")) {
    const { value, done } = await stdout.read();
    if (done) assert.fail(`it ended after saying ${said}`);
    said += value;
  }
  assert.match(said, /it turns/);
  const reading = new Response(child.stderr).text();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const stdin = child.stdin.getWriter();
  await stdin.write(new Uint8Array(1));
  await stdin.close();
  await stdout.cancel();
  const lines = (await reading).trimEnd().split("\n");
  assert.equal((await child.status).code, 0);
  const written = lines.filter((line) => line.includes(" info line n="));
  const dropped = lines.flatMap((line) => /warn (\d+) lines were dropped/.exec(line)?.[1] ?? []);
  assert.equal(dropped.length, 1);
  assert.equal(written.length + Number(dropped[0]), LINES);
  assert.ok(written.length * LINE > 900_000, `${written.length} lines were kept`);
  written.forEach((line, n) => assert.ok(line.includes(` n=${n} `), line.slice(0, 100)));
  assert.match(lines.at(-1)!, / info the last$/);
  assert.match(lines.at(-2)!, / lines were dropped/);
});

Deno.test("log: the end of a process does not wait long for who does not read", async () => {
  await using child = running("Deno.exit(3);");
  const stdout = new Response(child.stdout).text();
  const limit = setTimeout(() => child.kill("SIGKILL"), 20_000);
  assert.equal((await child.status).code, 3);
  clearTimeout(limit);
  assert.match(await stdout, /it turns/);
  await child.stdin.close();
  await child.stderr.cancel();
});
