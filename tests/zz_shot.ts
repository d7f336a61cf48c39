import { ownBrowser } from "/work/wt/demo/tests/testbed/chromium.ts";
const [base, out, ...paths] = Deno.args;
const w = Number(Deno.env.get("W") ?? 1440), h = Number(Deno.env.get("H") ?? 900), scheme = (Deno.env.get("S") ?? "light") as "light" | "dark";
await using tester = await ownBrowser();
const ctx = await tester.newContext({ viewport: { width: w, height: h }, colorScheme: scheme });
const page = await ctx.newPage();
page.on("console", (m) => m.type() === "error" && console.log("console", page.url(), m.text().slice(0, 200)));
for (const p of paths) {
  const r = await page.goto(base + p); 
  await page.waitForTimeout(Number(Deno.env.get("D") ?? 2500));
  console.log(r?.status(), p);
  await page.screenshot({ path: `${out}/${(p.replace(/[^a-z0-9]+/gi, "_") || "_").slice(0,60)}.png`, fullPage: Deno.env.get("F") === "1" });
}
