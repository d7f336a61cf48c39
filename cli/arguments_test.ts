import assert from "node:assert/strict";
import { parsed } from "./arguments.ts";
import { UsageError } from "./verb/values.ts";

const OPTIONS = {
  output: { type: "string", short: "o" },
  tag: { type: "string", multiple: true },
  yes: { type: "boolean", short: "y" },
  watch: { type: "boolean", short: "w" },
  wait: { type: "string", optional: ["agent", "running"] },
} as const;
const values = (...args: string[]) => parsed(args, OPTIONS).values;

Deno.test("parsed() reads options in every way they are written, and leaves the other words", () => {
  assert.deepEqual(parsed(["a", "-o", "json", "b", "--tag=x", "--tag", "y", "-wy"], OPTIONS), {
    positionals: ["a", "b"],
    values: { output: "json", tag: ["x", "y"], watch: true, yes: true },
  });
  assert.deepEqual(values("-ojson"), { output: "json" });
  assert.deepEqual(values("--no-yes", "--watch=no"), { yes: false, watch: false });
  assert.deepEqual(values("-o", "-"), { output: "-" });
  assert.deepEqual(values("--output", "-5"), { output: "-5" });
  assert.deepEqual(parsed(["--", "-o", "--yes"], OPTIONS), { positionals: ["-o", "--yes"], values: {} });
});

Deno.test("parsed() takes a value that may be left out from =, or from the words that are one", () => {
  assert.deepEqual(values("--wait"), { wait: true });
  assert.deepEqual(values("--wait=agent"), { wait: "agent" });
  assert.deepEqual(parsed(["--wait", "agent", "web1"], OPTIONS), {
    positionals: ["web1"],
    values: { wait: "agent" },
  });
  assert.deepEqual(parsed(["--wait", "web1"], OPTIONS), { positionals: ["web1"], values: { wait: true } });
});

Deno.test("parsed() says what an option of other tools is here", () => {
  assert.throws(
    () => parsed(["web1", "--force"], OPTIONS, { force: "kvm-manager vm force-stop powers it off at once" }),
    { message: "unknown option --force. kvm-manager vm force-stop powers it off at once" },
  );
});

Deno.test("parsed() names what is wrong, and the option that is near", () => {
  const wrong: readonly (readonly [args: string[], text: RegExp])[] = [
    [["--outptu", "x"], /unknown option --outptu\. Did you mean --output\?/],
    [["--frobnicate"], /^unknown option --frobnicate$/],
    [["--__proto__"], /unknown option/],
    [["-x"], /unknown option -x/],
    [["--output"], /--output needs a value/],
    [["--output", "--yes"], /--yes looks like an option/],
    [["--yes=perhaps"], /--yes must be yes or no/],
  ];
  for (const [args, text] of wrong) {
    assert.throws(
      () => parsed(args, OPTIONS),
      (error) => error instanceof UsageError && text.test(error.message),
    );
  }
});
