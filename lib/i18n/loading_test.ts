/** No text is taken while a module loads: it would stay in the language of whoever came first. */
import assert from "node:assert/strict";
import { join } from "node:path";
// Both say where the language comes from while they load: before the trap is set, which they would replace
import "../../agent/i18n/request_locale.ts";
import "../fresh/page_context.ts";
import { locale, useLocale } from "./locale.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const SOURCE = /\.tsx?$/;
/** Tests; what runs at once, in a thread or as the program; and what needs a browser to load, which is imported late. */
const NOT_LOADED = /(?:_test|testing)\.tsx?$|(?:worker|boot|start|terminal|novnc|graph|vnc_session)\.ts$/;

async function* modules(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* modules(path);
    else if (SOURCE.test(name) && !NOT_LOADED.test(path)) yield path;
  }
}

Deno.test("no module takes a text while it loads", async () => {
  const taken: string[] = [];
  let loading = "";
  using _trap = useLocale(() => {
    taken.push(
      `${loading}: ${
        new Error().stack!.split("\n").find((line) => line.includes(ROOT) && !line.includes("/i18n/"))
      }`,
    );
    return "en";
  });
  let count = 0;
  for (const folder of ["lib", "components", "islands", "agent", "routes"]) {
    for await (const path of modules(join(ROOT, folder))) {
      loading = path.slice(ROOT.length);
      await import(path);
      count++;
    }
  }
  assert.deepEqual([...new Set(taken)], []);
  locale();
  assert.equal(taken.length, 1, "a module has replaced the trap");
  assert.ok(count > 500, `only ${count} modules were found`);
});
