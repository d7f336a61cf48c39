import { browser } from "./testbed/chromium.ts";
import { readyServer } from "./testbed/product.ts";
import { asRoot } from "./testbed/people.ts";
await using server = await readyServer({ env: { KVMM_PAM: "kvm-admins=administrator" } });
await using tester = await browser();
const pages: Record<string, string> = {
  cert: "/settings/certificate",
  health: "/settings/health",
  account: "/settings/account",
  audit: "/settings/audit",
  tokens: "/settings/tokens",
  users: "/settings/users",
  roles: "/settings/roles",
  sessions: "/settings/sessions",
  net: "/networks/default",
  home: "/",
  list: "/vms",
  ...(Deno.args[0] ? JSON.parse(Deno.args[0]) : {}),
};
for (
  const [mode, width, scheme] of [["wide", 1440, "light"], ["dark", 1440, "dark"], [
    "phone",
    390,
    "light",
  ]] as const
) {
  const page = await tester.page({ viewport: { width, height: 900 }, colorScheme: scheme });
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(server.url + path);
    await page.waitForTimeout(500);
    await page.screenshot({ path: `/tmp/shots/${name}-${mode}.png`, fullPage: true });
  }
}
const anon = await tester.browser.newContext({ viewport: { width: 1440, height: 900 } });
const p = await anon.newPage();
await p.goto(server.url.replace("127.0.0.1", "localhost") + "/sign-in");
await p.waitForTimeout(500);
await p.screenshot({ path: "/tmp/shots/signin.png" });
