/** The API reference's lines for a shell: each is run as it stands on the page, on libvirt's test driver. */
import assert from "node:assert/strict";
import { type ErrorCode, ERRORS } from "../../lib/contract/errors.ts";
import { curlLine } from "../../lib/openapi/curl.ts";
import { REST_ROUTES } from "../../lib/contract/rest.ts";
import { testFolder } from "../testbed/folder.ts";
import { personWith } from "../testbed/people.ts";
import { readyServer } from "../testbed/product.ts";
import { which } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null || await which("curl") === null;

/** What a line that is right in itself is never answered with: its path, method, form or fields are wrong. */
const WRONG_LINE: ReadonlySet<ErrorCode> = new Set([
  "InvalidInput",
  "InvalidJson",
  "InvalidName",
  "UnsupportedMediaType",
  "LengthRequired",
  "MethodNotAllowed",
  "NotFound",
  "NotSignedIn",
  "TokenInvalid",
  "ContentExpected",
  "ForeignOrigin",
  "ForeignHost",
]);
/** Lines that end what lets the others in, or that never end. */
const LAST: ReadonlySet<string> = new Set(["sign_out"]);

Deno.test({
  name: "the API reference's curl lines work as they are written",
  ignore,
  fn: async () => {
    await using folder = await testFolder();
    await Deno.writeTextFile(`${folder.path}/disk.qcow2`, "content");
    await using server = await readyServer({ uri: "test:///default", logLevel: "error" });
    const ann = await personWith(server, "ann", [{ role: "administrator", on: { kind: "everything" } }]);
    const token = ann.headers.authorization!.replace("Bearer ", "");
    /** The page of a command, as it is read. */
    const pageOf = async (command: string) =>
      (await (await ann.fetch(`/api/v1/reference?command=${command}`)).text())
        .replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<")
        .replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    const wrong: string[] = [];
    for (const route of REST_ROUTES) {
      if (LAST.has(route.name)) continue;
      const line = curlLine(route, `${server.url}/api/v1`);
      assert.ok(
        (await pageOf(route.name)).includes(line),
        `the page has another line for ${route.name} than ${line}`,
      );
      const { stdout, stderr, success } = await new Deno.Command("sh", {
        args: ["-c", line.replace(/^curl/, "curl -sS --max-time 30")],
        cwd: folder.path,
        env: { KVMM_TOKEN: token },
      }).output();
      const text = new TextDecoder().decode(stdout);
      if (!success) wrong.push(`${line}: ${new TextDecoder().decode(stderr)}`);
      const code = /^\{"code":"(\w+)"/.exec(text)?.[1] as ErrorCode | undefined;
      if (code !== undefined && (WRONG_LINE.has(code) || ERRORS[code].status >= 500 && code === "Internal")) {
        wrong.push(`${line}: ${text}`);
      }
    }
    assert.deepEqual(wrong, []);
  },
});
