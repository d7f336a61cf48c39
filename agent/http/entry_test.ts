import assert from "node:assert/strict";
import { ContractError, ERRORS } from "../../lib/contract/errors.ts";
import { addPseudoTexts, PSEUDO_LOCALE } from "../../lib/i18n/pseudo.ts";
import type { Application } from "../app.ts";
import { entry } from "./entry.ts";
import { refusalResponse } from "./guard.ts";

const refusal = new ContractError("VmNotFound", { vmId: "web" });
const app = {
  settings: { metricsEndpoint: "off" },
  access: {
    identify: () => {
      throw refusal;
    },
  },
} as unknown as Application;
const answer = entry(app, () => Promise.resolve(new Response("a page")));
const request = (language?: string, cookie?: string) =>
  new Request("http://127.0.0.1:8440/api/v1/vms/web", {
    headers: { ...language && { "accept-language": language }, ...cookie && { cookie } },
  });
addPseudoTexts({ [ERRORS.VmNotFound.text]: ERRORS.VmNotFound.text });

Deno.test("the API tells an error in a language that the client accepts, with the same code and details", async () => {
  const told = async (response: Response) => {
    const { message, ...rest } = await response.json();
    assert.deepEqual(rest, { code: "VmNotFound", details: { vmId: "web" } });
    return [response.headers.get("content-language"), message];
  };
  const english = "VM not found: web", pseudo = "⟦VM ñót fóúñd: web~~~~~~~~⟧";
  const cases = [
    [undefined, "en", english],
    [`${PSEUDO_LOCALE}, en;q=0.5`, PSEUDO_LOCALE, pseudo],
    [`en, ${PSEUDO_LOCALE};q=0.5`, "en", english],
    ["tlh", "en", english],
  ] as const;
  for (const [accepted, language, message] of cases) {
    const response = await answer(request(accepted), "api", "127.0.0.1");
    assert.match(response.headers.get("vary") ?? "", /accept-language/);
    assert.deepEqual(await told(response), [language, message]);
    assert.deepEqual(await told(refusalResponse(refusal, request(accepted))), [language, message]);
  }
});

Deno.test("the language that was chosen comes before those that the browser accepts, if there are texts in it", async () => {
  const cases = [
    [`lang=${PSEUDO_LOCALE}`, "en", PSEUDO_LOCALE],
    ["theme=dark; lang=en", PSEUDO_LOCALE, "en"],
    ["lang=tlh", PSEUDO_LOCALE, PSEUDO_LOCALE],
    ["lang=", PSEUDO_LOCALE, PSEUDO_LOCALE],
    ["lang=../../etc/passwd", "en", "en"],
    ["lang=__proto__", "en", "en"],
    [`lang=${"x".repeat(4000)}`, "en", "en"],
  ] as const;
  for (const [cookie, accepted, expected] of cases) {
    const response = await answer(request(accepted, cookie), "api", "127.0.0.1");
    assert.equal(response.headers.get("content-language"), expected, cookie.slice(0, 40));
    assert.match(response.headers.get("vary") ?? "", /cookie/);
    await response.body?.cancel();
  }
});
