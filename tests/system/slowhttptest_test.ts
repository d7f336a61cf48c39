/**
 * slowhttptest (Debian's) against the real listeners, with and without TLS: what it holds is let go, others are answered.
 * It runs as another user than the client that is timed: the connections of one user that are too many are cut, whatever they
 * are for.
 */
import assert from "node:assert/strict";
import { run } from "../testbed/process.ts";
import { startTlsServer } from "../testbed/tls.ts";
import { requirement } from "../testbed/skip.ts";
import { delay } from "../testbed/wait.ts";

const reason = await requirement("slowhttptest");

/**
 * Its kinds of slowness, by option, and for how many seconds. Of slow heads it ends once all were let go, which a loaded
 * machine does late.
 */
const KINDS = {
  "slow heads": ["-H", "-l", "60"],
  "slow bodies": ["-B", "-l", "15"],
  "slow reads": ["-X", "-w", "64", "-y", "128", "-z", "16", "-l", "15"],
};
const CONNECTIONS = 300;
/**
 * Seconds in which the service must answer at the same time. 256 requests are answered at the beginning, with a page each: some
 * four seconds of processor, on a machine that has other work as well.
 */
const PATIENCE = 30;
/** The user that it runs as. */
const STRANGER = 65534;

Deno.test({
  name: "slowhttptest: 300 slow connections of each kind leave the service available (threat 20)",
  ignore: reason !== null,
  fn: async () => {
    await using tls = await startTlsServer();
    // Both listeners at once: each is there while the other is busy, too
    await Promise.all([tls.server.url, tls.url].map(async (url) => {
      for (const [kind, options] of Object.entries(KINDS)) await slowly(url, kind, options);
    }));
  },
});

/** Runs it against a listener, which must answer others all the time. */
async function slowly(url: string, kind: string, options: readonly string[]): Promise<void> {
  const begin = performance.now();
  const pace = ["-c", `${CONNECTIONS}`, "-r", "150", "-i", "2"];
  const as = ["setpriv", `--reuid=${STRANGER}`, `--regid=${STRANGER}`, "--clear-groups"];
  const over = new AbortController();
  const flood = run([...as, "slowhttptest", ...options, ...pace, "-u", `${url}/sign-in`])
    .finally(() => over.abort());
  const [said, answers] = await Promise.all([flood, answersUntil(over.signal, `${url}/sign-in`)]);
  // deno-lint-ignore no-control-regex -- it colours what it says
  const text = said.replace(/\u001b\[[0-9;]*[a-zA-Z]/g, "");
  const end = /Exit status: (.*)/.exec(text)?.[1] ?? "";
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  const longest = Math.max(...answers.map((answer) => answer.seconds));
  const protocol = new URL(url).protocol;
  console.log(
    `      ${protocol}//, ${kind}: ${answers.length} answers within ${longest} s; ${end} after ${seconds} s`,
  );
  assert.notEqual(answers.length, 0);
  assert.deepEqual(answers.filter(({ status }) => status !== "200"), [], text.slice(-2000));
  assert.notEqual(end, "", text.slice(-2000));
  if (kind === "slow heads") assert.match(end, /No open connections left/, "all were let go");
}

/** Status of a page, requested each second on a connection of its own. `000` is no answer in {@link PATIENCE}. */
async function answersUntil(over: AbortSignal, url: string): Promise<{ status: string; seconds: number }[]> {
  const answers: { status: string; seconds: number }[] = [];
  const out = ["--output", "/dev/null", "--write-out", "%{http_code} %{time_total}"];
  while (!over.aborted) {
    const { stdout } = await new Deno.Command("curl", {
      args: ["--silent", "--insecure", "--max-time", `${PATIENCE}`, ...out, url],
    }).output();
    const [status = "", seconds] = new TextDecoder().decode(stdout).split(" ");
    answers.push({ status, seconds: Number(seconds) });
    await delay(1000);
  }
  return answers;
}
