/** Tests that change their whole process: each runs in one of its own, while other test files run in threads. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const MARK = "KVMM_TEST_OWN_PROCESS";

/**
 * The body of a test that runs in a process of its own.
 *
 * @param file `import.meta.url` of the test file
 * @param name the test's name: it is run again by that, there
 */
export function inOwnProcess(file: string, name: string, body: () => Promise<void>): () => Promise<void> {
  return async () => {
    if (Deno.env.get(MARK) === name) return await body();
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--allow-all", "--no-check", "--filter", name, fileURLToPath(file)],
      env: { [MARK]: name, NO_COLOR: "1" },
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.match(out!, /\| 1 passed .*\| 0 failed/, `${out}${err}`);
  };
}
