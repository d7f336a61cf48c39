/** Measures the bytes that each page makes a browser load, compressed. */
import { testMachine } from "../testbed/machine.ts";
import { startServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";
import { getVms } from "./api.ts";
import type { Bench } from "./bench.ts";
import { alone, recordedComparison, type Row } from "./row.ts";

/** cockpit-machines' script alone, without cockpit's own. PERFORMANCE.md. */
const COCKPIT_KB = 715;

const LOADED = {
  script: /<(?:script[^>]*\ssrc|link[^>]*rel="modulepreload"[^>]*\shref)="([^"]+\.js[^"]*)"/g,
  style: /<link[^>]*rel="stylesheet"[^>]*\shref="([^"]+)"/g,
} as const;
/** Static imports of a bundled module. */
const IMPORTED = /(?:from|import)\s*"(\.[^"]+\.js)"/g;

async function gzipped(text: string): Promise<number> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength / 1000;
}

const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!);

async function textOf(url: string): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return text;
}

/** Every module a page loads: those it names, and what they import. */
async function modulesOf(html: string, page: string): Promise<string[]> {
  const found = new Set(matches(html, LOADED.script).map((path) => new URL(path, page).href));
  const texts: string[] = [];
  for (const url of found) { // grows while it is gone through
    const text = await textOf(url);
    texts.push(text);
    for (const path of matches(text, IMPORTED)) found.add(new URL(path, url).href);
  }
  return texts;
}

async function weigh(page: string, name: string): Promise<Row[]> {
  const html = await textOf(page);
  const styles = await Promise.all(
    matches(html, LOADED.style).map((path) => textOf(new URL(path, page).href)),
  );
  const sum = async (texts: readonly string[]) =>
    (await Promise.all(texts.map(gzipped))).reduce((total, size) => total + size, 0);
  const unit = "KB";
  const modules = await modulesOf(html, page);
  return [
    recordedComparison({
      what: `${name}: script, ${modules.length} files, gzip`,
      ours: [await sum(modules)],
      unit,
      recorded: COCKPIT_KB,
      peer: "cockpit-machines",
    }),
    alone({ what: `${name}: styles, gzip`, ours: [await sum(styles)], unit }),
    alone({ what: `${name}: HTML, gzip`, ours: [await gzipped(html)], unit }),
  ];
}

export const weights: Bench = async function* (context) {
  await using machine = await testMachine({ purpose: "bench", guest: false });
  await using server = await startServer(context.server);
  await until("the machine", async () => (await getVms(server.url)).some(({ id }) => id === machine.uuid));
  const pages = {
    "/": "/",
    "/vms": "/vms",
    "/vms/{id}": `/vms/${machine.uuid}`,
    "/vms/{id}/xml": `/vms/${machine.uuid}/xml`,
  };
  for (const [name, path] of Object.entries(pages)) yield* await weigh(server.url + path, name);
};
