import assert from "node:assert/strict";
import { leadingOptions } from "./leading_options.ts";

Deno.test("leadingOptions() takes options of all verbs with their values, up to the first word", () => {
  for (
    const [options, rest] of [
      [[], ["vm", "list", "-o", "json"]],
      [["--server", "https://host"], ["vm", "list"]],
      [["--server=https://host", "-o", "json"], ["vm", "list", "--context", "x"]],
      [["-ojson", "-y"], ["vm", "delete", "web1"]],
      [["--wait"], ["vm", "stop", "web1"]],
      [["--wait", "running"], ["vm", "start", "web1"]],
      [["--context", "far"], ["--help"]],
      [[], ["--no-such", "vm"]],
      [[], ["--", "--server", "x"]],
      [[], ["-x"]],
      [[], ["--constructor"]],
      [["--server"], []],
    ]
  ) {
    assert.deepEqual(
      leadingOptions([...options!, ...rest!]),
      { options, rest },
      [...options!, ...rest!].join(" "),
    );
  }
});
