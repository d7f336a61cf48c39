/** Guessing passwords: a thousand tries from many addresses at many accounts, counted; and what their times tell. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { MOST_ROWS } from "../../agent/store/rejected_call_log.ts";
import { asRoot } from "../testbed/people.ts";
import { run } from "../testbed/process.ts";
import { readyServer } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;
const PASSWORD = "correct horse battery";

/** One try from an address of this host's own network; the answer's code, or `signed-in`. */
function guess(server: TestServer, from: string, name: string, password: string): Promise<string> {
  const { port } = new URL(server.url);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = request({
    host: "127.0.0.1",
    port,
    localAddress: from,
    method: "POST",
    path: "/api/v1/session",
    agent: false,
    headers: { "content-type": "application/json" },
  }, (response) => {
    let text = "";
    response.on("data", (part) => text += part);
    response.on("end", () => {
      const { code, state } = JSON.parse(text);
      resolve(code ?? state);
    });
  });
  asked.on("error", reject);
  asked.end(JSON.stringify({ name, password }));
  return promise;
}

const middle = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

Deno.test({
  name:
    "a thousand guesses by many addresses at many accounts are slowed to a few, and no time tells who exists",
  ignore,
  fn: async (t) => {
    await using server = await readyServer({ uri: "test:///default", logLevel: "error" });
    const real = ["ann", "bob", "eve", "kim", "max"];
    for (const name of real) await asRoot(server, "create_user", { name, password: PASSWORD, grants: [] });

    await t.step("times of names that exist and of those that do not are alike", async () => {
      const times: Record<"real" | "none", number[]> = { real: [], none: [] };
      for (let round = 0; round < 4; round++) {
        for (const [index, name] of real.slice(0, 3).entries()) {
          for (const [kind, who] of [["real", name], ["none", `none${index}`]] as const) {
            const started = performance.now();
            assert.equal(
              await guess(server, `127.0.9.${round * 10 + index + 1}`, who, `wrong ${round}`),
              "SignInFailed",
            );
            times[kind].push(performance.now() - started);
          }
        }
      }
      const [there, absent] = [middle(times.real), middle(times.none)];
      console.log(`      ${Math.round(there)} ms for names that exist, ${Math.round(absent)} ms for others`);
      assert.ok(Math.max(there, absent) / Math.min(there, absent) < 1.6, `${there} ms and ${absent} ms`);
    });
    assert.equal(await guess(server, "127.0.8.8", "ann", PASSWORD), "signed-in");
    await t.step("a thousand guesses", async () => {
      const counts: Record<string, number> = {};
      const names = [...real, "root", "admin", "administrator", "guest", "nobody"];
      let next = 0;
      const started = performance.now();
      const guesser = async () => {
        for (let at = next++; at < 1000; at = next++) {
          const from = `127.0.${1 + at % 5}.${1 + at % 50}`;
          const code = await guess(server, from, names[at % names.length]!, `guess number ${at}`);
          counts[code] = (counts[code] ?? 0) + 1;
        }
      };
      await Promise.all(Array.from({ length: 20 }, guesser));
      const seconds = (performance.now() - started) / 1000;
      console.log(`      1000 guesses in ${seconds.toFixed(1)} s: ${JSON.stringify(counts)}`);
      assert.equal(counts["signed-in"], undefined);
      // Five are free for each address at each name; then each costs twice the wait of the one before, from one second
      // on. Fifty addresses try at one name each.
      const most = 50 * (5 + Math.ceil(Math.log2(seconds + 1)) + 1);
      assert.ok((counts.SignInFailed ?? 0) <= most, `${counts.SignInFailed} of at most ${most}`);
      assert.equal(
        (counts.SignInFailed ?? 0) + (counts.TooManyAttempts ?? 0) + (counts.TooManyRequests ?? 0),
        1000,
      );
      const rows = await asRoot(server, "get_audit_log", { action: "sign_in", limit: 1000 });
      assert.ok(rows.length <= MOST_ROWS.anonymous + 3, `${rows.length} rows: failures fill no log`);
    });
    await t.step("who signed in from there before gets in at once", async () => {
      assert.equal(await guess(server, "127.0.8.8", "ann", PASSWORD), "signed-in");
    });
    await t.step("one user of this host holds up no other user's sign-in at the same address", async () => {
      await asRoot(server, "create_user", { name: "new", password: PASSWORD, grants: [] });
      let code = "";
      for (let at = 0; at < 200 && code !== "TooManyAttempts"; at++) {
        code = await guess(server, "127.0.0.1", `nobody-${at}`, "wrong");
      }
      assert.equal(code, "TooManyAttempts");
      const body = JSON.stringify({ name: "new", password: PASSWORD });
      const answer = await run([
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "curl",
        "--silent",
        "--data",
        body,
        ...["--header", "content-type: application/json", `${server.url}/api/v1/session`],
      ]);
      assert.equal(JSON.parse(answer).state, "signed-in", answer);
    });
    await t.step("who knows the password gets in once the wait is over, from wherever", async () => {
      const deadline = performance.now() + 90_000;
      let code = "";
      while (code !== "signed-in" && performance.now() < deadline) {
        code = await guess(server, "127.0.7.7", "max", PASSWORD);
        if (code !== "signed-in") await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      assert.equal(code, "signed-in");
    });
  },
});
