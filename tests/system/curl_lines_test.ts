/** Lines for curl, of the API reference and of the documentation: each is run as it stands, on libvirt's test driver. */
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

/** Error codes that a correct line never gets: its path, method, form or fields would be wrong. */
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

/** Stands for curl in a shell: tells each status on standard error, and each answer that is an error in `answers`. */
const CURL = `curl() {
  command curl -sS --max-time 30 -w '%{stderr}%{http_code} %{url_effective}\\n' "$@" | tee -a answers
}
`;
/** Statuses of a line that is wrong: no user is signed in, there is no such path, method, form or state. */
const WRONG_STATUS = /^(000|400|401|403|404|405|411|412|413|415|421|422|500) /m;

/** The blocks of a text that have lines for curl: these, and the variables that they need. */
const curlBlocks = (markdown: string): string[] =>
  [...markdown.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) =>
    block!.replaceAll(/\\\n\s*/g, " ").split("\n").filter((line) => /^(curl |[A-Z]+=)/.test(line)).join("\n")
  ).filter((block) => /curl /.test(block));

Deno.test({
  name: "the documentation's curl lines work as they are written",
  ignore,
  fn: async () => {
    const folder = new URL("../../docs/", import.meta.url);
    const files = [new URL("../README.md", folder)];
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".md")) files.push(new URL(name, folder));
    }
    await using server = await readyServer({ uri: "test:///default", logLevel: "error" });
    const ann = await personWith(server, "ann", [{ role: "administrator", on: { kind: "everything" } }]);
    const token = ann.headers.authorization!.replace("Bearer ", "");
    const wrong: string[] = [];
    let count = 0;
    for (const file of files) {
      for (const block of curlBlocks(await Deno.readTextFile(file))) {
        await using cwd = await testFolder();
        await Deno.writeTextFile(`${cwd.path}/app.conf`, "content");
        // The one VM of the test driver
        const script = block.replaceAll(/https?:\/\/(host|127\.0\.0\.1):8440/g, server.url)
          .replaceAll("web1", "test");
        const { stderr } = await new Deno.Command("sh", {
          args: ["-c", CURL + script],
          cwd: cwd.path,
          env: { TOKEN: token },
        }).output();
        const said = new TextDecoder().decode(stderr);
        count += said.match(/^\d{3} http/gm)?.length ?? 0;
        const answers = await Deno.readTextFile(`${cwd.path}/answers`);
        const codes = [...answers.matchAll(/"code": ?"(\w+)"/g)].map(([, code]) => code as ErrorCode);
        if (WRONG_STATUS.test(said) || codes.some((code) => WRONG_LINE.has(code))) {
          wrong.push(`${file.pathname}:\n${script}\n${said}${answers}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(count >= 7, `${count} were sent`);
  },
});
