/** slowhttptest (Debian's) against the real listeners, with and without TLS: what it holds is let go, others are answered. */
import assert from "node:assert/strict";
import { run } from "../testbed/process.ts";
import { startTlsServer } from "../testbed/tls.ts";
import { requirement } from "../testbed/skip.ts";

const reason = await requirement("slowhttptest");

/** Its kinds of slowness, by option. */
const KINDS = {
  "slow heads": ["-H"],
  "slow bodies": ["-B"],
  "slow reads": ["-X", "-w", "64", "-y", "128", "-z", "16"],
};
const CONNECTIONS = 300;
const SECONDS = 15;
/** Seconds in which the service must answer beside them, on a machine that has other work as well. */
const PATIENCE = 10;

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

/** Runs it against a listener, which must be there for others all the time. */
async function slowly(url: string, kind: string, options: readonly string[]): Promise<void> {
  const begin = performance.now();
  const pace = ["-c", `${CONNECTIONS}`, "-r", "150", "-i", "2", "-l", `${SECONDS}`, "-p", `${PATIENCE}`];
  const said = await run(["slowhttptest", ...options, ...pace, "-u", `${url}/sign-in`]);
  // deno-lint-ignore no-control-regex -- it colours what it says
  const text = said.replace(/\u001b\[[0-9;]*[a-zA-Z]/g, "");
  const states = [...text.matchAll(/service available:\s+(\w+)/g)].map(([, state]) => state);
  const end = /Exit status: (.*)/.exec(text)?.[1] ?? "";
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  const seen = states.join(", ") || "over before it asked";
  console.log(`      ${new URL(url).protocol}//, ${kind}: ${seen}; ${end} after ${seconds} s`);
  assert.deepEqual(states.filter((state) => state !== "YES"), [], text.slice(-2000));
  assert.notEqual(end, "", text.slice(-2000));
  if (kind === "slow heads") assert.match(end, /No open connections left/, "all were let go");
}
